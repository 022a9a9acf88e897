"""Adaptation of operator rates: the formulas, who gets the credit; only trials are remembered."""

from __future__ import annotations

import pytest

from evonas.genome import MUTATIONS, MutationRates, decode
from evonas.search.adaptation import ADAPTATIONS, Credit, Fixed, Matching, Pursuit, gain
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Fitness, Lineage, Proposal, Trial, TrialState, operators_of


@pytest.fixture
def born(small_space, loss):
    """A trial with a loss (None: it failed), an operator and parents."""
    genome = decode(small_space, [0.5] * small_space.dimension)

    def make(id, value, operator="sample", parents=(), twin_of=None):
        proposal = Proposal(genome, Fidelity(1), Lineage(operators_of(operator), parents))
        return settled(loss, id, proposal, value, twin_of=twin_of)

    return make


def taught(scheme, operators, rewards):
    """What is learned of these pairs of an operator and its reward."""
    learned = scheme.start(operators)
    for operator, reward in rewards:
        learned = scheme.learn(learned, operator, reward)
    return learned


def test_matching_is_its_formula():
    scheme = Matching(rate=0.5, floor=0.4)
    learned = taught(scheme, "abcd", [("a", 1.0), ("b", 0.2), ("c", 0.8), ("d", 1.0)])
    assert learned.quality == pytest.approx({"a": 1.0, "b": 0.6, "c": 0.9, "d": 1.0})
    assert learned.shares == pytest.approx(
        {name: 0.1 + 0.6 * q / 3.5 for name, q in learned.quality.items()}
    )


def test_pursuit_is_its_formula():
    scheme = Pursuit(rate=0.5, pursuit=0.25, floor=0.4)
    learned = taught(scheme, "ab", [("a", 0.0), ("b", 0.6)])
    assert learned.quality == pytest.approx({"a": 0.5, "b": 0.8})
    # Alone, `a` is the best of all that is known, before `b` is better.
    before = 0.5 + 0.25 * (0.8 - 0.5)
    assert learned.shares == pytest.approx(
        {"a": before + 0.25 * (0.2 - before), "b": 1 - before + 0.25 * (0.8 - 1 + before)}
    )


# The least share is 1/8. For `matching` the rest goes by Q: 0.4 of `perturb`, and the average of
# 0.4, 0 and 0 for `skip`.
@pytest.mark.parametrize(
    ("scheme", "share", "least"), [(Matching(), 0.5, 0.25), (Pursuit(), 0.625, 0.125)]
)
def test_an_operator_that_is_never_applied_holds_up_nothing(scheme, share, least):
    # As in a space without connections, where nothing ever corrects what is assumed of `skip`.
    rewards = [("perturb", 0.4), ("add", 0.0), ("swap", 0.0)] * 60
    learned = taught(scheme, ["skip", "add", "swap", "perturb"], rewards)
    assert "skip" not in learned.quality
    assert learned.shares["perturb"] == pytest.approx(share, abs=1e-3)
    assert learned.shares["skip"] == pytest.approx(least, abs=1e-3)


@pytest.mark.parametrize("name", ADAPTATIONS)
def test_shares_are_probabilities_whatever_comes(name):
    scheme = ADAPTATIONS[name]()
    learned = scheme.start(["a", "b", "c"])
    for i in range(300):
        learned = scheme.learn(learned, "abc"[i % 3], 0.0 if i < 150 else (i % 7) / 6)
        assert sum(learned.shares.values()) == pytest.approx(1)
        assert min(learned.shares.values()) >= 0.5 / 3 - 1e-9


@pytest.mark.parametrize(("scheme", "least"), [(Matching(), 0.45), (Pursuit(), 0.6)])
def test_the_operator_that_gains_is_used_more(scheme, least):
    learned = scheme.start(["a", "b", "c"])
    for i in range(90):
        learned = scheme.learn(learned, "abc"[i % 3], 0.4 if i % 3 == 1 else 0.01)
    assert learned.shares["b"] > least
    assert max(learned.shares, key=lambda name: learned.shares[name]) == "b"


def test_a_gain_is_relative_and_never_negative(born):
    parent = Fitness(0.4, "min")
    assert gain(born(1, 0.3), parent) == pytest.approx(0.25)
    assert gain(born(1, 0.5), parent) == 0
    assert gain(born(1, 0.4), parent) == 0
    assert gain(born(1, None), parent) == 0
    assert gain(born(1, 0.3, twin_of=0), parent) == 0
    assert gain(born(1, 0.0), parent) == 1
    assert gain(born(1, 0.0), Fitness(0.0, "min")) == 0
    better = Trial(1, born(1, 1.0).proposal, None, TrialState.OK, {}, Fitness(0.8, "max"))
    assert gain(better, Fitness(0.6, "max")) == pytest.approx(0.25)


def test_every_operator_of_a_child_is_credited_once_against_the_better_parent(born):
    scheme = Matching(rate=0.5, floor=0.0)
    credit = Credit(
        scheme, MutationRates(operators={"add": 1.0, "swap": 2.0, "perturb": 1.0, "remove": 0.0})
    )
    assert credit.rates.operators == {"add": 1.0, "swap": 2.0, "perturb": 1.0, "remove": 0.0}
    for trial in (born(0, 0.8), born(1, 0.4), born(2, 0.3, "crossover+add+swap+add", (0, 1))):
        credit.tell(trial)
    # 1 + 0.5 (0.25 - 1), once each; `perturb` took part in nothing, and is taken as their average.
    quality = {"add": 0.625, "swap": 0.625, "perturb": 0.625}
    total = sum(quality.values())
    weights = {
        "add": 0.625 / total,
        "swap": 2 * 0.625 / total,
        "perturb": 0.625 / total,
        "remove": 0.0,
    }
    assert credit.rates.operators == pytest.approx(weights)


def test_fixed_changes_nothing(born):
    rates = Mutation().rates()
    credit = Credit(Fixed(), rates)
    credit.tell(born(0, 0.8))
    credit.tell(born(1, 0.4, "add", (0,)))
    assert credit.rates is rates


def test_what_is_learned_can_be_told_again(born):
    trials = [
        born(0, 0.8),
        born(1, 0.4, "add", (0,)),
        born(2, None, "swap", (1,)),
        born(3, 0.1, "perturb", (1,)),
    ]
    one, other = (Credit(Pursuit(), Mutation().rates()) for _ in range(2))
    for trial in trials:
        one.tell(trial)
    other.tell(born(9, 0.5))
    other.restore({trial.id: trial for trial in trials})
    assert one.rates == other.rates


def test_it_is_off_by_default_and_changes_proposals_when_it_is_on(small_space, loss, oracle):
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    runs = []
    for scheme in (Fixed(), Matching(), Pursuit()):
        settings = GenerationalSettings(mutation=Mutation(adaptation=scheme))
        runs.append(drive(Generational(problem, settings), oracle.settle, 120, order=5))
    plain = drive(Generational(problem, GenerationalSettings()), oracle.settle, 120, order=5)
    assert [t.proposal for t in runs[0]] == [t.proposal for t in plain]
    assert [t.proposal for t in runs[1]] != [t.proposal for t in plain]
    assert [t.proposal for t in runs[2]] != [t.proposal for t in runs[1]]


def test_operators_that_are_off_stay_off(small_space, loss, oracle):
    off = {name: 0.0 for name in MUTATIONS if name not in ("perturb", "change_op")}
    settings = GenerationalSettings(
        population=6, mutation=Mutation(operators=off, adaptation=Pursuit())
    )
    strategy = Generational(SearchProblem(small_space, loss, Fidelity(1), 0), settings)
    trials = drive(strategy, oracle.settle, 80, order=5)
    used = {word for trial in trials if trial.lineage.parents for word in trial.lineage.operators}
    assert used == {"crossover", "perturb", "change_op"}
