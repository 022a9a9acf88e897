"""The notebook of examples/: run by a real kernel, as a whole and interrupted in mid-search."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import evonas
from evonas.testing.runs import content

NOTEBOOK = Path(__file__).parents[1] / "examples" / "first-search.ipynb"
RUN = Path("runs") / "first-search"
SECONDS = 300
"""Seconds that a cell may take."""
BEFORE_THE_MODEL = ("data", "search", "going-on", "best", "scores")
"""The cells after which TensorFlow is imported, for seconds."""

Hear = Callable[["Cell"], None]


@dataclass
class Cell:
    """What one cell has shown so far.

    Attributes:
        texts: the plain text of each output, where an output that was written anew has the last.
        pages: the same as HTML, of the outputs that have it.
        writings: how often each output that has a name was written.
        printed: what went to standard output and standard error.
        error: what a failure showed; empty if there was none.
    """

    texts: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    writings: dict[str, int] = field(default_factory=dict)
    printed: str = ""
    error: str = ""

    def hear(self, message: dict[str, Any]) -> None:
        """Take one message of the kernel."""
        kind, said = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            self.printed += said["text"]
        elif kind == "error":
            self.error = "\n".join(said["traceback"])
        elif kind in ("display_data", "update_display_data", "execute_result"):
            name = said.get("transient", {}).get("display_id") or f"{kind} {len(self.texts)}"
            # Only what is there can be written anew.
            assert kind != "update_display_data" or name in self.texts
            self.writings[name] = self.writings.get(name, 0) + 1
            self.texts[name] = said["data"]["text/plain"]
            self.pages[name] = said["data"].get("text/html", "")

    @property
    def trials(self) -> int:
        """Trials that the progress tells as done."""
        found = re.search(r"(\d+)/6 trials", "\n".join(self.texts.values()))
        return int(found[1]) if found else 0


class Kernel:
    """A Jupyter kernel that works in a folder of its own.

    Args:
        folder: the folder, in which also its settings are, and not in the user's home.
    """

    def __init__(self, folder: Path) -> None:
        from jupyter_client.manager import KernelManager

        folder.mkdir()
        self._manager = KernelManager(connection_file=str(folder / "kernel.json"))
        self._folder = folder

    def __enter__(self) -> Kernel:
        self._manager.start_kernel(cwd=str(self._folder), env=self._environment())
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=SECONDS)
        return self

    def _environment(self) -> dict[str, str]:
        own = {name: str(self._folder / name) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
        return {**os.environ, **own}

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run(self, source: str, meanwhile: Hear = lambda cell: None) -> Cell:
        """Run a cell; `meanwhile` sees it after each of its messages."""
        cell = Cell()

        def hear(message: dict[str, Any]) -> None:
            cell.hear(message)
            meanwhile(cell)

        self._client.execute_interactive(
            source, allow_stdin=False, timeout=SECONDS, output_hook=hear
        )
        return cell

    def interrupt(self) -> None:
        """What the button of a notebook does."""
        self._manager.interrupt_kernel()


def cells() -> dict[str, str]:
    """The source of each cell of code, by its name."""
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(NOTEBOOK, as_version=4)
    return {cell.id: cell.source for cell in book.cells if cell.cell_type == "code"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Cell]]]:
    """The cells before the model, run without an interrupt, and the folder of the kernel."""
    folder = tmp_path_factory.mktemp("notebook") / "whole"
    source = cells()
    with Kernel(folder) as kernel:
        yield folder, {name: kernel.run(source[name]) for name in BEFORE_THE_MODEL}


def test_it_is_sound_and_holds_no_outputs() -> None:
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert "/home" not in NOTEBOOK.read_text(encoding="utf-8")


@pytest.mark.full
def test_it_tells_how_far_it_is_and_gives_a_finished_run_back(
    whole: tuple[Path, dict[str, Cell]],
) -> None:
    _, told = whole
    assert {name: cell.error for name, cell in told.items()} == dict.fromkeys(told, "")
    # One output tells of the progress, and is written anew.
    [progress] = [name for name, count in told["search"].writings.items() if count > 1]
    assert "6/6 trials" in told["search"].texts[progress]
    assert told["search"].writings[progress] > 6
    assert "<b>run first-search</b>" in list(told["search"].pages.values())[-1]
    # What is finished is given back, and is not searched again.
    assert "is finished, and this is its result" in told["going-on"].printed
    assert "test_accuracy" in list(told["scores"].texts.values())[-1]
    # Nothing is awaited any more.
    assert "exporting" not in told["search"].texts[progress]
    assert "exporting the winner" in told["search"].printed


@pytest.mark.full
def test_an_interrupt_ends_it_politely_and_the_next_cell_goes_on(
    tmp_path: Path, whole: tuple[Path, dict[str, Cell]]
) -> None:
    source = cells()
    folder = tmp_path / "cut"
    interrupts = 0

    with Kernel(folder) as kernel:

        def interrupt(cell: Cell) -> None:
            nonlocal interrupts
            if cell.trials >= 2 and not interrupts:
                interrupts += 1
                kernel.interrupt()

        kernel.run(source["data"])
        stopped = kernel.run(source["search"], interrupt)
        found = evonas.load(folder / RUN)
        before = {trial.id: trial for trial in found.trials if trial.metrics}
        attempts = found.attempts()
        went_on = kernel.run(source["going-on"])
        model, predictions = kernel.run(source["model"]), kernel.run(source["predictions"])

    assert not found.is_finished
    assert 2 <= len(before) < 6
    assert "evonas.errors.Stopped: stopped" in stopped.error
    assert "make the same call with name='first-search'" in stopped.error
    assert "Another interrupt abandons" in stopped.printed
    # No line of evonas's own code helps anybody here.
    assert ".py" not in stopped.error
    assert not went_on.error
    assert "<b>run first-search</b>" in list(went_on.pages.values())[-1]
    assert not model.error
    assert "of 20 new wines" in list(predictions.texts.values())[-1]
    # Nothing was trained twice, and the run is the one that nobody has interrupted.
    after = evonas.load(folder / RUN)
    assert after.is_finished
    assert {id: after.attempts()[id] for id in before} == {id: attempts[id] for id in before}
    assert content(folder / RUN) == content(whole[0] / RUN)
