"""The engine's budgets in epochs and seconds, and telling on arrival, with made-up answers."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.evaluate.contract.pool import Finished, Pool
from evonas.genome import decode
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.storage import Storage
from evonas.runtime.record.record import Record
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Fidelity, Lineage, Outcome, Proposal, TrialState


class Script(Strategy):
    """Proposes (genome, epochs, resume_from), in order; keeps what it was told."""

    def __init__(self, problem, plan):
        super().__init__(problem, RandomSettings())
        self.plan, self.asked, self.told = plan, 0, []

    def ask(self, count):
        chosen = self.plan[self.asked : self.asked + count]
        self.asked += len(chosen)
        space = self.problem.space
        return [
            Proposal(
                decode(space, np.random.default_rng(point).random(space.dimension)),
                Fidelity(epochs),
                Lineage(("script",)),
                resume_from=start,
            )
            for point, epochs, start in chosen
        ]

    def tell(self, trial):
        self.told.append(trial.id)

    @property
    def is_done(self):
        return self.asked == len(self.plan)

    def state_dict(self):
        return {"asked": self.asked}

    def load_state_dict(self, state, trials):
        self.asked, self.told = state["asked"], list(trials)


class Newest(Pool):
    """Answers the newest submission first; a second passes for each answer."""

    def __init__(self, capacity=2):
        self.jobs, self.seen, self.now, self.capacity_ = [], [], 100.0, capacity

    capacity = property(lambda self: self.capacity_)
    running = property(lambda self: len(self.jobs))

    def submit(self, job):
        self.jobs.append(job)
        self.seen.append(job)

    def poll(self, timeout):
        self.now += 1.0
        return [Finished(self.jobs.pop(), Outcome(TrialState.OK, {"val_loss": 1.0}))]

    def cancel(self, trial):
        pass

    def cut_short(self, trial):
        pass

    def close(self):
        pass


@pytest.fixture
def search(tmp_path, small_space, loss):
    """Runs a plan to its end; returns the engine, the strategy and the pool."""
    Record.create(tmp_path / "run.db", {}, {})
    with Record(tmp_path / "run.db") as record:

        def run(plan, limits, pool=None, in_order=True, **around):
            strategy = Script(SearchProblem(small_space, loss, Fidelity(2), 0), plan)
            pool = pool or Newest()
            around = Surroundings(clock=lambda: pool.now, **around)
            storage = Storage(tmp_path, continues_trials=strategy.continues_trials)
            engine = Engine(
                strategy, record, pool, storage, Rules(loss, 0, limits, in_order), around
            )
            engine.run()
            return engine, strategy, pool

        yield run


def test_a_continued_trial_is_charged_what_it_adds(search):
    plan = [(0, 3, None), (0, 9, 0), (0, 27, 1), (1, 27, None), (2, 27, None)]
    engine, _, pool = search(plan, RunLimits(None, look_ahead=1, epochs=28))
    assert [(job.epochs, job.trained) for job in pool.seen] == [(3, 0), (9, 3), (27, 9), (27, 0)]
    assert [(spent.unit, spent.amount, spent.limit) for spent in engine.progress().spent] == [
        ("epochs", 54, 28)
    ]


def test_twins_are_charged_nothing(search):
    engine, *_ = search(
        [(0, 9, None)] * 5 + [(1, 9, None), (2, 9, None)], RunLimits(None, epochs=18)
    )
    assert len(engine.trials) == 6


def test_seconds_of_earlier_sessions_count(search):
    plan = [(point, 1, None) for point in range(30)]
    engine, _, pool = search(plan, RunLimits(None, look_ahead=4, seconds=10.0), spent=6.0)
    states = [trial.state for trial in engine.trials]
    assert engine.seconds >= 10.0
    assert len(pool.seen) == states.count(TrialState.OK) <= 6
    assert set(states[len(pool.seen) :]) <= {TrialState.CANCELLED}
    assert engine.is_over


def test_a_time_that_is_over_stays_so_until_the_budget_is_another(search):
    """What is kept for the end may be estimated anew, and must not open a finished run."""
    plan = [(point, 1, None) for point in range(30)]
    first, *_ = search(plan, RunLimits(None, look_ahead=4, seconds=10.0), spent=6.0)
    again, _, pool = search(plan, RunLimits(None, look_ahead=4, seconds=10.0), spent=0.0)
    assert again.is_over
    assert not pool.seen
    assert again.trials == first.trials
    longer, _, pool = search(plan, RunLimits(None, look_ahead=4, seconds=20.0), spent=10.0)
    assert pool.seen
    assert len(longer.trials) > len(first.trials)


def test_what_arrives_first_is_told_first_and_twins_right_after(search):
    plan = [(0, 1, None), (1, 1, None), (0, 1, None), (1, 1, None), (2, 1, None), (1, 1, None)]
    engine, strategy, _ = search(plan, RunLimits(10, look_ahead=5), in_order=False)
    assert strategy.told[:3] == [1, 3, 5]
    assert sorted(strategy.told) == list(range(6))
    assert all(trial.state is TrialState.OK for trial in engine.trials)


def test_the_record_keeps_the_order_of_the_telling(search, tmp_path):
    _, strategy, _ = search(
        [(point, 1, None) for point in range(8)], RunLimits(10), Newest(3), in_order=False
    )
    with Record(tmp_path / "run.db") as record:
        assert record.told_order() == strategy.told != sorted(strategy.told)
        assert len(record.told_order()) == 8
        assert record.worked_seconds() >= 0.0


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_clock_on_the_wall_that_jumps_spends_no_budget(tmp_path, small_space, loss, jump):
    """Two sessions, the first one killed; the wall's clock jumps in the middle of each."""
    Record.create(tmp_path / "run.db", {}, {})
    plan = [(point, 1, None) for point in range(40)]
    wall = [1e9]

    class Jumps(Newest):
        def poll(self, timeout):
            if len(self.seen) == 6:
                wall[0] += jump
            if len(self.seen) == 12 and not spent:
                raise KeyboardInterrupt
            return super().poll(timeout)

    spent = 0.0
    for is_killed in (True, False):
        strategy, pool = Script(SearchProblem(small_space, loss, Fidelity(2), 0), plan), Jumps()
        with Record(tmp_path / "run.db", clock=lambda: wall[0]) as record:
            assert record.worked_seconds() == spent
            limits = RunLimits(40, look_ahead=4, seconds=600.0)
            around = Surroundings(clock=lambda pool=pool: pool.now, spent=record.worked_seconds())
            rules = Rules(loss, 0, limits)
            engine = Engine(strategy, record, pool, Storage(tmp_path), rules, around)
            record.count_seconds(lambda engine=engine: engine.seconds)
            if is_killed:
                with pytest.raises(KeyboardInterrupt):
                    engine.run()
            else:
                engine.run()
            spent = record.worked_seconds()
            assert spent == engine.seconds
    states = [trial.state for trial in engine.trials]
    assert states == [TrialState.OK] * 40
    assert spent == sum(trial.twin_of is None for trial in engine.trials), "a second an answer"
