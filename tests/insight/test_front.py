"""The front and its hypervolume, against what can be counted by hand and by brute force."""

from __future__ import annotations

import json
import random
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from evonas.insight.front import (
    Box,
    box_of,
    dominates,
    hypervolumes,
    pareto_front,
    summary_of_front,
    turned,
)
from evonas.insight.front_picture import front_svg
from evonas.trial import Constraint, Objective, TrialState

BOUNDS = (Constraint("flops", most=100),)
LOSS, ACCURACY = Objective("val_loss", "min", constraints=BOUNDS), Objective("val_accuracy", "max")
SIZE, TIME = Objective("parameters", "min"), Objective("latency_ms", "min")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def trials(make_trial):
    """A front of three by loss and parameters: 1, 3, 5.

    And a duplicate of 3, one as good as 1, a failure, a violation.
    """
    values = [(0.9, 90), (0.1, 80), (0.5, 70), (0.3, 20), (0.31, 20), (0.6, 5), (0.1, 80)]
    found = [
        make_trial(i, a, objective=LOSS, parameters=float(b), flops=0.0)
        for i, (a, b) in enumerate(values)
    ]
    found.append(make_trial(7, 0.3, objective=LOSS, parameters=20.0, flops=0.0, twin_of=3))
    found.append(make_trial(8, None, state=TrialState.DIVERGED))
    return [*found, make_trial(9, 0.01, objective=LOSS, parameters=1.0, flops=300.0)]


def test_the_front_is_those_that_no_other_one_beats(trials):
    assert [trial.id for trial in pareto_front(trials, (LOSS, SIZE))] == [1, 3, 5]
    assert pareto_front([trials[8], trials[9]], (LOSS, SIZE)) == []
    assert [trial.id for trial in pareto_front(trials, (LOSS,))] == [1]


def test_the_front_by_brute_force(make_trial):
    rng, objectives = random.Random(0), (LOSS, SIZE, TIME)
    cloud = [
        make_trial(
            i,
            rng.random(),
            objective=LOSS,
            parameters=float(rng.randrange(9)),
            latency_ms=rng.random(),
            flops=rng.random() * 200,
        )
        for i in range(120)
    ]
    known = {
        trial.id: values for trial in cloud if (values := turned(trial, objectives)) is not None
    }
    best = {a for a in known if not any(dominates(known[b], known[a]) for b in known)}
    assert {trial.id for trial in pareto_front(cloud, objectives)} == best
    assert 0 < len(best) < len(known) < len(cloud)


def test_the_hypervolume_by_hand():
    box = Box((0.0, 0.0), (10.0, 4.0))
    assert box.volume([]) == 0
    assert box.volume([(5.0, 2.0)]) == pytest.approx(0.25)
    assert box.volume([(5.0, 2.0), (0.0, 3.0), (10.0, 0.0), (12.0, -1.0)]) == pytest.approx(
        0.25 + 0.125
    )
    assert box.volume([(0.0, 0.0)]) == pytest.approx(1)
    assert box.volume([(-5.0, -5.0)]) == pytest.approx(1), "better than the ideal is as good as it"


def test_the_hypervolume_by_counting():
    rng = np.random.default_rng(0)
    front, darts = rng.random((12, 3)), rng.random((40_000, 3))
    share = (darts[:, None, :] >= front[None]).all(axis=2).any(axis=1).mean()
    assert Box((0.0,) * 3, (1.0,) * 3).volume(
        [tuple(row) for row in front.tolist()]
    ) == pytest.approx(share, abs=0.01)


def test_the_hypervolume_never_falls(trials):
    box = box_of(trials, (LOSS, SIZE))
    assert (box.ideal, box.reference) == ((0.1, 5.0), (0.9, 90.0))
    series = hypervolumes(trials, (LOSS, SIZE))
    assert series == sorted(series)
    assert series[0] == 0, "the worst of all dominates nothing"
    assert series[-1] == pytest.approx(box.volume([(0.1, 80.0), (0.3, 20.0), (0.6, 5.0)]))
    assert hypervolumes(trials[8:], (LOSS, SIZE)) == [0.0, 0.0]


def test_a_single_value_has_some_width(make_trial):
    same = [
        make_trial(i, 0.5, objective=LOSS, parameters=float(9 - i), flops=0.0) for i in range(3)
    ]
    assert hypervolumes(same, (LOSS, SIZE)) == pytest.approx([0, 0.5, 1])


def test_the_summary_is_plain_and_in_the_users_own_values(make_trial):
    some = [
        make_trial(i, a, objective=ACCURACY, parameters=float(b))
        for i, (a, b) in enumerate([(0.8, 10), (0.9, 90)])
    ]
    found = summary_of_front(some, (ACCURACY, SIZE))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["front"] == [
        {"trial": 1, "val_accuracy": 0.9, "parameters": 90.0},
        {"trial": 0, "val_accuracy": 0.8, "parameters": 10.0},
    ]
    assert found["ideal"] == {"val_accuracy": 0.9, "parameters": 10.0}
    assert found["reference"] == {"val_accuracy": 0.8, "parameters": 90.0}
    assert summary_of_front([], (ACCURACY, SIZE))["ideal"] is None


def parse(svg: str) -> tuple[list[str], list[str], str]:
    """Tooltips of the dots, words, and the line's path."""
    root = ElementTree.fromstring(svg)
    tips = [
        title.text for circle in root.iter(f"{SVG}circle") for title in circle.iter(f"{SVG}title")
    ]
    lines = [path.get("d") for path in root.iter(f"{SVG}path") if path.get("class") == "line"]
    return tips, [element.text or "" for element in root.iter(f"{SVG}text")], "".join(lines)


def test_the_picture_has_every_trial_that_could_be_on_the_front(trials):
    tips, words, line = parse(front_svg(trials, (LOSS, SIZE), "mine"))
    assert len(tips) == 8, "without the failure and the violation"
    assert sum(tip.startswith("trial 5: 0.6000, 5.0000") for tip in tips) == 1
    assert "mine" in words
    assert any("3 on the front" in word and "1 beyond the constraints" in word for word in words)
    assert (line.count("M"), line.count("V")) == (1, 3), "a step for each of the three"
    assert any(word.startswith("parameters (better to the left") for word in words)


def test_with_three_objectives_there_is_no_line(make_trial):
    some = [
        make_trial(i, 0.1 * i + 0.1, parameters=9.0 - i, latency_ms=float(i % 3)) for i in range(6)
    ]
    tips, words, line = parse(front_svg(some, (Objective("val_loss", "min"), SIZE, TIME)))
    assert len(tips) == 6
    assert line == ""
    assert "latency_ms, by rank" in words


@pytest.mark.parametrize("objectives", [(LOSS, SIZE), (ACCURACY, TIME)])
def test_pictures_of_little(make_trial, objectives):
    one = make_trial(
        0, 0.5, objective=objectives[0], parameters=3.0, latency_ms=0.0, flops=0.0, val_accuracy=1.0
    )
    for some in (
        [],
        [make_trial(0)],
        [one],
        [
            one,
            make_trial(1, 0.5, objective=objectives[0], parameters=3.0, latency_ms=0.0, flops=0.0),
        ],
    ):
        parse(front_svg(some, objectives))


def test_a_count_is_told_whole_and_a_measure_with_its_digits(make_trial):
    some = [
        make_trial(0, 0.25, parameters=345.0, latency_ms=12.5),
        make_trial(1, 0.5, parameters=20.5, latency_ms=40.0),
    ]
    tips, _, _ = parse(front_svg(some, (LOSS, SIZE, TIME)))
    (first,) = [tip for tip in tips if tip.startswith("trial 0: ")]
    (second,) = [tip for tip in tips if tip.startswith("trial 1: ")]
    assert re.search(r", 345, 12\.5", first)
    assert re.search(r", 20\.5\d*, 40$", second)
