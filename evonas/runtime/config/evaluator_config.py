"""The section `evaluator` of a config: what judges genomes, where that is not a training by Keras."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge

from evonas.genome import Value
from evonas.runtime.config.settings import Check, shown
from evonas.trial import KNOWN_DIRECTIONS, Direction, Objective

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def path_problem(path: str | None) -> str:
    """What keeps a word from being a path; empty where nothing does."""
    if path is None or ("\0" not in path and len(path) < 4096):
        return ""
    return f"must be a path of less than 4096 characters, without NUL. Received: {shown(path)}."


def _function_problem(name: str) -> str:
    if _FUNCTION.fullmatch(name):
        return ""
    return (
        f"must be package.module:function, such as `my_problem:evaluate`. Received: {shown(name)}."
    )


class EvaluatorConfig:
    """What judges genomes instead of Keras; written by name, `table: {path: results.csv}`."""


@dataclass(frozen=True)
class TableConfig(EvaluatorConfig):
    """Results that are known already, replayed by the simulated pool.

    Attributes:
        path: of a `.csv` or `.csv.gz` with a row for each genome (docs/evaluators.md). In a config's file, relative to
            that file.
    """

    path: Annotated[str, Check(path_problem)]


@dataclass(frozen=True)
class PythonConfig(EvaluatorConfig):
    """A function of the user's own.

    Attributes:
        function: `package.module:function`; the module must be among the `plugins`. It is called with the genome, and
            by keyword with `epochs` and `seed` where it takes them, and returns a mapping from metrics to numbers;
            `seconds` among them is what the training has cost.
        arguments: by keyword, beside those; the same at every call.
    """

    function: Annotated[str, Check(_function_problem)]
    arguments: Mapping[str, Value] = field(default_factory=dict)

    @property
    def module(self) -> str:
        return self.function.partition(":")[0]


@dataclass(frozen=True)
class BudgetConfig:
    """What a run may spend; at least one of these, and the first that is spent ends the asking.

    Attributes:
        trials: to be trained; twins cost nothing.
        epochs: charged when a trial is asked, at its fidelity, less what the trial that it continues was trained. Twins
            cost nothing. The trial that crosses the limit is still trained.
        seconds: that a session works, summed over sessions; of a simulated pool, its virtual clock. Once they are over
            nothing is begun: what waits is cancelled, what runs is finished and counts.
    """

    trials: Annotated[int, Ge(1)] | None = None
    epochs: Annotated[int, Ge(1)] | None = None
    seconds: Annotated[float, Ge(0.001)] | None = None

    @property
    def given(self) -> dict[str, float]:
        """The limits by name, without those that are not set."""
        limits = {"trials": self.trials, "epochs": self.epochs, "seconds": self.seconds}
        return {name: limit for name, limit in limits.items() if limit is not None}

    def problems(self) -> dict[str, str]:
        if self.given:
            return {}
        return {
            "trials": "is missing: a budget is in trials, epochs or seconds, at least one of them."
        }

    def __str__(self) -> str:
        return ", ".join(f"{limit:,} {name}" for name, limit in self.given.items())


def direction_of(name: str) -> Direction | None:
    """The better direction of a metric that every evaluator must mean the same by; None for others."""
    return KNOWN_DIRECTIONS.get(Objective(name, "min").measure)


def objective_problems(name: str, direction: Direction) -> dict[str, str]:
    """What keeps a metric of an evaluator from being optimised, by key of the section `objective`."""
    if name.startswith("test_"):
        return {
            "name": f"is of the test data, which no search sees; name another metric. Received: {name}."
        }
    known = direction_of(name)
    if known not in (None, direction):
        return {"direction": f"the direction of {name} is {known}. Received: {direction}."}
    return {}
