"""One form of numbers, singular and plural, in every sentence."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from evonas.words import (
    clean,
    clean_lines,
    counted,
    cut,
    difference,
    excerpt,
    listed,
    measured,
    number,
    size,
)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "-"),
        (0, "0"),
        (0.0, "0"),
        (1.0, "1.0000"),
        (0.985, "0.9850"),
        (-3.5, "-3.5000"),
        (12.34, "12.3400"),
        # small ones keep four significant digits
        (0.05213, "0.05213"),
        (-0.0167, "-0.01670"),
        (0.0001234, "0.0001234"),
        (0.0999996, "0.1000"),
        (3.14e-5, "3.14e-05"),
        (1e-7, "1e-07"),
        (-1.23456e-7, "-1.235e-07"),
        # large ones have their thousands apart, and counts all of their digits
        (999.99999, "1,000"),
        (12345.6, "12,346"),
        (1_234_567, "1,234,567"),
        (1_234_567.0, "1,234,567"),
        (5e9, "5,000,000,000"),
        (3.3e20, "3.3e+20"),
        # what is not perfect never reads as if it were
        (0.99996, "0.99996"),
        (0.9999999, "0.9999999"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_a_number_keeps_four_digits_whatever_its_size(value, told):
    assert number(value) == told


def test_a_metric_that_counts_has_no_decimals():
    assert measured("best_epoch", 2.0) == "2"
    assert measured("parameters", 850.0) == "850"
    assert measured("flops", 18_108_000) == "18,108,000"
    assert measured("parameters", 12.5) == "12.5000"
    assert measured("val_loss", 2.0) == "2.0000"
    assert measured("parameters", None) == "-"


def test_one_is_singular_and_everything_else_is_plural():
    assert [counted(count, "trial") for count in (0, 1, 2, 2000)] == [
        "0 trials",
        "1 trial",
        "2 trials",
        "2,000 trials",
    ]
    assert [counted(count, "class", "classes") for count in (1, 10)] == ["1 class", "10 classes"]


def test_lists():
    items = ["7", "9", "12"]
    assert [listed(items[:count]) for count in range(4)] == ["", "7", "7 and 9", "7, 9 and 12"]


def test_bytes_in_words() -> None:
    told = [size(count) for count in (1, 1000, 2**20, 3 * 2**29, 2**41)]
    assert told == ["1 byte", "1,000 bytes", "1.0 MiB", "1.5 GiB", "2,048.0 GiB"]


def test_clean_leaves_nothing_that_a_terminal_or_xml_minds():
    dirty = "a\x1b[31mb\nc\td\ud800\u202ee\x00\ufffe\u00e9"

    cleaned = clean(dirty)

    assert cleaned == "a\ufffd[31mb c d\ufffd\ufffde\ufffd\ufffd\u00e9"
    assert ElementTree.fromstring(f"<a>{cleaned}</a>").text == cleaned


def test_clean_lines_keeps_line_feeds_and_tabs():
    assert clean_lines("a\r\nb\tc\n\x1b[2J\rd\x85e\u2028f") == (
        "a\nb\tc\n\ufffd[2J\ufffdd\ufffde\ufffdf"
    )


def test_an_excerpt_is_one_clean_line_and_says_that_it_was_cut():
    assert excerpt("a\nb\x1b") == "a b\ufffd"
    assert excerpt("x" * 5_000_000) == "x" * 297 + "..."
    assert excerpt("x" * 300) == "x" * 300
    assert excerpt("abc def", 6) == "abc..."
    assert cut("abcdef", 6) == "abcdef"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.9999999999999998, "1.0000"),
        (-1.0000000000000002, "1.0000"),
        (0.99999, "0.99999"),
        (-0.25, "0.2500"),
        (0.3 - 0.1, "0.2000"),
        (1e-7, "1e-07"),
        (-1234567, "1,234,567"),
        (3, "3"),
    ],
)
def test_a_difference_has_no_digits_of_its_own(value, told):
    assert difference(value) == told
