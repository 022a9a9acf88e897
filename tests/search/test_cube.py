"""What the searches in the unit cube share.

They wait for batches, their state is one counter, they give up searches, and they find better
values than chance.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from evonas.genome import decode, encode, library, load_space, parse_space
from evonas.search.cube import MOST_KNOWN, mirrored
from evonas.search.strategies.cma_es import CmaEsSettings
from evonas.search.strategies.differential_evolution import DifferentialEvolutionSettings
from evonas.search.strategies.nelder_mead import NelderMeadSettings
from evonas.search.strategies.particle_swarm import ParticleSwarmSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Trial

FIRST = {
    CmaEsSettings: 8,
    ParticleSwarmSettings: 16,
    NelderMeadSettings: 5,
    DifferentialEvolutionSettings: 16,
}
"""Trials of the first batch in the plane of four dimensions."""
KINDS = pytest.mark.parametrize("kind", FIRST, ids=lambda kind: kind.__name__)


def space_text(names, parameter):
    listed = ", ".join(f"{name}: {parameter}" for name in names)
    return f"space: test\ninput: none\nsettings: {{at: {{ops: {{at: {{{listed}}}}}}}}}\n"


PLANE = space_text("abcd", "{float: [-5.0, 5.0]}")
FEW = space_text("abc", "{choice: [1, 2, 3]}")
LATTICE = space_text("abcd", "{choice: [-4, -3, -2, -1, 0, 1, 2, 3, 4]}")
OPTIMUM = np.array([1.0, -2.0, 3.0, 0.5])


@pytest.fixture
def plane(loss):
    return problem_of(PLANE, loss)


def problem_of(text, loss):
    return SearchProblem(parse_space(text, "test.yaml"), loss, Fidelity(1), 0)


def sphere(genome):
    return float(np.sum((np.array(list(genome["at"][0].parameters.values())) - OPTIMUM) ** 2))


def searched(strategy, value, count):
    """`count` trials, each told before the next is asked; `value` of the genome is the outcome."""
    objective = strategy.problem.objective

    def make_trial(id, proposal):
        return settled(objective, id, proposal, value(proposal.genome))

    return drive(strategy, make_trial, count)


def best(trials):
    return min(trial.fitness.value for trial in trials if trial.fitness is not None)


@KINDS
def test_far_better_than_random_search_on_a_sphere(kind, plane, loss):
    """At each of six seeds by a factor of three, after 120 trials."""
    for seed in range(6):
        problem = SearchProblem(plane.space, loss, Fidelity(1), seed)
        reference = best(searched(RandomSearch(problem, RandomSettings()), sphere, 120))
        assert best(searched(kind().make(problem), sphere, 120)) < reference / 3


@KINDS
def test_what_is_maximised_is_searched_alike(kind, plane):
    problem = SearchProblem(plane.space, type(plane.objective)("gain", "max"), Fidelity(1), 0)
    maximised = searched(kind().make(problem), lambda genome: -sphere(genome), 120)
    minimised = searched(kind().make(plane), sphere, 120)
    gains = [trial.metrics["gain"] for trial in maximised]
    assert gains == [-trial.fitness.value for trial in minimised]


@KINDS
def test_a_batch_waits_for_its_last_trial_in_any_order(kind, plane):
    in_order, mixed = kind().make(plane), kind().make(plane)
    asked = in_order.ask(100)
    assert len(asked) == FIRST[kind]
    assert mixed.ask(100) == asked
    trials = [
        settled(plane.objective, id, proposal, sphere(proposal.genome))
        for id, proposal in enumerate(asked)
    ]
    for trial in trials[:-1]:
        in_order.tell(trial)
        assert in_order.ask(1) == []
    in_order.tell(trials[-1])
    for trial in (*trials[1::2], *trials[0::2]):
        mixed.tell(trial)
    following = in_order.ask(100)
    assert following == mixed.ask(100)
    assert all(proposal.lineage.generation == 1 for proposal in following)


@KINDS
def test_a_search_is_restored_at_every_trial_told_in_any_order(kind, plane):
    """Four are asked ahead and told in reverse, so that states are saved within batches."""

    def go(strategy, trials, told, until):
        while len(told) < until:
            while len(trials) - len(told) < 4 and (asked := strategy.ask(1)):
                value = None if len(trials) % 5 == 3 else sphere(asked[0].genome)
                trials.append(settled(plane.objective, len(trials), asked[0], value))
            trial = next(trial for trial in reversed(trials) if trial.id not in told)
            strategy.tell(trial)
            told[trial.id] = trial

    whole: list[Trial] = []
    go(kind().make(plane), whole, {}, 60)
    for stop in range(0, 60, 7):
        first, trials, told = kind().make(plane), [], {}
        go(first, trials, told, stop)
        state = json.loads(json.dumps(first.state_dict()))
        second = kind().make(plane)
        second.load_state_dict(
            state, told | {one.id: one.unsettled for one in trials if one.id not in told}
        )
        go(second, trials, told, 60)
        assert [trial.proposal for trial in trials] == [trial.proposal for trial in whole], stop


@KINDS
def test_failed_trials_are_no_parents_and_a_search_goes_on_where_nothing_succeeds(kind, plane):
    trials = searched(kind().make(plane), lambda genome: None, 60)
    assert {trial.lineage.operator for trial in trials} == {"sample"}
    assert len({trial.genome for trial in trials}) == 60
    number = iter(range(1000))
    trials = searched(
        kind().make(plane), lambda g: sphere(g) if next(number) % 3 == 2 else None, 200
    )
    parents = {parent for trial in trials for parent in trial.lineage.parents}
    assert parents
    assert all(parent % 3 == 2 for parent in parents)


@KINDS
def test_a_space_of_few_genomes_is_searched_until_none_is_left(kind, loss):
    """All 27 genomes are found. Then the engine's rule of 100 twins in a row ends the run."""
    strategy, seen, in_a_row = kind().make(problem_of(FEW, loss)), {}, 0
    for id in range(5000):
        (proposal,) = strategy.ask(1)
        in_a_row = in_a_row + 1 if proposal.genome in seen else 0
        value = seen.setdefault(proposal.genome, float(len(seen)))
        strategy.tell(settled(loss, id, proposal, value))
        if in_a_row == 100:
            break
    assert in_a_row == 100
    assert len(seen) == 27


@KINDS
def test_a_converged_search_is_given_up_and_the_next_begins_elsewhere(kind, loss):
    """On a lattice of 6,561 genomes each search soon rests; then the next one finds new genomes."""
    trials = searched(kind().make(problem_of(LATTICE, loss)), sphere, 1500)
    is_sample = [trial.lineage.operator == "sample" for trial in trials]
    begins = [i for i, here in enumerate(is_sample) if here and (i == 0 or not is_sample[i - 1])]
    assert len(begins) > 2
    known, in_a_row, most = set(), 0, 0
    for trial in trials:
        in_a_row = in_a_row + 1 if trial.genome in known else 0
        most = max(most, in_a_row)
        known.add(trial.genome)
    assert most <= MOST_KNOWN
    assert all(len({trial.genome for trial in trials[i : i + 4]}) == 4 for i in begins)


@KINDS
def test_a_seed_counts_at_its_own_point(kind, plane):
    """The first trial gets another genome, and so the next batch is another one.

    It is the same batch after a resume.
    """
    strategy, plain = kind().make(plane), kind().make(plane)
    seed = decode(plane.space, encode(plane.space, strategy.ask(1)[0].genome) * 0.5 + 0.3)
    (asked,) = plain.ask(1)
    given = type(asked)(seed, asked.fidelity, asked.lineage)
    strategy.load_state_dict({"asked": 1}, {0: Trial(0, given)})
    trials = [settled(plane.objective, 0, given, 0.0)]
    others = strategy.ask(100)
    assert others == plain.ask(100)
    trials += [
        settled(plane.objective, i + 1, proposal, 1.0 + sphere(proposal.genome))
        for i, proposal in enumerate(others)
    ]
    for trial in trials:
        strategy.tell(trial)
        plain.tell(trial if trial.id else settled(plane.objective, 0, asked, 0.0))
    again = kind().make(plane)
    again.load_state_dict({"asked": len(trials)}, {trial.id: trial for trial in trials})
    following = strategy.ask(100)
    assert following == again.ask(100)
    assert following != plain.ask(100)


@KINDS
def test_a_large_space_is_searched(kind, loss):
    problem = SearchProblem(load_space(library.find("spaces", "convnet")), loss, Fidelity(1), 0)
    assert problem.space.dimension > 100

    def value(genome):
        return float(len(genome["features"])) + math.log(
            genome["optimizer"][0].parameters["learning_rate"] + 1e-9
        )

    trials = searched(kind().make(problem), value, 260)
    assert len({trial.genome for trial in trials}) > 150
    assert any(trial.lineage.parents for trial in trials)


@KINDS
def test_a_budget_that_the_first_batch_spends_is_refused(kind, plane, loss):
    settings = kind()
    for trials, is_refused in ((FIRST[kind], True), (FIRST[kind] + 1, False)):
        problem = SearchProblem(plane.space, loss, Fidelity(1), 0, trials=trials)
        found = settings.misfits(problem)
        assert bool(found) == is_refused
        assert all(
            f"its first batch has {FIRST[kind]} trials" in message for message in found.values()
        )
        assert set(found) <= {"" if kind is NelderMeadSettings else "population"}


@KINDS
def test_nothing_to_decide_is_refused(kind, loss):
    problem = problem_of("space: one\ninput: none\nsettings: {at: {ops: {at: {a: 1}}}}\n", loss)
    assert problem.space.dimension == 0
    assert "there is nothing to decide" in kind().misfits(problem)[""]


def test_walls_are_mirrors():
    assert mirrored(np.array([-0.25, 0.0, 0.5, 1.0, 1.25, 2.5, -1.5])).tolist() == [
        0.25,
        0,
        0.5,
        1,
        0.75,
        0.5,
        0.5,
    ]
