"""What an experiment has found: a result for each run, a row for each strategy, and what to say of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonas.insight.comparison import Band, Curve, area, band
from evonas.insight.front import Box, turned_back
from evonas.insight.words import listed
from evonas.trial import Objective

Unit = Literal["trials", "epochs", "seconds"]
"""What a budget is counted in."""


@dataclass(frozen=True, eq=False)
class Result:
    """One run of an experiment.

    Attributes:
        curve: the best value so far, or the hypervolume of the front so far, against the budget's unit.
        trials: proposals, with twins.
        twins: of them, which cost nothing.
        failures: trials that are not `ok`.
        reused: trainings that another run had done; charged in full.
        winner: the winner's metrics; empty where nothing has succeeded.
        test: the winner's metrics on the test data.
        fresh: of each training of the winner with a fresh seed, metrics on validation and test data.
    """

    curve: Curve
    trials: int
    twins: int
    failures: int
    reused: int
    winner: Mapping[str, float]
    test: Mapping[str, float]
    fresh: Sequence[Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What an experiment has found.

    Attributes:
        directory: of the experiment; each run's folder is in it.
        objective: what is compared: the runs' own, or the hypervolume where they have several.
        objectives: of the runs; the first one names each run's winner.
        box: that the hypervolumes are measured in; None with one objective, and where no run has a success.
        unit: of the budget.
        budget: what each run could spend.
        target: the value of the objective that runs are timed to.
        reference: the label that the others are compared with.
        results: label -> seed -> result.
        sentences: the verdict, one sentence a strategy.
    """

    directory: Path
    objective: Objective
    objectives: Sequence[Objective]
    box: Box | None
    unit: Unit
    budget: float
    target: float
    reference: str
    results: Mapping[str, Mapping[int, Result]]
    sentences: Sequence[str]

    @property
    def page(self) -> Path:
        """The figure, the table and the sentences, as one HTML file that needs no network."""
        return self.directory / "comparison.html"

    @property
    def picture(self) -> Path:
        """The figure alone, for a page that runs no script."""
        return self.directory / "comparison.svg"

    @property
    def data(self) -> Path:
        """The same in numbers."""
        return self.directory / "comparison.json"

    @property
    def title(self) -> str:
        """Of the table."""
        of = f" of {self._names()}" if len(self.objectives) > 1 else ""
        return f"{self.objective.name}{of} after {self.budget:g} {self.unit}"

    @property
    def note(self) -> str:
        """What a hypervolume is, with several objectives; else nothing."""
        if len(self.objectives) == 1:
            return ""
        return (
            "The hypervolume is the share that a run's front dominates of the box between the best and the worst"
            f" {self._names()} of all runs of this experiment; it means nothing between experiments. An objective with"
            f" one value everywhere counts for nothing. A run's winner is its best by {self.objectives[0].name} alone."
        )

    @property
    def headings(self) -> dict[str, str]:
        """Of the columns that are in another metric than the objective: key of a row -> heading."""
        if len(self.objectives) == 1:
            return {}
        first = self.objectives[0]
        test = f"test_{first.measure}"
        return {
            "fresh": f"fresh seeds ({first.name})",
            "test": f"test ({test})",
            "fresh_test": f"fresh seeds ({test})",
        }

    def _names(self) -> str:
        return listed([objective.name for objective in self.objectives])

    def band(self, label: str) -> Band:
        return band([result.curve for result in self.results[label].values()], self.budget)

    def rows(self) -> list[dict[str, Any]]:
        """One row a strategy: plain numbers, null where there is none."""
        return [
            {"strategy": label, **self._row(list(results.values()))}
            for label, results in self.results.items()
        ]

    def _row(self, results: Sequence[Result]) -> dict[str, Any]:
        reached = [
            result.curve.reaches(self.target, self.objective.direction) for result in results
        ]
        known = [spent for spent in reached if spent is not None]
        name, measure = self.objectives[0].name, self.objectives[0].measure
        return {
            "seeds": len(results),
            "final": mean(result.curve.final for result in results),
            "final_deviation": deviation(result.curve.final for result in results),
            "area": mean(area(result.curve, self.budget) for result in results),
            "reached_target": len(known),
            f"{self.unit}_to_target": mean(known),
            "trials": mean(result.trials for result in results),
            "twins": mean(result.twins for result in results),
            "failures": mean(result.failures for result in results),
            "reused": mean(result.reused for result in results),
            "fresh": mean(one[name] for result in results for one in result.fresh if name in one),
            "test": mean(
                result.test[f"test_{measure}"]
                for result in results
                if f"test_{measure}" in result.test
            ),
            "fresh_test": mean(
                one[f"test_{measure}"]
                for result in results
                for one in result.fresh
                if f"test_{measure}" in one
            ),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "objective": self.objective.name,
            **(self._front_to_json() if len(self.objectives) > 1 else {}),
            "unit": self.unit,
            "budget": self.budget,
            "target": finite(self.target),
            "reference": self.reference,
            "strategies": self.rows(),
            "finals": {
                label: {str(seed): finite(result.curve.final) for seed, result in results.items()}
                for label, results in self.results.items()
            },
            "sentences": list(self.sentences),
        }

    def _front_to_json(self) -> dict[str, Any]:
        box = None
        if self.box is not None:
            best, worst = (
                turned_back(end, self.objectives) for end in (self.box.ideal, self.box.reference)
            )
            box = {name: {"best": best[name], "worst": worst[name]} for name in best}
        return {
            "objectives": [
                {"name": one.name, "direction": one.direction} for one in self.objectives
            ],
            "box": box,
        }


def mean(values: Iterable[float]) -> float | None:
    """The mean of the finite values; None without any."""
    known = [float(value) for value in values if math.isfinite(value)]
    return statistics.fmean(known) if known else None


def deviation(values: Iterable[float]) -> float | None:
    known = [float(value) for value in values if math.isfinite(value)]
    return statistics.stdev(known) if len(known) > 1 else None


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
