"""Ctrl-C at any moment of a command: exit code 130, a true sentence, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from types import FrameType
from typing import Any
from unittest import mock

import pytest

from evonas.cli.leaving import STOPPED
from evonas.testing.runs import content
from tests.command import run_evonas
from tests.faults.test_output import CONFIG, EXPERIMENT, SPACE
from tests.slow import IS_FULL

JUDGE = """\
def evaluate(genome, epochs):
    letters = [gene.op for gene in genome["cell"]]
    return {"score": letters.count("a") + epochs / 100, "size": float(len(letters))}
"""
COMMANDS = {
    "run": ("run", "judged.yaml"),
    "resume": ("resume", "judged", "--set", "budget.trials=14"),
    "check": ("check", "judged.yaml"),
    "compare": ("compare", "letters.yaml"),
}
LEFT_THROUGH = "evonas: stopped by Ctrl-C.\n"
"""What the entry point of a process says if a Ctrl-C comes through `main`."""


class Presser:
    """A profile function that presses Ctrl-C when a function of evonas is called the n-th time.

    Attributes:
        at: number of that call, counted from 1; 0 for none.
        count: calls so far.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        # The streams are called by C code, which swallows what is raised in some of the calls.
        if event == "call" and name.startswith("evonas.") and name != "evonas.streams":
            self.count += 1
            if self.count == self.at:
                signal.raise_signal(signal.SIGINT)


@contextmanager
def pressing(at: int) -> Iterator[Presser]:
    presser = Presser(at)
    before = sys.getprofile()
    sys.setprofile(presser)
    try:
        yield presser
    finally:
        sys.setprofile(before)


def fill(folder: Path) -> Path:
    folder.mkdir()
    (folder / "s.yaml").write_text(SPACE)
    config = CONFIG.replace("judge_of_letters", "judge_in_peace")
    (folder / "judged.yaml").write_text(config)
    (folder / "letters.yaml").write_text(EXPERIMENT.replace("[1, 2]", "[1]"))
    (folder / "judge_in_peace.py").write_text(JUDGE)
    return folder


@pytest.fixture(scope="module")
def module(tmp_path_factory) -> Iterator[Path]:
    """The folder of the user's function, which this process can import."""
    folder = fill(tmp_path_factory.mktemp("module") / "user")
    with mock.patch.object(sys, "path", [str(folder), *sys.path]):
        yield folder


def prepared(folder: Path, command: str) -> Path:
    fill(folder)
    if command == "resume":
        assert run_evonas(*COMMANDS["run"], cwd=folder).returncode == 0
    return folder


def pressed(folder: Path, command: str, at: int) -> tuple[CompletedProcess[str] | None, int]:
    """What the command says and how it ends, and the number of calls.

    Nothing, if Python has swallowed the Ctrl-C: it came while a generator was closed.
    """
    swallowed: list[object] = []
    told = sys.unraisablehook

    def hear(what: Any) -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            swallowed.append(what.object)
        else:
            told(what)

    with mock.patch.object(sys, "unraisablehook", hear), pressing(at) as presser:
        try:
            done = run_evonas(*COMMANDS[command], cwd=folder)
        # So early or so late that only the entry point of the process is there.
        except KeyboardInterrupt:
            done = CompletedProcess([], STOPPED, "", LEFT_THROUGH)
    return None if swallowed else done, presser.count


def records(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted((folder / "runs").rglob("run.db")):
        found[str(path.relative_to(folder))] = content(path.parent)
    return found


@pytest.mark.parametrize(
    ("command", "short", "full"),
    [
        ("run", 3, 40),
        ("check", 2, 40),
        pytest.param("resume", 0, 20, marks=pytest.mark.full),
        pytest.param("compare", 0, 6, marks=pytest.mark.full),
    ],
)
def test_the_exit_code_is_130_and_the_sentence_is_true(module, tmp_path, command, short, full):
    whole = prepared(tmp_path / "whole", command)
    done, count = pressed(whole, command, 0)
    assert done is not None
    assert done.returncode == 0, done.stderr
    assert count > 100
    expected = records(whole)
    cases = full if IS_FULL else short
    for case in range(cases):
        # In the middle of each part.
        at = 1 + (2 * case + 1) * count // (2 * cases)
        folder = prepared(tmp_path / str(at), command)
        done, _ = pressed(folder, command, at)
        if done is None:
            continue
        assert "Traceback" not in done.stderr
        assert "a bug of evonas" not in done.stderr
        if done.returncode == 0:
            # It came when all was done and recorded.
            assert command != "check"
            assert (at, records(folder)) == (at, expected)
            continue
        assert (at, done.returncode) == (at, STOPPED)
        said = done.stderr.partition("evonas: stopped")[2]
        assert said, done.stderr
        if "show" in said:
            assert records(folder) == expected
        # What it says of the way on is true: nothing is lost.
        if IS_FULL:
            way = ("resume", "judged") if "evonas " in said else COMMANDS[command]
            assert (at, run_evonas(*way, cwd=folder).returncode) == (at, 0)
            assert (at, records(folder)) == (at, expected)


def test_while_evonas_is_imported_its_entry_point_says_it():
    code = (
        "import signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'typer': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from evonas.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "digits"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout, done.stderr) == (STOPPED, "", LEFT_THROUGH)
