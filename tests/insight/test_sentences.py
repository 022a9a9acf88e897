"""What a comparison says, to the letter."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from evonas.insight.comparison import HYPERVOLUME
from evonas.insight.scale import scale_of
from evonas.insight.sentences import sentence
from evonas.insight.verdict import verdicts
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")
NONE = math.nan
RANDOM = [0.041, 0.040, 0.037, 0.055, 0.039]
BETTER = [0.030, 0.033, 0.028, 0.040, 0.031]
NOISY = [0.030, 0.043, 0.028, 0.040, 0.051]


def said(
    objective: Objective = LOSS,
    samples: int = 0,
    share: float | None = 0.38,
    **found: list[float],
) -> list[str]:
    """The sentences; the last strategy is the reference."""
    everything = [value for values in found.values() for value in values]
    scale = scale_of(objective, everything, samples)
    *_, reference = found
    told = verdicts(found, reference, scale).values()
    return [sentence(verdict, "trials", share) for verdict in told]


def test_a_lower_loss_is_told_in_percent() -> None:
    assert said(evolution=BETTER, random=RANDOM) == [
        "evolution beats random with 23 % lower val_loss (95 % interval 18 % to 28 %, 5 seeds)"
        " and needs 38 % of its trials."
    ]


def test_the_same_lead_of_smaller_losses_is_told_the_same() -> None:
    smaller = {"a": [value / 1000 for value in BETTER], "b": [value / 1000 for value in RANDOM]}
    assert said(**smaller) == said(a=BETTER, b=RANDOM)


def test_the_loser_is_told_as_the_loser() -> None:
    (words,) = said(evolution=RANDOM, random=BETTER)
    assert words.startswith("random beats evolution with 23 % lower val_loss (95 % interval 18 %")


def test_what_is_not_shown_is_told_with_the_lead_that_could_be() -> None:
    """Never with the seeds that the observed lead would need: that lead is mostly noise."""
    assert said(evolution=NOISY, random=RANDOM) == [
        "No difference between evolution and random can be shown at 5 seeds (evolution leads with"
        " 11 % lower val_loss, 95 % interval 25 % higher to 36 % lower); 5 seeds can show a lead of"
        " about 36 %."
    ]
    (turned,) = said(evolution=RANDOM, random=NOISY)
    assert "(random leads with 11 % lower val_loss, 95 % interval 25 % higher to 36 % l" in turned


def test_a_wide_interval_is_told_in_times() -> None:
    (words,) = said(a=[0.03, 0.043], b=[0.041, 0.040])
    assert "95 % interval 10 times as high to 92 % lower); 2 seeds can show a lead" in words
    (wider,) = said(a=[0.03, 0.43], b=[0.41, 0.04])
    assert "95 % interval so wide that it says nothing: over 10,000 times as high to" in wider
    assert "times as high to 99.9 % lower); 2 seeds can show hardly any lead." in wider


def test_two_comparisons_are_counted_and_one_is_not() -> None:
    one, _ = said(a=BETTER, b=NOISY, random=RANDOM)
    assert one.startswith("a beats random with 23 % lower val_loss")
    assert "with 2 comparisons counted)" in one
    (alone,) = said(a=BETTER, random=RANDOM)
    assert "counted" not in alone


def test_all_comparisons_are_counted() -> None:
    narrow = [0.037, 0.039, 0.034, 0.048, 0.038]
    found = said(a=BETTER, b=narrow, c=NOISY, d=NOISY, random=RANDOM)
    assert found[0].startswith("a beats random with 23 % lower val_loss (95 % interval 18 % to 28")
    assert re.search(r", 5 seeds, p = 0\.00\d+ with 4 comparisons counted\) and needs", found[0])
    assert found[1] == (
        "b is ahead of random with 7.2 % lower val_loss (95 % interval 1.4 % to 13 %, 5 seeds,"
        " p = 0.0262), but with 4 comparisons counted this is not shown"
        " (p = 0.0786 by Holm's method)."
    )
    assert found[2].endswith(" with 4 comparisons counted.")


def test_failures_are_named_and_the_test_is_by_signs() -> None:
    failing = [0.041, NONE, 0.037, NONE, 0.039]
    assert said(evolution=BETTER, random=failing) == [
        "No difference between evolution and random can be shown at 5 seeds: random found nothing"
        " at 2 of 5 seeds; evolution is better at 5 of 5 (sign test, p = 0.0625; it needs at least"
        " 6 seeds)."
    ]
    assert said(evolution=BETTER * 2, random=failing * 2) == [
        "evolution beats random at 10 of 10 seeds (random found nothing at 4 of 10 seeds;"
        " sign test, p = 0.00195)."
    ]
    (both,) = said(evolution=[NONE, NONE, 0.03, NONE, NONE], random=failing)
    assert "evolution found nothing at 4 and random at 2 of 5 seeds; random is better at 2" in both
    assert "needs 38 %" not in both


def test_with_several_comparisons_a_sign_test_needs_more_seeds() -> None:
    found = said(a=[NONE] * 6, b=[*NOISY, 0.05], random=[*RANDOM, 0.04])
    assert found[0] == (
        "random is ahead of a at 6 of 6 seeds (a found nothing at 6 of 6 seeds; sign test,"
        " p = 0.0312), but with 2 comparisons counted this is not shown"
        " (p = 0.0625 by Holm's method)."
    )
    fewer = said(a=[NONE] * 5, b=NOISY, random=RANDOM)
    assert fewer[0].endswith("(sign test, p = 0.0625; it needs at least 7 seeds).")


def test_equal_differences_are_told_by_signs() -> None:
    assert said(ACCURACY, 30, a=[29 / 30, 28 / 30], b=[27 / 30, 26 / 30]) == [
        "No difference between a and b can be shown at 2 seeds: a is better at 2 of 2, each time by"
        " 6.67 points (sign test, p = 0.5; it needs at least 6 seeds)."
    ]
    assert said(a=[0.03] * 6, b=[0.04] * 6) == [
        "a beats b at 6 of 6 seeds, each time with 25 % lower val_loss (sign test, p = 0.0312)"
        " and needs 38 % of its trials."
    ]
    (few,) = said(ACCURACY, a=[0.9, 0.9, 0.8], b=[0.9, 0.8, 0.8])
    assert ": a is better at 1 of 3, by 10.00 points (sign test, p = 1; it needs" in few
    assert said(a=[0.03, 0.04], b=[0.03, 0.04]) == [
        "No difference between a and b can be shown at 2 seeds: they are equal at each."
    ]
    (words,) = said(a=[0.03, NONE], b=[0.03, NONE])
    assert words.endswith(
        ": a found nothing at 1 and b at 1 of 2 seeds; they are equal at the rest."
    )


def test_one_seed_and_no_success_are_told_as_what_they_are() -> None:
    about = "One seed shows nothing about a and b: "
    assert said(a=[0.03], b=[0.04]) == [f"{about}a leads with 25 % lower val_loss."]
    assert said(a=[0.03], b=[0.03]) == [f"{about}they are equal."]
    assert said(a=[0.03], b=[NONE]) == [f"{about}b found nothing."]
    assert said(a=[NONE, NONE], b=[NONE, NONE]) == [
        "a and b cannot be compared: neither of them found anything at any seed."
    ]


def test_an_accuracy_is_told_in_points() -> None:
    (words,) = said(ACCURACY, evolution=[0.980, 0.981, 0.979], random=[0.975, 0.977, 0.976])
    assert words == (
        "evolution beats random by 0.40 points (95 % interval 0.15 to 0.65, 3 seeds)"
        " and needs 38 % of its trials."
    )


def test_a_small_lead_is_not_rounded_to_nothing() -> None:
    ours = [0.98004, 0.98103, 0.97905]
    theirs = [0.98, 0.981, 0.979]
    (words,) = said(ACCURACY, a=ours, b=theirs)
    assert words.startswith("a beats b by 0.004 points (95 % interval 0.0015 to 0.0065, 3 seeds)")


def test_no_accuracy_is_more_than_100_points_above_another_one() -> None:
    (words,) = said(ACCURACY, a=[0.9, 0.5], b=[0.5, 0.7])
    assert "95 % interval -100.00 to 100.00); 2 seeds can show hardly any lead." in words


@pytest.mark.parametrize("scale", [1, 100])
def test_an_accuracy_in_percent_is_told_in_the_same_points_as_a_fraction(scale: int) -> None:
    """Tables of published searches have 93.37 where Keras has 0.9337."""
    ours = [*(np.array([0.9337, 0.9351, 0.9342]) * scale)]
    theirs = [*(np.array([0.9296, 0.9310, 0.9305]) * scale)]
    assert said(ACCURACY, share=None, evolution=ours, random=theirs) == [
        "evolution beats random by 0.40 points (95 % interval 0.34 to 0.45, 3 seeds)."
    ]
    (one,) = said(ACCURACY, evolution=ours[:1], random=theirs[:1])
    assert one.endswith("evolution leads by 0.41 points.")
    noisy = [*theirs, ours[0] + 0.0002 * scale]
    (noise,) = said(ACCURACY, evolution=[*ours, theirs[0]], random=noisy)
    assert "(evolution leads by 0.19 points, 95 % interval -" in noise
    assert noise.endswith("4 seeds can show a lead of about 0.88 points.")


def test_a_hypervolume_is_no_accuracy_and_an_empty_front_is_reached_with_nothing() -> None:
    (words,) = said(HYPERVOLUME, share=0.0, nsga2=[0.512, 0.52, 0.51], random=[0.5, 0.508, 0.4983])
    assert words.startswith("nsga2 beats random by 0.0119 in hypervolume (95 % interval 0.01")
    assert words.endswith("3 seeds).")
