from __future__ import annotations

import json

from evonas.insight.summary import best_so_far, improvements, incumbent, summarize
from evonas.trial import Constraint, Fitness, Objective, TrialState


def test_the_incumbent_is_the_best_and_ties_go_to_the_lowest_id(make_trial):
    trials = [
        make_trial(0, 0.3),
        make_trial(1, 0.2),
        make_trial(2, 0.2, twin_of=1),
        make_trial(3, None),
    ]

    assert incumbent(trials).id == 1
    assert incumbent(trials[::-1]).id == 1


def test_a_failed_trial_is_never_the_incumbent(make_trial):
    failed = make_trial(0, 0.1, state=TrialState.CRASHED)

    assert failed.fitness is not None
    assert incumbent([failed]) is None
    assert incumbent([failed, make_trial(1, 0.9)]).id == 1
    assert incumbent([]) is None


def test_more_is_better_under_the_direction_max(make_trial):
    trials = [
        make_trial(i, value, objective=Objective("reward", "max"))
        for i, value in enumerate((-3.0, -1.0, -2.0))
    ]

    assert incumbent(trials).id == 1
    assert [trial.id for trial in improvements(trials)] == [0, 1]
    assert best_so_far(trials) == [-3.0, -1.0, -1.0]


def test_a_fitness_that_is_not_finite_does_not_count(make_trial):
    trial = make_trial(0, 1.0)
    object.__setattr__(trial, "fitness", Fitness(float("-inf"), "min"))

    assert incumbent([trial]) is None


def test_summary_of_a_family(family, objective):
    told = summarize(family, objective)

    assert told == {
        "objective": "val_loss",
        "direction": "min",
        "trials": 7,
        "states": {"ok": 6, "infeasible": 1},
        "twins": 1,
        "done": 6,
        "generations": 4,
        "best": 6,
        "best_value": 0.1,
        "given_founder": None,
        "failing_ops": [],
        "best_so_far": [0.5, 0.4, 0.4, 0.3, 0.3, 0.3, 0.1],
        "improvements": [
            {"trial": 0, "generation": 0, "value": 0.5},
            {"trial": 1, "generation": 0, "value": 0.4},
            {"trial": 3, "generation": 1, "value": 0.3},
            {"trial": 6, "generation": 3, "value": 0.1},
        ],
    }


def test_summaries_are_plain_json_also_where_nothing_succeeded(make_trial, objective):
    for trials in ([], [make_trial(0, None)], [make_trial(0, None, state=TrialState.WAITING)]):
        told = summarize(trials, objective)

        assert json.loads(json.dumps(told, allow_nan=False)) == told
        assert told["best"] is None
        assert told["best_so_far"] == [None] * len(trials)


def test_what_violates_a_constraint_is_neither_the_incumbent_nor_an_improvement(make_trial):
    bounded = Objective("val_loss", "min", constraints=(Constraint("flops", most=100),))
    rows = [(0.5, 50), (0.1, 200), (0.4, 50), (0.05, 101)]
    trials = [
        make_trial(i, value, objective=bounded, flops=flops)
        for i, (value, flops) in enumerate(rows)
    ]
    assert incumbent(trials).id == 2
    assert best_so_far(trials) == [0.5, 0.5, 0.4, 0.4]
    told = summarize(trials, bounded)
    assert (told["best"], told["best_value"]) == (2, 0.4)
