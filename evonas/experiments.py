"""Experiments: one question, several strategies, several seeds each, and an honest verdict."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas import api, lifecycle, view
from evonas.errors import InvalidConfig, InvalidRecord, Issue, NothingFeasible
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.export.fresh import fresh_scores
from evonas.files import expanded, write_text_whole
from evonas.insight.charts import comparison_page
from evonas.insight.comparison import HYPERVOLUME, Curve, band, charged_epochs, curve, front_curve
from evonas.insight.curves import comparison_svg
from evonas.insight.front import Box, box_around, turned
from evonas.insight.results import Comparison, Result, Unit, mean, median
from evonas.insight.scale import Scale, scale_of
from evonas.insight.sentences import sentence
from evonas.insight.verdict import finals, share_needed, verdicts
from evonas.runtime.code_record import recorded_code
from evonas.runtime.config.config_source import told_by_the_argument
from evonas.runtime.config.experiment_file import LoadedExperiment, load_experiment
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.strategy_config import counts_infeasible
from evonas.runtime.loop.observer import Observer, sheltered, teller
from evonas.runtime.loop.stopping import StopRequest, Urgency, stop_on_signals
from evonas.runtime.pools import PoolFactory, open_pool
from evonas.runtime.record.layout import EXPERIMENT
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.reuse import Key, Known, ReusingPool, known_trainings
from evonas.runtime.session import Session
from evonas.trial import Trial, TrialState
from evonas.words import counted

OnRun = Callable[[str, int, bool], Sequence[Observer]]
"""Called before each run with its label, its seed and whether it was begun before.

It returns the run's observers.
"""


@dataclass(frozen=True, eq=False)
class _Done:
    """A run that has ended.

    Attributes:
        result: result whose curve is that of the first objective, in the first unit of the budget.
        curves: the same curve in each unit in which the budget has a limit.
        is_time_over: whether the end of the budget's time has ended it.
        points: for each trial the values of all objectives, less is better; None for a trial that
            cannot be on a front.
        samples: number of validation samples; 0 for a run without networks.
    """

    result: Result
    curves: Mapping[Unit, Curve]
    is_time_over: bool
    points: Sequence[tuple[float, ...] | None]
    samples: int


def compare(
    experiment: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: str | Path = api.DEFAULT_RUNS,
    on_run: OnRun = lambda label, seed, begun: (),
    pool_factory: PoolFactory = open_pool,
    stop: StopRequest | None = None,
) -> Comparison:
    """Run an experiment to its end, or continue it, and compare the strategies.

    Finished runs are not repeated, and begun ones go on. A stopped experiment is therefore resumed
    by calling this again.

    Args:
        experiment: path of a YAML file, or the name of a shipped experiment.
        overrides: `key.path=value` for the config of every run.
        runs: folder in which the experiment's own directory is made.
        on_run: called before each run; returns its observers.
        pool_factory: makes the pool that runs the jobs.
        stop: notes the signals, if the caller has to know of them, too.

    Raises:
        InvalidConfig: before any training; also if `runs` holds another experiment of that name.
        RepeatedFailures, Stopped, DiskFailure: see `evonas.errors`; the experiment can go on.
    """
    with told_by_the_argument():
        loaded = load_experiment(experiment, overrides)
    return run_experiment(loaded, runs, on_run, pool_factory, stop)


def run_experiment(
    loaded: LoadedExperiment,
    runs: str | Path,
    on_run: OnRun,
    pool_factory: PoolFactory = open_pool,
    stop: StopRequest | None = None,
) -> Comparison:
    """Run a loaded experiment to its end, or continue it; arguments and errors as for `compare`."""
    directory = expanded(runs) / loaded.config.experiment
    _claim(loaded, directory)
    done: dict[str, dict[int, _Done]] = {label: {} for label in loaded.runs}
    # Seed by seed, not strategy by strategy: an experiment that is stopped early can be compared.
    stop = stop or StopRequest()
    with stop_on_signals(stop):
        for seed in loaded.config.seeds:
            for label in loaded.runs:
                if stop.urgency > Urgency.NONE:
                    raise stop.error(_how_far(loaded, done))
                done[label][seed] = _run(loaded, directory, label, seed, on_run, pool_factory, stop)
    comparison = _compared(loaded, directory, done)
    _write(comparison)
    return comparison


def _how_far(loaded: LoadedExperiment, done: Mapping[str, Mapping[int, _Done]]) -> str:
    """How many runs were finished when the user stopped the experiment."""
    finished = sum(map(len, done.values()))
    every = sum(map(len, loaded.runs.values()))
    return f"stopped after {finished} of {counted(every, 'run')}; nothing is lost"


def _claim(loaded: LoadedExperiment, directory: Path) -> None:
    """Make the experiment's directory, or check that it is this experiment's."""
    path = directory / EXPERIMENT
    configs = {}
    for label, seeds in loaded.runs.items():
        configs[label] = {str(seed): run.config.to_json() for seed, run in seeds.items()}
    now = json.dumps(configs)
    # A directory without a run was refused before: its configs may have been mended since.
    if not any(directory.glob("*/run.db")):
        write_text_whole(path, now)
    elif _as_today(json.loads(path.read_text(encoding="utf-8"))) != json.loads(now):
        message = (
            f"{directory} holds runs of an experiment of that name with other configs."
            " Give this one another name, or move that folder away."
        )
        raise InvalidConfig(Issue(message, "experiment", str(loaded.file)))


def _as_today(configs: Any) -> Any:
    """Recorded configs of an experiment's runs, with the keys that an older evonas did not have."""
    found: dict[str, dict[str, Any]] = {}
    try:
        for label, by_seed in configs.items():
            found[label] = {}
            for seed, one in by_seed.items():
                found[label][seed] = RunConfig.from_json(one).to_json()
    # Whatever somebody has made of the file, it holds other configs.
    except (InvalidRecord, AttributeError, TypeError, ValueError, KeyError):
        return None
    return found


def _run(
    loaded: LoadedExperiment,
    directory: Path,
    label: str,
    seed: int,
    on_run: OnRun,
    pool_factory: PoolFactory,
    stop: StopRequest,
) -> _Done:
    """Run one strategy with one seed to its end."""
    root = directory / f"{label}-{seed}"
    begun = (root / "run.db").is_file()
    observers = sheltered(on_run(label, seed, begun))
    if not begun:
        is_first = not any(directory.glob("*/run.db"))
        gives_back = _gives_back(loaded, directory)
        _, prepared = lifecycle.create(loaded.runs[label][seed], directory, gives_back)
        # All runs of an experiment have the same data.
        if is_first:
            tell = teller(observers)
            for note in prepared.notes:
                tell(note)
    others = [directory / f"{other}-{seed}" for other in loaded.runs if other != label]

    def pool(config: RunConfig, setup: Setup, where: Path) -> Pool:
        inner = pool_factory(config, setup, where)
        # A simulation replays the seconds of its table, and a second look-up costs nothing.
        if inner.is_simulated:
            return inner
        with RecordReader(where / "run.db") as record:
            code = recorded_code(record)
        known: dict[Key, Known] = {}
        for other in others:
            known |= known_trainings(other, code)
        return ReusingPool(inner, known, where)

    try:
        run = lifecycle.work(root, observers, pool, is_new=not begun, stop=stop)
    except NothingFeasible:
        # A strategy that finds nothing has lost, and the other runs go on.
        run = view.load(root)
    fresh = _fresh(run, loaded.config.fresh, pool_factory, observers, stop)
    result, by_unit = _result(run, fresh)
    points = [turned(trial, run.objectives) for trial in run.trials]
    # A table counts its genomes, and has no samples. With folds, each is for validation in turn.
    samples = run.counts.get("validation", run.counts.get("train", 0))
    return _Done(result, by_unit, run.is_time_over, points, samples)


def _gives_back(loaded: LoadedExperiment, directory: Path) -> bool:
    """Whether infeasible proposals are given back to the budgets: all runs have one rule."""
    for path in sorted(directory.glob("*/run.db")):
        with RecordReader(path) as record:
            return record.gives_back
    configs = [run.config for seeds in loaded.runs.values() for run in seeds.values()]
    return not any(counts_infeasible(config.strategy) for config in configs)


def _fresh(
    run: view.Run,
    count: int,
    pool_factory: PoolFactory,
    observers: Sequence[Observer],
    stop: StopRequest,
) -> Sequence[Mapping[str, float]]:
    """The winner's scores with fresh seeds, from the record or from trainings that are done now.

    Empty for a run without networks. A training that failed has an empty entry.
    """
    if not run.has_networks:
        return []
    known: Mapping[str, Any] = {"asked": 0, "scores": []}
    with RecordReader(run.layout.record) as record:
        if record.has_meta("fresh"):
            known = record.meta("fresh")
    if run.best is None:
        return []
    if known["asked"] >= count:
        return _with_failures(known["scores"][:count], count)
    for observer in observers:
        observer.on_wait(f"training the winner with {counted(count, 'fresh seed')}")
    with Session(run.directory, pool_factory, stop) as session:
        scores = fresh_scores(session, run.best.trial, count)
        kept = {"asked": count, "scores": [dict(one) for one in scores]}
        session.record.put_meta("fresh", kept)
        session.record.seal()
    return _with_failures(scores, count)


def _with_failures(
    scores: Sequence[Mapping[str, float]], count: int
) -> Sequence[Mapping[str, float]]:
    """The scores, and an empty entry for each training that is missing, for it failed."""
    missing = count - len(scores)
    failures: list[Mapping[str, float]] = [{}] * missing
    return [*scores, *failures]


def _result(
    run: view.Run, fresh: Sequence[Mapping[str, float]]
) -> tuple[Result, Mapping[Unit, Curve]]:
    """The result of a run, and its curve in each unit of its budget."""
    trained = [trial for trial in run.trials if trial.twin_of is None]
    with RecordReader(run.layout.record) as record:
        attempts = record.attempts()
    best = run.best
    # Attempts come in order: of several at one trial, the last one counts.
    seconds = {attempt.trial: attempt.seconds or 0.0 for attempt in attempts}
    reused = {attempt.trial for attempt in attempts if attempt.details.reused is not None}
    metrics: Mapping[str, float] = run.result["metrics"] if run.result else {}
    test = {name: value for name, value in metrics.items() if name.startswith("test_")}
    curves = {unit: curve(run.trials, _cost(run, unit, seconds)) for unit in units_of(run.config)}
    result = Result(
        curve=next(iter(curves.values())),
        trials=len(run.trials),
        twins=len(run.trials) - len(trained),
        # What the budget does not count is no failure of the strategy's.
        failures=sum(map(_has_failed, trained)) - run.given_back,
        reused=len(reused),
        winner=best.metrics if best else {},
        test=test,
        fresh=fresh,
    )
    return result, curves


def _has_failed(trial: Trial) -> bool:
    """Whether it was tried and is no success. The end of the time says nothing about a network."""
    return trial.fitness is None and trial.state is not TrialState.CANCELLED


def units_of(config: RunConfig) -> list[Unit]:
    """The units in which a run's budget has a limit; of several, those that tell more first."""
    units: tuple[Unit, ...] = ("epochs", "seconds", "trials")
    return [unit for unit in units if unit in config.budget.given]


def _deciding_unit(config: RunConfig, done: Mapping[str, Mapping[int, _Done]]) -> Unit:
    """The unit of the budget that has ended the runs."""
    units = units_of(config)
    every = [one for seeds in done.values() for one in seeds.values()]
    if "seconds" in units and len(units) > 1:
        if any(one.is_time_over for one in every):
            return "seconds"
        units.remove("seconds")
    given = config.budget.given

    def share(unit: Unit) -> float:
        """How much of the limit the runs have spent in all."""
        spent = [one.curves[unit].spent[-1] for one in every if one.curves[unit].spent.size]
        return math.fsum(spent) / given[unit]

    # Of equal ones the first.
    return max(units, key=share)


def _cost(run: view.Run, unit: Unit, seconds: Mapping[int, float]) -> Mapping[int, float]:
    """What each trial costs, in a unit of the run's budget.

    Args:
        seconds: of each trial.
    """
    if unit == "seconds":
        return seconds
    trials: Sequence[Trial] = run.trials
    if unit == "epochs":
        cost = charged_epochs(trials)
    else:
        cost = {trial.id: 1.0 for trial in trials if trial.twin_of is None}
    if run.gives_back:
        left = run.config.budget.given.get(unit, 0)
        for id in cost:
            if trials[id].state is TrialState.INFEASIBLE:
                given_back = min(left, cost[id])
                cost[id] -= given_back
                left -= given_back
    return cost


def _compared(
    loaded: LoadedExperiment, directory: Path, done: Mapping[str, Mapping[int, _Done]]
) -> Comparison:
    config = loaded.config
    shared = loaded.any_run.config
    objectives = shared.to_objectives()
    objective = objectives[0]
    unit = _deciding_unit(shared, done)
    box = None
    if len(objectives) > 1:
        objective = HYPERVOLUME
        box = box_around(_all_points(done))
    in_box = len(objectives) > 1
    results = {label: _results(seeds, unit, box, in_box) for label, seeds in done.items()}
    curves = {label: _curves(seeds) for label, seeds in results.items()}
    found = {label: finals(seeds) for label, seeds in curves.items()}
    scale = scale_of(objective, itertools.chain(*found.values()), _samples(done))
    budget = shared.budget.given.get(unit)
    if not budget:
        budget = max(_all_spent(curves), default=1.0)
    budget = float(budget)
    target = config.target
    if target is None:
        target = _goal(found[config.compared_with], scale)
    return Comparison(
        directory=directory,
        objective=objective,
        objectives=objectives,
        box=box,
        unit=unit,
        budget=budget,
        limits=str(shared.budget) if len(shared.budget.given) > 1 else "",
        target=target,
        reference=config.compared_with,
        scale=scale,
        results=results,
        sentences=_sentences(curves, config.compared_with, scale, unit, budget),
    )


def _samples(done: Mapping[str, Mapping[int, _Done]]) -> int:
    """The number of validation samples, which is the same in all runs."""
    first, *_ = done.values()
    return max(one.samples for one in first.values())


def _goal(found: Sequence[float], scale: Scale) -> float:
    """The reference's mean, or its median if it found nothing at a seed; NaN if that is nothing."""
    goal = mean(found)
    if goal is None:
        goal = median(found, scale.worst)
    return math.nan if goal is None else goal


def _all_points(done: Mapping[str, Mapping[int, _Done]]) -> Iterator[tuple[float, ...] | None]:
    for seeds in done.values():
        for one in seeds.values():
            yield from one.points


def _all_spent(curves: Mapping[str, Mapping[int, Curve]]) -> Iterator[float]:
    """What each run has spent at its end."""
    for seeds in curves.values():
        for one in seeds.values():
            if one.spent.size:
                yield one.spent[-1]


def _results(
    seeds: Mapping[int, _Done], unit: Unit, box: Box | None, in_box: bool
) -> dict[int, Result]:
    """The results by seed, with curves in this unit.

    With several objectives, they are by hypervolume in the box of all runs.
    """
    found = {}
    for seed, one in seeds.items():
        result = dataclasses.replace(one.result, curve=one.curves[unit])
        if in_box:
            front = front_curve(result.curve.spent, one.points, box)
            result = dataclasses.replace(result, curve=front)
        found[seed] = result
    return found


def _curves(seeds: Mapping[int, Result]) -> dict[int, Curve]:
    return {seed: result.curve for seed, result in seeds.items()}


def _sentences(
    curves: Mapping[str, Mapping[int, Curve]],
    reference: str,
    scale: Scale,
    unit: Unit,
    budget: float,
) -> list[str]:
    """The verdict on every strategy but the reference."""
    found = {label: finals(seeds) for label, seeds in curves.items()}
    sentences = []
    for verdict in verdicts(found, reference, scale).values():
        share = None
        # Without a success at each seed there is no mean curve, and no mean to reach.
        if verdict.is_shown and not verdict.found.has_failures:
            best_so_far = band(list(curves[verdict.better].values()), budget, scale)
            goal = scale.mean(found[verdict.worse])
            share = share_needed(best_so_far, goal, scale)
        sentences.append(sentence(verdict, unit, share))
    return sentences


def _write(comparison: Comparison) -> None:
    """Write the numbers, the picture and the page."""
    bands = {label: comparison.band(label) for label in comparison.results}
    curves = {}
    for label, seeds in comparison.results.items():
        curves[label] = [result.curve for result in seeds.values()]
    about = (comparison.directory.name, comparison.scale, comparison.unit, bands, curves)
    data = json.dumps(comparison.to_json(), indent=2, allow_nan=False)
    write_text_whole(comparison.data, data + "\n")
    write_text_whole(comparison.picture, comparison_svg(*about))
    said = (comparison.rows(), comparison.sentences, comparison.note, comparison.headings)
    write_text_whole(comparison.page, comparison_page(*about, *said))
