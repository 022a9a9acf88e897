"""ASHA: promotions as soon as they are due, nobody waits, and nothing but told trials decides."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from evonas.runtime.audit import replay
from evonas.search.strategies.asha import Asha, AshaSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import Driver, drive, settled
from evonas.trial import Fidelity, Trial


@pytest.fixture
def make(small_space, loss):
    def build(epochs: int = 9, trials: int | None = None, seed: int = 0, **settings) -> Asha:
        problem = SearchProblem(small_space, loss, Fidelity(epochs), seed, {}, trials)
        return Asha(problem, AshaSettings(**settings))

    return build


@pytest.fixture
def tell(loss):
    def run(
        strategy: Asha, id: int, proposal, value: float | None, twin_of: int | None = None
    ) -> Trial:
        trial = settled(loss, id, proposal, value, twin_of=twin_of)
        strategy.tell(trial)
        return trial

    return run


def driven(strategy: Asha, oracle, count: int) -> Driver:
    """A search of `count` trials, four of which are ahead."""
    driver = Driver(strategy, oracle.settle, look_ahead=4)
    driver.run(count)
    assert driver.waits == 0
    return driver


def test_the_best_third_goes_on_as_soon_as_it_is_one(make, tell):
    strategy = make()
    ids = iter(range(100))
    digests = set()

    def step(value):
        (proposal,) = strategy.ask(1)
        id = next(ids)
        if proposal.resume_from is None:
            assert proposal.genome.digest not in digests, (
                "the test needs different genomes: choose another seed"
            )
            digests.add(proposal.genome.digest)
        tell(strategy, id, proposal, value)
        return proposal

    asked = [step(value) for value in (0.5, 0.3, 0.9)]
    assert [p.fidelity.epochs for p in asked] == [1, 1, 1]
    promoted = step(0.2)
    assert (promoted.resume_from, promoted.fidelity.epochs, promoted.lineage.parents) == (
        1,
        3,
        (1,),
    )
    assert promoted.lineage.operator == "promote"
    for value in (0.8, 0.7, 0.1):
        assert step(value).resume_from is None
    assert step(0.05).resume_from == 6, (
        "the best of six is new among the best two; trial 1 has gone on"
    )
    for value in (0.6, 0.65, 0.95):
        assert step(value).resume_from is None
    assert step(0.3).resume_from == 0, "the third best of nine"
    top = step(0.01)
    assert (top.resume_from, top.fidelity.epochs) == (7, 9), "the highest rung first"


def test_it_never_waits(make):
    strategy = make()
    assert len(strategy.ask(200)) == 200
    assert {proposal.fidelity.epochs for proposal in strategy.ask(50)} == {1}
    assert not strategy.is_done


def test_failures_never_go_on(make, loss):
    trials = drive(make(), lambda id, proposal: settled(loss, id, proposal, None), 9)
    assert [trial.proposal.resume_from for trial in trials] == [None] * 9


def test_each_goes_on_once_and_only_the_best_of_its_rung(make, oracle):
    driver = driven(make(), oracle, 200)
    trials = driver.trials
    promoted = [trial for trial in trials if trial.lineage.operator == "promote"]
    assert len(promoted) > 40
    assert len({trial.proposal.resume_from for trial in promoted}) == len(promoted)
    assert {trial.proposal.fidelity.epochs for trial in trials} == {1, 3, 9}
    for child in promoted:
        parent = trials[child.proposal.resume_from]
        assert child.genome == parent.genome
        assert child.proposal.fidelity.epochs == 3 * parent.proposal.fidelity.epochs
        known = {
            trial.genome.digest: trial
            for trial in reversed(trials[: driver.told_before[child.id]])
            if trial.proposal.fidelity == parent.proposal.fidelity
        }
        better = [
            trial for trial in known.values() if trial.fitness and trial.fitness > parent.fitness
        ]
        assert len(better) < len(known) // 3


def test_its_record_can_be_replayed_and_its_state_does_not_grow(make, oracle):
    strategy = make()
    driver = driven(strategy, oracle, 300)
    state = json.loads(json.dumps(strategy.state_dict()))
    found = replay(make(), driver.trials, driver.told_before, driver.told, state)
    assert found.difference == ""
    assert len(json.dumps(state)) < 100


def test_living_holds_whoever_will_go_on_and_shrinks_with_the_budget(make, oracle):
    strategy, trials, told, sizes = make(trials=200), [], 0, []
    while len(trials) < 200:
        if told < len(trials):
            strategy.tell(trials[told])
            told += 1
        while len(trials) - told < 5 and len(trials) < 200:
            before = strategy.retained
            (proposal,) = strategy.ask(1)
            if proposal.resume_from is not None:
                assert proposal.resume_from in before & strategy.retained
            trials.append(oracle.settle(len(trials), proposal))
        sizes.append(len(strategy.retained))
    open_ended = make()
    open_trials = driven(open_ended, oracle, 200).trials
    assert sizes[-1] < len(open_ended.retained) / 2
    assert max(sizes) > sizes[-1]
    assert all(open_trials[id].fitness is not None for id in open_ended.retained)


def test_a_twin_goes_on_from_the_trial_that_was_trained(make, tell):
    strategy = make()
    for id, proposal in enumerate(strategy.ask(3)):
        tell(strategy, id, proposal, 0.1 if id == 2 else 0.5, twin_of=0 if id == 2 else None)
    (promoted,) = strategy.ask(1)
    assert (promoted.resume_from, promoted.lineage.parents) == (0, (2,))


def test_tells_may_come_in_any_order(make, oracle):
    """As under `deterministic: false`."""
    chance = random.Random(3)
    strategy, trials, waiting = make(), [], []
    first: dict[tuple[str, int, int], int] = {}
    for _ in range(150):
        while len(waiting) < 12:
            trial = oracle.settle(len(trials), strategy.ask(1)[0])
            trials.append(replace(trial, twin_of=first.get(trial.twin_key)))
            waiting.append(trials[-1])
            first.setdefault(trial.twin_key, trial.id)
        waiting_ids = {trial.id for trial in waiting}
        ready = [
            trial for trial in waiting if trial.twin_of not in waiting_ids
        ]  # a twin comes after the trial it is of
        told = chance.choice(ready)
        waiting.remove(told)
        strategy.tell(told)
        state = json.loads(json.dumps(strategy.state_dict()))
        living = strategy.retained
        strategy = make()
        strategy.load_state_dict(
            state, {trial.id: trial for trial in trials if trial not in waiting}
        )
        assert strategy.retained == living
    assert {trial.proposal.fidelity.epochs for trial in trials} == {1, 3, 9}
    parents = [trial.lineage.parents for trial in trials if trial.lineage.parents]
    assert len(set(parents)) == len(parents)


def test_of_two_rungs_with_a_promotable_trial_the_higher_one_comes_first(make, tell):
    """Both have one at the same time, so that the order of the rungs decides."""
    strategy = make(epochs=27, seed=1)
    founders = strategy.ask(12)
    assert len({proposal.genome for proposal in founders}) == 12
    for id, proposal in enumerate(founders[:9]):
        tell(strategy, id, proposal, 0.1 * id)
    promoted = strategy.ask(3)
    assert [p.fidelity.epochs for p in promoted] == [3, 3, 3]
    # The second rung is full, and three new ones make another trial of the first promotable.
    for id, proposal in enumerate(promoted):
        tell(strategy, 12 + id, proposal, 0.1 * id)
    for id, proposal in enumerate(founders[9:]):
        tell(strategy, 9 + id, proposal, 5.0)
    first, second = strategy.ask(2)
    assert (first.resume_from, first.fidelity.epochs) == (12, 9)
    assert (second.resume_from, second.fidelity.epochs) == (3, 3)


def test_failures_count_as_the_worst_of_their_rung(make, tell):
    """Two of six may be promoted, also if four of the six have failed."""
    strategy = make()
    founders = strategy.ask(6)
    assert len({proposal.genome for proposal in founders}) == 6
    for id, proposal in enumerate(founders):
        tell(strategy, id, proposal, 0.5 if id in (2, 4) else None)
    asked = strategy.ask(3)
    assert [proposal.resume_from for proposal in asked] == [2, 4, None]


@pytest.mark.parametrize("factor", [2, 4])
def test_the_reduction_factor_sets_the_share_and_the_epochs(make, tell, factor):
    strategy = make(epochs=factor**2, reduction_factor=factor)
    for id, proposal in enumerate(strategy.ask(8)):
        assert proposal.fidelity.epochs == 1
        tell(strategy, id, proposal, 0.1 * id)
    asked = strategy.ask(8)
    promoted = [proposal for proposal in asked if proposal.resume_from is not None]
    assert [proposal.resume_from for proposal in promoted] == list(range(8 // factor))
    assert {proposal.fidelity.epochs for proposal in promoted} == {factor}
