from __future__ import annotations

import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from evonas.insight.axis import measure_of
from evonas.insight.climb import MOST_CIRCLES, climb_svg, radius
from evonas.insight.svg import text_width
from evonas.trial import Objective, TrialState
from evonas.words import number

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def with_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Elements of a class, without those of the legend."""
    legend = {
        child for group in root.iter(f"{SVG}g") if "transform" in group.attrib for child in group
    }
    return [e for e in root.iter() if name in e.get("class", "").split() and e not in legend]


def words(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_one_dot_a_fitness_and_one_cross_a_failure(make_run, objective):
    trials = make_run(96)
    root = parse(climb_svg(trials, objective, "digits"))

    found = sum(trial.fitness is not None for trial in trials)
    assert len(with_class(root, "dot")) == found
    assert int(with_class(root, "cross")[0].get("data-count")) == len(trials) - found > 0
    assert len(with_class(root, "ring")) == 1


def test_many_trials_are_paths_with_a_dot_each(make_run, objective):
    trials = make_run(MOST_CIRCLES + 500, size=100)
    root = parse(climb_svg(trials, objective))

    clouds = with_class(root, "cloud")
    dots = sum(path.get("d").count("M") for path in clouds) + len(with_class(root, "dot"))
    assert dots == sum(trial.fitness is not None for trial in trials)
    assert sum(int(path.get("data-count")) for path in clouds) > MOST_CIRCLES
    assert not with_class(root, "edges")


def test_very_many_trials_stay_small(make_run, make_trial, objective):
    base = make_run(200, accuracy=False)
    trials = [
        make_trial(i, base[i % 200].metrics.get("val_loss", 1.0) * (1 + i % 997 / 997))
        for i in range(50_000)
    ]

    assert len(climb_svg(trials, objective)) < 3_000_000


def test_twins_are_hollow(family, objective):
    root = parse(climb_svg(family, objective))

    assert len(with_class(root, "twin")) == 1
    assert len(with_class(root, "dot")) == 5
    assert "duplicate" in words(root)


def test_the_winners_line_is_drawn(family, objective):
    root = parse(climb_svg(family, objective))

    (line,) = with_class(root, "line")
    assert line.get("d").count("C") == 3
    assert "trial 6: 0.1000" in words(root)
    assert "the winner's main parents" in words(root)


def test_without_parents_the_best_so_far_is_drawn(make_run, objective):
    root = parse(climb_svg(make_run(60, parents=False), objective))

    (line,) = with_class(root, "line")
    assert "C" not in line.get("d")
    assert "V" in line.get("d")
    assert {"trial", "best so far"} <= set(words(root))
    assert not with_class(root, "edges")


def test_title_best_and_number_are_told(make_run, objective):
    trials = make_run(96)
    svg = climb_svg(trials, objective, "digits")
    root = parse(svg)

    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "digits"
    assert "96 trials in 6 generations" in root.find(f"{SVG}desc").text
    best = min((t for t in trials if t.fitness), key=lambda t: t.fitness.key)
    accuracy = number(best.metrics["val_accuracy"])
    told = f"best val_loss {number(best.metrics['val_loss'])} (val_accuracy {accuracy})"
    assert any(line.startswith(f"{told} by trial {best.id}") for line in words(root))
    assert "val_loss (better upwards, logarithmic)" in words(root)
    assert "parameters, by rank" in words(root)


def test_nothing_is_run_or_loaded_and_hostile_names_are_text(make_trial):
    hostile = "<script>alert(1)</script> \"&' \x1b\x00 javascript:"
    objective = Objective(f"{hostile}loss", "min")
    trials = [
        make_trial(0, 0.5, objective=objective),
        make_trial(1, 0.2, objective=objective, operator=hostile),
    ]

    svg = climb_svg(trials, objective, hostile)

    root = parse(svg)
    assert root.find(f"{SVG}title").text.startswith("<script>alert(1)</script> \"&'")
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "text", "path", "circle", "g"}
    assert not any(
        name.startswith("on") or "href" in name
        for element in root.iter()
        for name in element.attrib
    )
    assert "url(" not in svg
    assert "@import" not in svg
    assert svg.count("http") == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("parents", [True, False])
def test_labels_do_not_overlap(make_run, objective, seed, parents):
    root = parse(climb_svg(make_run(150, seed=seed, parents=parents), objective))

    boxes = []
    for label in with_class(root, "label"):
        size = 13 if "first" in label.get("class") else 11.5
        width, x, y = text_width(label.text, size), float(label.get("x")), float(label.get("y"))
        left = (
            x - {"start": 0, "middle": width / 2, "end": width}[label.get("text-anchor", "start")]
        )
        boxes.append((left, y - size, left + width, y))
    assert len(boxes) > 2
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_the_same_trials_give_the_same_picture(make_run, objective):
    assert climb_svg(make_run(96), objective) == climb_svg(make_run(96), objective)


def test_light_dark_or_as_the_reader_likes(family, objective):
    looks = {dark: climb_svg(family, objective, dark=dark) for dark in (None, True, False)}

    assert len(set(looks.values())) == 3
    assert "prefers-color-scheme:dark" in looks[None]
    assert "prefers-color-scheme" not in looks[True] + looks[False]
    assert "fill:#11161c" in looks[True]
    assert "fill:#11161c" not in looks[False]
    for svg in looks.values():
        style = re.search(r"<style>(.*)</style>", svg)[1]
        assert all(
            part.strip().startswith(".climb") for part in re.findall(r"[}{,]?(\.[^{},]+)\{", style)
        )


def test_degenerate_runs(make_trial, objective):
    nothing = parse(climb_svg([], objective))
    assert "There are no trials yet." in words(nothing)
    failed = parse(climb_svg([make_trial(i, None) for i in range(5)], objective))
    assert "No trial has succeeded yet." in words(failed)
    assert with_class(failed, "cross")[0].get("data-count") == "5"


def test_what_the_limits_refused_and_what_was_cancelled_has_not_failed(make_trial, objective):
    trials = [make_trial(i, None) for i in range(6)]
    for i, state in ((1, TrialState.INFEASIBLE), (2, TrialState.INFEASIBLE)):
        trials[i] = replace(trials[i], state=state)
    trials[3] = replace(trials[3], state=TrialState.CANCELLED)
    trials[5] = replace(trials[5], twin_of=4)
    subtitle = " \u00b7 2 failed \u00b7 2 infeasible \u00b7 1 cancelled \u00b7 1 duplicate"
    assert any(text.endswith(subtitle) for text in words(parse(climb_svg(trials, objective))))
    one = parse(climb_svg([make_trial(0, 0.5)], objective))
    assert len(with_class(one, "dot")) == len(with_class(one, "ring")) == 1


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize(
    "values", [(0.3, 0.3, 0.3), (-5.0, -1.0, -9.0), (0.0, 0.0), (1e300, -1e300), (5e-324, 1.0)]
)
def test_any_finite_values_can_be_drawn(make_trial, direction, values):
    objective = Objective("reward", direction)
    trials = [
        make_trial(i, value, objective=objective, parents=(i - 1,) if i else (), generation=i)
        for i, value in enumerate(values)
    ]

    svg = climb_svg(trials, objective)

    assert len(with_class(parse(svg), "dot")) == len(values)
    assert not re.search(r"\b(nan|inf)\b", svg)


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 1.0])
def test_equal_accuracies_can_be_drawn(make_trial, objective, accuracy):
    root = parse(
        climb_svg([make_trial(i, 0.5 + i, val_accuracy=accuracy) for i in range(4)], objective)
    )

    assert len(with_class(root, "dot")) == 4


def test_a_line_of_descent_with_a_failure_in_it_is_drawn_around_it(make_trial, objective):
    """It has no dot, so that the line is broken there; the labels keep clear of the rest."""
    trials = [
        make_trial(0, 0.9),
        make_trial(1, None, parents=(0,), generation=1),
        make_trial(2, 0.5, parents=(1,), generation=2),
        make_trial(3, 0.1, parents=(2,), generation=3),
    ]
    root = parse(climb_svg(trials, objective))
    (line,) = with_class(root, "line")
    assert line.get("d").count("M") == 1, "from trial 2 to trial 3 alone"
    assert len(with_class(root, "dot")) == 3


def test_dots_are_smaller_where_there_are_more():
    sizes = [radius(count) for count in (1, 120, 121, 400, 1_000, 2_500, 20_000, 20_001, 10**6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 5.0
    assert len(set(sizes)) == 6


def test_a_picture_with_dots_says_what_their_height_is_and_one_without_why_there_are_none(
    make_run, objective
):
    trials = make_run(48, accuracy=False)
    picture = ElementTree.fromstring(climb_svg(trials, objective))
    assert measure_of(trials, objective).title in words(picture)
    (grid,) = with_class(picture, "grid")
    assert grid.get("d", "").count("V") == 2, "between three generations"
    empty = words(ElementTree.fromstring(climb_svg([], objective)))
    assert "There are no trials yet." in empty
    assert measure_of(trials, objective).title not in empty
