"""Indented JSON: the same text that `json.dumps` writes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.cli.json_text import indented, with_rows

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FINITE = LEAVES.filter(lambda value: value not in (float("inf"), float("-inf")))
VALUES = st.recursive(FINITE, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(max_examples=40)
@given(VALUES)
def test_any_value(value):
    assert indented(value) == json.dumps(value, indent=2)


# Drawing such values takes longer than writing them.
@settings(max_examples=8)
@given(st.dictionaries(st.text(), VALUES), st.lists(VALUES))
def test_rows_at_the_end_of_an_object(head, rows):
    head.pop("rows", None)
    whole = json.dumps({**head, "rows": rows}, indent=2)
    assert "".join(with_rows(head, "rows", rows)) == whole


def test_a_tuple_is_a_list_and_no_rows_are_an_empty_one():
    assert indented((1, (2,))) == json.dumps((1, (2,)), indent=2)
    assert json.loads("".join(with_rows({}, "rows", []))) == {"rows": []}


def test_a_row_is_asked_for_after_the_one_before_was_given():
    asked = []

    def rows():
        for number in range(3):
            asked.append(number)
            yield number

    pieces = with_rows({"a": 1}, "rows", rows())
    next(pieces)
    assert asked == []
    next(pieces)
    assert asked == [0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        indented({"a": [value]})


def test_a_key_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="a key of JSON is a string"):
        indented({1: 2})
