"""Aging evolution: who is drawn, who dies, and that nobody waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from scipy import stats

from evonas.genome import decode
from evonas.search.strategies.aging import Aging, AgingSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Trial, TrialState


@pytest.fixture
def make(small_space, loss):
    def build(**settings) -> Aging:
        return Aging(SearchProblem(small_space, loss, Fidelity(1), 0), AgingSettings(**settings))

    return build


def test_the_oldest_die_however_good_they_are(make, oracle):
    strategy = make(population=5, sample=2)
    trials = drive(strategy, oracle.settle, 80, order=5)
    living = strategy.state_dict()["population"]
    told = strategy.state_dict()["told"]
    newest: list[int] = []
    for trial in trials[:told]:  # the queue, by hand
        if trial.fitness is not None and trial.genome not in [trials[id].genome for id in newest]:
            newest = [*newest, trial.id][-5:]
    assert living == newest
    best = min((t for t in trials[:told] if t.fitness), key=lambda t: t.fitness.key)
    assert best.id not in living, "the small space's best is found early, and must have died"


def test_children_are_mutants_of_one_parent(make, oracle):
    trials = drive(make(population=6), oracle.settle, 60, order=5)
    children = [trial for trial in trials if trial.lineage.parents]
    assert [trial.lineage.operator for trial in trials[:6]] == ["sample"] * 6
    assert len(children) == len(trials) - 6
    assert all(len(child.lineage.parents) == 1 for child in children)
    assert all(child.genome != trials[child.lineage.parents[0]].genome for child in children)
    assert {trial.lineage.generation for trial in trials} == set(range(10)), (
        "as many trials as live count as one"
    )


def test_the_parent_is_the_best_of_a_sample(make, oracle):
    """The one of rank i is the parent as often as it wins a tournament of `sample`."""
    strategy = make(population=6, sample=3)
    trials: list[Trial] = []
    while strategy.state_dict()["told"] < 6:
        trials += [oracle.settle(len(trials) + i, p) for i, p in enumerate(strategy.ask(6))]
        strategy.tell(trials[strategy.state_dict()["told"]])
    living = sorted(
        (trials[id] for id in strategy.state_dict()["population"]),
        key=lambda t: (t.fitness.key, t.id),
    )
    n = len(living)
    counts = Counter(proposal.lineage.parents[0] for proposal in strategy.ask(4000))
    expected = [((n - i) ** 3 - (n - i - 1) ** 3) / n**3 * 4000 for i in range(n)]
    assert stats.chisquare([counts[trial.id] for trial in living], expected).pvalue > 0.001


def test_only_the_founders_are_waited_for(make, oracle):
    strategy = make(population=4)
    founders = strategy.ask(100)
    assert len(founders) == 4
    assert strategy.ask(1) == []
    for i, proposal in enumerate(founders):
        strategy.tell(oracle.settle(i, proposal))
    assert len(strategy.ask(100)) == 100


def test_where_all_founders_fail_others_are_drawn(make):
    strategy = make(population=3)
    first = strategy.ask(10)
    for i, proposal in enumerate(first):
        strategy.tell(Trial(i, proposal, state=TrialState.DIVERGED))
    again = strategy.ask(10)
    assert [proposal.lineage.operator for proposal in again] == ["sample"] * 3
    assert {p.genome.digest for p in again} != {p.genome.digest for p in first}


def test_seeds_come_first(small_space, loss):
    seed = decode(small_space, [0.5] * small_space.dimension)
    problem = SearchProblem(small_space, loss, Fidelity(1), 0, {"middle": seed})
    asked = Aging(problem, AgingSettings(population=3, founders=("middle",))).ask(3)
    assert [proposal.lineage.operator for proposal in asked] == ["seed middle", "sample", "sample"]
    assert asked[0].genome == seed


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (AgingSettings(population=4, sample=5), "sample"),
        (AgingSettings(population=2, sample=2, founders=("a", "b", "c")), "founders"),
        (AgingSettings(mutation=Mutation(operators={"ad": 1.0})), "mutation.operators"),
    ],
)
def test_settings_that_contradict_each_other_are_named(settings, key):
    assert list(settings.problems()) == [key]


def test_a_duplicate_of_one_that_lives_does_not_enter_again(make, loss):
    """It would become young without any merit, and push out the oldest."""
    strategy = make(population=3)
    founders = strategy.ask(3)
    assert len({proposal.genome for proposal in founders}) == 3
    for id, proposal in enumerate(founders):
        strategy.tell(settled(loss, id, proposal, 0.5))
    twin = replace(strategy.ask(1)[0], genome=founders[1].genome)
    strategy.tell(settled(loss, 3, twin, 0.5, twin_of=1))
    assert strategy.state_dict()["population"] == [0, 1, 2]
    assert strategy.state_dict()["told"] == 4
    # The genome of the first founder comes again when it does not live any more.
    (other,) = strategy.ask(1)
    assert other.genome not in {proposal.genome for proposal in founders}
    strategy.tell(settled(loss, 4, other, 0.5))
    assert strategy.state_dict()["population"] == [1, 2, 4]
    again = replace(strategy.ask(1)[0], genome=founders[0].genome)
    strategy.tell(settled(loss, 5, again, 0.5, twin_of=0))
    assert strategy.state_dict()["population"] == [2, 4, 5]


def test_a_child_has_one_to_so_many_edits_each_as_likely(make, oracle):
    strategy = make(population=4, mutation=Mutation(edits=3))
    for id, proposal in enumerate(strategy.ask(4)):
        strategy.tell(oracle.settle(id, proposal))
    lengths = Counter(len(p.lineage.operators) for p in strategy.ask(600))
    # Edits may cancel each other, and then there is a further one.
    assert set(lengths) >= {1, 2, 3}
    assert min(lengths[1], lengths[2], lengths[3]) > 140
