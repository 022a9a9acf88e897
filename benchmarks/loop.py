"""Thousands of simulated searches in one process.

A search has the engine, a strategy and the simulated pool, with a record in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evonas.evaluate.contract.protocol import RunJob, Setup
from evonas.evaluate.evaluators.function import Function, FunctionCall
from evonas.evaluate.evaluators.table import TableLookup
from evonas.evaluate.known.table import Table, load_table
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.genome import Genome, SearchSpace, Value, load_space
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.storage import Storage
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.testing.journal import MemoryJournal
from evonas.trial import Fidelity, Objective, Outcome, Trial


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
        mean: the first objective of a genome without noise; None where there is no noise.
    """

    space: SearchSpace
    objective: Objective
    epochs: int
    evaluate: RunJob
    table: Table | None = None
    objectives: tuple[Objective, ...] = ()
    mean: Callable[[Genome], float] | None = None


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
        evaluate=TableLookup(known),
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
        evaluate=FunctionCall(function, arguments, is_simulated=True),
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
    journal = MemoryJournal(pool.clock)
    rules = Rules(problem.objective, seed, limits)
    # only a rule of early stopping asks for the best score so far
    if stop is not None:
        rules = replace(rules, incumbent_of=journal.best_known)
    storage = Storage(Path(), keeps_files=False)
    around = Surroundings(clock=pool.clock)
    engine = Engine(searcher, journal, pool, storage, rules, around)
    engine.run()
    return Found(engine.trials, journal.ends, journal.outcomes)
