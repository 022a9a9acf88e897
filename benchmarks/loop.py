"""Thousands of simulated searches in one process: the engine, the strategy and the simulated pool, with a record in
memory."""

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
from evonas.search.named import StrategyConfig
from evonas.search.registry import STRATEGIES
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity, Objective, Outcome, Trial, rank


@dataclass(frozen=True)
class Issue:
    """What is searched, and by what it is judged.

    Attributes:
        epochs: of a full training.
        evaluate: judges a genome.
        table: that it looks genomes up in; None for a function.
        objectives: all of them, where there are several.
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
        trials: by id, twins among them.
        ends: when each ended on the virtual clock; twins never ran.
        outcomes: as they arrived; twins have none.
    """

    trials: Sequence[Trial]
    ends: Mapping[int, float]
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)

    @property
    def trained(self) -> list[Trial]:
        """The trials that are no twins, in the order of proposals."""
        return [trial for trial in self.trials if trial.twin_of is None]


def tabled(space: Path, table: Path, metric: str, epochs: int) -> Issue:
    """A problem from a table's file; more of the metric is better."""
    searched_space = load_space(space)
    known = load_table(table, searched_space)
    return Issue(searched_space, Objective(metric, "max"), epochs, TableEvaluator(known), known)


def judged_by(
    space: Path, function: Function, metric: str, epochs: int, **arguments: Value
) -> Issue:
    """A problem from a function `(genome, epochs, **arguments) -> {metric: number}`; more of the metric is better."""
    evaluate = FunctionEvaluator(function, arguments, is_simulated=True)
    return Issue(load_space(space), Objective(metric, "max"), epochs, evaluate)


def search(
    problem: Issue,
    strategy: Mapping[str, Any],
    seed: int,
    limits: RunLimits,
    workers: int = 1,
    stop: Mapping[str, Mapping[str, float]] | None = None,
) -> Found:
    """One search.

    Args:
        strategy: as in a config, `{"aging": {"population": 10}}`.
        limits: with one worker, a `look_ahead` of 1 asks for a proposal when all before it are told.
        stop: as in `Setup`; the evaluator has to heed it.
    """
    builder = Builder(FAMILIES)
    config: StrategyConfig = builder.build(StrategyConfig, dict(strategy))
    assert not builder.issues, builder.issues
    fidelity, several = Fidelity(problem.epochs), problem.objectives
    asked = SearchProblem(
        problem.space, problem.objective, fidelity, seed, trials=limits.trials, objectives=several
    )
    objective = {"name": problem.objective.name, "direction": problem.objective.direction}
    setup = Setup("", seed, problem.space.text, {}, objective, stop=stop)
    pool = SimulatedPool(setup, workers, problem.evaluate)
    record = MemoryRecord(lambda: pool.now)
    engine = Engine(
        STRATEGIES[config.name](asked, config.settings),
        cast(Record, record),
        pool,
        limits,
        problem.objective,
        seed,
        clock=lambda: pool.now,
        storage=NoStorage(Path()),
        incumbent_of=record.best_known if stop is not None else lambda trial: None,
    )
    engine.run()
    return Found(engine.trials, record.ends, record.outcomes)


@dataclass
class MemoryRecord:
    """Takes what the engine writes and keeps the times: for searches that nobody wants to resume."""

    clock: Callable[[], float]
    ends: dict[int, float] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    session: int = 1
    _best: list[Trial | None] = field(default_factory=lambda: [None])  # by the number of the told
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

    def commit_step(
        self, told: Sequence[Trial], asked: Sequence[Trial], state: Mapping[str, Any], before: int
    ) -> None:
        for trial in told:
            best = self._best[-1]
            is_better = trial.fitness is not None and (best is None or rank(trial) < rank(best))
            self._best.append(trial if is_better else best)
        self._told_before += [before] * len(asked)

    def best_known(self, trial: int) -> float | None:
        best = self._best[self._told_before[trial]]
        return None if best is None or best.fitness is None else best.fitness.value

    def start_attempt(self, trial: int) -> int:
        return 0

    def note_epochs(self, reached: Mapping[tuple[int, int], int]) -> None:
        pass

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        self.ends[trial.id], self.outcomes[trial.id] = self.clock(), outcome

    def attempts(self, trial: int | None = None) -> list[Any]:
        return []

    def event(self, kind: str, detail: Any) -> None:
        pass
