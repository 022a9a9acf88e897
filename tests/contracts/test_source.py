"""Every source keeps the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evonas.data.sources import (
    SHIPPED,
    SOURCES,
    Npz,
    SequenceFolder,
    Source,
    Table,
    TextFolder,
)
from evonas.testing import SourceSuite


def written(folder: Path) -> Source:
    """A file with samples of two classes, and a validation set of its own."""
    x = np.arange(24, dtype=np.float32).reshape(12, 2)
    y = np.arange(12) % 2
    np.savez(folder / "data.npz", x=x, y=y, x_val=x[:4], y_val=y[:4])
    return Npz(str(folder / "data.npz"))


def table(folder: Path) -> Source:
    """A table with numbers, words and gaps."""
    rows = [f"{row * row % 7}.5,{'ab'[row % 2]},{row % 3}" for row in range(12)]
    text = "\n".join(["size,word,label", *rows, ",,1"])
    (folder / "data.csv").write_text(text, encoding="utf-8")
    return Table(str(folder / "data.csv"))


def files(folder: Path, ending: str, content: str) -> str:
    """Twelve files of two classes."""
    for number in range(12):
        path = folder / "files" / "ab"[number % 2] / f"{number}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content * (1 + number % 3), encoding="utf-8")
    return str(folder / "files")


def shipped(name: str) -> Source:
    return SHIPPED[name]()


class TestSources(SourceSuite):
    members = {
        "npz": written,
        "table": table,
        "text_folder": lambda folder: TextFolder(files(folder, ".txt", "some words ")),
        "sequence_folder": lambda folder: SequenceFolder(files(folder, ".csv", "1,2\n3,4\n")),
        **{name: lambda folder, name=name: shipped(name) for name in SHIPPED},
    }


def test_every_source_is_held_to_it() -> None:
    assert set(TestSources.members) == set(SOURCES)
