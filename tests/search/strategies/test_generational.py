"""Evolution without a guide: generations, seeds, survivors, and children unlike their parents."""

from __future__ import annotations

from collections import Counter

import pytest

from evonas.genome import MUTATIONS, decode, parse_space
from evonas.search.crossover import Uniform
from evonas.search.replacement import Elitist, SteadyState
from evonas.search.selection import Random
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Trial, TrialState


def evolve(space, objective, oracle, settings, generations=4, seeds=None):
    strategy = Generational(SearchProblem(space, objective, Fidelity(1), 0, seeds or {}), settings)
    return drive(strategy, oracle.settle, generations, order="generations")


def test_a_generation_is_the_population_and_then_its_children(small_space, loss, oracle):
    trials = evolve(
        small_space, loss, oracle, GenerationalSettings(population=6, replacement=Elitist(2))
    )
    sizes = [
        sum(trial.lineage.generation == generation for trial in trials) for generation in range(4)
    ]
    assert sizes == [6, 4, 4, 4]


def test_children_differ_from_their_parents(small_space, loss, oracle):
    trials = evolve(small_space, loss, oracle, GenerationalSettings(population=12), generations=8)
    children = [trial for trial in trials if trial.lineage.parents]
    assert children
    assert all(
        child.genome != trials[parent].genome
        for child in children
        for parent in child.lineage.parents
    )


def test_elites_are_parents_for_as_long_as_nothing_better_is_born(small_space, loss, oracle):
    trials = evolve(
        small_space,
        loss,
        oracle,
        GenerationalSettings(population=8, replacement=Elitist(1)),
        generations=10,
    )
    ok = [trial for trial in trials if trial.fitness is not None and trial.lineage.generation < 9]
    best = min(ok, key=lambda trial: (trial.fitness.key, trial.id))
    later = [trial for trial in trials if trial.lineage.generation > best.lineage.generation]
    assert any(best.id in trial.lineage.parents for trial in later if trial.lineage.generation == 9)


def test_seed_genomes_come_first_and_random_ones_fill_up(small_space, loss, oracle):
    import numpy as np

    seed = decode(small_space, np.full(small_space.dimension, 0.5))
    settings = GenerationalSettings(population=4, founders=("middle",))
    trials = evolve(small_space, loss, oracle, settings, generations=1, seeds={"middle": seed})
    assert trials[0].genome == seed
    assert [trial.lineage.operator for trial in trials] == [
        "seed middle",
        "sample",
        "sample",
        "sample",
    ]


def test_the_population_and_the_newcomers_that_succeeded_are_retained(small_space, loss):
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    strategy = Generational(problem, GenerationalSettings(population=4))
    values = [3.0, None, 2.0]
    for id, value in enumerate(values):
        (proposal,) = strategy.ask(1)
        strategy.tell(settled(loss, id, proposal, value))
    assert sorted(strategy.retained) == [0, 2], "the generation is not complete"


def test_as_long_as_everything_fails_generations_are_sampled(small_space, loss):
    strategy = Generational(
        SearchProblem(small_space, loss, Fidelity(1), 0), GenerationalSettings(population=3)
    )
    seen = []
    for generation in range(3):
        asked = strategy.ask(10)
        assert [proposal.lineage.generation for proposal in asked] == [generation] * 3
        assert all(proposal.lineage.operator == "sample" for proposal in asked)
        for proposal in asked:
            seen.append(proposal.genome.digest)
            strategy.tell(Trial(len(seen) - 1, proposal, state=TrialState.DIVERGED))
    assert len(set(seen)) > 3, "a new generation must not repeat the failed one"


def test_the_words_of_the_operator_say_what_was_done(small_space, loss, oracle):
    trials = evolve(small_space, loss, oracle, GenerationalSettings(population=16), generations=6)
    children = [trial for trial in trials if trial.lineage.parents]
    for child in children:
        words = child.lineage.operators
        assert ("crossover" in words) == (len(child.lineage.parents) == 2)
        assert set(words) - {"crossover"} <= set(MUTATIONS)
    assert any(len(child.lineage.parents) == 2 for child in children)
    assert any(len(child.lineage.parents) == 1 for child in children)


def test_a_genome_lives_once(small_space, loss, oracle):
    strategy = Generational(
        SearchProblem(small_space, loss, Fidelity(1), 0), GenerationalSettings(population=20)
    )
    trials = drive(strategy, oracle.settle, 6, order="generations")
    living = [trials[id].genome.digest for id in strategy.state_dict()["population"]]
    assert len(living) == len(set(living))


def test_rates_of_operators_are_kept(small_space, loss, oracle):
    off = Mutation(operators={name: 0.0 for name in MUTATIONS if name != "perturb"})
    trials = evolve(
        small_space, loss, oracle, GenerationalSettings(population=10, mutation=off), generations=4
    )
    used = {word for trial in trials if trial.lineage.parents for word in trial.lineage.operators}
    assert used <= {"crossover", "perturb"}
    assert "perturb" in used


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (GenerationalSettings(population=4, replacement=Elitist(4)), "replacement"),
        (GenerationalSettings(population=3, founders=("a", "b", "c", "d")), "founders"),
        (GenerationalSettings(mutation=Mutation(operators={"ad": 1.0})), "mutation.operators"),
        (
            GenerationalSettings(mutation=Mutation(operators=dict.fromkeys(MUTATIONS, 0.0))),
            "mutation.operators",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_named(settings, key):
    assert list(settings.problems()) == [key]


@pytest.mark.parametrize("units", ["[4, 8]", "4"])
def test_a_space_without_another_genome_gives_twins_and_never_hangs(loss, oracle, units):
    space = parse_space(
        "space: tiny\ninput: vector\nnetwork: {layers: {ops: {dense: {units: UNITS}}}}\n".replace(
            "UNITS", f"{{choice: {units}}}" if "[" in units else units
        ),
        "tiny.yaml",
    )
    trials = evolve(
        space,
        loss,
        oracle,
        GenerationalSettings(population=4, replacement=Elitist(1)),
        generations=5,
    )
    assert len(trials) >= 4 + 4 * 3
    assert len({trial.genome for trial in trials}) <= 2


WIDE = """
space: wide
input: vector
network:
  layers:
    length: [6, 9]
    ops:
      dense: {units: {int: [4, 64]}, dropout: {float: [0.0, 0.5]}}
      wide: {units: {int: [64, 256]}}
"""
"""So many genomes that no two of a test are equal."""


def children(objective, count, parents=4, **settings):
    """Many children of one population, and all trials: nothing is told after the founders."""
    problem = SearchProblem(parse_space(WIDE, "wide.yaml"), objective, Fidelity(1), 0)
    all_at_once = SteadyState(children=1)
    strategy = Generational(
        problem, GenerationalSettings(population=parents, replacement=all_at_once, **settings)
    )
    founders = []
    for id, proposal in enumerate(strategy.ask(parents)):
        founders.append(settled(objective, id, proposal, float(id)))
        strategy.tell(founders[-1])
    return strategy.ask(count), founders


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.8, 1.0])
def test_the_rate_of_mutation_is_that_of_edited_children_of_two(loss, rate):
    asked, _ = children(
        loss, 400, selection=Random(), crossover=Uniform(1.0), mutation=Mutation(rate=rate)
    )
    words = [p.lineage.operator for p in asked if len(p.lineage.parents) == 2]
    assert len(words) > 380
    edited = sum(word != "crossover" for word in words)
    # A mixture that equals a parent is edited in any case, which is rare here.
    assert edited / len(words) == pytest.approx(rate, abs=0.07)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.8, 1.0])
def test_the_rate_of_crossover_is_that_of_children_of_two(loss, rate):
    asked, _ = children(loss, 400, selection=Random(), crossover=Uniform(rate))
    share = sum(len(p.lineage.parents) == 2 for p in asked) / 400
    assert share == pytest.approx(rate, abs=0.07)


@pytest.mark.parametrize("most", [1, 2, 4])
def test_a_child_has_one_to_so_many_edits_each_as_likely(loss, most):
    asked, _ = children(loss, 600, crossover=Uniform(0.0), mutation=Mutation(edits=most))
    lengths = Counter(len(p.lineage.operators) for p in asked)
    assert sum(lengths[i] for i in range(1, most + 1)) > 590, "edits rarely cancel each other"
    for i in range(1, most + 1):
        assert lengths[i] / 600 == pytest.approx(1 / most, abs=0.06)


def test_a_partner_is_looked_for_in_eight_draws(loss):
    """Of two individuals, two draws are the same one half of the time; all eight are 1 of 128."""
    asked, _ = children(loss, 1000, parents=2, selection=Random(), crossover=Uniform(1.0))
    alone = sum(len(p.lineage.parents) == 1 for p in asked)
    assert 0 < alone < 25
    pairs = {p.lineage.parents for p in asked if len(p.lineage.parents) == 2}
    assert pairs == {(0, 1), (1, 0)}


def test_the_main_parent_is_the_first_of_the_lineage(loss):
    """Uniform crossover gives a child the layers of the main parent, by their innovation."""
    asked, founders = children(
        loss, 60, selection=Random(), crossover=Uniform(1.0), mutation=Mutation(rate=0.0)
    )
    told_apart = 0
    for child in asked:
        # A mixture that was edited all the same has another structure.
        if child.lineage.operator != "crossover":
            continue
        first, second = (structure(founders[id].genome) for id in child.lineage.parents)
        assert structure(child.genome) == first
        told_apart += first != second
    assert told_apart > 20


def structure(genome):
    """The innovation numbers of the layers, which say where each comes from."""
    return [gene.innovation for gene in genome["layers"]]
