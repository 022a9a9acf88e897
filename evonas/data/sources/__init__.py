"""Sources: from what a user has to arrays.

Each source has a file of its own. A new one needs a file and a line in `SOURCES`; `wine.py` is a
short example to copy. `npz.py` reads a file.
"""

from collections.abc import Mapping

from evonas.data.sources.breast_cancer import BreastCancer
from evonas.data.sources.diabetes import Diabetes
from evonas.data.sources.digits import Digits
from evonas.data.sources.npz import Npz
from evonas.data.sources.sequence_folder import SequenceFolder
from evonas.data.sources.source import Source
from evonas.data.sources.table import Table
from evonas.data.sources.text_folder import TextFolder
from evonas.data.sources.wine import Wine

SHIPPED: Mapping[str, type[Source]] = {
    "breast_cancer": BreastCancer,
    "diabetes": Diabetes,
    "digits": Digits,
    "wine": Wine,
}
"""Data sets without settings. A config may also write `data: {name: wine}`."""

SOURCES: Mapping[str, type[Source]] = {
    **SHIPPED,
    "npz": Npz,
    "table": Table,
    "text_folder": TextFolder,
    "sequence_folder": SequenceFolder,
}

__all__ = [
    "SHIPPED",
    "SOURCES",
    "Digits",
    "Npz",
    "SequenceFolder",
    "Source",
    "Table",
    "TextFolder",
    "Wine",
]
