"""Raw scores of searches, kept beside search.md.

A strategy that is measured later is compared with all others, and none of them is run again.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas.files import write_text_whole

HEADER = ("strategy", "task", "best", "full", "any", "trials", "milliseconds")
NEVER = "-"


@dataclass(frozen=True)
class Score:
    """What is kept of one search.

    Attributes:
        best: best score of the trainings of full length; minus infinity if there is none.
        full: epochs spent when a training of full length reached the target of the task; infinite
            if none did.
        any: epochs spent when a training of any length did.
        trials: number of trained trials.
        milliseconds: CPU time of the search.
    """

    best: float
    full: float
    any: float
    trials: int
    milliseconds: int


class Scores:
    """A file with a line for each strategy and task.

    In a line, the values of the seeds, 0 and up, stand side by side. The file is written anew with
    each `put`, so that a measurement that is cut short has lost little.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[str, dict[str, tuple[Score, ...]]] = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for line in csv.DictReader(file):
                    columns = [line[name].split() for name in HEADER[2:]]
                    scores = [_score(values) for values in zip(*columns, strict=True)]
                    tasks = self._found.setdefault(line["strategy"], {})
                    tasks[line["task"]] = tuple(scores)

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies that have scores."""
        return tuple(self._found)

    def of(self, strategy: str) -> dict[str, tuple[Score, ...]]:
        """The scores of a strategy: those of all its seeds, by task."""
        return dict(self._found.get(strategy, {}))

    def put(self, strategy: str, task: str, scores: Sequence[Score]) -> None:
        """Replace the scores of a strategy on a task."""
        self._found.setdefault(strategy, {})[task] = tuple(scores)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        for name, tasks in self._found.items():
            for of_task, found in tasks.items():
                writer.writerow([name, of_task, *_cells(found)])
        write_text_whole(self.path, text.getvalue())


def _score(values: Sequence[str]) -> Score:
    best, full, some, trials, milliseconds = values
    return Score(float(best), _epochs(full), _epochs(some), int(trials), int(milliseconds))


def _epochs(text: str) -> float:
    return math.inf if text == NEVER else float(text)


def _cells(scores: Sequence[Score]) -> list[str]:
    """The cells that `_score` reads: one column a value, in each the values of all seeds."""
    # `repr` keeps all digits
    best = [repr(score.best) for score in scores]
    full = [_spent(score.full) for score in scores]
    some = [_spent(score.any) for score in scores]
    trials = [str(score.trials) for score in scores]
    milliseconds = [str(score.milliseconds) for score in scores]
    columns = (best, full, some, trials, milliseconds)
    return [" ".join(column) for column in columns]


def _spent(epochs: float) -> str:
    return NEVER if math.isinf(epochs) else f"{epochs:.0f}"
