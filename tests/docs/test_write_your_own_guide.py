"""The page about members of one's own: its blocks run, its names and files are there."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest

import evonas.testing
from evonas import lifecycle, view
from evonas.runtime.config.config_file import load_config

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "write-your-own.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL))


def _guided() -> ModuleType:
    """The guide's tests of its own members, as a reader would run them."""
    modules = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("numbers.yaml").write_text(FILES["numbers.yaml"])
        for name in ("my_lab", "test_my_lab"):
            modules[name] = sys.modules[name] = ModuleType(name)
            exec(FILES[f"{name}.py"], vars(modules[name]))
    del sys.modules["test_my_lab"]
    return modules["test_my_lab"]


# A worker's description names the module `my_lab`, so it stays.
GUIDED = _guided()
TestSum, TestLastFirst = GUIDED.TestSum, GUIDED.TestLastFirst
# No other process can import a module that is in no file.
TestSum.test_the_driver_imports_it_without_keras = None


def test_the_config_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_lab")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    root, _ = lifecycle.create(load_config(tmp_path / "my_lab.yaml"), tmp_path / "runs")
    lifecycle.work(root)
    assert len([trial for trial in view.load(root).trials if trial.twin_of is None]) == 12


def test_every_class_is_public() -> None:
    named = re.findall(r"`(evonas\.\w+)\.(\w+)`((?:(?:,| and) `[A-Z]\w+`)*)", GUIDE)
    assert len(named) >= 7
    for module, first, others in named:
        public = importlib.import_module(module).__all__
        assert {first, *re.findall(r"`(\w+)`", others)} <= set(public)


def test_every_suite_is_named() -> None:
    suites = {name for name in evonas.testing.__all__ if name.endswith("Suite")}
    assert set(re.findall(r"\w+Suite", GUIDE)) == suites


def test_every_file_is_there() -> None:
    files = re.findall(r"`(evonas/[\w/]+\.py)`", GUIDE)
    assert len(files) >= 20
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_every_part_of_a_page_is_there() -> None:
    for page, part in re.findall(r"\]\(([\w-]+\.md)#?([\w-]*)\)", GUIDE):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert not part or part in {title.lower().replace(" ", "-") for title in titles}
