"""Every combination of selection, crossover and replacement that a config may name, run.

And the schemes that change how evolution asks.
"""

from __future__ import annotations

import itertools
import json

import pytest

from evonas.genome import validate
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.search.adaptation import ADAPTATIONS
from evonas.search.crossover import CROSSOVERS, Uniform
from evonas.search.replacement import REPLACEMENTS, Plus, SteadyState
from evonas.search.selection import SELECTIONS, StochasticUniversal
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import drive
from evonas.trial import Fidelity


def built(data) -> GenerationalSettings:
    builder = Builder(FAMILIES)
    settings = builder.build(GenerationalSettings, data)
    assert builder.issues == []
    return settings


def combinations():
    """All of the three families; the adaptations take turns."""
    adaptations = itertools.cycle(ADAPTATIONS)
    for parts in itertools.product(SELECTIONS, CROSSOVERS, REPLACEMENTS):
        yield pytest.param(*parts, next(adaptations), id="-".join(parts))


@pytest.mark.parametrize(
    ("selection", "crossover", "replacement", "adaptation"), list(combinations())
)
def test_a_combination(small_space, loss, oracle, selection, crossover, replacement, adaptation):
    data = {"population": 5, "selection": selection, "crossover": {crossover: {"rate": 0.7}}}
    data |= {"replacement": replacement, "mutation": {"adaptation": adaptation}}
    problem = SearchProblem(small_space, loss, Fidelity(1), 3)
    strategy = Generational(problem, built(data))
    trials = drive(strategy, oracle.settle, 50, order=5)
    for trial in trials:
        validate(small_space, trial.genome)
        assert all(trial.genome != trials[parent].genome for parent in trial.lineage.parents)
        assert all(trials[parent].fitness is not None for parent in trial.lineage.parents)
    assert {len(trial.lineage.parents) for trial in trials} == {0, 1, 2}
    living = [trials[id].genome for id in strategy.state_dict()["population"]]
    assert len(set(living)) == len(living) <= 5
    again = Generational(problem, built(data))
    state = json.loads(json.dumps(strategy.state_dict()))
    again.load_state_dict(state, {trial.id: trial for trial in trials})
    assert again.state_dict() == strategy.state_dict()


def test_steady_state_waits_for_the_founders_only(small_space, loss, oracle):
    strategy = Generational(
        SearchProblem(small_space, loss, Fidelity(1), 0),
        GenerationalSettings(population=4, replacement=SteadyState(children=3)),
    )
    founders = strategy.ask(100)
    assert len(founders) == 4
    assert strategy.ask(1) == []
    for i, proposal in enumerate(founders):
        strategy.tell(oracle.settle(i, proposal))
    children = strategy.ask(40)
    assert len(children) == 40
    assert [child.lineage.generation for child in children] == [1 + i // 4 for i in range(40)]
    before = strategy.state_dict()["population"]
    for i, proposal in enumerate(children[:6]):
        strategy.tell(oracle.settle(4 + i, proposal))
        after = strategy.state_dict()["population"]
        assert (after == before) or i % 3 == 2, "the population changes with every third trial only"
        before = after
    assert len(strategy.ask(7)) == 7


def test_universal_sampling_draws_the_main_parents_of_a_whole_generation(small_space, loss, oracle):
    """The promise of the scheme holds for the run, not only for one call."""
    # Of two parents, the main one may have given nothing, and then the lineage does not name it.
    settings = GenerationalSettings(
        population=8,
        selection=StochasticUniversal(pressure=2.0),
        crossover=Uniform(0.0),
        replacement=Plus(children=40),
    )
    strategy = Generational(SearchProblem(small_space, loss, Fidelity(1), 0), settings)
    drive(strategy, oracle.settle, 1, order="generations")
    ranked = strategy.state_dict()["population"]
    mains = [proposal.lineage.parents[0] for proposal in strategy.ask(100)]
    assert len(mains) == 40
    last = len(ranked) - 1
    for rank, id in enumerate(ranked):
        assert abs(mains.count(id) - 40 * (2 - 2 * rank / last) / len(ranked)) < 1


def test_an_objective_that_a_selection_cannot_use_is_told_with_its_key(tmp_path):
    from evonas.runtime.config.config_file import check

    text = (
        "space: convnet\ndata: {name: digits}\nobjective: val_accuracy\nbudget: {trials: 9}\n"
        "strategy:\n  evolution:\n    population: 4\n    selection: SELECTION\n"
    )
    for selection, key in (
        ("roulette", "selection"),
        ("{stochastic_universal: {shares: loss}}", "selection"),
        ("rank", ""),
    ):
        (tmp_path / "x.yaml").write_text(text.replace("SELECTION", selection))
        problems = check(tmp_path / "x.yaml").problems
        if key:
            assert [(problem.key, problem.line) for problem in problems] == [
                ("strategy.evolution.selection", 8)
            ]
            assert "val_accuracy is maximised" in problems[0].message
        else:
            assert problems == ()
