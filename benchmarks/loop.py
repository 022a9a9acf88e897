"""Thousands of simulated searches in one process.

A search has the engine, a strategy and the simulated pool, with a record in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from evonas.evaluate.contract.protocol import RunJob, Setup
from evonas.evaluate.known.evaluator import Function, FunctionEvaluator, TableEvaluator
from evonas.evaluate.known.table import Table, load_table
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.genome import SearchSpace, Value, load_space
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.storage import NoStorage
from evonas.runtime.record.record import Record
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.trial import Fidelity, Objective, Outcome, Trial, rank


@dataclass(frozen=True)
class Problem:
    """What is searched, and what judges it.

    Attributes:
        space: search space.
        objective: first objective.
        epochs: number of epochs of a full training.
        evaluate: evaluator, which judges a genome.
        table: table of the evaluator; None for a function.
        objectives: all objectives of a search with several; otherwise empty.
    """

    space: SearchSpace
    objective: Objective
    epochs: int
    evaluate: RunJob
    table: Table | None = None
    objectives: tuple[Objective, ...] = ()


@dataclass(frozen=True)
class Found:
    """A finished search.

    Attributes:
        trials: all trials by id, with duplicates.
        ends: end of each trial on the virtual clock; duplicates never ran.
        outcomes: outcome of each trial; duplicates have none.
    """

    trials: Sequence[Trial]
    ends: Mapping[int, float]
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)

    @property
    def trained(self) -> list[Trial]:
        """The trials that are no duplicates, in the order of proposals."""
        return [trial for trial in self.trials if trial.twin_of is None]


def tabled(space: Path, table: Path, metric: str, epochs: int) -> Problem:
    """A problem from a table's file; more of the metric is better."""
    searched_space = load_space(space)
    known = load_table(table, searched_space)
    return Problem(
        space=searched_space,
        objective=Objective(metric, "max"),
        epochs=epochs,
        evaluate=TableEvaluator(known),
        table=known,
    )


def judged_by(
    space: Path, function: Function, metric: str, epochs: int, **arguments: Value
) -> Problem:
    """A problem from a function `(genome, epochs, **arguments) -> {metric: number}`.

    More of the metric is better.
    """
    return Problem(
        space=load_space(space),
        objective=Objective(metric, "max"),
        epochs=epochs,
        evaluate=FunctionEvaluator(function, arguments, is_simulated=True),
    )


def search(
    problem: Problem,
    strategy: Mapping[str, Any],
    seed: int,
    limits: RunLimits,
    workers: int = 1,
    stop: Mapping[str, Mapping[str, float]] | None = None,
) -> Found:
    """One search.

    Args:
        problem: what is searched, and what judges it.
        strategy: strategy as in a config, `{"aging": {"population": 10}}`.
        seed: seed of the run.
        limits: budget of the search, and its `look_ahead`.
        workers: number of simulated workers.
        stop: rule of early stopping, as in `Setup`; the evaluator has to follow it.
    """
    builder = Builder(FAMILIES)
    settings: StrategySettings = builder.build(StrategySettings, dict(strategy))
    assert not builder.issues, builder.issues
    asked = SearchProblem(
        problem.space,
        problem.objective,
        Fidelity(problem.epochs),
        seed,
        trials=limits.trials,
        objectives=problem.objectives,
    )
    searcher = settings.make(asked)
    objective = {"name": problem.objective.name, "direction": problem.objective.direction}
    setup = Setup("", seed, problem.space.text, {}, objective, stop=stop)
    pool = SimulatedPool(setup, workers, problem.evaluate)
    record = MemoryRecord(lambda: pool.now)
    # only a rule of early stopping asks for the best score so far
    incumbent_of = record.best_known if stop is not None else lambda trial: None
    engine = Engine(
        searcher,
        cast(Record, record),
        pool,
        limits,
        problem.objective,
        seed,
        clock=lambda: pool.now,
        storage=NoStorage(Path()),
        incumbent_of=incumbent_of,
    )
    engine.run()
    return Found(engine.trials, record.ends, record.outcomes)


@dataclass
class MemoryRecord:
    """Takes what the engine writes and keeps the times: for searches that are never resumed.

    Attributes:
        clock: gives the virtual time.
        ends: end of each trial on that clock.
        outcomes: outcome of each trial.
        session: number of the session.
    """

    clock: Callable[[], float]
    ends: dict[int, float] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    session: int = 1
    # the best trial after 0, 1, 2, ... told trials
    _best: list[Trial | None] = field(default_factory=lambda: [None])
    # for each trial, the number of trials that were told before it was asked
    _told_before: list[int] = field(default_factory=list)

    def trials(self, objective: Objective) -> list[Trial]:
        return []

    def told_order(self) -> list[int]:
        return []

    def begun(self) -> dict[int, float]:
        return {}

    def events(self) -> list[tuple[float, str, Any]]:
        return []

    def has_meta(self, key: str) -> bool:
        return False

    def check_place(self) -> None:
        pass

    def count_seconds(self, worked: Callable[[], float] | None) -> None:
        pass

    def commit_step(
        self,
        told: Sequence[Trial],
        asked: Sequence[Trial],
        state: Mapping[str, Any],
        before: int,
        is_last: bool = False,
    ) -> None:
        for trial in told:
            best = self._best[-1]
            if trial.fitness is not None and (best is None or rank(trial) < rank(best)):
                best = trial
            self._best.append(best)
        self._told_before += [before] * len(asked)

    def best_known(self, trial: int) -> float | None:
        """The best value that was told before this trial was asked."""
        told_before = self._told_before[trial]
        best = self._best[told_before]
        if best is None or best.fitness is None:
            return None
        return best.fitness.value

    def start_attempt(self, trial: int) -> int:
        return 0

    def note_epochs(self, reached: Mapping[tuple[int, int], int]) -> None:
        pass

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        self.ends[trial.id] = self.clock()
        self.outcomes[trial.id] = outcome

    def attempts(self, trial: int | None = None) -> list[Any]:
        return []

    def event(self, kind: str, detail: Any) -> None:
        pass
