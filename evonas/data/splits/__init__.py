"""Splits: which samples a network learns from, is compared by, and is tested on.

Each split has a file of its own. A new one needs a file and a line in `SPLITS`; `grouped.py` is a
short example to copy.
"""

from collections.abc import Mapping

from evonas.data.splits.chronological import Chronological
from evonas.data.splits.given import Given
from evonas.data.splits.grouped import Grouped
from evonas.data.splits.k_fold import KFold
from evonas.data.splits.random import Random
from evonas.data.splits.split import Part, Parts, Samples, Shares, Split
from evonas.data.splits.stratified import Stratified

SPLITS: Mapping[str, type[Split]] = {
    "random": Random,
    "stratified": Stratified,
    "grouped": Grouped,
    "chronological": Chronological,
    "given": Given,
    "k_fold": KFold,
}

__all__ = [
    "SPLITS",
    "Chronological",
    "Given",
    "Part",
    "Parts",
    "Random",
    "Samples",
    "Shares",
    "Split",
    "Stratified",
]
