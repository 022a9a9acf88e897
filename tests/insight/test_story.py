"""A story: each sentence is what independent code finds in the trials."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from scipy import stats

from evonas.insight.credit import credits
from evonas.insight.noise import noise_of
from evonas.insight.story import sentences, story
from evonas.trial import Fidelity, Fitness, Lineage, Proposal, Trial, TrialState


@pytest.fixture
def trials(make_run):
    return make_run(96)


def last_with_parents(trials):
    return max(one.id for one in trials if one.lineage.parents and one.fitness is not None)


def test_every_step_is_what_the_trials_say(trials, objective):
    chosen = last_with_parents(trials)
    told = story(trials, chosen, {one.id: 1.0 + one.id for one in trials})
    ids = [chapter.step.id for chapter in told.chapters]
    assert ids[-1] == chosen
    assert not trials[ids[0]].lineage.parents
    for before, after in pairwise(ids):
        assert trials[after].lineage.parents[0] == before
    said = list(sentences(told, objective))
    for chapter, words in zip(told.chapters, said, strict=False):
        trial = trials[chapter.step.id]
        assert f"rial {trial.id}" in words
        assert chapter.costs["seconds"] == 1.0 + trial.id
        if trial.fitness is None:
            assert "failed" in words
            continue
        better = 0
        for other in trials[: trial.id]:
            if other.state is TrialState.OK and other.fitness is not None:
                better += other.fitness.value < trial.fitness.value
        assert chapter.place == better
        assert ("best so far" in words) == (better == 0 and trial.id > 0)
        if trial.lineage.parents:
            parent = trials[trial.lineage.parents[0]]
            if parent.fitness is not None and parent.fitness.value != trial.fitness.value:
                is_better = trial.fitness.value < parent.fitness.value
                assert (" better" in words) == is_better
    assert "no genome twice" in said[-1]


def test_credit_is_counted_again_by_hand(trials):
    found = {one.operator: one for one in credits(trials, {one.id: 2.0 for one in trials})}
    gains: dict[str, list[float]] = {}
    for trial in trials:
        if trial.twin_of is not None or trial.fitness is None or not trial.lineage.parents:
            continue
        parent = trials[trial.lineage.parents[0]]
        if parent.fitness is None or parent.genome == trial.genome:
            continue
        for operator in set(trial.lineage.operators):
            gains.setdefault(operator, []).append(parent.fitness.value - trial.fitness.value)
    assert set(found) == set(gains)
    assert found
    for operator, rows in gains.items():
        one = found[operator]
        better = sum(gain > 0 for gain in rows)
        assert (one.children, one.better) == (len(rows), better)
        assert one.gain == pytest.approx(median(rows))
        # Clopper and Pearson by the quantiles of the beta distribution.
        low = stats.beta.ppf(0.025, better, len(rows) - better + 1) if better else 0.0
        high = stats.beta.ppf(0.975, better + 1, len(rows) - better) if better < len(rows) else 1.0
        assert (one.low, one.high) == (pytest.approx(low), pytest.approx(high))
        assert one.better_a_minute == pytest.approx(60 * better / (2.0 * len(rows)))
    assert math.isnan(next(iter(credits(trials, {}))).better_a_minute)


def repeated(genome, values):
    """Trainings of one genome with different seeds."""
    found = []
    for number, value in enumerate(values):
        proposal = Proposal(genome, Fidelity(5), Lineage(("sample",)), repeat=number)
        fitness = Fitness(value, "min")
        trial = Trial(number, proposal, None, TrialState.OK, {"val_loss": value}, fitness)
        found.append(trial)
    return found


def test_noise_is_that_of_repeated_trainings(trials):
    genome = trials[0].genome
    values = [0.50, 0.52, 0.48, 0.51]
    noise = noise_of(repeated(genome, values))
    assert noise is not None
    assert (noise.trainings, noise.genomes) == (4, 1)
    assert noise.deviation == pytest.approx(np.std(values, ddof=1))
    expected = stats.t(3).ppf(0.975) * math.sqrt(2) * np.std(values, ddof=1)
    assert noise.of_a_difference == pytest.approx(expected)
    assert noise_of(repeated(genome, values)[:1]) is None
    # A longer training is another thing, and so is a copy of an outcome.
    first, second = repeated(genome, values[:2])
    longer = replace(second, proposal=replace(second.proposal, fidelity=Fidelity(9)))
    assert noise_of([first, longer]) is None
    assert noise_of([first, replace(second, twin_of=0)]) is None


def test_gains_are_held_against_the_noise(trials, objective):
    genome, other = trials[0].genome, trials[1].genome
    assert genome != other
    run = repeated(genome, [0.50, 0.52, 0.48, 0.51])
    for value, words in ((0.49, "no more than luck"), (0.10, "is more than luck")):
        proposal = Proposal(other, Fidelity(5), Lineage(("alter",), (0,)))
        child = Trial(4, proposal, None, TrialState.OK, {"val_loss": value}, Fitness(value, "min"))
        said = list(sentences(story([*run, child], 4, {}), objective))
        assert words in said[1]
        assert "4 trainings of 1 genome" in said[-1]


def test_a_founder_is_told_as_one(trials, objective):
    said = " ".join(sentences(story(trials, 0, {}), objective))
    assert "It begins with trial 0" in said
    assert "It is a founder" in said
