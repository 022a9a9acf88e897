from __future__ import annotations

from xml.etree import ElementTree

from evonas.insight.words import amount, clean, shortened


def test_clean_leaves_nothing_that_a_terminal_or_xml_minds():
    dirty = "a\x1b[31mb\nc\td\ud800\u202ee\x00\ufffe\u00e9"

    cleaned = clean(dirty)

    assert cleaned == "a\ufffd[31mb c d\ufffd\ufffde\ufffd\ufffd\u00e9"
    assert ElementTree.fromstring(f"<a>{cleaned}</a>").text == cleaned


def test_amounts():
    values = (950, 12_345, 4_560_000, 2e9, 999_999, 0.00012)
    assert [amount(value) for value in values] == ["950", "12.3k", "4.56M", "2G", "1M", "0.00012"]


def test_what_is_shortened_says_so():
    assert shortened("abcdef", 4) == "abc\u2026"
    assert shortened("abcdef", 6) == "abcdef"
