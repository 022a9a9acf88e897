"""Evolution: generations, seeds, survivors, and children that differ from their parents."""

from __future__ import annotations

import pytest

from evonas.genome import MUTATIONS, decode, parse_space
from evonas.search.replacement import Elitist
from evonas.search.strategies.evolution import Evolution, EvolutionSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.trial import Fidelity, Trial, TrialState


def evolve(space, objective, oracle, settings, generations=4, seeds=None):
    strategy = Evolution(SearchProblem(space, objective, Fidelity(1), 0, seeds or {}), settings)
    trials: list[Trial] = []
    for _ in range(generations):
        asked = strategy.ask(1000)
        new = [oracle.settle(len(trials) + i, proposal) for i, proposal in enumerate(asked)]
        trials += new
        for trial in new:
            strategy.tell(trial)
    return trials


def test_a_generation_is_the_population_and_then_its_children(small_space, loss, oracle):
    trials = evolve(
        small_space, loss, oracle, EvolutionSettings(population=6, replacement=Elitist(2))
    )
    sizes = [
        sum(trial.lineage.generation == generation for trial in trials) for generation in range(4)
    ]
    assert sizes == [6, 4, 4, 4]


def test_children_differ_from_their_parents(small_space, loss, oracle):
    trials = evolve(small_space, loss, oracle, EvolutionSettings(population=12), generations=8)
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
        EvolutionSettings(population=8, replacement=Elitist(1)),
        generations=10,
    )
    ok = [trial for trial in trials if trial.fitness is not None and trial.lineage.generation < 9]
    best = min(ok, key=lambda trial: (trial.fitness.key, trial.id))
    later = [trial for trial in trials if trial.lineage.generation > best.lineage.generation]
    assert any(best.id in trial.lineage.parents for trial in later if trial.lineage.generation == 9)


def test_seed_genomes_come_first_and_random_ones_fill_up(small_space, loss, oracle):
    import numpy as np

    seed = decode(small_space, np.full(small_space.dimension, 0.5))
    settings = EvolutionSettings(population=4, seeds=("middle",))
    trials = evolve(small_space, loss, oracle, settings, generations=1, seeds={"middle": seed})
    assert trials[0].genome == seed
    assert [trial.lineage.operator for trial in trials] == [
        "seed middle",
        "sample",
        "sample",
        "sample",
    ]


def test_as_long_as_everything_fails_generations_are_sampled(small_space, loss):
    strategy = Evolution(
        SearchProblem(small_space, loss, Fidelity(1), 0), EvolutionSettings(population=3)
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
    trials = evolve(small_space, loss, oracle, EvolutionSettings(population=16), generations=6)
    children = [trial for trial in trials if trial.lineage.parents]
    for child in children:
        words = child.lineage.operator.split("+")
        assert ("crossover" in words) == (len(child.lineage.parents) == 2)
        assert set(words) - {"crossover"} <= set(MUTATIONS)
    assert any(len(child.lineage.parents) == 2 for child in children)
    assert any(len(child.lineage.parents) == 1 for child in children)


def test_a_genome_lives_once(small_space, loss, oracle):
    strategy = Evolution(
        SearchProblem(small_space, loss, Fidelity(1), 0), EvolutionSettings(population=20)
    )
    trials: list[Trial] = []
    for _ in range(6):
        for proposal in strategy.ask(100):
            trials.append(oracle.settle(len(trials), proposal))
        for trial in [
            trial for trial in trials if trial.lineage.generation == trials[-1].lineage.generation
        ]:
            strategy.tell(trial)
    living = [trials[id].genome.digest for id in strategy.state_dict()["population"]]
    assert len(living) == len(set(living))


def test_rates_of_operators_are_kept(small_space, loss, oracle):
    off = Mutation(operators={name: 0.0 for name in MUTATIONS if name != "perturb"})
    trials = evolve(
        small_space, loss, oracle, EvolutionSettings(population=10, mutation=off), generations=4
    )
    used = {
        word
        for trial in trials
        if trial.lineage.parents
        for word in trial.lineage.operator.split("+")
    }
    assert used <= {"crossover", "perturb"}
    assert "perturb" in used


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (EvolutionSettings(population=4, replacement=Elitist(4)), "replacement"),
        (EvolutionSettings(population=3, seeds=("a", "b", "c", "d")), "seeds"),
        (EvolutionSettings(mutation=Mutation(operators={"ad": 1.0})), "mutation.operators"),
        (
            EvolutionSettings(mutation=Mutation(operators=dict.fromkeys(MUTATIONS, 0.0))),
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
        space, loss, oracle, EvolutionSettings(population=4, replacement=Elitist(1)), generations=5
    )
    assert len(trials) >= 4 + 4 * 3
    assert len({trial.genome for trial in trials}) <= 2
