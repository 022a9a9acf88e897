"""Experiments: the same question put to several strategies, with several seeds each, and an honest verdict."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas import api
from evonas.errors import InvalidConfig, Issue, NothingFeasible
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.export.fresh import fresh_scores
from evonas.files import write_text_whole
from evonas.insight.charts import comparison_page
from evonas.insight.comparison import HYPERVOLUME, Curve, band, charged_epochs, curve, front_curve
from evonas.insight.curves import comparison_svg
from evonas.insight.front import Box, box_around, turned
from evonas.insight.results import Comparison, Result, Unit, mean
from evonas.insight.summary import incumbent
from evonas.insight.verdict import difference, finals, sentence, share_needed
from evonas.runtime.config.experiment_file import LoadedExperiment, load_experiment
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.reuse import Key, Known, ReusingPool, known_trainings
from evonas.runtime.session import PoolFactory, Session, local_pool
from evonas.trial import Objective, Trial

EXPERIMENT = "experiment.json"
"""The configs of an experiment's runs, as they were when it began: another experiment of that name is refused."""

OnRun = Callable[[str, int, bool], Sequence[Observer]]
"""Called before each run with its label, its seed and whether it was begun before; gives the run's observers."""


@dataclass(frozen=True, eq=False)
class _Done:
    """A run that has ended.

    Attributes:
        result: its curve is that of the first objective.
        points: of each trial the values of all objectives, less is better; None of what cannot be on a front.
    """

    result: Result
    points: Sequence[tuple[float, ...] | None]


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
    done: dict[str, dict[int, _Done]] = {label: {} for label in loaded.runs}
    for seed in (
        loaded.config.seeds
    ):  # seed by seed: an experiment that is stopped early has something to compare
        for label in loaded.runs:
            done[label][seed] = _run(loaded, directory, label, seed, on_run, pool_factory)
    comparison = _compared(loaded, directory, done)
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
        raise InvalidConfig(Issue(message, "experiment", str(loaded.file)))


def _run(
    loaded: LoadedExperiment,
    directory: Path,
    label: str,
    seed: int,
    on_run: OnRun,
    pool_factory: PoolFactory,
) -> _Done:
    root = directory / f"{label}-{seed}"
    begun = (root / "run.db").is_file()
    observers = on_run(label, seed, begun)
    if not begun:
        api.create(loaded.runs[label][seed], directory)
    others = [directory / f"{other}-{seed}" for other in loaded.runs if other != label]

    def pool(config: RunConfig, setup: Setup, where: Path) -> Pool:
        inner = pool_factory(config, setup, where)
        if isinstance(inner, SimulatedPool):
            return (
                inner  # to look a genome up again costs nothing, and its seconds are to be replayed
            )
        known: dict[Key, Known] = {}
        for other in others:
            known |= known_trainings(other)
        return ReusingPool(inner, known, where)

    try:
        run = api.work(root, observers, pool)
    except NothingFeasible:
        run = api.load(root)  # a strategy that finds nothing has lost; the others go on
    result = _result(run, _fresh(run, loaded.config.fresh, pool_factory))
    return _Done(result, [turned(trial, run.objectives) for trial in run.trials])


def _fresh(run: api.Run, count: int, pool_factory: PoolFactory) -> Sequence[Mapping[str, float]]:
    """The winner's scores with fresh seeds: from the record, or by training it now; none of a run without networks."""
    if not run.has_networks:
        return []
    with RecordReader(run.layout.record) as record:
        known: Mapping[str, Any] = (
            record.meta("fresh") if record.has_meta("fresh") else {"asked": 0, "scores": []}
        )
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
    return next(
        (unit for unit in units if getattr(config.budget, unit, None) is not None), "trials"
    )


def _cost(unit: Unit, trials: Sequence[Trial], seconds: Mapping[int, float]) -> Mapping[int, float]:
    if unit == "epochs":
        return charged_epochs(trials)
    if unit == "seconds":
        return seconds
    return {trial.id: 1.0 for trial in trials if trial.twin_of is None}


def _compared(
    loaded: LoadedExperiment, directory: Path, done: Mapping[str, Mapping[int, _Done]]
) -> Comparison:
    config, shared = loaded.config, loaded.any_run.config
    objectives, unit, reference = shared.to_objectives(), unit_of(shared), config.compared_with
    objective, box = objectives[0], None
    results = {
        label: {seed: one.result for seed, one in seeds.items()} for label, seeds in done.items()
    }
    if len(objectives) > 1:
        objective = HYPERVOLUME
        box = box_around(
            values for seeds in done.values() for one in seeds.values() for values in one.points
        )
        results = {
            label: {seed: _in_box(one, box) for seed, one in seeds.items()}
            for label, seeds in done.items()
        }
    curves = {
        label: {seed: result.curve for seed, result in seeds.items()}
        for label, seeds in results.items()
    }
    goal = mean(finals(curves[reference]))
    target = config.target if config.target is not None else math.nan if goal is None else goal
    spent = max(
        (one.spent[-1] for seeds in curves.values() for one in seeds.values() if one.spent.size),
        default=1.0,
    )
    budget = float(getattr(shared.budget, unit) or spent)
    sentences = _sentences(curves, reference, objective, unit, budget)
    return Comparison(
        directory, objective, objectives, box, unit, budget, target, reference, results, sentences
    )


def _in_box(done: _Done, box: Box | None) -> Result:
    """The result by hypervolume, in the box of all runs."""
    return dataclasses.replace(
        done.result, curve=front_curve(done.result.curve.spent, done.points, box)
    )


def _sentences(
    curves: Mapping[str, Mapping[int, Curve]],
    reference: str,
    objective: Objective,
    unit: Unit,
    budget: float,
) -> list[str]:
    """The verdict on every strategy but the reference."""
    sentences = []
    for label, found in curves.items():
        if label != reference:
            gain = difference(finals(found), finals(curves[reference]), objective)
            better, worse = (label, reference) if gain.mean > 0 else (reference, label)
            share = share_needed(
                band(list(curves[better].values()), budget),
                statistics.fmean(finals(curves[worse])),
                objective,
            )
            sentences.append(sentence(label, reference, gain, objective, unit, share))
    return sentences


def _write(comparison: Comparison) -> None:
    """The numbers, the picture and the page."""
    bands = {label: comparison.band(label) for label in comparison.results}
    curves = {
        label: [result.curve for result in seeds.values()]
        for label, seeds in comparison.results.items()
    }
    about = (comparison.directory.name, comparison.objective, comparison.unit, bands, curves)
    write_text_whole(
        comparison.data, json.dumps(comparison.to_json(), indent=2, allow_nan=False) + "\n"
    )
    write_text_whole(comparison.picture, comparison_svg(*about))
    said = (comparison.rows(), comparison.sentences, comparison.note, comparison.headings)
    write_text_whole(comparison.page, comparison_page(*about, *said))
