from __future__ import annotations

import re

from evonas.insight.dot import dot
from evonas.insight.family import Family

NODE = re.compile(r'  (\d+) \[label="((?:[^"\\]|\\.)*)"(.*)\];')
EDGE = re.compile(r'  (\d+) -> (\d+) \[label="((?:[^"\\]|\\.)*)"(.*)\];')


def read(pieces):
    """Nodes and edges of our DOT; every line must be understood."""
    lines = "".join(pieces).splitlines()
    assert lines[0] == "digraph genealogy {"
    assert lines[-1] == "}"
    found = [EDGE.fullmatch(line) or NODE.fullmatch(line) for line in lines[4:-1]]
    assert all(found)
    nodes = {int(m[1]): (m[2], m[3]) for m in found if m.re is NODE}
    edges = {(int(m[1]), int(m[2])): (m[3], m[4]) for m in found if m.re is EDGE}
    return nodes, edges


def test_every_trial_and_every_edge_is_there(make_run, objective):
    family = Family(make_run(96), objective)
    nodes, edges = read(dot(family))
    assert list(nodes) == [id for id, _ in family.nodes()]
    assert list(edges) == [(parent, child) for parent, child, _ in family.edges()]


def test_what_is_told_of_a_family(family, objective):
    nodes, edges = read(dot(Family(family, objective), 6))
    assert nodes[0] == (r"trial 0\n0.5000", "")
    assert nodes[2] == (r"trial 2\ninfeasible", ', style="rounded,dashed"')
    assert nodes[5] == (r"trial 5\n0.4000\ntwin of 1", ', style="rounded,dashed"')
    assert nodes[6][1] == ", penwidth=3"
    assert edges[1, 3] == (r"crossover+alter\nfeatures[1].filters: 8 -> 32", "")
    assert edges[0, 3][1] == ", style=dashed"


def test_a_part_of_the_family(family, objective):
    nodes, edges = read(dot(Family(family, objective, [1, 3, 4])))
    assert (set(nodes), set(edges)) == ({1, 3, 4}, {(1, 3), (3, 4)})


def test_hostile_words_stay_inside_of_their_label(make_trial, objective):
    hostile = 'x"]; evil [label="\\N\n}\x1b'
    trials = [make_trial(0, 0.5), make_trial(1, 0.4, parents=(0,), operator=hostile)]
    nodes, edges = read(dot(Family(trials, objective)))
    assert set(nodes) == {0, 1}
    assert edges[0, 1][0].startswith('x\\"]; evil [label=\\"\\\\N }\ufffd')


def test_long_lists_are_cut(make_trial, objective):
    trials = [
        make_trial(0, 0.5, filters=[8] * 9),
        make_trial(1, 0.4, filters=[16] * 9, parents=(0,)),
    ]
    _, edges = read(dot(Family(trials, objective)))
    assert edges[0, 1][0].endswith(r"\nand 6 more")


def test_no_trials_are_an_empty_graph(objective):
    assert read(dot(Family([], objective))) == ({}, {})
