from __future__ import annotations

from evonas.insight.words import amount, shortened


def test_amounts():
    values = (950, 12_345, 4_560_000, 2e9, 999_999, 0.00012)
    assert [amount(value) for value in values] == ["950", "12.3k", "4.56M", "2G", "1M", "0.00012"]


def test_what_is_shortened_says_so():
    assert shortened("abcdef", 4) == "abc\u2026"
    assert shortened("abcdef", 6) == "abcdef"
