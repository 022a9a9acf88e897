"""What is kept of the time for the end of a run: as much as this run has measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evonas.genome import Genome
from evonas.runtime.loop.budget import Account, RunLimits
from evonas.runtime.loop.reserve import REPORT, Reserve
from evonas.trial import Fidelity, Lineage, Proposal, Trial

TRIAL = Trial(3, Proposal(Genome(()), Fidelity(9), Lineage(("sample",))))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def train(reserve: Reserve, clock: Clock, trial: int, *epochs: float) -> None:
    reserve.begin(trial)
    for seconds in epochs:
        clock.now += seconds
        reserve.hear(trial)


def test_nothing_is_known_before_the_first_epoch(clock: Clock) -> None:
    reserve = Reserve(clock)
    reserve.begin(3)
    clock.now += 9
    assert reserve.seconds(None) == REPORT
    assert reserve.seconds(TRIAL) == REPORT


def test_an_export_builds_and_traces_twice_and_reads_the_data_once(clock: Clock) -> None:
    reserve = Reserve(clock)
    train(reserve, clock, 3, 5.0)
    assert reserve.seconds(TRIAL) == REPORT + 2 * 5
    clock.now += 1.5
    reserve.hear(3)
    assert reserve.seconds(TRIAL) == REPORT + 2 * (5.0 - 1.5) + 1.5
    # A second attempt begins anew.
    train(reserve, clock, 3, 2.0, 1.0)
    assert reserve.seconds(TRIAL) == REPORT + 2 * (2.0 - 1.0) + 1.0


def test_without_a_winner_the_slowest_may_be_it(clock: Clock) -> None:
    reserve = Reserve(clock)
    train(reserve, clock, 3, 1.0)
    train(reserve, clock, 4, 7.0)
    assert reserve.seconds(None) == REPORT + 14
    assert reserve.seconds(TRIAL) == REPORT + 2


def test_the_first_training_of_a_worker_says_little_of_an_export(clock: Clock) -> None:
    reserve = Reserve(clock, workers=2)
    train(reserve, clock, 3, 9.0, 1.0)
    train(reserve, clock, 4, 8.0, 1.0)
    # Nothing better is known yet.
    assert reserve.seconds(TRIAL) == REPORT + 2 * (9.0 - 1.0) + 1.0
    train(reserve, clock, 5, 3.0, 1.0)
    train(reserve, clock, 6, 2.5, 1.0)
    assert reserve.seconds(TRIAL) == REPORT + 2 * (3.0 - 1.0) + 1.0
    assert reserve.seconds(replace(TRIAL, id=6)) == REPORT + 2 * (2.5 - 1.0) + 1.0


def test_an_earlier_end_of_the_run_is_a_measurement_too(clock: Clock) -> None:
    reserve = Reserve(clock, ended=6.0)
    assert reserve.seconds(TRIAL) == REPORT + 6
    train(reserve, clock, 3, 5.0)
    assert reserve.seconds(TRIAL) == REPORT + 10


def test_the_search_ends_earlier_by_the_reserve_but_has_half_of_the_time(clock: Clock) -> None:
    account = Account(RunLimits(None, seconds=10.0), clock, spent=2.0)
    account.reserve = 3.0
    clock.now += 4.5
    assert not account.is_late
    clock.now += 0.5
    assert account.is_late
    # It stays so, even if less turns out to be needed.
    account.reserve = 0.0
    assert account.is_late
    account = Account(RunLimits(None, seconds=10.0), clock)
    account.reserve = 1000.0
    clock.now += 4.5
    assert not account.is_late
    clock.now += 0.5
    assert account.is_late


def test_no_longer_is_expected_than_there_is_time(clock: Clock) -> None:
    alone = Account(RunLimits(None, seconds=10.0), clock, spent=4.0)
    assert alone.remaining == 6.0
    both = Account(RunLimits(100, seconds=10.0), clock, spent=4.0)
    both.begin()
    assert both.remaining is None
    clock.now += 1.0
    both.enter(replace(TRIAL, id=0), [TRIAL])
    assert both.remaining == 5.0
    clock.now += 50.0
    assert both.remaining == alone.remaining == 0.0


def test_how_long_the_epochs_last_in_which_the_time_is_over(clock: Clock) -> None:
    reserve = Reserve(clock)
    reserve.begin(1)
    clock.now += 9
    # Nothing is known before the first epoch of any trial.
    assert reserve.until_epochs_end({1}) is None
    train(reserve, clock, 2, 30.0, 20.0)
    clock.now += 5
    assert reserve.until_epochs_end({2}) == 15
    reserve.begin(3)
    clock.now += 4
    # A first epoch takes as long as the slowest of them, and all have to end.
    assert reserve.until_epochs_end({3}) == 26
    assert reserve.until_epochs_end({2, 3}) == 26
    clock.now += 11
    # It is slower than it should be, so nothing is known.
    assert reserve.until_epochs_end({2}) is None
    assert reserve.until_epochs_end({3}) == 15


def test_the_ensemble_gets_a_tenth_of_the_budget():
    """A first epoch takes 3 seconds and later ones 1, so that a network is built in 2."""
    for folds, budget, members, kept in (
        (None, None, 5, 10.0),
        (None, 60.0, 3, 6.0),
        (None, 600.0, 5, 10.0),
        (5, 60.0, 1, 6.0),
        (5, 50.0, 0, 0.0),
    ):
        now = [0.0]
        reserve = Reserve(lambda now=now: now[0], folds=folds, members=5, budget=budget)
        without = Reserve(lambda now=now: now[0], folds=folds)
        assert reserve.members == 5, "nothing is known yet"
        for trial in range(8):
            for one in (reserve, without):
                now[0] = 100.0 * trial
                one.begin(trial)
                for seconds in (3.0, 1.0, 1.0):
                    now[0] += seconds
                    one.hear(trial)
        assert reserve.members == members
        assert reserve.seconds(None) - without.seconds(None) == pytest.approx(kept)
