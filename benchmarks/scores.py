"""Raw scores of searches, kept beside search.md: a strategy that is measured later is compared with all others, and
none of them is run again."""

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
        best: of the trainings of full length; more is better, minus infinity where there is none.
        full: epochs spent when a training of full length was as good as the target of the task; infinite if none was.
        any: likewise, for trainings of any length.
        trials: trained.
        milliseconds: of CPU.
    """

    best: float
    full: float
    any: float
    trials: int
    milliseconds: int


class Scores:
    """One file: a line for each strategy and task, in which the values of its seeds, 0 and up, stand side by side.

    It is written anew whenever something is put into it, so that a measurement that is cut short has lost little.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[str, dict[str, tuple[Score, ...]]] = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for line in csv.DictReader(file):
                    columns = zip(*(line[name].split() for name in HEADER[2:]), strict=True)
                    self._found.setdefault(line["strategy"], {})[line["task"]] = tuple(
                        map(_score, columns)
                    )

    def of(self, strategy: str) -> dict[str, tuple[Score, ...]]:
        """By task, the scores of its seeds."""
        return dict(self._found.get(strategy, {}))

    def put(self, strategy: str, task: str, scores: Sequence[Score]) -> None:
        """In place of what there is of that strategy and task."""
        self._found.setdefault(strategy, {})[task] = tuple(scores)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        for name, tasks in self._found.items():
            writer.writerows([name, task, *_cells(found)] for task, found in tasks.items())
        write_text_whole(self.path, text.getvalue())


def _score(columns: Sequence[str]) -> Score:
    best, full, some, trials, milliseconds = columns
    return Score(float(best), _epochs(full), _epochs(some), int(trials), int(milliseconds))


def _epochs(text: str) -> float:
    return math.inf if text == NEVER else float(text)


def _cells(scores: Sequence[Score]) -> list[str]:
    """What `_score` reads; `repr` keeps all digits."""
    columns = (
        (repr(score.best) for score in scores),
        (_spent(score.full) for score in scores),
        (_spent(score.any) for score in scores),
        (str(score.trials) for score in scores),
        (str(score.milliseconds) for score in scores),
    )
    return [" ".join(column) for column in columns]


def _spent(epochs: float) -> str:
    return NEVER if math.isinf(epochs) else f"{epochs:.0f}"
