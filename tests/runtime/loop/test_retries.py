"""Retries are read from recorded attempts.

A trial that takes the driver down each time is set aside, a healthy one is not.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace

import pytest

from evonas.evaluate.contract.pool import Finished, Progress
from evonas.evaluate.contract.protocol import Setup
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.epoch_notes import NOTE_SECONDS
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.retries import (
    FRUITLESS_LIMIT,
    HALVES,
    SUSPICIOUS,
    accumulation,
    fruitless,
    is_tried_again,
    judged,
    runs_alone,
    set_aside,
)
from evonas.runtime.loop.storage import Storage
from evonas.runtime.record.record import Record
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.testing.stub_pool import StubPool
from evonas.trial import Attempt, Cause, Details, Fidelity, Outcome, TrialState

KILLS = 20
"""That the tests deal out to one run of real trainings, at random instants."""


def attempts(*states: str, epochs: dict[int, int] | None = None) -> list[Attempt]:
    reached = epochs or {}
    return [
        Attempt(
            0, number, number, state, 0.0, None, reached.get(number, 0), None, {}, "", Details()
        )
        for number, state in enumerate(states)
    ]


def test_batches_are_cut_from_the_first_lack_of_memory_on():
    assert accumulation([]) == 1
    assert accumulation(attempts("lost", "abandoned")) == 1
    assert accumulation(attempts("oom_device", "abandoned", "lost")) == HALVES
    assert accumulation([], start=HALVES) == HALVES, "what is continued was cut already"


def test_cut_batches_and_single_samples_are_not_cut_again():
    oom = Outcome(TrialState.OOM_DEVICE, details=Details(batch_size=32))
    assert is_tried_again([], oom, 1)
    assert not is_tried_again(attempts("oom_device"), oom, HALVES)
    assert not is_tried_again([], Outcome(TrialState.OOM_DEVICE, details=Details(batch_size=1)), 1)
    assert is_tried_again([], Outcome(TrialState.OOM_DEVICE), 1), (
        "a worker that does not tell has more than one"
    )


def test_each_failure_counts_for_itself_and_abandoned_attempts_for_none():
    before = attempts("lost", "abandoned", "abandoned", "crashed", "lost", "running")
    assert is_tried_again(before, Outcome(TrialState.LOST), 1)
    assert not is_tried_again(before, Outcome(TrialState.CRASHED), 1)
    assert is_tried_again(before, Outcome(TrialState.OOM_HOST), 1)


WITH_THE_FORK_SERVER = Outcome(
    TrialState.LOST, message="gone", details=Details(cause=Cause.FORK_SERVER)
)


def with_causes(*pairs: tuple[str, str]) -> list[Attempt]:
    """Attempts with these states and causes."""
    made = attempts(*(state for state, _ in pairs))
    return [
        replace(attempt, details=Details(cause=Cause(cause) if cause else None))
        for attempt, (_, cause) in zip(made, pairs, strict=True)
    ]


def test_what_is_lost_with_the_fork_server_is_tried_again_alone_and_uses_up_no_retry():
    assert judged([], WITH_THE_FORK_SERVER) is WITH_THE_FORK_SERVER
    once = with_causes(("lost", "fork server"))
    assert is_tried_again([], WITH_THE_FORK_SERVER, 1)
    assert runs_alone(once)
    assert not runs_alone(with_causes(("lost", "")))
    assert not runs_alone(with_causes(("lost", "disk")))
    lost = with_causes(("lost", ""), ("lost", ""), ("lost", "fork server"), ("lost", "disk"))
    assert is_tried_again(lost, Outcome(TrialState.LOST), 1)
    assert not is_tried_again([*lost, *attempts("lost")], Outcome(TrialState.LOST), 1)


def test_who_runs_alone_when_the_fork_server_ends_is_the_cause_and_has_one_more_try():
    once = with_causes(("lost", "fork server"))
    blamed = judged(once, WITH_THE_FORK_SERVER)
    assert blamed.state is TrialState.CRASHED
    assert blamed.details.cause is None
    assert "no other one did" in blamed.message
    assert is_tried_again(once, blamed, 1)
    twice = [*once, *attempts("crashed")]
    assert runs_alone(twice)
    blamed = judged(twice, WITH_THE_FORK_SERVER)
    assert blamed.state is TrialState.CRASHED
    assert not is_tried_again(twice, blamed, 1)
    # An abandoned attempt in between takes nothing away.
    assert judged([*once, *attempts("abandoned")], WITH_THE_FORK_SERVER).state == "crashed"
    other = Outcome(TrialState.LOST, details=Details(cause=Cause.DISK))
    assert judged(once, other) is other


def test_progress_takes_the_suspicion_away_and_standing_still_does_not():
    assert fruitless(attempts(*["abandoned"] * 5)) == 5
    assert fruitless(attempts(*["abandoned"] * 5, epochs={0: 3, 1: 4, 2: 4, 3: 2, 4: 4})) == 3
    assert fruitless(attempts(*["abandoned"] * 5, epochs={4: 1})) == 0
    assert not runs_alone(attempts(*["abandoned"] * (SUSPICIOUS - 1)))
    assert runs_alone(attempts(*["abandoned"] * SUSPICIOUS))


def test_the_limit_cannot_be_reached_by_the_kills_of_a_test():
    assert KILLS < FRUITLESS_LIMIT
    assert set_aside(0, attempts(*["abandoned"] * KILLS)) is None
    outcome = set_aside(7, attempts(*["abandoned"] * FRUITLESS_LIMIT))
    assert outcome is not None
    assert outcome.state is TrialState.LOST
    assert outcome.message.endswith("while trial 7 ran, and it got no further.")


class Poison(StubPool):
    """The driver dies whenever a poisoned trial ends, or `after` so many epochs of it."""

    def __init__(
        self, setup: Setup, poisoned: set[int], epochs: list[int], capacity: int = 2
    ) -> None:
        super().__init__(setup, capacity)
        self._poisoned, self._epochs, self.submitted = poisoned, epochs, []

    def submit(self, job):
        super().submit(job)
        self.submitted.append((job.trial, len(self._jobs)))

    def poll(self, timeout):
        if self._epochs and any(job.trial in self._poisoned for job in self._jobs):
            job = next(job for job in self._jobs if job.trial in self._poisoned)
            return [Progress(job, self._epochs.pop(0), {"val_loss": 1.0})]
        reports = super().poll(timeout)
        if any(isinstance(one, Finished) and one.job.trial in self._poisoned for one in reports):
            raise KeyboardInterrupt
        return reports


class Notes(Observer):
    def __init__(self):
        self.notes, self.outcomes = [], []

    def on_note(self, text):
        self.notes.append(text)

    def on_outcome(self, trial, outcome, attempt, final):
        self.outcomes.append((trial.id, outcome.state, final))


@pytest.fixture
def sessions(tmp_path, small_space, loss):
    """Sessions on one run, each with a record of its own opening."""
    Record.create(tmp_path / "run.db", {}, {})
    setup = Setup(
        directory=str(tmp_path), seed=0, space="", interface={}, objective={"name": "val_loss"}
    )
    problem = SearchProblem(small_space, loss, Fidelity(2), 0)
    now = iter(range(10**6))

    def session(poisoned=(), epochs=(), trials=8):
        notes, pool = Notes(), Poison(setup, set(poisoned), list(epochs))
        with ExitStack() as stack:
            record = stack.enter_context(Record(tmp_path / "run.db"))
            engine = Engine(
                RandomSearch(problem, RandomSettings()),
                record,
                pool,
                Storage(tmp_path),
                Rules(loss, 0, RunLimits(trials, look_ahead=4)),
                Surroundings(observers=[notes], clock=lambda: next(now) * NOTE_SECONDS),
            )
            stack.callback(
                lambda: notes.__dict__.update(
                    trials=record.trials(loss), attempts=record.attempts()
                )
            )
            try:
                engine.run()
            except KeyboardInterrupt:
                notes.killed = True
            else:
                notes.killed = False
        notes.submitted = pool.submitted
        return notes

    return session


def test_a_poison_genome_is_set_aside_and_its_neighbours_are_not(sessions):
    seen = []
    while not seen or seen[-1].killed:
        seen.append(sessions(poisoned={2}))
        assert len(seen) <= FRUITLESS_LIMIT + 1
    assert len(seen) == FRUITLESS_LIMIT + 1
    last = seen[-1]
    assert [
        (trial.id, trial.state) for trial in last.trials if trial.state != "ok" and trial.id == 2
    ] == [(2, "lost")]
    assert last.outcomes[0] == (2, "lost", True)
    (message,) = {
        attempt.message
        for attempt in last.attempts
        if attempt.trial == 2 and attempt.state == "lost"
    }
    assert f"{FRUITLESS_LIMIT} times" in message
    assert "evonas" not in message, "the record may be read on another machine"
    # A command for the shell of this session, with the folder of this run.
    assert re.search(r"`\S*evonas replay \S+ 2` trains trial 2", "".join(last.notes))
    assert all(trial.state != "lost" for trial in last.trials if trial.id != 2)
    counts = [sum(attempt.trial == id for attempt in last.attempts) for id in range(8)]
    assert counts[2] == FRUITLESS_LIMIT
    assert max(counts[:2] + counts[3:]) <= SUSPICIOUS + 1, (
        "once it runs alone, nobody else is with it"
    )
    suspected = next(notes for notes in seen if notes.notes)
    assert seen.index(suspected) == SUSPICIOUS
    assert re.search(r"`\S*evonas replay \S+ 2` shows", "".join(suspected.notes))


def test_a_twin_of_what_was_set_aside_fails_with_it_and_it_stays_so(sessions, small_space, loss):
    strategy = RandomSearch(SearchProblem(small_space, loss, Fidelity(2), 0), RandomSettings())
    digests = [strategy.ask(1)[0].genome.digest for _ in range(60)]
    twin = next(id for id, digest in enumerate(digests) if digest in digests[:id])
    first = digests.index(digests[twin])
    for _ in range(FRUITLESS_LIMIT):
        assert sessions(poisoned={first}, trials=40).killed
    done = sessions(poisoned={first}, trials=40)
    assert not done.killed
    assert done.trials[twin].twin_of == first
    assert done.trials[twin].state == done.trials[first].state == "lost"
    again = sessions(poisoned={first}, trials=40)
    assert again.trials == done.trials
    assert again.submitted == []


def test_a_healthy_trial_that_gets_further_each_time_is_never_suspected(sessions):
    for kill in range(1, 2 * FRUITLESS_LIMIT):
        notes = sessions(poisoned={0}, epochs=[kill, kill])
        assert notes.killed
        assert not any("trial 0" in note for note in notes.notes), (
            "one of its neighbours may be suspected, for a while"
        )
    done = sessions()
    assert not done.killed
    assert all(trial.state in ("ok", "diverged") for trial in done.trials)
