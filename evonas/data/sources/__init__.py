"""Sources: from what a user has to arrays.

Each source has a file of its own. A new one needs a file and a line in `SOURCES`; `wine.py` is a
short example to copy. `npz.py` reads a file. `by_path.py` finds the source for what lies at a path.
"""

from collections.abc import Mapping

from evonas.data.sources.breast_cancer import BreastCancer
from evonas.data.sources.by_path import ByPath
from evonas.data.sources.diabetes import Diabetes
from evonas.data.sources.digits import Digits
from evonas.data.sources.given import Given
from evonas.data.sources.idx import Idx
from evonas.data.sources.keras_set import KerasSet
from evonas.data.sources.npy import Npy
from evonas.data.sources.npz import Npz
from evonas.data.sources.pictures import Pictures, Pixels, channels_problem, size_problem
from evonas.data.sources.python_function import PythonFunction
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
    "given": Given,
    "idx": Idx,
    "keras": KerasSet,
    "npy": Npy,
    "npz": Npz,
    "pictures": Pictures,
    "python": PythonFunction,
    "sequence_folder": SequenceFolder,
    "table": Table,
    "text_folder": TextFolder,
}

__all__ = [
    "SHIPPED",
    "SOURCES",
    "ByPath",
    "Digits",
    "KerasSet",
    "Npz",
    "Pixels",
    "PythonFunction",
    "SequenceFolder",
    "Source",
    "Table",
    "TextFolder",
    "Wine",
    "channels_problem",
    "size_problem",
]
