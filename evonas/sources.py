"""Everything that a source of data, or a split, is written with.

`docs/data.md` writes one of each with these names.
"""

from __future__ import annotations

from evonas.data.arrays import Arrays
from evonas.data.raw import Frame, Ragged
from evonas.data.sources import SOURCES, Source
from evonas.data.splits import SPLITS, Parts, Samples, Shares, Split
from evonas.memory import Memory

__all__ = [
    "SOURCES",
    "SPLITS",
    "Arrays",
    "Frame",
    "Memory",
    "Parts",
    "Ragged",
    "Samples",
    "Shares",
    "Source",
    "Split",
]
