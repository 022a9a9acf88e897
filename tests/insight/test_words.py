from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evonas.insight.words import amount, clean, counted, listed, number, shortened, signed


def test_clean_leaves_nothing_that_a_terminal_or_xml_minds():
    dirty = "a\x1b[31mb\nc\td\ud800\u202ee\x00\ufffe\u00e9"

    cleaned = clean(dirty)

    assert cleaned == "a\ufffd[31mb c d\ufffd\ufffde\ufffd\ufffd\u00e9"
    assert ElementTree.fromstring(f"<a>{cleaned}</a>").text == cleaned


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.05213, "0.0521"),
        (-3.5, "-3.5000"),
        (0.0, "0"),
        (3.14e-5, "3.14e-05"),
        (12345.6, "12,346"),
        (5e9, "5e+09"),
    ],
)
def test_number(value, told):
    assert number(value) == told


def test_signs_and_amounts_and_lists():
    assert [signed(value) for value in (0.5, -0.5, 0.0)] == ["+0.5000", "-0.5000", "0"]
    assert [amount(value) for value in (950, 12_345, 4_560_000, 2e9)] == [
        "950",
        "12.3k",
        "4.56M",
        "2G",
    ]
    assert [counted(1, "trial"), counted(2000, "trial")] == ["1 trial", "2,000 trials"]
    assert [listed([]), listed(["7"]), listed(["7", "9"]), listed(["7", "9", "12"])] == [
        "",
        "7",
        "7 and 9",
        "7, 9 and 12",
    ]
    assert shortened("abcdef", 4) == "abc\u2026"
