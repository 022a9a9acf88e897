"""The data sets of Keras, from its cache of files, or downloaded by Keras itself.

Files that hold plain arrays are read as they are. For others Keras's own function is called in a
process of its own: the driver never imports Keras.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

from evonas.data.arrays import Arrays
from evonas.data.sources.handed import find
from evonas.data.sources.idx import Idx
from evonas.data.sources.npz import load_npz
from evonas.data.sources.python_function import called
from evonas.data.sources.source import Source
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.files import expanded, sha256_of_tree
from evonas.memory import Memory
from evonas.settings import Check
from evonas.words import shown

PREFIX = "keras/"

FILES: Mapping[str, str] = {
    "mnist": "mnist.npz",
    "fashion_mnist": "fashion-mnist",
    "california_housing": "california_housing.npz",
    "boston_housing": "boston_housing.npz",
    "cifar10": "",
    "cifar100": "",
}
"""Name of a data set -> its file or folder in Keras's cache, if that holds plain arrays."""

NAMES = {"x_train": "x", "y_train": "y"}
"""How Keras calls some arrays -> how evonas does."""


def home() -> Path:
    """Where Keras keeps its data sets."""
    return expanded(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"


def name_problem(name: str) -> str:
    """Why this is no data set of Keras that evonas reads; empty if it is one."""
    if name in FILES:
        return ""
    hint = did_you_mean(name, list(FILES))
    return f"must be one of {', '.join(FILES)}. Received: {shown(name)}.{hint}"


@dataclass(frozen=True)
class KerasSet(Source):
    """A data set of `keras.datasets`, with Keras's own test part.

    Attributes:
        name: name of its module, such as `mnist`.
        folder: folder of the files; empty for that in Keras's own cache.
    """

    name: Annotated[str, Check(name_problem)]
    folder: str = ""

    def read(self, memory: Memory) -> Arrays:
        return self.read_into(Path(tempfile.gettempdir()), memory)

    def read_into(self, folder: Path, memory: Memory) -> Arrays:
        origin = f"{PREFIX}{self.name}"
        file = self._file()
        if file is not None and file.is_dir():
            arrays: Mapping[str, Any] = Idx(str(file)).read(memory).named()
            how = f"from {file}"
        elif file is not None:
            arrays = load_npz(file, memory, NAMES).named()
            how = f"from {file}"
        else:
            arrays = self._downloaded(folder, origin)
            how = "by Keras, in a process of its own"
        return Arrays(origin, **arrays, notes=(f"data: {origin} was read {how}.",))

    def mark(self) -> Mapping[str, str]:
        mark = {"name": f"{PREFIX}{self.name}"}
        file = self._file()
        if file is None:
            # What Keras keeps in other forms is what this version of it knows.
            return {**mark, "keras": metadata.version("keras")}
        return {**mark, "sha256": sha256_of_tree(file)}

    def placed(self, folder: Path) -> Source:
        if not self.folder:
            return self
        return replace(self, folder=os.path.realpath(folder / expanded(self.folder)))

    def _file(self) -> Path | None:
        """The file or folder of plain arrays in the cache, if it is there."""
        name = FILES[self.name]
        if not name:
            return None
        file = (Path(self.folder) if self.folder else home()) / name
        if name.endswith(".npz"):
            return file if file.is_file() else None
        return file if file.is_dir() and Idx.reads(file) else None

    def _downloaded(self, folder: Path, origin: str) -> dict[str, Any]:
        """The arrays as Keras loads them, which may download them.

        Raises:
            InvalidData: it cannot.
        """
        try:
            arrays, _ = called(f"keras.datasets.{self.name}:load_data", "", folder, find)
        except InvalidData as error:
            why = " ".join(issue.message for issue in error.problems)
            wanted = FILES[self.name] or "what Keras keeps of it"
            message = (
                f"is not in the cache of Keras, and Keras could not get it: it {why} Without a"
                f" connection, put {wanted} into {home()}, or set KERAS_HOME to a folder whose"
                " folder datasets has it."
            )
            raise InvalidData(Issue(message, file=origin)) from error
        return arrays
