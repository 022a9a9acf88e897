"""Who won: all comparisons counted, and the share of the budget that the winner needs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.insight.comparison import Band, Curve
from evonas.insight.scale import Scale, scale_of
from evonas.insight.verdict import Verdict, finals, share_needed, verdicts
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")
RANDOM = [0.041, 0.040, 0.037, 0.055, 0.039]
BETTER = [0.030, 0.033, 0.028, 0.040, 0.031]
"""23 % lower at about each seed."""
NARROWLY_BETTER = [0.037, 0.039, 0.034, 0.048, 0.038]


def judged(reference: str = "random", **found: list[float]) -> dict[str, Verdict]:
    everything = [value for values in found.values() for value in values]
    return verdicts(found, reference, scale_of(LOSS, everything))


def test_the_better_one_beats_the_other_one() -> None:
    (verdict,) = judged(evolution=BETTER, random=RANDOM).values()
    assert verdict.is_shown
    assert (verdict.better, verdict.worse) == ("evolution", "random")
    (other,) = judged(evolution=RANDOM, random=BETTER).values()
    assert other.is_shown
    assert (other.better, other.worse) == ("random", "evolution")


def test_a_single_comparison_is_not_adjusted() -> None:
    (verdict,) = judged(evolution=BETTER, random=RANDOM).values()
    assert verdict.adjusted == verdict.found.p
    assert verdict.comparisons == 1


def test_all_comparisons_with_the_reference_are_counted() -> None:
    """One of twenty tests of equal strategies shows a difference; Holm counts them."""
    alone = judged(narrow=NARROWLY_BETTER, random=RANDOM)["narrow"]
    assert alone.is_shown
    others = {f"equal {number}": RANDOM for number in range(4)}
    found = judged(narrow=NARROWLY_BETTER, **others, random=RANDOM)
    assert set(found) == {"narrow", *others}
    assert found["narrow"].adjusted == pytest.approx(5 * alone.found.p)
    assert found["narrow"].is_shown_alone
    assert not found["narrow"].is_shown


def test_the_smallest_of_several_counts_for_all_and_the_next_for_the_others() -> None:
    found = judged(narrow=NARROWLY_BETTER, random=RANDOM, evolution=BETTER)
    assert found["evolution"].adjusted == pytest.approx(2 * found["evolution"].found.p)
    assert found["narrow"].adjusted == pytest.approx(found["narrow"].found.p)


def test_a_side_that_failed_is_not_the_winner_by_its_successes() -> None:
    """Its failures were left out once: three pairs with a lead of 90 % were "beats"."""
    failing = [0.0041, 0.0042, math.nan, 0.0055, math.nan]
    (verdict,) = judged(failing=failing, random=RANDOM).values()
    assert not verdict.is_shown
    assert verdict.better == "failing", "better at 3 of 5 seeds, but this shows nothing"


def test_it_wins_if_the_test_with_its_failures_counted_shows_it() -> None:
    (verdict,) = judged(failing=[*BETTER, *BETTER, math.nan], random=[*RANDOM, *RANDOM, 1]).values()
    assert verdict.found.failures == (1, 0)
    assert verdict.is_shown
    assert verdict.better == "failing"


def test_the_share_is_where_the_mean_curve_is_as_good() -> None:
    grid = np.array([0.0, 25.0, 50.0, 100.0])
    flat = Band(grid, np.array([np.nan, 3.0, 2.0, 1.0]), grid, grid, is_interval=True)
    assert share_needed(flat, 2.0, Scale(LOSS)) == 0.5
    assert share_needed(flat, 0.5, Scale(LOSS)) is None
    rising = Band(grid, np.array([np.nan, 0.7, 0.8, 0.9]), grid, grid, is_interval=True)
    assert share_needed(rising, 0.8, Scale(ACCURACY)) == 0.5


def test_finals_are_in_the_order_of_the_seeds() -> None:
    def ending(value: float) -> Curve:
        return Curve(np.array([1.0]), np.array([value]))

    assert finals({7: ending(0.7), 2: ending(0.2)}) == [0.2, 0.7]
