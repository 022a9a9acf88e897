"""`data: {path: ...}`: looks at what is there, and reads it by the source that is for it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evonas.data.arrays import Arrays
from evonas.data.sources.idx import Idx
from evonas.data.sources.labelled_files import LABELS
from evonas.data.sources.npy import Npy
from evonas.data.sources.npz import Npz
from evonas.data.sources.path_source import PathSource, first_bytes
from evonas.data.sources.pictures import Pictures
from evonas.data.sources.sequence_folder import SequenceFolder
from evonas.data.sources.source import Source
from evonas.data.sources.table import Table
from evonas.data.sources.text_folder import TextFolder
from evonas.data.tables.endings import tables_in
from evonas.errors import InvalidData, Issue
from evonas.files import expanded
from evonas.memory import Memory
from evonas.words import listed

BY_PATH: Sequence[type[PathSource]] = (
    Npz,
    Npy,
    Idx,
    Pictures,
    TextFolder,
    SequenceFolder,
    Table,
)
"""The sources that a path can name. The first that reads what is there is taken."""


@dataclass(frozen=True)
class ByPath(Source):
    """Whatever lies at a path.

    Attributes:
        path: path of a file or folder.
        settings: settings of the source that a config has written; only those that are not None.
        group: name of what samples have in common, or None.
        time: name of when each sample was taken, or None.
    """

    path: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None
    time: str | None = None

    def read(self, memory: Memory) -> Arrays:
        return self.found().read(memory)

    def read_into(self, folder: Path, memory: Memory) -> Arrays:
        return self.found().read_into(folder, memory)

    def mark(self) -> Mapping[str, str]:
        # Without the file, a run continues with its own copy of the data.
        return self.found().mark() if Path(self.path).exists() else {}

    def placed(self, folder: Path) -> Source:
        place = os.path.realpath(folder / expanded(self.path))
        return dataclasses.replace(self, path=place)

    def naming(self, group: str | None, time: str | None) -> Source | None:
        # Arrays have no other names. Of what else lies there, nothing is known before it is read.
        if Path(self.path).suffix in (".npz", ".npy"):
            return super().naming(group, time)
        return dataclasses.replace(self, group=group, time=time)

    def found(self) -> Source:
        """The source that reads what is there.

        Raises:
            InvalidData: nothing is there, or nothing that is known, or a setting has no effect.
        """
        kind = kind_at(Path(self.path))
        known = [item.name for item in dataclasses.fields(kind)]
        meant = self._tables_meant(kind)
        issues = []
        for name, value in self.settings.items():
            if name not in known and meant and _takes(Table, name):
                message = f"tells of a table, and `path` names a folder. {meant}"
                issues.append(Issue(message, f"data.{name}"))
            elif name not in known:
                others = [one.words for one in BY_PATH if _takes(one, name)]
                message = (
                    f"has no effect on {kind.words}, which {self.path} is. It is for"
                    f" {listed(others)}. Received: {value}."
                )
                issues.append(Issue(message, f"data.{name}"))
        if issues:
            raise InvalidData(issues)
        source = kind(self.path, **self.settings)
        named = source.naming(self.group, self.time)
        if named is None:
            message = f"{kind.words} has no named columns. Allowed: none, or a table."
            key = "group" if self.group is not None else "time"
            raise InvalidData(Issue(message, f"data.{key}"))
        return named

    def _tables_meant(self, kind: type[PathSource]) -> str:
        """What to write if the folder stands for a table in it; empty if it does not."""
        folder = Path(self.path)
        # Tables lie beside pictures and texts, and one beside sequences, to tell their labels.
        is_of_tables = kind is SequenceFolder and not (folder / LABELS).exists()
        return tables_in(folder) if is_of_tables else ""


def _takes(kind: type[PathSource], name: str) -> bool:
    return any(item.name == name for item in dataclasses.fields(kind))


def kind_at(path: Path) -> type[PathSource]:
    """The class of the source that reads what is at a path.

    Raises:
        InvalidData: nothing is there, or nothing that is known.
    """
    try:
        if not path.exists():
            message = f"there is no such file or folder. Allowed: {_allowed()}."
            raise InvalidData(Issue(message, file=str(path)))
        for kind in BY_PATH:
            if kind.reads(path):
                return kind
        message = f"{_described(path)} Allowed: {_allowed()}."
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}."
        raise InvalidData(Issue(message, file=str(path))) from error
    raise InvalidData(Issue(message, file=str(path)))


def _allowed() -> str:
    return "; ".join(kind.words for kind in BY_PATH)


def _described(path: Path) -> str:
    """What is there that nobody reads, in a sentence."""
    if path.is_dir():
        names = sorted(found.name for found in path.iterdir())
        if not names:
            return "is an empty folder."
        first = ", ".join(names[:3])
        more = ", ..." if len(names) > 3 else ""
        meant = tables_in(path)
        holds = meant or f"It holds {first}{more}."
        return f"is a folder of nothing that is known. {holds}"
    if not path.is_file():
        return "is no regular file."
    if not path.stat().st_size:
        return "is an empty file."
    ending = path.suffix or "no ending"
    head = first_bytes(path)
    advice = " Unpack it first." if head[:4] == b"PK\x03\x04" or ".tar" in path.name else ""
    return f"is of no known kind: {ending}, and it begins with {head!r}.{advice}"
