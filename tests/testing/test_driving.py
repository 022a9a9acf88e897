"""The driver asks and tells as the engine does, waits with a strategy, and ends when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.genome import Genome, SearchSpace, parse_space, sample
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.session import make_strategy
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.testing import Driver, drive, make_run, settled, work
from evonas.trial import Constraint, Fidelity, Lineage, Objective, Proposal, Trial, TrialState


class Batches(Strategy):
    """Proposes batches of `size`, each when the last one is told; notes all that happens to it."""

    def __init__(self, problem: SearchProblem, size: int = 1000, total: int = 1000) -> None:
        super().__init__(problem, RandomSettings())
        self.size = size
        self.total = total
        self.asked = 0
        self.told = 0
        self.events: list[str] = []

    def ask(self, count: int) -> list[Proposal]:
        end = (self.told // self.size + 1) * self.size
        numbers = range(self.asked, min(self.asked + count, end, self.total))
        self.asked += len(numbers)
        found = []
        for number in numbers:
            self.events.append(f"ask {number}")
            genome = sample(self.problem.space, np.random.default_rng(number))
            found.append(Proposal(genome, self.problem.fidelity, Lineage(("script",))))
        if not found:
            self.events.append("wait")
        return found

    def tell(self, trial: Trial) -> None:
        self.told += 1
        self.events.append(f"tell {trial.id}")

    @property
    def is_done(self) -> bool:
        return self.asked == self.total

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        pass


@pytest.fixture
def problem(small_space: SearchSpace, loss: Objective) -> SearchProblem:
    return SearchProblem(small_space, loss, Fidelity(1), 0)


def make_trial(id: int, proposal: Proposal) -> Trial:
    return settled(Objective("val_loss", "min"), id, proposal, float(id))


def words(text: str) -> list[str]:
    """`a0 t0 w` as the events `ask 0`, `tell 0` and `wait`."""
    kinds = {"a": "ask ", "t": "tell ", "w": "wait"}
    return [kinds[word[0]] + word[1:] for word in text.split()]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (1, "a0 t0 a1 t1 a2 t2 a3 t3 a4 t4"),
        (2, "a0 a1 t0 a2 t1 a3 t2 a4"),
        (3, "a0 a1 a2 t0 a3 t1 a4"),
        (5, "a0 a1 a2 a3 a4"),
    ],
)
def test_a_window_stays_full(problem: SearchProblem, order: int, expected: str) -> None:
    strategy = Batches(problem)
    trials = drive(strategy, make_trial, 5, order=order)
    assert strategy.events == words(expected)
    assert [trial.id for trial in trials] == [0, 1, 2, 3, 4]


def test_a_generation_is_asked_as_a_whole_and_told_as_a_whole(problem: SearchProblem) -> None:
    strategy = Batches(problem, 3)
    trials = drive(strategy, make_trial, 2, order="generations")
    assert strategy.events == words("a0 a1 a2 t0 t1 t2 a3 a4 a5 t3 t4 t5")
    assert len(trials) == 6


def test_where_the_strategy_waits_trials_are_told_until_it_goes_on(problem: SearchProblem) -> None:
    strategy = Batches(problem, 2)
    driver = Driver(strategy, make_trial, look_ahead=3)
    driver.run(6)
    assert strategy.events == words("a0 a1 w t0 w t1 a2 a3 w t2 w t3 a4 a5 w")
    assert driver.waits == strategy.events.count("wait") == 5
    assert driver.told_before == [0, 0, 2, 2, 4, 4]
    assert driver.told == 4


@pytest.mark.parametrize("order", [1, 2, 9])
def test_it_ends_when_the_strategy_is_done_and_all_is_told(
    problem: SearchProblem, order: int
) -> None:
    strategy = Batches(problem, total=4)
    assert len(drive(strategy, make_trial, 100, order=order)) == 4
    assert strategy.told == 4
    assert "wait" not in strategy.events, "a strategy that is done is not asked"
    assert len(drive(Batches(problem, 3, 4), make_trial, 100, order="generations")) == 4


def test_a_strategy_that_hangs_is_found(problem: SearchProblem) -> None:
    class Hangs(Batches):
        """Never begins its second batch."""

        def tell(self, trial: Trial) -> None:
            pass

    for order in (1, 2, "generations"):
        with pytest.raises(AssertionError, match="waits although every trial is told"):
            drive(Hangs(problem, 2), make_trial, 5, order=order)  # type: ignore[arg-type]


def test_a_search_goes_step_by_step_and_with_another_strategy(problem: SearchProblem) -> None:
    first = Batches(problem)
    driver = Driver(first, make_trial, look_ahead=2)
    driver.step(2)
    assert first.events == words("a0 a1 t0 a2")
    second = Batches(problem)
    second.asked = 3
    driver.strategy = second
    driver.step()
    assert driver.tell() == driver.trials[2]
    assert [trial.id for trial in driver.ask(2)] == [4, 5]
    driver.tell_all()
    assert second.events == words("t1 a3 t2 a4 a5 t3 t4 t5")
    assert driver.told_before == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize("strategy", ["random", "aging", "evolution"])
@pytest.mark.parametrize("look_ahead", [1, 3, 5])
def test_it_asks_and_tells_as_the_engine_does(
    tmp_path: Path, strategy: str, look_ahead: int
) -> None:
    """A run of the engine is driven again: the same proposals, each after the same tells."""
    settings = {"random": "random", "aging": "{aging: {population: 3, sample: 2}}"}
    changes = [f"strategy={settings[strategy]}"] if strategy in settings else []
    root = make_run(tmp_path, f"look_ahead={look_ahead}", *changes)
    work(root)
    with RecordReader(root / "run.db") as record:
        config = RunConfig.from_json(record.meta("config"))
        space = parse_space(record.meta("space"), "space.yaml")
        trials = record.trials(config.to_objective())
        told_before = record.told_before()

    def with_recorded_outcome(id: int, proposal: Proposal) -> Trial:
        # The driver may ask beyond the budget at which the engine stopped.
        if id >= len(trials):
            return make_trial(id, proposal)
        return replace(trials[id], proposal=proposal)

    driver = Driver(make_strategy(config, space, {}, root), with_recorded_outcome, look_ahead)
    driven = driver.run(len(trials))
    assert len(trials) >= 12
    assert driven[: len(trials)] == trials
    assert driver.told_before[: len(trials)] == told_before


def test_a_settled_trial(problem: SearchProblem) -> None:
    objective = Objective("score", "max", constraints=(Constraint("flops", most=10),))
    genome: Genome = sample(problem.space, np.random.default_rng(0))
    proposal = Proposal(genome, Fidelity(1), Lineage(("sample",)))
    trial = settled(objective, 3, proposal, 0.5, {"flops": 20.0}, twin_of=1)
    assert (trial.id, trial.proposal, trial.twin_of) == (3, proposal, 1)
    assert (trial.state, trial.metrics) == (TrialState.OK, {"score": 0.5, "flops": 20.0})
    assert trial.fitness == objective.fitness(trial.metrics)
    assert trial.fitness is not None
    assert trial.fitness.violation == 1.0
    failed = settled(objective, 3, proposal, None, twin_of=1)
    assert failed == Trial(3, proposal, 1, TrialState.DIVERGED)
