"""The engine with stubs in the driver: order, twins, budget, retries, stopping."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from evonas.errors import RepeatedFailures, Stopped, Terminated
from evonas.evaluate.contract.pool import Finished, Pool
from evonas.evaluate.contract.pool import Progress as Epoch
from evonas.evaluate.contract.protocol import Setup
from evonas.genome import decode
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.retries import RETRIES
from evonas.runtime.loop.stopping import StopRequest, Urgency
from evonas.runtime.loop.storage import Storage
from evonas.runtime.record.record import Record
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.testing.stub_pool import StubPool
from evonas.trial import Details, Fidelity, Lineage, Outcome, Proposal, Trial, TrialState


class Script(Strategy):
    """Proposes given genomes, in order; keeps what it was told."""

    def __init__(self, problem, points):
        super().__init__(problem, RandomSettings())
        self.points, self.asked, self.told = points, 0, []

    def ask(self, count):
        chosen = self.points[self.asked : self.asked + count]
        self.asked += len(chosen)
        return [
            Proposal(self._genome(point), self.problem.fidelity, Lineage(("script",)))
            for point in chosen
        ]

    def _genome(self, point):
        return decode(
            self.problem.space, np.random.default_rng(point).random(self.problem.space.dimension)
        )

    def tell(self, trial):
        self.told.append(trial)

    @property
    def is_done(self):
        return self.asked == len(self.points)

    def state_dict(self):
        return {"asked": self.asked, "told": [trial.id for trial in self.told]}

    def load_state_dict(self, state, trials):
        self.asked, self.told = state["asked"], [trials[id] for id in state["told"]]


class Answers(Pool):
    """Answers with given states: for each trial id, one an attempt. The newest job comes first."""

    def __init__(self, states, capacity=2):
        self.states, self.jobs, self.seen, self.parts = states, [], [], {}
        self._capacity = capacity

    capacity = property(lambda self: self._capacity)
    running = property(lambda self: len(self.jobs))

    def submit(self, job):
        self.jobs.append(job)
        self.seen.append((job.trial, job.attempt))
        self.parts[job.trial, job.attempt] = job.accumulation

    def poll(self, timeout):
        job = self.jobs.pop()
        states = self.states.get(job.trial, ["ok"])
        state = TrialState(states[min(job.attempt, len(states) - 1)])
        metrics = {"val_loss": 1.0 / (job.trial + 1)} if state is TrialState.OK else {}
        return [Finished(job, Outcome(state, metrics, message=f"trial {job.trial} is {state}"))]

    def cancel(self, trial):
        pass

    def cut_short(self, trial):
        pass

    def close(self):
        pass


@pytest.fixture
def problem(small_space, loss):
    return SearchProblem(small_space, loss, Fidelity(2), 0)


@pytest.fixture
def record(tmp_path):
    Record.create(tmp_path / "run.db", {}, {})
    with Record(tmp_path / "run.db") as opened:
        yield opened


@pytest.fixture
def engine(record, problem, loss):
    def make(strategy, pool, limits=RunLimits(10, look_ahead=4), in_order=True, **around):  # noqa: B008
        storage = Storage(record.path.parent, continues_trials=strategy.continues_trials)
        rules = Rules(loss, 0, limits, in_order)
        return Engine(strategy, record, pool, storage, rules, Surroundings(**around))

    return make


def test_trials_are_told_in_the_order_of_proposals_whatever_the_order_of_arrival(engine, problem):
    strategy = Script(problem, list(range(10)))
    engine(strategy, Answers({}, capacity=4)).run()
    assert [trial.id for trial in strategy.told] == list(range(10))


def test_a_strategy_that_goes_on_is_given_what_waits_without_its_outcome(
    engine, problem, record, loss
):
    class Given(Script):
        def load_state_dict(self, state, trials):
            super().load_state_dict(state, trials)
            self.given = trials

    script = Script(problem, [0, 1, 2])
    waiting = [Trial(i, proposal) for i, proposal in enumerate(script.ask(3))]
    record.commit_step([], waiting, script.state_dict(), 0)
    number, metrics = record.start_attempt(1), {"val_loss": 0.5}
    arrived = Trial(1, waiting[1].proposal, None, TrialState.OK, metrics, loss.fitness(metrics))
    record.finish_attempt(arrived, number, Outcome(TrialState.OK, metrics), True)
    strategy = Given(problem, [0, 1, 2])
    engine(strategy, Answers({}))
    assert strategy.given == {trial.id: trial for trial in waiting}, (
        "trial 1 has arrived, and is not told"
    )


def test_the_budget_counts_trials_and_not_twins(engine, problem, record, loss):
    strategy = Script(problem, [0, 0, 1, 0, 2, 1, 3, 4])
    pool = Answers({})
    engine(strategy, pool, RunLimits(trials=4, look_ahead=8)).run()
    trials = record.trials(loss)
    assert [trial.twin_of for trial in trials] == [None, 0, None, 0, None, 2, None]
    assert {trial for trial, _ in pool.seen} == {0, 2, 4, 6}
    assert all(
        trial.fitness == trials[trial.twin_of].fitness
        for trial in trials
        if trial.twin_of is not None
    )
    assert strategy.told[1].fitness == strategy.told[0].fitness


def test_a_twin_of_a_failed_trial_fails_with_it(engine, problem, record, loss):
    engine(Script(problem, [0, 0]), Answers({0: ["diverged"]})).run()
    assert [trial.state for trial in record.trials(loss)] == ["diverged", "diverged"]


def test_twins_in_a_row_end_the_run(engine, problem):
    run = engine(Script(problem, [0] * 50), Answers({}), RunLimits(trials=10, twins_in_a_row=5))
    run.run()
    assert run.is_exhausted
    assert len(run.trials) == 6


@pytest.mark.parametrize("state", sorted(RETRIES))
def test_failures_of_the_machine_are_tried_again(engine, problem, record, loss, state):
    pool = Answers({1: [state, "ok"]})
    engine(Script(problem, [0, 1, 2]), pool).run()
    assert [trial.state for trial in record.trials(loss)] == ["ok"] * 3
    assert [attempt.state for attempt in record.attempts(1)] == [state, "ok"]


def test_retries_have_an_end(engine, problem, record, loss):
    pool = Answers({1: ["crashed"]})
    engine(Script(problem, [0, 1, 2]), pool).run()
    assert record.trials(loss)[1].state is TrialState.CRASHED
    assert len(record.attempts(1)) == 1 + RETRIES[TrialState.CRASHED]


def test_a_trial_out_of_device_memory_is_tried_once_more_with_cut_batches_and_says_so(
    engine, problem, record, loss
):
    pool = Answers({0: ["oom_device", "ok"], 1: ["oom_device"]})
    engine(Script(problem, [0, 1, 2]), pool).run()
    assert [trial.state for trial in record.trials(loss)] == ["ok", "oom_device", "ok"]
    marks = [
        [attempt.details.accumulation_steps for attempt in record.attempts(id)] for id in range(3)
    ]
    assert marks == [[None, 2], [None, 2], [None]]
    assert pool.parts[0, 0] == pool.parts[2, 0] == 1
    assert pool.parts[0, 1] == pool.parts[1, 1] == 2


def test_a_batch_of_one_sample_is_not_cut(engine, problem, record):
    class One(Answers):
        def poll(self, timeout):
            (report,) = super().poll(timeout)
            return [Finished(report.job, replace(report.outcome, details=Details(batch_size=1)))]

    engine(Script(problem, [0]), One({0: ["oom_device"]})).run()
    assert [attempt.state for attempt in record.attempts(0)] == ["oom_device"]


def test_batches_stay_cut_in_every_later_attempt_and_each_kind_of_failure_has_its_own_cap(
    engine, problem, record
):
    states = ["lost", "oom_device", "crashed", "lost", "oom_host", "lost", "lost"]
    pool = Answers({0: states})
    engine(Script(problem, [0]), pool).run()
    assert [attempt.state for attempt in record.attempts(0)] == states
    assert [pool.parts[0, number] for number in range(7)] == [1, 1, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("state", sorted(RETRIES | {TrialState.OOM_DEVICE: 1}))
def test_a_resume_grants_no_retry_twice_and_a_killed_driver_uses_up_none(
    record, engine, problem, state
):
    """Killed before each attempt; what was used is in the record alone."""
    caps = RETRIES | {TrialState.OOM_DEVICE: 1}

    class Kill(Answers):
        def submit(self, job):
            super().submit(job)
            raise KeyboardInterrupt

    for _ in range(caps[state] + 1):
        with pytest.raises(KeyboardInterrupt):
            engine(Script(problem, [0]), Kill({})).run()
        record._connection.execute("update attempt set state = 'abandoned' where state = 'running'")

        class One(Answers):
            def poll(self, timeout):
                if self.seen[1:]:
                    raise KeyboardInterrupt  # while the next attempt runs
                return super().poll(timeout)

        try:
            engine(Script(problem, [0]), One({0: [state]})).run()
        except KeyboardInterrupt:
            record._connection.execute(
                "update attempt set state = 'abandoned' where state = 'running'"
            )
    ended = [attempt.state for attempt in record.attempts(0) if attempt.state != "abandoned"]
    assert ended == [state] * (caps[state] + 1)
    assert record.count(TrialState.WAITING) == 0


def test_what_a_neighbour_may_have_caused_is_tried_again_alone(engine, problem, record):
    """The crashed one waits for all that run, and nothing begins beside it; a lost one need not."""
    for state, alone in (
        ("crashed", True),
        ("oom_host", True),
        ("lost", False),
        ("oom_device", False),
    ):
        beside = {}

        class Watch(Answers):
            def submit(self, job, beside=beside):
                super().submit(job)
                for one in self.jobs:
                    beside.setdefault((one.trial, one.attempt), set()).update(
                        t.trial for t in self.jobs
                    )

        record._connection.executescript(
            "delete from attempt; delete from trial; delete from meta where key='strategy'"
        )
        pool = Watch({1: [state, "ok"]}, capacity=3)
        engine(Script(problem, list(range(8))), pool).run()
        assert len(beside[1, 0]) > 1
        assert (beside[1, 1] == {1}) is alone, state


def test_late_answers_are_refused(engine, problem, record, loss):
    """Each job is answered, then with a better score, then in the name of another session."""

    class Late(Answers):
        def poll(self, timeout):
            job = self.jobs.pop(0)
            right = Finished(job, Outcome(TrialState.OK, {"val_loss": 0.5}))
            wrong = Outcome(TrialState.OK, {"val_loss": 0.001})
            other = replace(job, session=job.session + 1)
            unknown = replace(job, trial=10_000)
            stale = replace(job, attempt=job.attempt + 1)
            late = [Finished(one, wrong) for one in (other, unknown, stale)]
            epochs = [Epoch(one, 9, {"val_loss": 0.001}) for one in (other, unknown, stale)]
            return [*late, *epochs, right, Finished(job, wrong), Epoch(job, 9, {}), right]

    heard = []

    class Watch(Observer):
        def on_epoch(self, trial, epoch, metrics):
            heard.append(epoch)

        def on_outcome(self, trial, outcome, attempt, final):
            heard.append((trial.id, outcome.metrics["val_loss"]))

    engine(Script(problem, list(range(5))), Late({}), observers=[Watch()]).run()
    assert [trial.metrics["val_loss"] for trial in record.trials(loss)] == [0.5] * 5
    assert [len(record.attempts(id)) for id in range(5)] == [1] * 5
    assert heard == [(id, 0.5) for id in range(5)]


@pytest.mark.parametrize("state", ["diverged", "infeasible", "timeout", "error"])
def test_failures_of_the_network_are_not_tried_again(engine, problem, record, state):
    engine(Script(problem, [0, 1]), Answers({0: [state, "ok"]})).run()
    assert [attempt.state for attempt in record.attempts(0)] == [state]


def test_many_failures_of_one_cause_stop_the_run_with_that_cause(engine, problem):
    pool = Answers({id: ["error"] for id in range(100)})
    with pytest.raises(
        RepeatedFailures, match=r"5 trials in a row ended as `error`.*trial 4 is error"
    ) as raised:
        engine(
            Script(problem, list(range(50))), pool, RunLimits(trials=50, failures_in_a_row=5)
        ).run()
    assert raised.value.exit_code == 5


def test_trials_that_run_out_of_memory_twice_stop_the_run_and_a_resume_says_why(
    engine, problem, record
):
    pool = lambda: Answers({id: ["oom_device"] for id in range(100)}, capacity=1)  # noqa: E731
    limits = RunLimits(trials=50, look_ahead=4, failures_in_a_row=3)
    notes = []

    class Notes(Observer):
        def on_note(self, text):
            notes.append(text)

    root = re.escape(str(record.path.parent))
    with pytest.raises(
        RepeatedFailures, match=rf"3 trials in a row .*`oom_device`.*evonas replay {root} 2`"
    ):
        engine(Script(problem, list(range(50))), pool(), limits, observers=[Notes()]).run()
    assert notes == []
    with pytest.raises(RepeatedFailures):
        engine(Script(problem, list(range(50))), pool(), limits, observers=[Notes()]).run()
    (note,) = notes
    assert "3 trials in a row ended as `oom_device`; trial 2 said: trial 2 is oom_device" in note


def test_failures_in_a_row_are_counted_across_a_kill_and_anew_after_a_stop(engine, problem, record):
    strategy = lambda: Script(problem, list(range(50)))  # noqa: E731
    limits = RunLimits(trials=50, look_ahead=4, failures_in_a_row=7)
    pool = lambda: Answers({id: ["error"] for id in range(100)}, capacity=1)  # noqa: E731

    class Kill(Observer):
        def on_outcome(self, trial, outcome, attempt, final):
            if trial.id == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine(strategy(), pool(), limits, observers=[Kill()]).run()
    with pytest.raises(RepeatedFailures, match="7 trials in a row"):
        engine(strategy(), pool(), limits).run()
    assert len(record.told_order()) == 7
    with pytest.raises(RepeatedFailures, match="7 trials in a row"):
        engine(strategy(), pool(), limits).run()
    assert len(record.told_order()) == 14


def test_once_the_cause_is_mended_a_resume_goes_on_and_what_failed_stays_failed(
    engine, problem, record, loss
):
    """What the message of the stop says."""
    limits = RunLimits(trials=8, look_ahead=2, failures_in_a_row=3)
    broken = Answers({id: ["error"] for id in range(100)}, capacity=1)
    with pytest.raises(
        RepeatedFailures,
        match=r"A resume goes on .* what failed stays failed; a new run trains all",
    ):
        engine(Script(problem, list(range(50))), broken, limits).run()
    failed = len(broken.seen)
    mended = Answers({}, capacity=1)
    engine(Script(problem, list(range(50))), mended, limits).run()
    states = [trial.state for trial in record.trials(loss)]
    assert states == [TrialState.ERROR] * failed + [TrialState.OK] * (8 - failed)
    assert {trial for trial, _ in mended.seen} == set(range(failed, 8)), (
        "no failed trial was trained again"
    )


def test_the_log_of_the_last_failure_is_shown_line_by_line(engine, problem):
    class Loud(Answers):
        def poll(self, timeout):
            (report,) = super().poll(timeout)
            return [
                Finished(
                    report.job,
                    Outcome(TrialState.ERROR, message="no", details=Details(log="one\ntwo")),
                )
            ]

    with pytest.raises(RepeatedFailures) as raised:
        engine(
            Script(problem, list(range(9))), Loud({}), RunLimits(trials=9, failures_in_a_row=2)
        ).run()
    assert str(raised.value).endswith("said: no\n    one\n    two")


def test_observers_hear_of_the_end_whatever_ends_it(engine, problem):
    ends = []

    class Ends(Observer):
        def on_end(self, progress):
            ends.append(progress.done)

    with pytest.raises(RepeatedFailures):
        pool = Answers({id: ["error"] for id in range(9)})
        engine(
            Script(problem, list(range(9))),
            pool,
            RunLimits(9, failures_in_a_row=2),
            observers=[Ends()],
        ).run()
    assert len(ends) == 1


def test_no_trial_is_begun_after_a_signal(engine, problem):
    stop = StopRequest()

    class During(Answers):
        def submit(self, job):
            super().submit(job)
            stop.raise_urgency(2)

    pool = During({}, capacity=4)
    with pytest.raises(Stopped):
        engine(Script(problem, list(range(8))), pool, stop=stop).run()
    assert pool.seen == [(0, 0)]


def test_a_signal_ends_a_step_that_finds_duplicates_only(engine, problem):
    stop = StopRequest()

    class Same(Script):
        asked = 0

        def ask(self, count):
            Same.asked += 1
            if Same.asked == 20:
                stop.raise_urgency(15)
            return super().ask(count)

    limits = RunLimits(trials=10, twins_in_a_row=200)
    with pytest.raises(Stopped):
        engine(Same(problem, [0] * 300), Answers({}), limits, stop=stop).run()
    assert Same.asked < 30


def test_networks_that_diverge_do_not_stop_the_run(engine, problem):
    run = engine(
        Script(problem, list(range(9))),
        Answers({id: ["diverged"] for id in range(9)}),
        RunLimits(9, failures_in_a_row=3),
    )
    run.run()
    assert run.is_over
    assert run.incumbent is None


def test_the_incumbent_is_the_best_and_of_equal_ones_the_oldest(engine, problem):
    class Equal(Answers):
        def poll(self, timeout):
            (report,) = super().poll(timeout)
            return [Finished(report.job, Outcome(TrialState.OK, {"val_loss": 0.5}))]

    run = engine(Script(problem, list(range(6))), Equal({}, capacity=4))
    run.run()
    assert run.incumbent is not None
    assert run.incumbent.id == 0


class StopAfter(Observer):
    def __init__(self, stop: StopRequest, outcomes: int, signals: list[int]) -> None:
        self.stop, self.left, self.signals, self.reasons = stop, outcomes, signals, []

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        self.left -= 1
        if self.left == 0:
            for number in self.signals:
                self.stop.raise_urgency(number)

    def on_stop(self, reason: str) -> None:
        self.reasons.append(reason)


def test_one_interrupt_finishes_what_runs_and_a_second_session_ends_the_same(
    record, engine, problem, small_space, loss
):
    import signal

    stop = StopRequest()
    observer = StopAfter(stop, 3, [signal.SIGINT])
    setup = Setup(
        directory=str(record.path.parent),
        seed=0,
        space="",
        interface={},
        objective={"name": "val_loss"},
    )
    pool = StubPool(setup, capacity=2)
    with pytest.raises(Stopped) as raised:
        engine(RandomSearch(problem, RandomSettings()), pool, observers=[observer], stop=stop).run()
    assert raised.value.exit_code == 130
    assert observer.reasons
    assert pool.running == 0
    assert all(attempt.state != "running" for attempt in record.attempts())
    engine(RandomSearch(problem, RandomSettings()), StubPool(setup, capacity=2)).run()
    stopped = record.content()
    other = record.path.with_name("other.db")
    Record.create(other, {}, {})
    with Record(other) as whole:
        Engine(
            RandomSearch(problem, RandomSettings()),
            whole,
            StubPool(setup, 2),
            Storage(other.parent),
            Rules(loss, 0, RunLimits(10, look_ahead=4)),
        ).run()
        assert whole.content() == stopped


def test_two_interrupts_and_a_terminate_abandon_at_once(engine, problem):
    import signal

    for signals, kind in (
        ([signal.SIGINT, signal.SIGINT], Stopped),
        ([signal.SIGTERM], Terminated),
    ):
        stop = StopRequest()
        pool = Answers({}, capacity=3)
        run = engine(
            Script(problem, list(range(8))),
            pool,
            observers=[StopAfter(stop, 1, signals)],
            stop=stop,
        )
        with pytest.raises(kind) as raised:
            run.run()
        assert type(raised.value) is kind
        assert stop.urgency is Urgency.ABANDON
        assert pool.running > 0, "what runs is left to the pool's close"


def test_progress_counts_and_estimates(engine, problem):
    seen = []

    class Watch(Observer):
        def on_progress(self, progress):
            seen.append(progress)

    now = iter(range(10_000))
    engine(
        Script(problem, [0, 0, *range(1, 12)]),
        Answers({3: ["diverged"]}),
        observers=[Watch()],
        clock=lambda: float(next(now)),
    ).run()
    assert seen[0].remaining is None
    assert (seen[-1].done, seen[-1].total, seen[-1].failures, seen[-1].twins) == (10, 10, 1, 1)
    assert seen[-1].remaining == 0
    assert any(progress.remaining and progress.remaining > 0 for progress in seen)


def test_the_eta_follows_the_best_of_what_the_strategy_keeps(engine, problem):
    """The later a trial, the better it is, and the longer it takes: 1 second, 2, 3 and so on."""
    seen = {}
    now = [0.0]

    class Keeping(Script):
        retained = property(lambda self: [trial.id for trial in self.told])

    class Slow(Answers):
        def poll(self, timeout):
            (report,) = super().poll(timeout)
            seconds = report.job.trial + 1.0
            now[0] += seconds
            return [replace(report, outcome=replace(report.outcome, seconds=seconds))]

    class Watch(Observer):
        def on_progress(self, progress):
            seen[progress.done] = progress.remaining

    strategy = Keeping(problem, list(range(10)))
    engine(strategy, Slow({}, capacity=1), observers=[Watch()], clock=lambda: now[0]).run()
    # Of four trials, the third and the fourth are the best third: 3.5 seconds each.
    assert seen[4] == pytest.approx(6 * 3.5)
    assert seen[9] == pytest.approx(8.0)
