"""A disk that fills up: the run pauses, gives up its caches, and ends with nothing lost.

No disk is filled for it.
"""

from __future__ import annotations

import pytest

from evonas.errors import DiskFailure, Stopped
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Setup
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.disk_guard import MB, PATIENCE, DiskGuard
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.retries import RETRIES
from evonas.runtime.loop.stopping import StopRequest
from evonas.runtime.loop.storage import Storage
from evonas.runtime.record.record import Record
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategy import SearchProblem
from evonas.testing.jobs import make_job
from evonas.testing.stub_pool import StubPool
from evonas.trial import Cause, Details, Fidelity, Outcome, TrialState

FULL = Outcome(
    TrialState.LOST,
    message="weights.npz cannot be written: No space left.",
    details=Details(cause=Cause.DISK),
)
OK = Outcome(TrialState.OK)


class World:
    """A disk and a clock, both made up.

    Attributes:
        free: MB that are free now; changed by tests.
    """

    def __init__(self):
        self.free, self.now, self.looks, self.slept = 900.0, 0.0, 0, []

    def measure(self, path):
        self.looks += 1
        return int(self.free * MB)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def guard(self, storage, tell=lambda text: None, floor=500):
        return DiskGuard(
            storage, floor, tell, clock=lambda: self.now, free=self.measure, sleep=self.sleep
        )


class Listener(Observer):
    def __init__(self):
        self.notes, self.submitted, self.outcomes = [], [], []

    def on_note(self, text):
        self.notes.append(text)

    def on_submit(self, trial, attempt):
        self.submitted.append(trial.id)

    def on_outcome(self, trial, outcome, attempt, final):
        self.outcomes.append((trial.id, str(outcome.state), final))


@pytest.fixture
def world():
    return World()


@pytest.fixture
def work(tmp_path, small_space, loss, world):
    """A session with stubs; `during(world, listener, pool)` is called at each poll."""

    def session(
        during=lambda pool: None,
        floor=500,
        pool_kind=StubPool,
        stop=None,
        listener=None,
        root=tmp_path,
    ):
        listener = listener or Listener()
        if not (root / "run.db").exists():
            Record.create(root / "run.db", {}, {})

        class Pool(pool_kind):
            def poll(self, timeout):
                world.now += 2.0
                during(self)
                return super().poll(timeout)

        with Record(root / "run.db") as record:
            problem = SearchProblem(small_space, loss, Fidelity(2), 0)
            storage = Storage(root)
            pool = Pool(Setup(str(root), 0, "", {}, {"name": "val_loss", "direction": "min"}), 3)
            engine = Engine(
                Generational(problem, GenerationalSettings(population=5)),
                record,
                pool,
                storage,
                Rules(loss, 0, RunLimits(25, look_ahead=6)),
                Surroundings(
                    observers=[listener],
                    stop=stop or StopRequest(),
                    clock=lambda: world.now,
                    guard=world.guard(storage, teller([listener]), floor),
                ),
            )
            engine.run()
            return record.content()

    return session


def contents(root):
    with Record(root / "run.db") as record:
        return record.content(), record.attempts()


@pytest.fixture
def whole(work, tmp_path, world):
    """What the run comes to on a large disk."""
    (tmp_path / "whole").mkdir()
    world.free = 900.0
    return work(root=tmp_path / "whole")


def weights(root):
    return sorted(path.name for path in (root / "weights").glob("*.npz"))


def test_below_the_floor_nothing_is_started_what_runs_is_finished_and_it_goes_on_with_space(
    work, world, whole, tmp_path
):
    listener, started = Listener(), []

    def during(pool):
        if len(listener.outcomes) == 12:
            world.free = 499.9
        if world.free < 500 and pool.running < 3 and not started:
            started.append(len(listener.submitted))

    real_sleep = world.sleep

    def sleep(seconds):
        real_sleep(seconds)
        assert len(listener.submitted) == started[0]
        assert len(listener.outcomes) == started[0], "what ran is finished and recorded"
        assert len(weights(tmp_path)) == 1, "the single best one"
        if len(world.slept) == 20:
            world.free = 501.0

    world.sleep = sleep
    assert work(during, listener=listener) == whole
    assert len(world.slept) >= 20
    assert len(listener.notes) == 2
    assert "499 MB are free, and `storage.free_mb` is 500" in listener.notes[0]
    assert "there is space on the disk again" in listener.notes[1]


def test_where_there_is_no_space_in_the_end_nothing_is_lost_and_a_resume_ends_the_same(
    work, world, whole, tmp_path
):
    listener = Listener()

    def during(pool):
        if len(listener.outcomes) == 9:
            world.free = 123.0

    with pytest.raises(
        DiskFailure, match=r"123 MB are free, and `storage\.free_mb` is 500.*Nothing is lost"
    ) as raised:
        work(during, listener=listener)
    assert raised.value.exit_code == 74
    assert PATIENCE <= sum(world.slept) < PATIENCE + 1
    _, attempts = contents(tmp_path)
    assert all(attempt.state in ("ok", "diverged") for attempt in attempts), "what ran was finished"
    with pytest.raises(DiskFailure):
        work()
    world.free = 900.0
    assert work() == whole
    assert len(contents(tmp_path)[1]) == sum(row[9] is None for row in whole), (
        "no trial was trained twice"
    )


def test_caches_that_are_enough_are_given_up_without_a_pause(work, world, whole, tmp_path):
    listener, seen = Listener(), []

    def during(pool):
        if len(listener.outcomes) == 12 and not seen:
            world.free = 400.0
            seen.extend(weights(tmp_path))

    real = world.measure
    world.measure = lambda path: real(path) if len(weights(tmp_path)) > 3 or not seen else 600 * MB
    assert work(during, listener=listener) == whole
    assert len(seen) > 3
    assert listener.notes == []
    assert world.slept == []


def test_the_user_is_told_how_many_trials_are_finished_first(world, tmp_path):
    notes = []
    world.free = 3.0
    assert not world.guard(Storage(tmp_path), notes.append).may_start([make_job(0), make_job(1)])
    assert notes[0].endswith("No trial is started until there is more. Finishing 2 running trials.")


def test_the_disk_is_looked_at_once_a_second_and_not_at_all_without_a_floor(world, tmp_path):
    guard = world.guard(Storage(tmp_path))
    for _ in range(1000):
        assert guard.may_start([])
        world.now += 0.01
    assert 9 <= world.looks <= 11
    before = world.looks
    free = world.guard(Storage(tmp_path), floor=0)
    world.free = 0.0
    assert all(free.may_start([]) for _ in range(10))
    assert world.looks == before


def test_ctrl_c_ends_the_wait(work, world):
    stop, listener = StopRequest(), Listener()

    def sleep(seconds):
        stop.raise_urgency(2)

    world.sleep = sleep

    def during(pool):
        world.free = 1.0 if len(listener.outcomes) >= 3 else 900.0

    with pytest.raises(Stopped):
        work(during, stop=stop, listener=listener)


class FullOnce(StubPool):
    """Chosen trials' workers cannot write, so many times."""

    failures: dict[int, int]

    def poll(self, timeout):
        reports = super().poll(timeout)
        job = reports[-1].job
        if self.failures.get(job.trial, 0):
            self.failures[job.trial] -= 1
            return [Finished(job, FULL)]
        return reports


def full(**failures):
    return type(
        "Full",
        (FullOnce,),
        {"failures": {int(name[1:]): count for name, count in failures.items()}},
    )


def test_a_worker_that_could_not_write_is_no_outcome_and_no_retry_and_the_caches_go(
    work, whole, tmp_path
):
    class Then(full(t9=1)):
        def poll(self, timeout):
            reports = super().poll(timeout)
            job = reports[-1].job
            if job.trial == 9 and 1 <= job.attempt <= RETRIES[TrialState.LOST]:
                return [Finished(job, Outcome(TrialState.LOST, message="the host went away"))]
            return reports

    listener = Listener()
    assert work(pool_kind=Then, listener=listener) == whole
    assert [state for id, state, _ in listener.outcomes if id == 9] == ["lost"] * 4 + ["ok"]
    assert "a worker could not write to the disk" in listener.notes[0]
    assert len(listener.notes) == 1


def test_if_the_next_one_cannot_write_either_the_session_ends_and_the_trial_waits(
    work, whole, tmp_path
):
    with pytest.raises(
        DiskFailure, match=r"No space left.*has not helped.*waits in the record"
    ) as raised:
        work(pool_kind=full(t9=2))
    assert raised.value.exit_code == 74
    content, attempts = contents(tmp_path)
    assert [row[10] for row in content if row[0] == 9] == ["waiting"]
    assert [attempt.state for attempt in attempts if attempt.trial == 9] == ["lost", "lost"]
    assert work() == whole


def test_those_that_ran_beside_the_first_one_are_excused(world, tmp_path):
    notes = []
    guard = world.guard(Storage(tmp_path), notes.append)
    jobs = [make_job(id) for id in range(4)]
    guard.heard(jobs[0], FULL, jobs[1:3])
    guard.heard(jobs[1], FULL, jobs[2:3])
    guard.heard(jobs[2], OK, [])
    assert len(notes) == 1
    with pytest.raises(DiskFailure, match="trial 3 waits"):
        guard.heard(jobs[3], FULL, [])


def test_a_success_that_began_later_clears_it(world, tmp_path):
    guard = world.guard(Storage(tmp_path))
    guard.heard(make_job(0), FULL, [])
    guard.heard(make_job(1), OK, [])
    guard.heard(make_job(2), FULL, [])
    with pytest.raises(DiskFailure):
        guard.heard(make_job(2, attempt=1), FULL, [])


def test_other_losses_are_none_of_its_business(world, tmp_path):
    guard = world.guard(Storage(tmp_path))
    for attempt in range(5):
        guard.heard(make_job(0, attempt=attempt), Outcome(TrialState.LOST, message="gone"), [])


@pytest.mark.parametrize("after", range(1, 60, 3))
def test_a_record_that_cannot_grow_ends_the_session_with_nothing_lost(
    work, whole, tmp_path, monkeypatch, after, small_space
):
    """SQLite itself says that the disk is full: its file may not grow after some transactions."""
    count = iter(range(10_000))
    plain = Record._transaction

    def transaction(record, as_new=False):
        if next(count) == after:
            (pages,) = record._connection.execute("pragma page_count").fetchone()
            record._connection.execute(f"pragma max_page_count = {pages}")
        return plain(record, as_new)

    monkeypatch.setattr(Record, "_transaction", transaction)
    with pytest.raises(
        DiskFailure, match=r"database or disk is full.*Nothing that was committed is lost"
    ) as raised:
        work()
    assert raised.value.exit_code == 74
    monkeypatch.undo()
    assert work() == whole


def test_the_caches_make_room_for_the_record(work, whole, tmp_path, monkeypatch):
    plain, failed = Record.finish_attempt, []

    def finish_attempt(self, *args):
        if len(weights(tmp_path)) > 4:
            failed.append(len(weights(tmp_path)))
            raise DiskFailure("database or disk is full")
        return plain(self, *args)

    monkeypatch.setattr(Record, "finish_attempt", finish_attempt)
    assert work() == whole
    assert failed


def test_what_cannot_be_written_is_written_once_more_after_the_caches_are_gone(world, tmp_path):
    storage, calls = Storage(tmp_path), []
    storage.open([], [], [])
    guard = world.guard(storage)

    def write(times):
        calls.append(times)
        if len(calls) <= times:
            raise DiskFailure("full")
        return "written"

    with pytest.raises(DiskFailure):
        guard.written(lambda: write(1), [])
    assert len(calls) == 1, "there were no caches to give up"
    for times, fails in ((1, False), (2, True)):
        calls.clear()
        (tmp_path / "weights").mkdir(exist_ok=True)
        (tmp_path / "weights/00000.npz").write_bytes(b"a cache")
        if fails:
            with pytest.raises(DiskFailure):
                guard.written(lambda n=times: write(n), [])
        else:
            assert guard.written(lambda n=times: write(n), []) == "written"
        assert len(calls) == 2
        assert not (tmp_path / "weights/00000.npz").exists()
