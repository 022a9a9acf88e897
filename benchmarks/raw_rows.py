"""Raw rows of searches: one line of a CSV file for each search, added when the search has ended.

A measurement that was cut goes on where it was: a search that has a row is not run again. Nothing
but lines is added, so several processes may measure into one file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchmarks.regret import Steps
from benchmarks.sections import Strategy
from evonas.files import write_text_whole

HEADER = ("entrant", "strategy", "family", "task", "seed", "trials", "milliseconds", "steps")

Key = tuple[str, str, str, int]
"""Entrant, family, task and seed."""


@dataclass(frozen=True)
class Row:
    """What is kept of one search.

    Attributes:
        entrant: name of the strategy in the tables.
        strategy: the strategy as in a config.
        trials: number of trained trials.
        milliseconds: CPU time of the search, with its evaluations.
        steps: full trainings spent, and the score of the incumbent from then on. More is better.
            With noise it is the mean of the incumbent, which training it again would show.
    """

    entrant: str
    strategy: Strategy
    family: str
    task: str
    seed: int
    trials: int
    milliseconds: int
    steps: Steps

    @property
    def key(self) -> Key:
        return (self.entrant, self.family, self.task, self.seed)


class RawRows:
    """The rows of a file, by entrant, family, task and seed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[Key, Row] = {}
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        whole, end, unfinished = text.rpartition("\n")
        for line in csv.DictReader(io.StringIO(whole + end)):
            row = _row(line)
            self._rows[row.key] = row
        # the line that a killed measurement was writing must not join the next one
        if unfinished:
            self._write()

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def all(self) -> list[Row]:
        """All rows, in the order of the file."""
        return list(self._rows.values())

    def add(self, row: Row) -> None:
        """Add a row at the end of the file."""
        if not self.path.exists():
            self._write()
        self._rows[row.key] = row
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_line(row))

    def forget(self, entrant: str, families: Collection[str]) -> None:
        """Remove the rows of an entrant on these families, which are to be measured anew."""
        for key, row in list(self._rows.items()):
            if row.entrant == entrant and row.family in families:
                del self._rows[key]
        self._write()

    def _write(self) -> None:
        lines = [",".join(HEADER) + "\n", *map(_line, self._rows.values())]
        write_text_whole(self.path, "".join(lines))


def _line(row: Row) -> str:
    text = io.StringIO()
    steps = " ".join(f"{spent:.6g}:{score:.8g}" for spent, score in row.steps)
    cells = (row.entrant, json.dumps(row.strategy), row.family, row.task, row.seed)
    csv.writer(text, lineterminator="\n").writerow([*cells, row.trials, row.milliseconds, steps])
    return text.getvalue()


def _row(line: dict[str, str]) -> Row:
    steps = []
    for step in line["steps"].split():
        spent, _, score = step.partition(":")
        steps.append((float(spent), float(score)))
    return Row(
        entrant=line["entrant"],
        strategy=json.loads(line["strategy"]),
        family=line["family"],
        task=line["task"],
        seed=int(line["seed"]),
        trials=int(line["trials"]),
        milliseconds=int(line["milliseconds"]),
        steps=steps,
    )
