"""Which search the section `evolution` of a config means, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from evonas.runtime.config.families import dump
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.search.crossover import Uniform
from evonas.search.replacement import Elitist, SteadyState
from evonas.search.selection import Tournament
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategies.guided import Guided, GuidedSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.search.surrogate import Forest, GaussianProcess, NoGuide
from evonas.search.variation import Mutation
from evonas.trial import Fidelity

MUTATION = {"rate": 0.5, "edits": 1, "settings": 0.25, "operators": {}, "adaptation": {"fixed": {}}}
RECORDED = {
    "evolution": {
        "population": 10,
        "selection": {"tournament": {"size": 3}},
        "crossover": {"uniform": {"rate": 0.25}},
        "mutation": MUTATION,
        "replacement": {"elitist": {"elites": 2}},
        "founders": ["mlp2"],
    }
}
"""What an evonas without guides has put into its records."""


def built(data):
    builder = Builder(FAMILIES)
    settings = builder.build(StrategySettings, data)
    return settings, {".".join(map(str, one.path)): one.message for one in builder.issues}


@pytest.mark.parametrize(
    ("written", "guide"),
    [
        ("evolution", GaussianProcess()),
        ({"evolution": {"mutation": {"edits": 3}, "crossover": "sections"}}, GaussianProcess()),
        ({"evolution": {"founders": ["lenet5"], "guide": None}}, GaussianProcess()),
        ({"evolution": {"guide": {"forest": {"trees": 9}}}}, Forest(trees=9)),
        ({"evolution": {"guide": "none"}}, NoGuide()),
        ({"evolution": {"population": 8}}, NoGuide()),
        ({"evolution": {"selection": "rank"}}, NoGuide()),
        ({"evolution": {"replacement": "steady_state"}}, NoGuide()),
        (RECORDED, NoGuide()),
    ],
)
def test_which_guide_is_meant(written, guide, small_space, loss):
    settings, issues = built(written)
    assert issues == {}
    assert settings.guide == guide
    strategy = settings.make(SearchProblem(small_space, loss, Fidelity(1), 0))
    assert type(strategy) is (Generational if guide == NoGuide() else Guided)
    # What is recorded says so itself, and means the same.
    recorded = dump(settings, FAMILIES)
    assert recorded["evolution"]["guide"] is not None
    assert built(recorded) == (settings, {})


def test_a_record_from_before_the_guides_is_the_search_that_it_was():
    settings, _ = built(RECORDED)
    assert settings.search == GenerationalSettings(
        10, Tournament(3), Uniform(0.25), Mutation(), Elitist(2), founders=("mlp2",)
    )


def test_what_is_left_out_has_the_defaults_of_the_search_that_is_meant():
    with_one, without = EvolutionSettings(), EvolutionSettings(NoGuide())
    assert with_one.search == GuidedSettings(surrogate=GaussianProcess())
    assert without.search == GenerationalSettings()
    assert (with_one.initial, with_one.population, with_one.replacement) == (10, None, None)
    assert (without.initial, without.children, without.population) == (None, None, 16)
    assert (with_one.mutation, without.mutation) == (Mutation(edits=2), Mutation())
    assert (with_one.first_generation(), without.first_generation()) == (10, 16)
    assert with_one.all_libraries() == {"scipy"}
    assert without.all_libraries() == {"deap"}


def test_every_setting_belongs_to_one_of_the_two_or_to_both():
    own = {item.name for item in dataclasses.fields(EvolutionSettings)} - {"guide"}
    with_one = {item.name for item in dataclasses.fields(GuidedSettings)} - {"surrogate"}
    assert own == with_one | {item.name for item in dataclasses.fields(GenerationalSettings)}


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        (
            {"guide": "forest", "population": 8},
            "population",
            "belongs to evolution without a guide, and this one is guided by forest. Leave it out,"
            " or write `guide: none`. Allowed beside this guide: initial, children, crossover,"
            " mutation and founders.",
        ),
        ({"guide": "dngo", "selection": "rank"}, "selection", "this one is guided by dngo."),
        ({"guide": "gaussian_process", "replacement": "plus"}, "replacement", "or write `guide"),
        (
            {"guide": "none", "children": 9},
            "children",
            "belongs to evolution with a guide, and this one has none. Leave it out. Allowed beside"
            " this guide: population, selection, replacement, crossover, mutation and founders.",
        ),
        ({"population": 8, "initial": 4}, "initial", "belongs to evolution with a guide"),
        ({"guide": "gausian_process"}, "guide", "Did you mean 'gaussian_process'?"),
        ({"guide": {"forest": {"trees": 0}}}, "guide.forest.trees", "must be"),
        ({"population": 1}, "population", "must be a whole number of at least 2"),
        ({"population": 4, "replacement": {"elitist": {"elites": 4}}}, "replacement", "elites"),
        ({"initial": 2, "founders": ["a", "b", "c"]}, "founders", "3 founders do not fit"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, key, words):
    _, issues = built({"evolution": settings})
    assert list(issues) == [f"evolution.{key}"]
    assert words in issues[f"evolution.{key}"]


def test_there_is_no_strategy_by_the_name_of_guided():
    _, issues = built("guided")
    assert "unknown name. Allowed: aging, " in issues[""]


def test_screened_wraps_evolution_without_a_guide_and_seeded_any():
    assert ScreenedSettings().inner == EvolutionSettings(NoGuide())
    assert ScreenedSettings(EvolutionSettings(replacement=SteadyState())).problems() == {}
    assert SeededSettings(genomes=("one",)).inner == EvolutionSettings()
    wrong = ScreenedSettings(EvolutionSettings()).problems()["inner"]
    assert "has no alternatives to choose from; evolution without a guide (`guide: none`)" in wrong
