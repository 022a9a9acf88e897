"""The strategies of a config: names, keys, and what is wrong with those that are wrapped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evonas.runtime.config.strategy_config import (
    in_words,
    layers,
    objective_problems,
    that_sets_epochs,
    with_meant_guide,
)
from evonas.search.selection import Roulette
from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.hyperband import HyperbandSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import StrategySettings
from evonas.trial import Objective

PLAIN = AgingSettings()
SCREENED = ScreenedSettings(PLAIN)
SEEDED = SeededSettings(SCREENED, ("first",))
GUIDED = "evolution guided by gaussian_process"
UNGUIDED = {"guide": "none"}


def test_the_layers_are_the_strategies_from_the_outermost_to_the_innermost() -> None:
    assert PLAIN.with_inner() == (PLAIN,)
    assert SEEDED.with_inner() == (SEEDED, SCREENED, PLAIN)
    found = layers(SEEDED)
    assert [layer.name for layer in found] == ["seeded", "screened", "aging"]
    assert found[-1].path == ("strategy", "seeded", "inner", "screened", "inner", "aging")


@pytest.mark.parametrize("wrap", [ScreenedSettings, lambda inner: SeededSettings(inner, ("a",))])
def test_what_is_wrong_inside_is_told_with_its_whole_key(
    wrap: Callable[[StrategySettings], StrategySettings],
) -> None:
    """Roulette shares by the value, which must be a loss."""
    bad = wrap(EvolutionSettings(selection=Roulette()))
    maximised = Objective("val_accuracy", "max")
    (path,) = objective_problems(bad, maximised)
    assert path[2:] == ("inner", "evolution", "selection")
    assert objective_problems(bad, Objective("val_loss", "min")) == {}
    assert objective_problems(wrap(PLAIN), maximised) == {}


def test_the_strategy_that_sets_the_epochs_is_named_wherever_it_is() -> None:
    assert that_sets_epochs(SEEDED) == ""
    assert that_sets_epochs(SeededSettings(HyperbandSettings(), ("first",))) == "hyperband"


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (EvolutionSettings(), "evolution guided by gaussian_process"),
        (EvolutionSettings(population=4), "evolution without a guide"),
        (SEEDED, "seeded with screened with aging inside"),
        (SeededSettings(EvolutionSettings(), ("a",)), f"seeded with {GUIDED} inside"),
    ],
)
def test_which_search_it_is_in_words(strategy: StrategySettings, words: str) -> None:
    assert in_words(strategy) == words


@pytest.mark.parametrize(
    ("inner", "meant"),
    [
        ("evolution", UNGUIDED),
        ({"evolution": None}, UNGUIDED),
        ({"evolution": {"guide": None}}, UNGUIDED),
        ({"evolution": {"mutation": {"edits": 2}}}, {"mutation": {"edits": 2}, "guide": "none"}),
        ({"evolution": {"guide": "forest"}}, {"guide": "forest"}),
    ],
)
def test_inside_screened_evolution_has_no_guide_unless_it_names_one(
    inner: object, meant: object
) -> None:
    screened = {"screened": {"inner": inner, "factor": 9}}
    expected = {"screened": {"inner": {"evolution": meant}, "factor": 9}}
    assert with_meant_guide(screened) == expected
    # Also when it is wrapped itself; and elsewhere nothing is added.
    assert with_meant_guide({"seeded": {"inner": screened}}) == {"seeded": {"inner": expected}}
    assert with_meant_guide({"seeded": {"inner": inner}}) == {"seeded": {"inner": inner}}
    assert with_meant_guide(inner) == inner
