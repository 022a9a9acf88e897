"""What an experiment has found: a result for each run, a row for each strategy, and the verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonas.insight.comparison import Band, Curve, area, band, worst_start
from evonas.insight.front import Box, turned_back
from evonas.insight.scale import Scale
from evonas.trial import Objective
from evonas.words import listed, number

Unit = Literal["trials", "epochs", "seconds"]
"""The unit of a budget."""


@dataclass(frozen=True, eq=False)
class Result:
    """One run of an experiment.

    Attributes:
        curve: best value so far, or hypervolume of the front so far, against the budget's unit.
        trials: number of proposals, duplicates included.
        twins: number of duplicates, which cost nothing.
        failures: number of trials that are not `ok`, without those given back to the budget and
            those that the end of the time has cancelled.
        reused: number of trainings that another run had done; they are charged in full.
        winner: the winner's metrics; empty if nothing has succeeded.
        test: the winner's metrics on the test data.
        fresh: metrics on validation and test data, one entry for each training of the winner with a
            fresh seed; an empty one for a training that failed.
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
        unit: unit of the budget that has ended the runs.
        budget: what each run could spend, in that unit.
        target: value of the objective that runs are timed to.
        reference: label of the strategy that the others are compared with.
        scale: scale on which values of the objective are averaged and compared.
        results: label -> seed -> result.
        sentences: the verdict, one sentence a strategy.
        limits: all limits of the budget in words, if it has several; the one that is spent first
            ends a run.
    """

    directory: Path
    objective: Objective
    objectives: Sequence[Objective]
    box: Box | None
    unit: Unit
    budget: float
    target: float
    reference: str
    scale: Scale
    results: Mapping[str, Mapping[int, Result]]
    sentences: Sequence[str]
    limits: str = ""

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
        budget = int(self.budget) if self.budget.is_integer() else self.budget
        words = f"{what} after {number(budget)} {self.unit}"
        return f"{words} (budget {self.limits})" if self.limits else words

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
        return band(curves, self.budget, self.scale)

    def rows(self) -> list[dict[str, Any]]:
        """One row a strategy: plain numbers, null if there is none.

        A mean is that of all seeds. If one of them found nothing, there is no mean: it is null, and
        the median tells how the strategy does, a failure being the worst.
        """
        curves = []
        for results in self.results.values():
            curves += [result.curve for result in results.values()]
        start = worst_start(curves, self.objective.direction)
        rows = []
        for label, results in self.results.items():
            row = self._row(list(results.values()), start)
            rows.append({"strategy": label, **row})
        return rows

    def _row(self, results: Sequence[Result], start: float) -> dict[str, Any]:
        """What a strategy did over its seeds.

        Args:
            start: value of the time before a run's first success.
        """
        curves = [one.curve for one in results]
        finals = [one.final for one in curves]
        areas = [area(one, self.budget, start) for one in curves]
        times = []
        for one in curves:
            spent = one.reaches(self.target, self.objective.direction)
            times.append(math.inf if spent is None else spent)
        reached = [spent for spent in times if math.isfinite(spent)]
        to_target = f"{self.unit}_to_target"
        return {
            "seeds": len(results),
            "failed_seeds": sum(map(math.isnan, finals)),
            "final": mean(finals),
            "final_deviation": deviation(finals),
            "final_median": median(finals, self.scale.worst),
            "area": mean(areas),
            "reached_target": len(reached),
            to_target: mean(times),
            f"{to_target}_median": median(times, math.inf),
            **_mean_counts(results),
            **self._scores(results),
        }

    def _scores(self, results: Sequence[Result]) -> dict[str, Any]:
        """The mean scores of the winners, on test data and with fresh seeds."""
        # The winner is the best by the first objective, so that its scores are in that metric.
        first = self.objectives[0]
        test_name = f"test_{first.measure}"
        tests = [result.test for result in results]
        trainings: list[Mapping[str, float]] = []
        for result in results:
            # A seed without a winner has no fresh training, and then there is no mean.
            trainings += result.fresh or [{}]
        failed = [training for result in results for training in result.fresh if not training]
        return {
            "fresh": mean(_values(trainings, first.name)),
            "test": mean(_values(tests, test_name)),
            "fresh_test": mean(_values(trainings, test_name)),
            "fresh_failures": len(failed),
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


def _values(metrics: Iterable[Mapping[str, float]], name: str) -> list[float]:
    """The values of one metric; NaN for those that do not have it."""
    return [one.get(name, math.nan) for one in metrics]


def mean(values: Iterable[float]) -> float | None:
    """The mean; None without any value, and if one of them is not finite.

    The mean of the others would be better than what the strategy does.
    """
    known = list(values)
    if not known or not all(map(math.isfinite, known)):
        return None
    return statistics.fmean(known)


def deviation(values: Iterable[float]) -> float | None:
    """The standard deviation; None for fewer than two values, and if one is not finite."""
    known = list(values)
    # One value has no spread that could be estimated.
    if len(known) < 2 or not all(map(math.isfinite, known)):
        return None
    return statistics.stdev(known)


def median(values: Iterable[float], worst: float) -> float | None:
    """The median, to which a value that is not finite is the worst; None if it is the median.

    Args:
        worst: infinity if less is better, otherwise -infinity.
    """
    counted = [value if math.isfinite(value) else worst for value in values]
    if not counted:
        return None
    return finite(statistics.median(counted))


def finite(value: float) -> float | None:
    """The value, or None if it is not finite: JSON has no word for infinity or NaN."""
    return value if math.isfinite(value) else None
