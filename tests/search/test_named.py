"""A strategy by its name: what it wraps, and what is wrong with the settings of what it wraps."""

from __future__ import annotations

import pytest

from evonas.search.named import StrategyConfig
from evonas.search.selection import Roulette
from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.trial import Objective

PLAIN = StrategyConfig("aging", AgingSettings())
SCREENED = StrategyConfig("screened", ScreenedSettings(PLAIN))
SEEDED = StrategyConfig("seeded", SeededSettings(SCREENED, ("first",)))


def test_the_layers_are_the_strategies_from_the_outermost_to_the_innermost():
    assert PLAIN.layers() == [PLAIN]
    assert SEEDED.layers() == [SEEDED, SCREENED, PLAIN]
    assert PLAIN.innermost == SCREENED.innermost == SEEDED.innermost == PLAIN


@pytest.mark.parametrize("wrap", [ScreenedSettings, lambda inner: SeededSettings(inner, ("a",))])
def test_what_is_wrong_inside_is_told_with_its_whole_key(wrap):
    """Roulette shares by the value, which must be a loss."""
    bad = StrategyConfig("evolution", EvolutionSettings(selection=Roulette()))
    maximised = Objective("val_accuracy", "max")
    assert list(wrap(bad).objective_problems(maximised)) == ["inner.evolution.selection"]
    assert wrap(bad).objective_problems(Objective("val_loss", "min")) == {}
    assert wrap(PLAIN).objective_problems(maximised) == {}
