"""Progress in a notebook: one output, written anew."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from evonas.telling.notebook import NotebookProgress
from evonas.testing.runs import make_run, work
from evonas.testing.stub_worker import Stub


class Output:
    """The output of a cell: what it shows, and how often that was written."""

    def __init__(self) -> None:
        self.shown: list[Mapping[str, str]] = []
        self.begun = 0

    def display(self, shown: Mapping[str, str]) -> Output:
        self.begun += 1
        self.shown.append(shown)
        return self

    def update(self, obj: Mapping[str, str], **options: Any) -> None:
        assert options == {"raw": True}
        self.shown.append(obj)


def session(folder: Path, seconds: float, stub: Stub) -> tuple[Output, str]:
    """One session with a clock that goes on by so many seconds at each look."""
    times = iter(range(10**9))
    output, below = Output(), io.StringIO()
    out = Console(file=below, width=1000)
    observer = NotebookProgress(out, output.display, lambda: next(times) * seconds)
    work(make_run(folder, "budget.trials=6"), observers=(observer,), stub=stub)
    return output, below.getvalue()


def test_one_output_tells_how_far_the_run_is(tmp_path: Path) -> None:
    output, below = session(tmp_path, 1.0, Stub(diverge=0.0))
    assert output.begun == 1
    last = output.shown[-1]
    assert "6/6 trials" in last["text/plain"]
    assert "best val_loss" in last["text/plain"]
    assert last["text/html"].startswith("<pre>━━━")
    assert any("trial 0: " in shown["text/plain"] for shown in output.shown)
    # What comes after the end is a line below: the output would tell of it for ever.
    assert below.startswith("exporting the winner, trial ")
    assert "exporting" not in last["text/plain"]


def test_it_is_not_written_more_often_than_a_person_can_see(tmp_path: Path) -> None:
    often, _ = session(tmp_path / "often", 1.0, Stub(diverge=0.0))
    seldom, _ = session(tmp_path / "seldom", 0.0, Stub(diverge=0.0))
    assert len(seldom.shown) < len(often.shown)
    # The end is always shown.
    assert "6/6 trials" in seldom.shown[-1]["text/plain"]


def test_failures_stay_as_lines(tmp_path: Path) -> None:
    _, below = session(tmp_path, 1.0, Stub(fail=0.5, diverge=0.0))
    assert "error: " in below
