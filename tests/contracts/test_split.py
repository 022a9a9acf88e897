"""Every split keeps the contract."""

from __future__ import annotations

from evonas.data.splits import SPLITS
from evonas.testing import SplitSuite
from tests.data.test_splits import FITTING


class TestSplits(SplitSuite):
    members = FITTING


def test_every_split_is_held_to_it() -> None:
    assert {type(split) for split, _ in FITTING.values()} == set(SPLITS.values())
