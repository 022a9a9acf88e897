"""Founders that were not beaten, and ops that no genome survived."""

from __future__ import annotations

import itertools

import pytest

from evonas.genome import Gene, Genome
from evonas.insight.findings import FailingOps, failing_ops, given_founder
from evonas.insight.summary import summarize
from evonas.trial import (
    Fidelity,
    Lineage,
    Objective,
    Proposal,
    Trial,
    TrialState,
    operators_of,
)

OK, ERROR, DIVERGED = TrialState.OK, TrialState.ERROR, TrialState.DIVERGED
NUMBERS = itertools.count(1)


def holding(*ops: str, optimizer: str = "adam") -> Genome:
    """A genome with these ops; no two are equal."""
    genes = [Gene.make(op, {}, innovation=place) for place, op in enumerate(ops, 1)]
    rate = Gene.make(optimizer, {"learning_rate": float(next(NUMBERS))}, innovation=1)
    return Genome((("layers", tuple(genes)), ("optimizer", (rate,))))


def ended(*genomes: tuple[Genome, TrialState], operator: str = "sample") -> list[Trial]:
    trials = []
    for number, (genome, state) in enumerate(genomes):
        proposal = Proposal(genome, Fidelity(3), Lineage(operators_of(operator)))
        metrics = {"val_loss": 1.0 / (1 + number)}
        fitness = Objective("val_loss", "min").fitness(metrics) if state is OK else None
        trials.append(Trial(number, proposal, None, state, metrics, fitness))
    return trials


def test_an_op_is_named_if_all_of_its_genomes_failed_and_others_did_not():
    trials = ended(
        (holding("dense", "my_ops:drop"), ERROR),
        (holding("dense"), OK),
        (holding("my_ops:drop"), DIVERGED),
        (holding("my_ops:drop", "my_ops:drop"), ERROR),
        (holding("dense"), DIVERGED),
    )
    assert failing_ops(trials) == [FailingOps(("my_ops:drop",), 3, {"error": 2, "diverged": 1})]


def test_one_failure_is_not_enough_and_one_success_acquits():
    once = ended((holding("a"), ERROR), (holding("b"), OK), (holding("b"), ERROR))
    assert failing_ops(once) == []


def test_nothing_is_said_if_nothing_succeeded():
    assert failing_ops(ended((holding("a"), ERROR), (holding("a"), ERROR))) == []
    assert failing_ops([]) == []


def test_a_genome_counts_once_and_as_a_success_if_it_was_one_once():
    twice = holding("a")
    assert failing_ops(ended((twice, ERROR), (twice, ERROR), (holding("b"), OK))) == []
    mended = holding("a")
    trials = ended((mended, ERROR), (mended, OK), (holding("a"), ERROR), (holding("b"), OK))
    assert failing_ops(trials) == []


@pytest.mark.parametrize("state", [TrialState.WAITING, TrialState.CANCELLED, TrialState.LOST])
def test_what_says_nothing_of_a_genome_is_not_counted(state):
    trials = ended((holding("a"), ERROR), (holding("a"), state), (holding("b"), OK))
    assert failing_ops(trials) == []


def test_ops_of_exactly_the_same_genomes_are_named_together_and_the_most_frequent_first():
    trials = ended(
        (holding("a", "b"), ERROR),
        (holding("b", "a"), ERROR),
        (holding("c", optimizer="sgd"), DIVERGED),
        (holding("c", optimizer="sgd"), DIVERGED),
        (holding("c"), DIVERGED),
        (holding("d"), OK),
    )
    assert failing_ops(trials) == [
        FailingOps(("c",), 3, {"diverged": 3}),
        FailingOps(("a", "b"), 2, {"error": 2}),
        FailingOps(("sgd",), 2, {"diverged": 2}),
    ]


def test_a_founder_that_the_user_gave_is_known_also_when_it_was_trained_again():
    founder = holding("a")
    given = ended((founder, OK), operator="seed vgg_small")
    longer = ended((holding("b"), OK), (founder, OK))[1]
    assert given_founder([*given, longer], longer) == "vgg_small"
    assert given_founder(given, given[0]) == "vgg_small"
    assert given_founder(given, ended((holding("c"), OK))[0]) == ""


def test_a_random_founder_was_not_given():
    trials = ended((holding("a"), OK))
    assert given_founder(trials, trials[0]) == ""


def test_the_summary_has_both_as_plain_json():
    trials = ended((holding("a"), ERROR), (holding("a"), ERROR), (holding("b"), OK))
    told = summarize(trials, Objective("val_loss", "min"))
    assert told["given_founder"] is None
    assert told["failing_ops"] == [{"ops": ["a"], "genomes": 2, "states": {"error": 2}}]
    given = ended((holding("a"), OK), operator="seed ./mine.yaml")
    assert summarize(given, Objective("val_loss", "min"))["given_founder"] == "./mine.yaml"
