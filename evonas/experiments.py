"""Experiments: the same question put to several strategies, with several seeds each, and an honest verdict."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonas import api
from evonas.errors import InvalidConfig, NothingFeasible, Problem
from evonas.evaluate.pool import Pool
from evonas.evaluate.protocol import Setup
from evonas.evaluate.simulated import SimulatedPool
from evonas.export.fresh import fresh_scores
from evonas.files import write_text_whole
from evonas.insight.charts import comparison_page
from evonas.insight.comparison import Band, Curve, area, band, charged_epochs, curve
from evonas.insight.curves import comparison_svg
from evonas.insight.summary import incumbent
from evonas.insight.verdict import difference, finals, sentence, share_needed
from evonas.runtime.config import RunConfig
from evonas.runtime.experiment import LoadedExperiment, load_experiment
from evonas.runtime.observer import Observer
from evonas.runtime.record_reader import RecordReader
from evonas.runtime.reuse import Key, Known, ReusingPool, known_trainings
from evonas.runtime.session import PoolFactory, Session, local_pool
from evonas.trial import Objective, Trial

Unit = Literal["trials", "epochs", "seconds"]

EXPERIMENT = "experiment.json"
"""The configs of an experiment's runs, as they were when it began: another experiment of that name is refused."""

OnRun = Callable[[str, int, bool], Sequence[Observer]]
"""Called before each run with its label, its seed and whether it was begun before; gives the run's observers."""


@dataclass(frozen=True, eq=False)
class Result:
    """One run of an experiment.

    Attributes:
        curve: the best value so far against the budget's unit.
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
        unit: of the budget.
        budget: what each run could spend.
        target: the value of the objective that runs are timed to.
        reference: the label that the others are compared with.
        results: label -> seed -> result.
        sentences: the verdict, one sentence a strategy.
    """

    directory: Path
    objective: Objective
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

    def band(self, label: str) -> Band:
        return band([result.curve for result in self.results[label].values()], self.budget)

    def rows(self) -> list[dict[str, Any]]:
        """One row a strategy: plain numbers, null where there is none."""
        return [{"strategy": label, **self._row(list(results.values()))} for label, results in self.results.items()]

    def _row(self, results: Sequence[Result]) -> dict[str, Any]:
        reached = [result.curve.reaches(self.target, self.objective.direction) for result in results]
        known = [spent for spent in reached if spent is not None]
        name, measure = self.objective.name, self.objective.measure
        return {
            "seeds": len(results),
            "final": _mean(result.curve.final for result in results),
            "final_deviation": _deviation(result.curve.final for result in results),
            "area": _mean(area(result.curve, self.budget) for result in results),
            "reached_target": len(known),
            f"{self.unit}_to_target": _mean(known),
            "trials": _mean(result.trials for result in results),
            "twins": _mean(result.twins for result in results),
            "failures": _mean(result.failures for result in results),
            "reused": _mean(result.reused for result in results),
            "fresh": _mean(one[name] for result in results for one in result.fresh if name in one),
            "test": _mean(result.test[f"test_{measure}"] for result in results if f"test_{measure}" in result.test),
            "fresh_test": _mean(
                one[f"test_{measure}"] for result in results for one in result.fresh if f"test_{measure}" in one
            ),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "objective": self.objective.name,
            "unit": self.unit,
            "budget": self.budget,
            "target": _finite(self.target),
            "reference": self.reference,
            "strategies": self.rows(),
            "finals": {
                label: {str(seed): _finite(result.curve.final) for seed, result in results.items()}
                for label, results in self.results.items()
            },
            "sentences": list(self.sentences),
        }


def compare(
    experiment: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: str | Path = api.DEFAULT_RUNS,
    on_run: OnRun = lambda label, seed, begun: (),
    pool_factory: PoolFactory = local_pool,
) -> Comparison:
    """Run an experiment to its end, or go on with it, and compare the strategies.

    Finished runs are not done again, and begun ones go on; so a stopped experiment is resumed by calling it again.

    Args:
        experiment: a path, or the name of a shipped experiment.
        overrides: `key.path=value` for the config of every run.
        runs: the folder in which the experiment's own directory is made.

    Raises:
        InvalidConfig: before any training; also where `runs` holds another experiment of that name.
        RepeatedFailures, Stopped, DiskFailure: see `evonas.errors`; the experiment can go on.
    """
    loaded = load_experiment(experiment, overrides)
    directory = Path(runs) / loaded.config.experiment
    _claim(loaded, directory)
    results: dict[str, dict[int, Result]] = {label: {} for label in loaded.runs}
    for seed in loaded.config.seeds:  # seed by seed: an experiment that is stopped early has something to compare
        for label in loaded.runs:
            results[label][seed] = _run(loaded, directory, label, seed, on_run, pool_factory)
    comparison = _compared(loaded, directory, results)
    _write(comparison)
    return comparison


def _claim(loaded: LoadedExperiment, directory: Path) -> None:
    """Make the experiment's directory, or see that it is this experiment's."""
    path = directory / EXPERIMENT
    now = json.dumps(
        {
            label: {str(seed): run.config.to_json() for seed, run in seeds.items()}
            for label, seeds in loaded.runs.items()
        }
    )
    if not any(directory.glob("*/run.db")):  # perhaps refused before, and mended since
        write_text_whole(path, now)
    elif json.loads(path.read_text(encoding="utf-8")) != json.loads(now):
        message = (
            f"{directory} holds runs of an experiment of that name with other configs. Give this one another name, or"
            " move that folder away."
        )
        raise InvalidConfig(Problem(message, "experiment", str(loaded.file)))


def _run(
    loaded: LoadedExperiment, directory: Path, label: str, seed: int, on_run: OnRun, pool_factory: PoolFactory
) -> Result:
    root = directory / f"{label}-{seed}"
    begun = (root / "run.db").is_file()
    observers = on_run(label, seed, begun)
    if not begun:
        api.create(loaded.runs[label][seed], directory)
    others = [directory / f"{other}-{seed}" for other in loaded.runs if other != label]

    def pool(config: RunConfig, setup: Setup, where: Path) -> Pool:
        inner = pool_factory(config, setup, where)
        if isinstance(inner, SimulatedPool):
            return inner  # to look a genome up again costs nothing, and its seconds are to be replayed
        known: dict[Key, Known] = {}
        for other in others:
            known |= known_trainings(other)
        return ReusingPool(inner, known, where)

    try:
        run = api.work(root, observers, pool)
    except NothingFeasible:
        run = api.load(root)  # a strategy that finds nothing has lost; the others go on
    return _result(run, _fresh(run, loaded.config.fresh, pool_factory))


def _fresh(run: api.Run, count: int, pool_factory: PoolFactory) -> Sequence[Mapping[str, float]]:
    """The winner's scores with fresh seeds: from the record, or by training it now; none of a run without networks."""
    if not run.has_networks:
        return []
    with RecordReader(run.layout.record) as record:
        known: Mapping[str, Any] = record.meta("fresh") if record.has_meta("fresh") else {"asked": 0, "scores": []}
    if known["asked"] >= count or run.best is None:
        found: Sequence[Mapping[str, float]] = known["scores"][:count]
        return found
    with Session(run.directory, pool_factory) as session:
        scores = fresh_scores(session, run.best, count)
        session.record.put_meta("fresh", {"asked": count, "scores": [dict(one) for one in scores]})
        session.record.seal()
    return scores


def _result(run: api.Run, fresh: Sequence[Mapping[str, float]]) -> Result:
    trained = [trial for trial in run.trials if trial.twin_of is None]
    with RecordReader(run.layout.record) as record:
        attempts = record.attempts()
    best = incumbent(run.trials)
    seconds = {attempt.trial: attempt.seconds or 0.0 for attempt in attempts}
    return Result(
        curve=curve(run.trials, _cost(unit_of(run.config), run.trials, seconds)),
        trials=len(run.trials),
        twins=len(run.trials) - len(trained),
        failures=sum(trial.fitness is None for trial in trained),
        reused=len({attempt.trial for attempt in attempts if "reused" in attempt.details}),
        winner=best.metrics if best else {},
        test={
            name: value
            for name, value in (run.result or {"metrics": {}})["metrics"].items()
            if name.startswith("test_")
        },
        fresh=fresh,
    )


def unit_of(config: RunConfig) -> Unit:
    """What a run's budget is counted in: epochs or seconds where they are limited, else trials."""
    units: tuple[Unit, ...] = ("epochs", "seconds")
    return next((unit for unit in units if getattr(config.budget, unit, None) is not None), "trials")


def _cost(unit: Unit, trials: Sequence[Trial], seconds: Mapping[int, float]) -> Mapping[int, float]:
    if unit == "epochs":
        return charged_epochs(trials)
    if unit == "seconds":
        return seconds
    return {trial.id: 1.0 for trial in trials if trial.twin_of is None}


def _compared(loaded: LoadedExperiment, directory: Path, results: Mapping[str, Mapping[int, Result]]) -> Comparison:
    config, shared = loaded.config, loaded.any_run.config
    objective, unit, reference = shared.to_objective(), unit_of(shared), config.compared_with
    curves = {label: {seed: result.curve for seed, result in seeds.items()} for label, seeds in results.items()}
    goal = _mean(finals(curves[reference]))
    target = config.target if config.target is not None else math.nan if goal is None else goal
    spent = max((one.spent[-1] for seeds in curves.values() for one in seeds.values() if one.spent.size), default=1.0)
    budget = float(getattr(shared.budget, unit) or spent)
    sentences = []
    for label, found in curves.items():
        if label != reference:
            gain = difference(finals(found), finals(curves[reference]), objective)
            better, worse = (label, reference) if gain.mean > 0 else (reference, label)
            share = share_needed(
                band(list(curves[better].values()), budget), statistics.fmean(finals(curves[worse])), objective
            )
            sentences.append(sentence(label, reference, gain, objective, unit, share))
    return Comparison(directory, objective, unit, budget, target, reference, results, sentences)


def _write(comparison: Comparison) -> None:
    """The numbers, the picture and the page."""
    bands = {label: comparison.band(label) for label in comparison.results}
    curves = {label: [result.curve for result in seeds.values()] for label, seeds in comparison.results.items()}
    about = (comparison.directory.name, comparison.objective, comparison.unit, bands, curves)
    write_text_whole(comparison.data, json.dumps(comparison.to_json(), indent=2, allow_nan=False) + "\n")
    write_text_whole(comparison.picture, comparison_svg(*about))
    write_text_whole(comparison.page, comparison_page(*about, comparison.rows(), comparison.sentences))


def _mean(values: Any) -> float | None:
    """The mean of the finite values; None without any."""
    finite = [float(value) for value in values if math.isfinite(value)]
    return statistics.fmean(finite) if finite else None


def _deviation(values: Any) -> float | None:
    finite = [float(value) for value in values if math.isfinite(value)]
    return statistics.stdev(finite) if len(finite) > 1 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
