"""Formats of a plugin that do what they must not: which method, and where."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from evonas.model.formats import find_format
from evonas.model.formats.apart import CannotLoad
from evonas.model.formats.calls import FormatFailed
from evonas.model.formats.verification import save_verified

WRONG = """
from dataclasses import dataclass
from evonas.model import ExportFormat


@dataclass(frozen=True)
class Empty(ExportFormat):
    def write(self, model, path): ...

    def load(self, path): ...


@dataclass(frozen=True)
class Written(ExportFormat):
    is_loaded_apart = False

    def write(self, model, path):
        path.write_text("all")

    def load(self, path): ...


class Folder(Written):
    is_folder = True


class Words(Written):
    def load(self, path):
        return lambda samples: "words"


class Leaving(Written):
    def load(self, path):
        raise SystemExit("no")


class Apart(Leaving):
    is_loaded_apart = True
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Empty", "write() must make a file at the path that it gets; there is none"),
        ("Folder", "write() must make a folder at the path"),
        ("Written", "load() must give a function that predicts. Received: NoneType"),
        ("Words", "the function of load() must give an array of numbers. Received: <U5"),
        ("Leaving", "load() has raised in FILE, line 34: SystemExit: no"),
        ("Apart", "cannot load it (exit code 1): load() has raised in FILE, line 34: SystemExit"),
    ],
)
def test_what_a_format_does_wrong_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    plugin = tmp_path / "wrong_formats.py"
    plugin.write_text(WRONG)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, plugin.stem, raising=False)
    form = find_format(f"{plugin.stem}:{name}", [plugin.stem])
    words = words.replace("FILE", str(plugin))
    x = np.zeros((2, 3), np.float32)
    with pytest.raises((FormatFailed, CannotLoad), match=re.escape(words)):
        save_verified(form, None, tmp_path / "exports" / "x", x, x)
    assert list((tmp_path / "exports").iterdir()) == []
