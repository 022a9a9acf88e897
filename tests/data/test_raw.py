"""Raw samples are counted, chosen, told apart, written and read."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest

from evonas.data import raw
from evonas.data.raw import Frame, Ragged, RawSamples

STRINGS = np.dtypes.StringDType()

FRAME = Frame(
    {
        "age": np.array([31.0, np.nan, 8.0]),
        "größe/cm": np.array([180, 170, 120]),
        "file": np.array(["", "b", "a word"], dtype=STRINGS),
        "has pets": np.array([True, False, True]),
    }
)
RAGGED = Ragged([np.arange(6.0).reshape(3, 2), np.zeros((1, 2)), np.ones((2, 2))])
TEXTS = np.array(["two words", "", "größer 😀"], dtype=STRINGS)
ALL: dict[str, RawSamples] = {
    "frame": FRAME,
    "ragged": RAGGED,
    "texts": TEXTS,
    "array": np.arange(6).reshape(3, 2),
}


def bits(x: RawSamples) -> bytes:
    return b"|".join(raw.content(x))


@pytest.mark.parametrize("x", ALL.values(), ids=ALL)
def test_what_is_written_is_read(x: RawSamples, tmp_path: Path) -> None:
    path = tmp_path / "raw.npz"
    with path.open("wb") as file:
        raw.save(file, x)
    found = raw.load(path)
    assert type(found) is type(x)
    # Words may come back in another type; taken with the type, the content is the same.
    again = io.BytesIO()
    raw.save(again, found)
    assert again.getvalue() == path.read_bytes()


@pytest.mark.parametrize("x", ALL.values(), ids=ALL)
def test_samples_are_taken_in_order(x: RawSamples) -> None:
    taken = raw.taken(x, np.array([2, 0]))
    assert len(x) == 3
    assert len(taken) == 2
    assert bits(raw.taken(taken, np.array([1, 0]))) == bits(raw.taken(x, np.array([0, 2])))


@pytest.mark.parametrize("x", ALL.values(), ids=ALL)
def test_other_samples_have_another_content(x: RawSamples) -> None:
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [0, 1]]
    contents = {bits(raw.taken(x, np.array(order))) for order in orders}
    assert len(contents) == 4
    assert bits(raw.taken(x, np.arange(3))) in contents


def test_words_that_are_cut_elsewhere_are_other_words() -> None:
    first = np.array(["ab", "c"], dtype=STRINGS)
    second = np.array(["a", "bc"], dtype=STRINGS)
    assert bits(first) != bits(second)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "at least one column"),
        ({"a": np.zeros((2, 2))}, "the column 'a' must hold numbers or words"),
        ({"a": np.array([object()])}, "dtype object"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "one length. Received: {'a': 2, 'b': 3}"),
    ],
)
def test_a_frame_has_rows_of_one_length(columns: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Frame(columns)


def test_ragged_samples_have_one_type_and_rank() -> None:
    with pytest.raises(ValueError, match="one type and rank"):
        Ragged([np.zeros(2), np.zeros((2, 2))])
