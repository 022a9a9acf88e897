"""Twins, and whose turn it is to be told: in the order of proposals, or in that of arrival."""

from __future__ import annotations

import pytest

from evonas.genome import decode
from evonas.runtime.loop.turns import Turns
from evonas.runtime.record.rows import settled
from evonas.trial import Fidelity, Lineage, Proposal, TrialState


@pytest.fixture
def propose(small_space):
    """Equal points are twins."""

    def propose(point):
        genome = decode(small_space, [point] * small_space.dimension)
        return Proposal(genome, Fidelity(2), Lineage(("sample",)))

    return propose


@pytest.fixture
def make(propose, loss):
    def make(points, in_order=True):
        turns = Turns(loss, in_order)
        for point in points:
            turns.admit(turns.number(propose(point)))
        return turns

    return make


@pytest.fixture
def arrive(loss):
    def arrive(turns, id):
        turns.arrive(settled(turns.trials[id], TrialState.OK, {"val_loss": 0.25}, loss))

    return arrive


def taken(turns):
    return [trial.id for trial in iter(turns.take, None)]


def test_the_order_of_proposals_holds_whatever_the_order_of_arrival(make, arrive):
    turns = make([0.1, 0.6, 0.9])
    arrive(turns, 2)
    arrive(turns, 1)
    assert taken(turns) == []
    arrive(turns, 0)
    assert taken(turns) == [0, 1, 2]
    assert (turns.told, list(turns.ahead)) == (3, [])


def test_on_arrival_twins_come_right_after_the_trial_that_is_trained(make, arrive, propose):
    turns = make([0.1, 0.6, 0.6, 0.1], in_order=False)
    arrive(turns, 1)
    arrive(turns, 0)
    assert taken(turns) == [1, 2, 0, 3]
    turns.admit(turns.number(propose(0.6)))
    assert taken(turns) == [4], "a twin of what is known already"


def test_a_twin_has_the_outcome_of_the_first(make, arrive):
    turns = make([0.1, 0.1])
    assert [trial.twin_of for trial in turns.trials] == [None, 0]
    arrive(turns, 0)
    first, second = turns.take(), turns.take()
    assert (first.fitness, second.fitness, second.state) == (
        second.fitness,
        first.fitness,
        TrialState.OK,
    )
    assert first.fitness is not None
    assert turns.trials == [first, second]


def test_only_the_latest_twins_are_in_a_row(make, propose):
    turns = make([0.1, 0.1, 0.1])
    assert turns.twins_in_a_row == 2
    turns.admit(turns.number(propose(0.9)))
    assert turns.twins_in_a_row == 0


@pytest.mark.parametrize(("in_order", "next_ones"), [(True, []), (False, [1, 3])])
def test_a_session_goes_on_where_the_last_one_was(make, arrive, loss, in_order, next_ones):
    before = make([0.1, 0.6, 0.9, 0.6], in_order)
    arrive(before, 1)
    arrive(before, 2)
    after = Turns(loss, in_order)
    for trial in before.trials:
        after.admit(trial)
    after.restore([2])
    assert (after.told, list(after.ahead)) == (1, [0, 1, 3])
    assert taken(after) == next_ones
    arrive(after, 0)
    assert taken(after) == ([0, 1, 3] if in_order else [0])
