"""What samples look like from outside."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.look import Look, look
from evonas.data.raw import Frame, Ragged, RawSamples
from evonas.errors import InvalidData

WORDS = np.array(["one two three", "four", "five six"])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.zeros((9, 30)), Look(("vector",), 9, 30, "9 rows of 30 numbers")),
        (np.zeros((9, 8, 8)), Look(("image",), 9, 64, "9 images of 8x8")),
        (np.zeros((9, 4, 9), "uint8"), Look(("image",), 9, 36, "9 images of 4x9")),
        (np.zeros((9, 28, 28, 3)), Look(("image",), 9, 784, "9 images of 28x28x3")),
        (np.zeros((9, 29, 12)), Look(("sequence",), 9, 29, "9 sequences of 29x12")),
        (np.zeros((9, 4, 4)), Look(("sequence",), 9, 4, "9 sequences of 4x4")),
        (np.zeros(9), Look(("vector",), 9, 1, "9 rows of 1 numbers")),
        (Ragged([]), Look(("sequence",), 0, 0, "0 sequences")),
        (WORDS, Look(("text",), 3, 2, "3 texts of about 2 words")),
        (
            Frame({"a": np.zeros(3), "b": WORDS}),
            Look(("table", "vector"), 3, 2, "3 rows of 2 named columns"),
        ),
        (
            Ragged([np.zeros((3, 2)), np.zeros((5, 2))]),
            Look(("sequence",), 2, 5, "2 sequences of up to 5 steps"),
        ),
        (
            Ragged([np.zeros((3, 2, 3)), np.zeros((5, 4, 3))]),
            Look(("image",), 2, 20, "2 images of up to 20 pixels"),
        ),
    ],
)
def test_what_samples_look_like(x: RawSamples, expected: Look) -> None:
    assert look(Arrays("here", x, np.zeros(len(x)))) == expected


def test_a_single_value_is_no_sample() -> None:
    with pytest.raises(InvalidData, match="x: must hold samples along its first axis"):
        look(Arrays("here", np.array(3.0), np.zeros(4)))
