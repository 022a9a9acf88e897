"""The section `data` of a config: what networks are trained and judged on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Lt

from evonas.data.prepared import DataSettings
from evonas.data.sources import SOURCES
from evonas.errors import did_you_mean
from evonas.learning.interface import InputKind
from evonas.learning.tasks import TASKS
from evonas.runtime.config.settings import Check, path_problem, shown
from evonas.settings import Settings

Fraction = Annotated[float, Gt(0), Lt(1)]


def _data_set_problem(name: str | None) -> str:
    """Why this is no shipped data set; empty if it is one, or if none is named."""
    if name is None or name in SOURCES:
        return ""
    known = sorted(SOURCES)
    allowed = f"Allowed: {', '.join(known)}; an .npz file goes under `path`."
    hint = did_you_mean(name, known)
    return f"unknown data set. {allowed} Received: {shown(name)}.{hint}"


def _task_problem(name: str | None) -> str:
    """Why this is no task; empty if it is one, or if none is named."""
    if name is None or name in TASKS:
        return ""
    allowed = " or ".join(TASKS)
    return f"must be {allowed}, or null. Received: {shown(name)}.{did_you_mean(name, list(TASKS))}"


@dataclass(frozen=True)
class DataConfig(Settings):
    """The section `data`: what networks are trained and judged on.

    Attributes:
        name: name of a shipped data set; exactly one of `name` and `path` is given.
        path: path of an `.npz` file with `x`, `y` and perhaps `x_test`, `y_test`. In a config's
            file it is relative to that file.
        task: `classification` or `regression`; null to guess from the targets.
        split_seed: seed of the split alone. Runs with another `seed` have the same test data.
        validation: fraction of all samples that fitness is measured on.
        test: fraction of all samples that only the winner is measured on. It has no effect if the
            file has `x_test`.
    """

    name: Annotated[str | None, Check(_data_set_problem)] = None
    path: Annotated[str | None, Check(path_problem)] = None
    task: Annotated[str | None, Check(_task_problem)] = None
    split_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    validation: Fraction = 0.2
    test: Fraction = 0.2

    def problems(self) -> dict[str, str]:
        found = {}
        if (self.name is None) == (self.path is None):
            received = "neither" if self.name is None else "both"
            found["name"] = f"exactly one of name and path is needed. Received: {received}."
        if self.validation + self.test >= 1:
            found["validation"] = (
                "validation and test must leave samples to train on: below 1 together. "
                f"Received: {self.validation} and {self.test}."
            )
        return found

    def settings(self, kind: InputKind) -> DataSettings:
        """What `prepare` needs; the kind of input comes from the space."""
        path = None if self.path is None else Path(self.path)
        return DataSettings(
            kind, self.name, path, self.task, self.split_seed, self.validation, self.test
        )
