from __future__ import annotations

import pytest

from evonas.insight.layout import BOTTOM, LEFT, MOST_KIN, RIGHT, TOP, scene
from evonas.trial import Objective, TrialState


def test_a_dot_for_every_fitness_inside_the_picture(make_run, objective):
    trials = make_run(200)
    view = scene(trials, objective)

    assert set(view.dots) == {trial.id for trial in trials if trial.fitness is not None}
    assert len(view.failed) == sum(trial.fitness is None for trial in trials)
    assert all(LEFT <= dot.x <= RIGHT and TOP <= dot.y <= BOTTOM for dot in view.dots.values())


def test_x_is_generation_and_place_in_it(make_run, objective):
    view = scene(make_run(48, size=16), objective)

    width = (RIGHT - LEFT) / 3
    for dot in view.dots.values():
        place = dot.trial.lineage.generation + (dot.trial.id % 16 + 0.5) / 16
        assert dot.x == pytest.approx(LEFT + place * width)


def test_a_line_shows_where_each_generation_but_the_first_begins(make_run, objective):
    view = scene(make_run(48, size=16), objective)

    width = (RIGHT - LEFT) / 3
    assert view.x_lines == pytest.approx([LEFT + width, LEFT + 2 * width])


def test_without_parents_x_is_the_trial_and_there_is_no_line(make_run, objective):
    view = scene(make_run(50, parents=False), objective)

    assert not view.by_generation
    assert view.line == []
    assert view.kin == set()
    places = [dot.x for dot in view.dots.values()]
    assert places == sorted(places)


def test_better_is_higher_and_records_rise(make_run, objective):
    view = scene(make_run(96, accuracy=False), objective)

    ordered = sorted(view.dots.values(), key=lambda dot: dot.value)
    assert [dot.y for dot in ordered] == sorted(dot.y for dot in ordered)
    assert view.winner is ordered[0]
    assert [dot.y for dot in view.best] == sorted((dot.y for dot in view.best), reverse=True)


def test_colours_are_ranks_of_the_cost(make_trial, objective):
    trials = [make_trial(i, 0.5, parameters=10.0**i) for i in range(6)]
    view = scene([*trials, make_trial(6, 0.5)], objective)

    assert view.cost is not None
    assert (view.cost.name, view.cost.least, view.cost.greatest) == ("parameters", 1.0, 1e5)
    assert [view.dots[i].colour for i in range(6)] == [0, 2, 4, 6, 8, 10]
    assert view.dots[6].colour is None


def test_equal_costs_are_no_colours(make_trial, objective):
    assert (
        scene(
            [make_trial(i, 0.5, parameters=7.0, seconds=1.0 + i) for i in range(4)], objective
        ).cost.name
        == "seconds"
    )
    assert scene([make_trial(i, 0.5, parameters=7.0) for i in range(4)], objective).cost is None


def test_an_outlier_is_drawn_at_the_edge(make_run, make_trial, objective):
    trials = make_run(95, accuracy=False)
    view = scene([*trials, make_trial(95, 1e30, generation=5, parents=(80,))], objective)

    assert [i for i, dot in view.dots.items() if dot.clipped] == [95]
    assert view.dots[95].y < BOTTOM
    usual = [dot.y for dot in view.dots.values() if not dot.clipped]
    assert max(usual) - min(usual) > 0.7 * (BOTTOM - TOP)


def test_the_family_of_the_winner(family, objective):
    view = scene(family, objective)

    assert view.line == [1, 3, 4, 6]
    assert view.kin == {0, 1, 3, 4}


def test_many_ancestors_are_not_shown(make_trial, objective):
    trials = [
        make_trial(i, 1 / (i + 1), parents=(i - 1,) if i else (), generation=i)
        for i in range(MOST_KIN + 2)
    ]
    view = scene(trials, objective)

    assert view.kin == set()
    assert len(view.line) == len(trials)


def test_a_waiting_trial_is_neither_dot_nor_failure(make_trial, objective):
    view = scene([make_trial(0, 0.5), make_trial(1, None, state=TrialState.WAITING)], objective)

    assert list(view.dots) == [0]
    assert view.failed == []


@pytest.mark.parametrize(
    "values",
    [(0.5,) * 5, (-3.0,) * 5, (0.0,) * 5, (1e-300, 1e300), (-1e300, 1e300), (5e-324,), (1.7e308,)],
)
@pytest.mark.parametrize("direction", ["min", "max"])
def test_extreme_values_have_a_place(make_trial, values, direction):
    objective = Objective("x", direction)
    view = scene(
        [make_trial(i, value, objective=objective) for i, value in enumerate(values)], objective
    )

    assert all(TOP <= dot.y <= BOTTOM for dot in view.dots.values())
