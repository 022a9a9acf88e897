"""What a strategy's experience makes of trials: told, waiting, failed, and too many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.genome import sample
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import Experience, Fitted, Forest, GaussianProcess, Surrogate
from evonas.trial import (
    Constraint,
    Fidelity,
    Lineage,
    Objective,
    Proposal,
    Trial,
    TrialState,
)


class Spy(Surrogate):
    """Remembers what it was fitted on, and predicts nothing."""

    depth, fitted_on = 0, 10

    def __init__(self):
        self.fits, self.tunes = [], []

    def tune(self, features, genomes, values, rng):
        self.tunes.append(len(genomes))
        return len(genomes)

    def fit(self, features, genomes, values, rng, tuned=None):
        self.fits.append((list(genomes), values.tolist(), tuned))
        return Flat()


class Flat(Fitted):
    def predict(self, genomes):
        return np.full(len(genomes), 0.25), np.ones(len(genomes))


@pytest.fixture
def problem(small_space, loss):
    return SearchProblem(small_space, loss, Fidelity(1), 0)


@pytest.fixture
def trials(problem):
    """Different genomes; trial i has the loss (7 i) % 40, and every tenth has failed."""
    found: list[Trial] = []
    drawn = dict.fromkeys(sample(problem.space, np.random.default_rng(i)) for i in range(60))
    for i, genome in zip(range(40), drawn, strict=False):
        metrics = {"val_loss": float(7 * i % 40)}
        proposal = Proposal(genome, problem.fidelity, Lineage(("sample",)))
        state = TrialState.DIVERGED if i % 10 == 9 else TrialState.OK
        fitness = problem.objective.fitness(metrics) if state is TrialState.OK else None
        found.append(Trial(i, proposal, None, state, metrics, fitness))
    return found


def filled(problem, surrogate, trials, waiting=()):
    experience = Experience(problem, surrogate)
    for trial in trials:
        experience.ask(trial.genome)
        experience.tell(trial)
    for trial in waiting:
        experience.ask(trial.genome)
    return experience


def test_what_waits_is_fitted_as_predicted_and_failures_as_the_worst(problem, trials):
    spy = Spy()
    filled(problem, spy, trials[5:10], trials[20:22]).improvement([trials[30].genome])
    genomes, values, _ = spy.fits[-1]
    assert genomes == [trial.genome for trial in (*trials[5:10], *trials[20:22])]
    assert values[5:] == [0.25, 0.25]
    assert spy.fits[0][0] == genomes[:5], "the prediction comes from what is told"
    assert max(values) == values[4]
    assert np.argmin(values) == 1  # trial 6 has the loss 2


def test_of_too_many_trials_half_are_the_best_and_half_the_latest(problem, trials):
    spy = Spy()
    filled(problem, spy, trials).improvement([trials[0].genome])
    best = sorted(
        (trial for trial in trials if trial.fitness), key=lambda trial: trial.fitness.key
    )[:5]
    latest = [trial for trial in trials if trial not in best][-5:]
    expected = sorted([*best, *latest], key=lambda trial: trial.id)
    assert spy.fits[-1][0] == [trial.genome for trial in expected]


def test_nothing_is_fitted_again_until_something_changes(problem, trials):
    spy = Spy()
    experience = filled(problem, spy, trials[:5])
    for _ in range(3):
        experience.improvement([trials[30].genome])
    assert len(spy.fits) == 1
    experience.ask(trials[31].genome)
    experience.improvement([trials[30].genome])
    assert len(spy.fits) == 2


def test_it_is_tuned_at_milestones_and_on_the_trials_before_them(problem, trials):
    spy = Spy()
    experience = filled(problem, spy, trials[:2])
    for trial in trials[2:30]:
        experience.improvement([trials[39].genome])
        experience.ask(trial.genome)
        experience.tell(trial)
    assert len(spy.tunes) < 20
    later = Spy()
    filled(problem, later, trials[:29]).improvement([trials[39].genome])
    assert later.fits[-1][2] == spy.fits[-1][2], (
        "after a resume, it is tuned on the same trials as without"
    )


def test_a_genome_counts_once(problem, trials):
    spy = Spy()
    twin = Trial(5, trials[0].proposal, 0, TrialState.OK, trials[0].metrics, trials[0].fitness)
    filled(problem, spy, [*trials[:5], twin]).improvement([trials[30].genome])
    assert len(spy.fits[-1][0]) == 5


def test_restored_it_is_the_same(problem, trials):
    whole = filled(problem, GaussianProcess(1), trials[:20], trials[20:24])
    again = Experience(problem, GaussianProcess(1))
    again.restore({trial.id: trial if trial.id < 20 else trial.unsettled for trial in trials[:24]})
    genomes = [trial.genome for trial in trials]
    assert again.improvement(genomes).tolist() == whole.improvement(genomes).tolist()
    assert (again.asked, again.told) == (24, 20)
    assert all(again.knows(trial.genome) == (trial.id < 24) for trial in trials)


@pytest.mark.parametrize("surrogate", [GaussianProcess(1), Forest(depth=1)])
def test_a_genome_that_waits_is_less_promising_than_before(problem, trials, surrogate):
    before = filled(problem, surrogate, trials[:12])
    genomes = [trial.genome for trial in trials[12:]]
    found = before.improvement(genomes)
    top = int(np.argmax(found))
    before.ask(genomes[top])
    after = before.improvement(genomes)
    assert after[top] < found[top]


def test_it_is_tuned_again_when_the_told_trials_are_a_tenth_more(problem, trials):
    """On the milestones by hand: each is the last one times 1.1, rounded down, and one more."""
    spy = Spy()
    spy.fitted_on = 100
    experience = filled(problem, spy, trials[:2])
    experience.improvement([trials[39].genome])
    for trial in trials[2:32]:
        experience.ask(trial.genome)
        experience.tell(trial)
        experience.improvement([trials[39].genome])
    assert spy.tunes == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 23, 26, 29, 32]


class Between(Surrogate):
    """Predicts a score, with a doubt, that a test chooses."""

    depth, fitted_on = 0, 100

    def __init__(self, mean, std):
        self.answer = mean, std

    def fit(self, features, genomes, values, rng, tuned=None):
        return Chosen(*self.answer)


class Chosen(Fitted):
    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def predict(self, genomes):
        return np.full(len(genomes), self.mean), np.full(len(genomes), self.std)


def expected_at(problem, trials, mean, std):
    experience = filled(problem, Between(mean, std), trials)
    genome = trials[0].genome
    experience.improvement([genome])
    return experience.expected(genome)


def test_what_is_expected_is_the_value_that_stands_at_the_predicted_place(problem, trials):
    # Trials 0 to 8 have the losses 0, 7, 14, 21, 28, 35, 2, 9 and 16: the median is 14.
    found = expected_at(problem, trials[:9], 0.0, 0.0)
    assert (found.median, found.low, found.high) == (14, 14, 14)
    wide = expected_at(problem, trials[:9], 0.0, 0.5)
    assert 2 < wide.low < 14 < wide.high < 35
    # Nothing is expected beyond the best and the worst that are known.
    assert expected_at(problem, trials[:9], -9.0, 1.0).median == 0
    assert expected_at(problem, trials[:9], 9.0, 1.0).high == 35


def test_of_an_objective_that_is_maximised_low_is_below_high(problem, trials):
    upwards = replace(problem, objective=Objective("val_loss", "max"))
    some = [
        replace(trial, fitness=upwards.objective.fitness(trial.metrics)) for trial in trials[:9]
    ]
    assert expected_at(upwards, some, -9.0, 0.0).median == 35
    found = expected_at(upwards, some, 0.0, 0.5)
    assert found.low < found.median < found.high


def test_failures_and_who_violates_the_constraints_are_no_values(problem, trials):
    bounded = Objective("val_loss", "min", constraints=(Constraint("flops", most=1),))
    some = []
    for trial in trials[:9]:
        fitness = bounded.fitness({**trial.metrics, "flops": float(trial.id)})
        some.append(replace(trial, fitness=fitness))
    # Only trials 0 and 1 satisfy them, with the losses 0 and 7.
    assert expected_at(replace(problem, objective=bounded), some, 9.0, 0.0).median == 7
    assert expected_at(replace(problem, objective=bounded), some[1:], 0.0, 0.0) is None
    assert expected_at(problem, [trials[9], trials[19]], 0.0, 0.0) is None


def test_nothing_is_expected_before_a_surrogate_is_fitted(problem, trials):
    experience = filled(problem, Between(0.0, 1.0), trials[:9])
    assert experience.expected(trials[30].genome) is None
