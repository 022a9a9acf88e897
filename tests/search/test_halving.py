"""Successive halving and Hyperband: who is trained for how long, who goes on, and nothing hangs."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from evonas.genome import library, load_space
from evonas.runtime.audit import replay
from evonas.search.rungs import brackets
from evonas.search.sampling import LatinHypercube
from evonas.search.strategies.hyperband import HyperbandSettings
from evonas.search.strategies.successive_halving import SuccessiveHalvingSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import Driver, drive, settled
from evonas.trial import Fidelity, Trial


@pytest.fixture(scope="module")
def space():
    """Large enough that no genome comes twice."""
    return load_space(library.find("spaces", "mlp"))


@pytest.fixture
def make(space, loss):
    def build(
        kind=HyperbandSettings,
        epochs: int = 27,
        seed: int = 0,
        space=space,
        trials: int | None = None,
        **settings,
    ):
        return kind(**settings).make(SearchProblem(space, loss, Fidelity(epochs), seed, {}, trials))

    return build


def one_by_one(strategy, loss, count: int, value) -> list[Trial]:
    """`count` trials, each told before the next is asked.

    `value` of the id and the proposal is the loss; None for a failure.
    """

    def make_trial(id, proposal):
        return settled(loss, id, proposal, value(id, proposal))

    return drive(strategy, make_trial, count)


def test_one_after_the_other_hyperband_is_its_table(make, loss):
    plan = brackets(27, 3)
    total = sum(rung.places for bracket in plan for rung in bracket.rungs)
    trials = one_by_one(make(), loss, 2 * total, lambda id, proposal: float(id))
    expected = [
        rung.epochs for bracket in plan for rung in bracket.rungs for _ in range(rung.places)
    ]
    assert [trial.proposal.fidelity.epochs for trial in trials] == 2 * expected
    assert [len(list(group)) for _, group in itertools.groupby(expected)][:4] == [27, 9, 3, 1]
    sampled = [trial.genome.digest for trial in trials if trial.proposal.resume_from is None]
    assert len(set(sampled)) == len(sampled) == 2 * sum(bracket.rungs[0].places for bracket in plan)


def test_the_best_of_a_rung_go_on_from_their_checkpoints(make, loss):
    trials = one_by_one(make(), loss, 40, lambda id, proposal: 100.0 - id)  # the later the better
    assert [trial.proposal.resume_from for trial in trials[27:36]] == list(range(26, 17, -1))
    assert [trial.proposal.resume_from for trial in trials[36:40]] == [35, 34, 33, 38]
    for child in trials[27:40]:
        parent = trials[child.proposal.resume_from]
        assert child.lineage.parents == (parent.id,)
        assert child.lineage.operator == "promote"
        assert child.lineage.generation == parent.lineage.generation + 1
        assert child.genome == parent.genome
        assert child.proposal.fidelity == Fidelity(3 * parent.proposal.fidelity.epochs)
        assert child.proposal.repeat == parent.proposal.repeat


def test_failures_never_go_on_and_places_stay_empty(make, loss):
    def value(id, proposal):
        return None if id < 27 and id not in (3, 8) else float(id)

    trials = one_by_one(make(), loss, 40, value)
    assert [trial.proposal.resume_from for trial in trials[27:33]] == [3, 8, 27, 28, 29, None]
    promoted = {trial.proposal.resume_from for trial in trials} - {None}
    assert all(trials[id].fitness is not None for id in promoted)


@pytest.mark.parametrize("kind", [HyperbandSettings, SuccessiveHalvingSettings])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nothing_hangs_whatever_fails_and_however_far_it_looks_ahead(make, loss, kind, share):

    def make_trial(id, proposal):
        failed = (id * 7 % 10) < 10 * share
        return settled(loss, id, proposal, None if failed else id % 13 / 13)

    for look_ahead in (1, 2, 16, 100):
        strategy = make(kind, epochs=9)
        driver = Driver(strategy, make_trial, look_ahead)
        trials = driver.run(150)
        assert driver.waits == 0
        assert not strategy.is_done
        assert len(strategy.state_dict()["open"]) <= look_ahead + 1
        if look_ahead < 100:
            epochs = {trial.proposal.fidelity.epochs for trial in trials}
            assert epochs == ({1, 3, 9} if kind is HyperbandSettings or share < 1 else {1})


def test_while_a_rung_waits_the_next_bracket_begins(make):
    strategy = make(epochs=3)
    first = strategy.ask(3)
    (further,) = strategy.ask(1)
    assert [proposal.fidelity.epochs for proposal in first] == [1, 1, 1]
    assert further.fidelity.epochs == 3, "of the bracket that trains everybody fully"
    assert further.resume_from is None
    assert strategy.state_dict()["begun"] == 2


@pytest.mark.parametrize(("budget", "begun"), [(20, 3), (32, 3), (33, 4)])
def test_a_bracket_is_begun_early_only_where_the_budget_has_room_for_all_of_it(
    make, loss, budget, begun
):
    """9 + 3 + 1, 3 + 1 and 3 trials make a pass of 20; the next one begins with 13."""
    strategy, trials, told = make(epochs=9, trials=budget), [], 0
    found = strategy.ask(100)
    assert strategy.state_dict()["begun"] == begun
    assert len(found) == (15 if begun == 3 else 24)
    state = strategy.state_dict()
    assert strategy.ask(1) == []
    assert strategy.state_dict() == state
    trials = [settled(loss, id, proposal, float(id)) for id, proposal in enumerate(found)]
    while len(trials) < budget:
        strategy.tell(trials[told])
        told += 1
        trials += [settled(loss, len(trials), proposal, 0.5) for proposal in strategy.ask(1)]
        assert told < len(trials), "it waits for a tell that will never come"
    full = [trial.proposal.fidelity.epochs for trial in trials].count(9)
    assert full == 5 + (begun == 4), "every bracket that was begun in time has come to its end"


def test_a_promotion_comes_before_new_genomes(make, loss):
    strategy = make(epochs=3)
    asked = strategy.ask(5)
    for id, proposal in enumerate(asked[:3]):
        strategy.tell(settled(loss, id, proposal, float(id)))
    (promoted,) = strategy.ask(1)
    assert promoted.resume_from == 0
    assert promoted.fidelity == Fidelity(3)


def test_a_twin_goes_on_from_the_trial_that_was_trained(make, loss):
    strategy = make(epochs=3)
    asked = strategy.ask(3)
    for id, (proposal, twin_of) in enumerate(zip(asked, (None, None, 1), strict=True)):
        value = 0.1 if twin_of else 0.5
        strategy.tell(settled(loss, id, proposal, value, twin_of=twin_of))
    (promoted,) = strategy.ask(1)
    assert (promoted.resume_from, promoted.lineage.parents) == (1, (2,))


def test_living_are_those_who_may_still_go_on(make, loss):
    strategy = make(epochs=9)  # 9 of 1 epoch, 3 of 3, 1 of 9
    trials = []

    def step(value):
        (proposal,) = strategy.ask(1)
        trials.append(settled(loss, len(trials), proposal, value))
        strategy.tell(trials[-1])

    for value in (0.1, None, 0.3, 0.2, 0.9, 0.8, 0.7, 0.6):
        step(value)
    assert strategy.retained == {0, 2, 3, 4, 5, 6, 7}, (
        "all that have succeeded, as long as the rung is not full"
    )
    step(0.5)
    assert strategy.retained == {0, 2, 3}
    (proposal,) = strategy.ask(1)
    assert proposal.resume_from in strategy.retained, "the training that goes on still needs it"
    strategy.tell(settled(loss, 9, proposal, 0.05))
    assert proposal.resume_from not in strategy.retained
    assert 9 in strategy.retained


def test_every_resumed_trial_was_living_until_it_was_told(make, small_space, oracle):
    strategy, trials, told = make(epochs=9, space=small_space), [], 0
    while len(trials) < 120:
        if told < len(trials):
            strategy.tell(trials[told])
            told += 1
        while len(trials) - told < 5:
            before = strategy.retained
            (proposal,) = strategy.ask(1)
            if proposal.resume_from is not None:
                assert proposal.resume_from in before & strategy.retained
            trials.append(oracle.settle(len(trials), proposal))
    assert sum(trial.proposal.resume_from is not None for trial in trials) > 20


@pytest.mark.parametrize(
    ("genomes", "epochs", "expected"),
    [
        (None, 27, [(27, 1), (9, 3), (3, 9), (1, 27)]),
        (60, 27, [(60, 1), (20, 3), (6, 9), (2, 27)]),
        (9, 27, [(9, 3), (3, 9), (1, 27)]),
        (2, 27, [(2, 27)]),
    ],
)
def test_successive_halving_ends_with_full_trainings_whatever_it_begins_with(
    make, loss, genomes, epochs, expected
):
    strategy = make(SuccessiveHalvingSettings, epochs, genomes=genomes)
    (plan,) = strategy._schedule
    assert [(rung.places, rung.epochs) for rung in plan.rungs] == expected


def test_a_latin_hypercube_covers_one_pass_over_the_brackets(small_space, loss):
    strategy = HyperbandSettings(sampler=LatinHypercube()).make(
        SearchProblem(small_space, loss, Fidelity(9), 0)
    )
    assert strategy._design._size == 9 + 3 + 3


@pytest.mark.parametrize("kind", [HyperbandSettings, SuccessiveHalvingSettings])
def test_tells_may_come_in_any_order(make, small_space, oracle, kind):
    """As under `deterministic: false`.

    In a small space the same genome waits in several brackets.
    """
    chance = random.Random(3)
    strategy, trials, waiting = make(kind, epochs=9, space=small_space), [], []
    for _ in range(200):
        while len(waiting) < 12:
            waiting.append(oracle.settle(len(trials), strategy.ask(1)[0]))
            trials.append(waiting[-1])
        strategy.tell(waiting.pop(chance.randrange(len(waiting))))
        state = json.loads(json.dumps(strategy.state_dict()))
        assert len(state["waiting"]) == len(waiting)
        told = {trial.id: trial for trial in trials if trial not in waiting}
        strategy = make(kind, epochs=9, space=small_space)
        strategy.load_state_dict(state, told)
    for child in trials:
        if child.proposal.resume_from is not None:
            parent = trials[child.proposal.resume_from]
            assert child.proposal.fidelity.epochs == 3 * parent.proposal.fidelity.epochs
            assert parent.fitness is not None
    assert {trial.proposal.fidelity.epochs for trial in trials} == {1, 3, 9}


@pytest.mark.parametrize("kind", [HyperbandSettings, SuccessiveHalvingSettings])
def test_its_record_can_be_replayed(make, small_space, oracle, kind):
    strategy = make(kind, epochs=9, space=small_space)
    driver = Driver(strategy, oracle.settle, look_ahead=4)
    driver.step(100)
    assert driver.waits == 0
    state = json.loads(json.dumps(strategy.state_dict()))
    again = make(kind, epochs=9, space=small_space)
    found = replay(again, driver.trials, driver.told_before, driver.told, state)
    assert found.difference == ""


def test_too_long_a_shortest_training_is_refused(small_space, loss):
    problem = SearchProblem(small_space, loss, Fidelity(9), 0)
    assert HyperbandSettings(min_epochs=9).misfits(problem) == {}
    assert (
        "at most training.epochs (9). Received: 10"
        in HyperbandSettings(min_epochs=10).misfits(problem)["min_epochs"]
    )
    assert SuccessiveHalvingSettings().misfits(problem) == {}
