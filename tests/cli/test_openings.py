"""How often the test data were opened, in words: never a number that the record does not have."""

from __future__ import annotations

import time

import pytest

from evonas.cli.openings import opened_in_words
from evonas.runtime.openings import Opening

NOON = time.mktime((2025, 3, 1, 12, 5, 0, 0, 0, -1))


def own(trial, at=NOON):
    return Opening(at, trial, is_fresh=False)


def fresh(trial):
    return Opening(NOON + 60, trial, is_fresh=True)


@pytest.mark.parametrize(
    ("openings", "are_all", "told"),
    [
        ([], True, "test data never opened"),
        ([own(3)], True, "test data opened once, 2025-03-01 12:05"),
        (
            [own(3), own(3, NOON + 86400)],
            True,
            "test data opened 2 times, first 2025-03-01 12:05",
        ),
        (
            [own(3), own(17), own(4)],
            True,
            "test data opened 3 times, first 2025-03-01 12:05, for trials 3, 17 and 4",
        ),
        (
            [own(3), fresh(3), fresh(3)],
            True,
            "test data opened 3 times, first 2025-03-01 12:05, 2 of them to score trainings with"
            " fresh seeds",
        ),
        # an older evonas noted none
        ([], False, "when the test data were opened is not in this older record"),
        ([own(3)], False, "test data opened at least once, 2025-03-01 12:05"),
        ([own(3), own(3)], False, "test data opened at least 2 times, first 2025-03-01 12:05"),
    ],
)
def test_the_words_are_made_from_the_openings(openings, are_all, told):
    assert opened_in_words(openings, are_all) == told
