"""The ETA: learned from the recent trials, because later ones train longer."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from evonas.runtime.loop.budget import Account, RunLimits
from evonas.runtime.loop.progress import Pace

TRIALS = 96


def ends_of(growth, seed, workers=2):
    """When the trials of a run end whose trainings take more and more seconds.

    Args:
        growth: how many times as long the last one takes as the first one.
    """
    rng = np.random.default_rng(seed)
    free = [5.0] * workers
    ends = []
    for place in range(TRIALS):
        usual = 10 * (1 + (growth - 1) * place / TRIALS)
        worker = free.index(min(free))
        free[worker] += usual * rng.lognormal(0, 0.5)
        ends.append(free[worker])
    return sorted(ends)


def mean_pace(ends, done):
    """What the whole session so far says: seconds a trial, times the trials that are left."""
    return ends[done - 1] / done * (TRIALS - done)


def recent_pace(ends, done, workers=2):
    pace = Pace(workers)
    pace.begin(0.0, 0.0)
    for place in range(done):
        pace.note(ends[place], (place + 1) / TRIALS)
    return pace.remaining(ends[done - 1])


def errors(estimate, growth, seeds=20):
    """The mean error of the ETA over a run and its mean size, as shares of the truth."""
    found = []
    for seed in range(seeds):
        ends = ends_of(growth, seed)
        for done in range(5, 90):
            truth = ends[-1] - ends[done - 1]
            found.append(estimate(ends, done) / truth - 1)
    return statistics.mean(found), statistics.mean(map(abs, found))


@pytest.mark.parametrize("growth", [3, 5])
def test_where_trainings_grow_the_eta_is_half_as_wrong(growth):
    bias_of_mean, size_of_mean = errors(mean_pace, growth)
    bias, size = errors(recent_pace, growth)
    assert bias_of_mean < -0.35, "the session's mean is low all the way"
    assert abs(bias) < 0.6 * abs(bias_of_mean)
    assert size < 0.8 * size_of_mean


def test_where_trainings_do_not_grow_it_is_as_right_as_it_was():
    bias, size = errors(recent_pace, 1)
    assert abs(bias) < 0.05
    assert size < 0.25


def test_a_steady_run_has_an_exact_eta():
    pace = Pace()
    pace.begin(0.0, 0.0)
    for done in range(1, 41):
        pace.note(3.0 * done, done / 100)
    assert pace.remaining(120.0) == pytest.approx(180.0)


def first_generation(pace):
    """Ten trials of 1 to 10 seconds, one after another, of a budget of 40."""
    pace.begin(0.0, 0.0)
    elapsed = 0.0
    for id in range(10):
        elapsed += id + 1
        pace.note(elapsed, (id + 1) / 40, id, float(id + 1))
    return elapsed


@pytest.mark.parametrize(
    ("parents", "each"),
    [
        ((), 5.5),
        ((9, 8, 7, 6, 5), 8.0),
        ((4,), 5.0),
        # No more than twice as fast.
        ((0, 1), 2.75),
        # Nothing is known of a trial of an earlier session.
        ((70,), 5.5),
        ((9, 70), 10.0),
    ],
)
def test_those_to_come_take_as_long_as_their_parents(parents, each):
    pace = Pace()
    elapsed = first_generation(pace)
    assert pace.remaining(elapsed, parents) == pytest.approx(30 * each)


def test_children_that_are_there_are_not_counted_twice():
    """When the latest trials are children, they are what they resemble their parents in."""
    pace = Pace()
    elapsed = first_generation(pace)
    for id in range(10, 28):
        elapsed += 8.0
        pace.note(elapsed, (id + 1) / 40, id, 8.0)
    assert pace.remaining(elapsed, range(20, 28)) == pytest.approx(12 * 8.0)


def test_failures_say_nothing_of_what_others_cost():
    pace = Pace()
    elapsed = first_generation(pace)
    pace.note(elapsed, 11 / 40, 10)
    assert pace.remaining(elapsed, (9, 8, 7, 6, 5)) == pytest.approx(29 * 5.0 * 8 / 5.5)


def test_there_is_none_before_the_first_outcome():
    pace = Pace()
    assert pace.remaining(0.0) is None
    pace.begin(0.0, 0.5)
    assert pace.remaining(10.0) is None
    # An outcome that has spent nothing, such as one of a budget in epochs.
    pace.note(10.0, 0.5)
    assert pace.remaining(10.0) is None


def test_between_outcomes_it_counts_down_to_the_rest():
    pace = Pace()
    pace.begin(0.0, 0.0)
    for done in range(1, 9):
        pace.note(10.0 * done, done / 10)
    told = [pace.remaining(elapsed) for elapsed in (80.0, 84.0, 90.0, 1000.0)]
    assert told == pytest.approx([20.0, 16.0, 10.0, 10.0]), "a trial that hangs ends at some time"


def test_a_burst_of_many_workers_is_not_taken_for_the_pace():
    """Sixty-four workers that end at the same moment do not end the run at that moment."""
    told = {}
    for workers in (1, 64):
        pace = Pace(workers)
        pace.begin(0.0, 0.0)
        for place in range(40):
            pace.note(100.0 + 0.001 * place, (place + 1) / 640)
        told[workers] = pace.remaining(100.04)
    assert told[64] == pytest.approx(1500, rel=0.01)
    assert told[1] < 10


def test_an_account_learns_from_its_own_session_only(settled_trials):
    now = [0.0]
    account = Account(RunLimits(10), lambda: now[0], spent=1000.0)
    for trial in settled_trials[:4]:
        account.enter(trial, settled_trials)
    account.begin()
    assert account.remaining is None
    now[0] = 12.0
    account.enter(settled_trials[4], settled_trials)
    assert account.remaining == pytest.approx(5 * 12.0), "five are left"


@pytest.fixture
def settled_trials(small_space, loss):
    from evonas.genome import sample
    from evonas.testing import settled
    from evonas.trial import Fidelity, Lineage, Proposal

    rng = np.random.default_rng(0)
    proposals = [
        Proposal(sample(small_space, rng), Fidelity(1), Lineage(("sample",))) for _ in range(10)
    ]
    return [settled(loss, id, one, 0.5) for id, one in enumerate(proposals)]


def test_the_start_of_the_workers_is_no_part_of_the_pace(settled_trials):
    now = [0.0]
    account = Account(RunLimits(10), lambda: now[0])
    account.begin()
    # TensorFlow is imported.
    now[0] = 14.0
    account.begin()
    now[0] = 17.0
    account.enter(settled_trials[0], settled_trials)
    assert account.remaining == pytest.approx(27.0)


def test_the_eta_of_a_session_that_finds_all_done_is_zero():
    pace = Pace()
    pace.begin(0.0, 1.0)
    assert pace.remaining(1.0) == 0.0


def test_an_account_knows_what_its_trials_have_cost(settled_trials):
    now = [0.0]
    account = Account(RunLimits(10), lambda: now[0])
    account.begin()
    for place, seconds in enumerate((2.0, 6.0)):
        now[0] += seconds
        account.enter(settled_trials[place], settled_trials, seconds)
    assert account.remaining == pytest.approx(8 * 4.0)
    account.parents = [1]
    assert account.remaining == pytest.approx(8 * 6.0)
