"""What an experiment has found: a result for each run, a row for each strategy, and the verdict."""

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
"""The unit of a budget."""


@dataclass(frozen=True, eq=False)
class Result:
    """One run of an experiment.

    Attributes:
        curve: best value so far, or hypervolume of the front so far, against the budget's unit.
        trials: number of proposals, duplicates included.
        twins: number of duplicates, which cost nothing.
        failures: number of trials that are not `ok`.
        reused: number of trainings that another run had done; they are charged in full.
        winner: the winner's metrics; empty if nothing has succeeded.
        test: the winner's metrics on the test data.
        fresh: metrics on validation and test data, one entry for each training of the winner with a
            fresh seed.
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
        directory: folder of the experiment; each run's folder is in it.
        objective: what is compared: the runs' own objective, or the hypervolume if they have
            several.
        objectives: objectives of the runs; the first one names each run's winner.
        box: box of the hypervolumes; None with one objective, and if no run has a success.
        unit: unit of the budget.
        budget: what each run could spend.
        target: value of the objective that runs are timed to.
        reference: label of the strategy that the others are compared with.
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
        """The title of the table."""
        what = self.objective.name
        if len(self.objectives) > 1:
            what += f" of {self._names()}"
        return f"{what} after {self.budget:g} {self.unit}"

    @property
    def note(self) -> str:
        """What a hypervolume is; empty with one objective."""
        if len(self.objectives) == 1:
            return ""
        return (
            "The hypervolume is the share that a run's front dominates of the box between the best"
            f" and the worst {self._names()} of all runs of this experiment; it means nothing"
            " between experiments. An objective with one value everywhere counts for nothing."
            f" A run's winner is its best by {self.objectives[0].name} alone."
        )

    @property
    def headings(self) -> dict[str, str]:
        """The headings of columns in another metric than the objective: key of a row -> heading."""
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
        curves = [result.curve for result in self.results[label].values()]
        return band(curves, self.budget)

    def rows(self) -> list[dict[str, Any]]:
        """One row a strategy: plain numbers, null if there is none."""
        rows = []
        for label, results in self.results.items():
            row = self._row(list(results.values()))
            rows.append({"strategy": label, **row})
        return rows

    def _row(self, results: Sequence[Result]) -> dict[str, Any]:
        """The means of a strategy over its seeds."""
        curves = [one.curve for one in results]
        finals = [one.final for one in curves]
        areas = [area(one, self.budget) for one in curves]
        reached = []
        for one in curves:
            spent = one.reaches(self.target, self.objective.direction)
            if spent is not None:
                reached.append(spent)
        # The winner is the best by the first objective, so that its scores are in that metric.
        first = self.objectives[0]
        test_name = f"test_{first.measure}"
        trainings = [training for result in results for training in result.fresh]
        tests = [result.test for result in results]
        return {
            "seeds": len(results),
            "final": mean(finals),
            "final_deviation": deviation(finals),
            "area": mean(areas),
            "reached_target": len(reached),
            f"{self.unit}_to_target": mean(reached),
            **_mean_counts(results),
            "fresh": mean(_known(trainings, first.name)),
            "test": mean(_known(tests, test_name)),
            "fresh_test": mean(_known(trainings, test_name)),
        }

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON."""
        front = self._front_to_json() if len(self.objectives) > 1 else {}
        finals: dict[str, dict[str, float | None]] = {}
        for label, results in self.results.items():
            finals[label] = {str(seed): finite(one.curve.final) for seed, one in results.items()}
        return {
            "objective": self.objective.name,
            **front,
            "unit": self.unit,
            "budget": self.budget,
            "target": finite(self.target),
            "reference": self.reference,
            "strategies": self.rows(),
            "finals": finals,
            "sentences": list(self.sentences),
        }

    def _front_to_json(self) -> dict[str, Any]:
        """The objectives, and the box in the user's own values."""
        box = None
        if self.box is not None:
            best = turned_back(self.box.ideal, self.objectives)
            worst = turned_back(self.box.reference, self.objectives)
            box = {name: {"best": best[name], "worst": worst[name]} for name in best}
        return {
            "objectives": [
                {"name": one.name, "direction": one.direction} for one in self.objectives
            ],
            "box": box,
        }


def _mean_counts(results: Sequence[Result]) -> dict[str, float | None]:
    """The mean numbers of trials of a strategy."""
    trials = mean(result.trials for result in results)
    twins = mean(result.twins for result in results)
    failures = mean(result.failures for result in results)
    reused = mean(result.reused for result in results)
    return {
        "trials": trials,
        "twins": twins,
        "failures": failures,
        "reused": reused,
    }


def _known(metrics: Iterable[Mapping[str, float]], name: str) -> list[float]:
    """The values of one metric, of those that have it."""
    return [one[name] for one in metrics if name in one]


def mean(values: Iterable[float]) -> float | None:
    """The mean of the finite values; None without any."""
    known = [float(value) for value in values if math.isfinite(value)]
    if not known:
        return None
    return statistics.fmean(known)


def deviation(values: Iterable[float]) -> float | None:
    """The standard deviation of the finite values; None for fewer than two."""
    known = [float(value) for value in values if math.isfinite(value)]
    # One value has no spread that could be estimated.
    if len(known) < 2:
        return None
    return statistics.stdev(known)


def finite(value: float) -> float | None:
    """The value, or None if it is not finite: JSON has no word for infinity or NaN."""
    return value if math.isfinite(value) else None
