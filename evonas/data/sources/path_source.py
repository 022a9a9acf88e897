"""What the sources have in common that lie at a path."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

from evonas.data.raw import RawSamples
from evonas.data.sources.source import Source
from evonas.errors import InvalidData, Issue
from evonas.files import expanded, sha256_of_tree
from evonas.memory import Memory
from evonas.settings import Check, path_problem


@dataclass(frozen=True)
class PathSource(Source, ABC):
    """A source whose samples lie in a file or a folder.

    `data: {path: ...}` asks the classes of `BY_PATH` in turn whether they read what is there.

    Attributes:
        path: path of the file or folder. In a config's file it is relative to that file.

    Class attributes:
        words: what it reads, in words that a message lists.
    """

    path: Annotated[str, Check(path_problem)]

    words: ClassVar[str]

    @classmethod
    @abstractmethod
    def reads(cls, path: Path) -> bool:
        """Whether it is for this file or folder, which is there. Cheap: by name and first bytes.

        Raises:
            OSError: it cannot be looked at.
        """

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        """Samples for a model to answer, without targets, and a name for each.

        There are no names if nothing but their order tells samples apart.

        Raises:
            InvalidData: they cannot be read.
        """
        message = f"the model was not trained on {self.words}."
        raise InvalidData(Issue(message, file=self.path))

    def mark(self) -> Mapping[str, str]:
        path = Path(self.path)
        return {"sha256": sha256_of_tree(path)} if path.exists() else {}

    def placed(self, folder: Path) -> Source:
        # Unlike `Path.resolve`, this does not raise for links that go round in a circle.
        return replace(self, path=os.path.realpath(folder / expanded(self.path)))


def first_bytes(path: Path, count: int = 8) -> bytes:
    """The beginning of a file; empty for a folder.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(count)
