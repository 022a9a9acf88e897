"""Arrays in `.npy` files. They are mapped, so they may be larger than memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evonas.data.arrays import GIVEN, KEYS, Arrays
from evonas.data.raw import Array, RawSamples
from evonas.data.sources.path_source import PathSource, first_bytes
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.files import sha256_of
from evonas.memory import Memory
from evonas.words import listed

MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class Npy(PathSource):
    """A folder with `x.npy`, `y.npy` and perhaps the others of `KEYS`; or a file of samples.

    Attributes:
        target: name of the file of targets, from the folder of `path`; None for `y.npy`.
    """

    target: str | None = None

    words: ClassVar[str] = "an .npy file with y.npy beside it"

    @classmethod
    def reads(cls, path: Path) -> bool:
        if path.is_dir():
            return (path / "x.npy").is_file()
        return path.suffix == ".npy" or first_bytes(path).startswith(MAGIC)

    def read(self, memory: Memory) -> Arrays:
        files = self._files()
        found: dict[str, Any] = {}
        issues = []
        for key, path in files.items():
            array = _mapped(path)
            if isinstance(array, Issue):
                issues.append(array)
            else:
                found[key] = array
        if issues:
            raise InvalidData(issues)
        from_where = listed([f"{key} from {path.name}" for key, path in files.items()])
        return Arrays(self.path, **found, notes=(f"data: {from_where}.",))

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        path = Path(self.path)
        array = _mapped(path / "x.npy" if path.is_dir() else path)
        if isinstance(array, Issue):
            raise InvalidData(array)
        return array, ()

    def mark(self) -> Mapping[str, str]:
        if not Path(self.path).exists():
            return {}
        return {key: sha256_of(path) for key, path in self._files().items()}

    def _files(self) -> dict[str, Path]:
        """The file of each array.

        Raises:
            InvalidData: one is missing.
        """
        path = Path(self.path)
        folder = path if path.is_dir() else path.parent
        there = {one: folder / f"{one}.npy" for one in KEYS if (folder / f"{one}.npy").is_file()}
        if not path.is_dir() and path.name != "x.npy":
            # The other arrays of the folder belong to an `x.npy`, if at all.
            there = {"x": path, **({"y": there["y"]} if "y" in there else {})}
        if self.target is not None:
            there["y"] = folder / self.target
        issues = []
        wanted = ["x", "y"]
        for names in GIVEN.values():
            if any(name in there for name in names):
                wanted += names
        for key in wanted:
            named = self.target if key == "y" and self.target is not None else f"{key}.npy"
            if key not in there or not there[key].is_file():
                issues.append(_missing(key, named, folder))
        if issues:
            raise InvalidData(issues)
        return {key: there[key] for key in KEYS if key in there}


def _missing(key: str, name: str, folder: Path) -> Issue:
    names = [found.name for found in sorted(folder.iterdir()) if found.suffix == ".npy"]
    how = " or its name under `target`" if key == "y" else ""
    message = f"this array is missing: {name} in the same folder,{how} is wanted."
    if not how:
        message = f"this array is missing: {name} in the same folder is wanted."
    return Issue(f"{message}{did_you_mean(name, names)}", key, str(folder))


def _mapped(path: Path) -> Array | Issue:
    """One array, or what is wrong with it."""
    origin = str(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        # An empty file cannot be mapped.
        if "Python objects" in str(error) or "allow_pickle" in str(error):
            message = (
                "holds Python objects (words of pandas, rows of different lengths, or mixed"
                " types), one array of plain values is wanted."
            )
            return Issue(message, file=origin)
        return _in_memory(path, f"{error}")
    except (OSError, EOFError) as error:
        return Issue(f"cannot be read: {error}.", file=origin)
    if not isinstance(array, np.ndarray):
        return Issue("is no .npy file.", file=origin)
    return array.view(np.ndarray)


def _in_memory(path: Path, why: str) -> Array | Issue:
    """An array without values, which no system maps; or what is wrong with the file."""
    try:
        array: Array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return Issue(f"is damaged or cut short: {why}.", file=str(path))
    return array
