"""What trials are charged, and when a budget is spent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evonas.genome import decode
from evonas.runtime.loop.budget import Account, RunLimits
from evonas.trial import Fidelity, Lineage, Proposal, Trial, TrialState


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ladder(small_space):
    """A trial of 3 epochs, one that goes on from there to 9, and one of 9 from the beginning."""
    genome = decode(small_space, [0.5] * small_space.dimension)
    plan = [(3, None), (9, 0), (9, None)]
    proposals = [
        Proposal(genome, Fidelity(epochs), Lineage(("sample",)), resume_from=start)
        for epochs, start in plan
    ]
    return [Trial(id, proposal) for id, proposal in enumerate(proposals)]


def settle(trial, state=TrialState.OK):
    return replace(trial, state=state)


def test_trials_are_charged_when_they_are_asked_and_spent_when_they_are_done(ladder, clock):
    account = Account(RunLimits(trials=2), clock)
    account.charge(ladder[0], ladder)
    assert not account.is_spent
    account.charge(ladder[1], ladder)
    assert account.is_spent
    assert [spent.amount for spent in account.spent()] == [0]
    account.enter(settle(ladder[1]), ladder)
    assert [(spent.unit, spent.amount, spent.limit) for spent in account.spent()] == [
        ("trials", 1, 2)
    ]
    assert account.share == 0.5


@pytest.mark.parametrize(("epochs", "charged"), [(9, 2), (10, 3), (18, 3)])
def test_a_continued_trial_is_charged_the_epochs_that_it_adds(ladder, clock, epochs, charged):
    account = Account(RunLimits(trials=None, epochs=epochs), clock)
    while not account.is_spent:
        account.charge(ladder[account.charged], ladder)
    assert account.charged == charged


def test_what_was_cancelled_is_not_done_and_what_failed_is(ladder, clock):
    account = Account(RunLimits(trials=3, epochs=18), clock)
    account.enter(settle(ladder[0], TrialState.CANCELLED), ladder)
    assert (account.done, account.failures) == (0, 0)
    account.enter(settle(ladder[1], TrialState.DIVERGED), ladder)
    account.enter(settle(ladder[2]), ladder)
    assert (account.done, account.failures) == (2, 1)
    assert {spent.unit: spent.amount for spent in account.spent()} == {"trials": 2, "epochs": 6 + 9}


def test_seconds_are_those_of_all_sessions(clock):
    account = Account(RunLimits(trials=None, seconds=10.0), clock, spent=6.0)
    clock.now += 3.0
    assert (account.elapsed, account.seconds, account.is_late) == (3.0, 9.0, False)
    clock.now += 1.0
    assert account.is_late
    assert account.is_spent


def test_the_rest_is_estimated_at_the_pace_of_this_session(ladder, clock):
    account = Account(RunLimits(trials=3), clock)
    account.enter(settle(ladder[0]), ladder)
    account.begin()
    clock.now += 4.0
    assert account.remaining is None
    account.enter(settle(ladder[1]), ladder)
    assert account.remaining == pytest.approx(4.0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_what_is_infeasible_is_given_back_in_any_order_of_arrival(ladder, clock, order):
    account = Account(RunLimits(trials=2, epochs=16, gives_back=True), clock)
    for trial in ladder:
        account.charge(trial, ladder)
    assert account.is_used_up
    states = (TrialState.INFEASIBLE, TrialState.DIVERGED, TrialState.INFEASIBLE)
    for id in order:
        account.enter(settle(ladder[id], states[id]), ladder)
    assert not account.is_spent
    assert (account.given_back, account.done, account.failures) == (2, 1, 1)
    assert {spent.unit: spent.amount for spent in account.spent()} == {"trials": 1, "epochs": 6}


@pytest.mark.parametrize(
    ("limits", "back", "is_spent"),
    [
        (RunLimits(trials=2), 0, True),
        (RunLimits(trials=1, gives_back=True), 1, True),
        (RunLimits(trials=2, gives_back=True), 2, False),
        (RunLimits(trials=None, epochs=6, gives_back=True), 3, True),
        (RunLimits(trials=None, epochs=19, gives_back=True), 3, False),
        (RunLimits(trials=None, seconds=9.0, gives_back=True), 0, False),
    ],
)
def test_a_budget_gives_back_at_most_what_it_has(ladder, clock, limits, back, is_spent):
    account = Account(limits, clock)
    for trial in ladder:
        account.charge(trial, ladder)
        account.enter(settle(trial, TrialState.INFEASIBLE), ladder)
    assert (account.given_back, account.is_spent) == (back, is_spent)
    assert account.gives_no_more == (is_spent and limits.gives_back)
    assert account.done == 3 - back
