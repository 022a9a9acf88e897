"""What a surrogate expected beside what was found: who is drawn, and where."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from evonas.export.artefacts import EXPECTED, Conclusion
from evonas.insight.expected_picture import expected_svg, met
from evonas.trial import Constraint, Expected, Objective, TrialState

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")
SVG = "{http://www.w3.org/2000/svg}"


def expecting(trial, median, low, high):
    return replace(trial, proposal=replace(trial.proposal, expected=Expected(median, low, high)))


@pytest.fixture
def trials(make_trial):
    """A founder, one as expected, one better, one worse, a failure and a duplicate."""
    return [
        make_trial(0, 0.5),
        expecting(make_trial(1, 0.4), 0.4, 0.35, 0.5),
        expecting(make_trial(2, 0.2), 0.4, 0.3, 0.5),
        expecting(make_trial(3, 0.8), 0.3, 0.25, 0.4),
        expecting(make_trial(4, None, state=TrialState.DIVERGED), 0.3, 0.2, 0.4),
        expecting(make_trial(5, 0.4, twin_of=1), 0.4, 0.3, 0.5),
    ]


def parse(svg: str) -> tuple[dict[str, tuple[float, float]], list[str], list[str]]:
    """Where the dots are by their words, all words, and the pieces of the diagonal's path."""
    root = ElementTree.fromstring(svg)
    dots = {}
    for circle in root.iter(f"{SVG}circle"):
        for title in circle.iter(f"{SVG}title"):
            dots[title.text or ""] = (float(circle.get("cx", "")), float(circle.get("cy", "")))
    words = [element.text or "" for element in root.iter(f"{SVG}text")]
    (line,) = [one for one in root.iter(f"{SVG}path") if "diagonal" in one.get("class", "")] or [{}]
    return dots, words, re.findall(r"[\d.]+", line.get("d", ""))


def test_only_results_of_chosen_trials_are_compared(trials):
    assert [one.trial for one in met(trials)] == [1, 2, 3]
    assert [one.is_within for one in met(trials)] == [True, False, False]


def test_a_dot_on_the_diagonal_was_expected_one_above_it_is_better(trials):
    dots, words, ends = parse(expected_svg(trials, LOSS, "mine"))
    x1, y1, x2, y2 = map(float, ends)

    def above(at):
        """Pixels above the diagonal; SVG counts downwards."""
        return y1 + (at[0] - x1) / (x2 - x1) * (y2 - y1) - at[1]

    as_expected, better, worse = dots.values()
    assert above(as_expected) == pytest.approx(0, abs=0.2)
    assert above(better) > 20
    assert above(worse) < -20
    assert list(dots)[1] == "trial 2: expected 0.4000 (0.3000 to 0.5000), found 0.2000"
    assert "mine" in words
    (told,) = [word for word in words if "chosen by a surrogate" in word]
    assert told.startswith("4 trials chosen by a surrogate \u00b7 1 of 3 results among")
    assert told.endswith("1 without a result to compare, not drawn")


def test_of_accuracies_more_is_upwards_and_to_the_right(make_trial):
    some = [
        expecting(make_trial(i, value, objective=ACCURACY), value, value - 0.1, value)
        for i, value in enumerate((0.5, 0.9))
    ]
    (low, high), _, _ = (list(one) for one in parse(expected_svg(some, ACCURACY)))
    dots, _, _ = parse(expected_svg(some, ACCURACY))
    assert dots[high][0] > dots[low][0]
    assert dots[high][1] < dots[low][1]


def test_who_violates_the_constraints_is_not_drawn(make_trial):
    bounded = Objective("val_loss", "min", constraints=(Constraint("flops", most=1),))
    trial = expecting(make_trial(0, 0.4, objective=bounded, flops=2.0), 0.4, 0.3, 0.5)
    assert met([trial]) == []


def test_pictures_of_little(make_trial, trials):
    same = expecting(make_trial(0, 0.4), 0.4, 0.4, 0.4)
    for some in ([], trials[:1], [same], [same, expecting(make_trial(1, 0.0), 0.4, 0.0, 0.4)]):
        parse(expected_svg(some, LOSS))
    _, words, _ = parse(expected_svg(trials[:1], LOSS))
    assert "No trial that a surrogate has chosen has succeeded." in words


def test_a_run_has_the_picture_if_there_is_something_to_see(make_trial, trials):
    def has(some):
        return EXPECTED.applies(Conclusion(session=None, trials=some, winner=None))

    assert not has([make_trial(0, 0.4)])
    assert not has(trials[:1])
    assert has(trials)


@pytest.mark.parametrize("bounds", [(0.5, 0.6, 0.7), (0.5, 0.1, 0.4), (0.5, 0.4, float("inf"))])
def test_what_is_expected_lies_between_two_numbers(bounds):
    with pytest.raises(ValueError, match="must be finite numbers"):
        Expected(*bounds)
