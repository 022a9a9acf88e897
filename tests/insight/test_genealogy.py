from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest

from evonas.errors import InvalidRecord, UserError
from evonas.genome import changes
from evonas.insight.genealogy import (
    ancestors,
    genealogy,
    line_of_descent,
    main_line,
    to_text,
)
from evonas.trial import Objective


def test_every_trial_is_a_node_with_its_own_fitness(make_run, objective):
    trials = make_run(96)
    graph = genealogy(trials, objective)

    assert nx.is_directed_acyclic_graph(graph)
    assert set(graph) == {trial.id for trial in trials}
    for trial in trials:
        node = graph.nodes[trial.id]
        assert node["fitness"] == (trial.fitness.value if trial.fitness else None)
        assert node["digest"] == trial.genome.digest
        assert (node["state"], node["generation"]) == (str(trial.state), trial.lineage.generation)
        assert node["parameters"] == trial.metrics["parameters"]
    assert graph.graph == {"objective": "val_loss", "direction": "min"}


def test_edges_are_the_parents_and_tell_true_changes(make_run, objective):
    trials = make_run(96)
    graph = genealogy(trials, objective)

    assert set(graph.edges) == {
        (parent, trial.id) for trial in trials for parent in trial.lineage.parents
    }
    for parent, child, data in graph.edges(data=True):
        assert data["changes"] == list(changes(trials[parent].genome, trials[child].genome))
        assert data["operator"] == trials[child].lineage.operator
        assert data["main"] == (trials[child].lineage.parents[0] == parent)


def test_changes_come_from_the_genomes_not_from_the_operator(family, objective):
    graph = genealogy(family, objective)

    assert graph.edges[1, 3]["changes"] == ["features[1].filters: 8 -> 32"]
    assert (graph.edges[1, 3]["main"], graph.edges[0, 3]["main"]) == (True, False)
    assert graph.edges[1, 5]["operator"] == "alter"
    assert graph.edges[1, 5]["changes"] == []
    assert graph.nodes[5]["twin_of"] == 1
    assert graph.nodes[0]["flops"] == 2_000_000
    assert "flops" not in graph.nodes[1]


@pytest.mark.parametrize("parent", [1, 7, -1])
def test_a_parent_that_is_no_earlier_trial_is_refused(make_trial, objective, parent):
    trials = [make_trial(0, 0.5), make_trial(1, 0.4, parents=(parent,))]

    with pytest.raises(InvalidRecord, match=f"Trial 1 names trial {parent} as a parent"):
        genealogy(trials, objective)
    with pytest.raises(InvalidRecord):
        line_of_descent(trials, 1)


def test_a_parent_named_twice_is_one_edge(make_trial, objective):
    graph = genealogy([make_trial(0, 0.5), make_trial(1, 0.4, parents=(0, 0))], objective)

    assert list(graph.edges(data="main")) == [(0, 1, True)]


def test_ancestors_are_what_networkx_finds(make_run, objective):
    trials = make_run(96)
    graph = genealogy(trials, objective)

    for trial in trials[::7]:
        assert ancestors(trials, trial.id) == nx.ancestors(graph, trial.id)


def test_line_of_descent_follows_the_main_parents(family):
    assert main_line(family, 6) == [1, 3, 4, 6]

    steps = line_of_descent(family, 6)

    assert [step.id for step in steps] == [1, 3, 4, 6]
    assert [step.parent for step in steps] == [None, 1, 3, 4]
    assert [step.gain for step in steps] == [
        None,
        pytest.approx(0.1),
        pytest.approx(-0.05),
        pytest.approx(0.25),
    ]
    assert steps[1].others == (0,)
    assert steps[1].changes == ("features[1].filters: 8 -> 32",)
    assert steps[3].changes == ()
    assert steps[3].resume_from == 4


def test_a_gain_is_positive_where_more_is_better(make_trial):
    up = Objective("reward", "max")
    trials = [
        make_trial(0, -2.0, objective=up),
        make_trial(1, -1.5, objective=up, parents=(0,), generation=1),
    ]

    assert line_of_descent(trials, 1)[1].gain == 0.5
    assert "-1.5000   0.5000 better" in to_text(trials, up)


def test_an_unknown_trial_is_the_users_error(family, objective):
    with pytest.raises(UserError, match=r"no trial 7\. Trials are numbered 0 to 6"):
        line_of_descent(family, 7)
    with pytest.raises(UserError, match="no trials yet"):
        to_text([], objective, 0)


TOLD = """\
How trial 6 came to be (val_loss 0.1000, 3 steps; 4 of 7 trials are its ancestors)

gen 0   trial 1   0.4000                   sample
gen 1   trial 3   0.3000   0.1000 better   crossover with trial 0, alter
                                           features[1].filters: 8 -> 32
gen 2   trial 4   0.3500   0.05000 worse   alter
                                           features[0].filters: 16 -> 64
gen 3   trial 6   0.1000   0.2500 better   promote, training of trial 4 continued to 9 epochs
"""


def test_the_story_of_the_winner(family, objective):
    assert to_text(family, objective) == TOLD


def test_the_story_of_others(family, objective, make_trial):
    assert (
        to_text(family, objective, 5)
        .splitlines()[-1]
        .endswith("equal   alter, no change of the genome")
    )
    assert "How trial 2 came to be (failed, 0 steps; 0 of 7 trials are its ancestors)" in to_text(
        family, objective, 2
    )
    assert to_text([make_trial(0, None)], objective).startswith("No trial has succeeded yet")
    assert to_text([], objective).startswith("No trial has succeeded yet")


def test_long_lists_of_changes_are_cut_and_lines_fit(make_trial, objective):
    trials = [
        make_trial(0, 0.5, filters=[8] * 12),
        make_trial(1, 0.4, filters=[16] * 12, parents=(0,), operator="everything+" * 12),
    ]

    lines = to_text(trials, objective, width=80).splitlines()

    assert lines[-1].strip() == "and 7 more"
    assert sum("filters: 8 -> 16" in line for line in lines) == 5
    assert max(map(len, lines)) <= 80


def test_names_cannot_move_the_cursor(make_trial, objective):
    first = make_trial(0, 0.5, operator="seed \x1b[2Jx\r")

    assert "\x1b" not in to_text([first], replace(objective, name="v\x1b[0m")) + to_text(
        [first], objective
    )
