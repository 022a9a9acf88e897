"""Texts in files: a class a subfolder, or labels in a table beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import RawSamples
from evonas.data.sources.labelled_files import holds, read_all, read_parts
from evonas.data.sources.path_source import PathSource
from evonas.errors import InvalidData, Issue
from evonas.memory import Memory

ENDING = ".txt"


@dataclass(frozen=True)
class TextFolder(PathSource):
    """A folder of `.txt` files in UTF-8, each a sample."""

    words: ClassVar[str] = (
        "a folder of texts (.txt, a class a subfolder, or labels.csv beside them)"
    )

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and holds(path, ENDING)

    def read(self, memory: Memory) -> Arrays:
        samples, targets = read_parts(Path(self.path), ENDING, _text)
        # An array of one width would have the longest text's width in every row.
        texts = {part: np.array(x, dtype=np.dtypes.StringDType()) for part, x in samples.items()}
        arrays: dict[str, Any] = {**texts, **targets}
        return Arrays(self.path, **arrays)

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        texts, names = read_all(Path(self.path), ENDING, _text)
        return np.array(texts, dtype=np.dtypes.StringDType()), names


def _text(path: Path) -> str:
    """The text of a file.

    Raises:
        InvalidData: it cannot be read, or is not in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        message = (
            f"is not in UTF-8: its byte {error.start} is {wrong:#04x}. Convert it, for example with"
            " iconv -f latin1 -t utf-8."
        )
        raise InvalidData(Issue(message, file=str(path))) from error
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}."
        raise InvalidData(Issue(message, file=str(path))) from error
