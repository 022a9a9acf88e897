"""The families that other programs read: the same that networkx writes, but piece by piece."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import networkx as nx
import pytest

from evonas.insight.family import Family
from evonas.insight.genealogy import genealogy
from evonas.insight.graph_files import graphml, node_link
from evonas.words import clean


def by_networkx(graph):
    """GraphML as networkx writes it, of the attributes that GraphML knows."""

    def flat(data):
        found = {}
        for key, value in data.items():
            if value is not None:
                joined = "; ".join(value) if isinstance(value, list) else value
                found[key] = clean(joined) if isinstance(joined, str) else joined
        return found

    plain = nx.DiGraph(**flat(graph.graph))
    for node, data in graph.nodes(data=True):
        plain.add_node(node, **flat(data))
    for parent, child, data in graph.edges(data=True):
        plain.add_edge(parent, child, **flat(data))
    return "\n".join(nx.generate_graphml(plain)) + "\n"


def read(family):
    text = "".join(graphml(family))
    return nx.read_graphml(io.BytesIO(text.encode()), node_type=int)


def test_graphml_is_byte_for_byte_what_networkx_writes(make_run, family, objective):
    for trials in (make_run(96), family, []):
        expected = by_networkx(genealogy(trials, objective))
        assert "".join(graphml(Family(trials, objective))) == expected


def test_hostile_words_are_written_as_networkx_writes_them(make_trial, objective):
    hostile = '<x a="1">&\x1b\x00 \u00e9 ]]>'
    trials = [
        make_trial(0, 0.5),
        make_trial(1, 0.4, parents=(0,), operator=hostile),
        make_trial(2, 0.3, parents=(1,), operator=""),
    ]
    named = replace(objective, name='a "b" & <c>')
    expected = by_networkx(genealogy(trials, named))
    assert "".join(graphml(Family(trials, named))) == expected
    assert read(Family(trials, named)).edges[0, 1]["operator"] == clean(hostile)


def test_values_of_two_types_have_two_keys_as_in_networkx(make_trial, objective):
    trials = [make_trial(0, 1), make_trial(1, 0.5)]
    assert type(trials[0].fitness.value) is int
    expected = by_networkx(genealogy(trials, objective))
    assert "".join(graphml(Family(trials, objective))) == expected


def test_graphml_is_read_again_by_networkx(family, objective):
    graph = genealogy(family, objective)
    again = read(Family(family, objective))
    assert set(again) == set(graph)
    assert set(again.edges) == set(graph.edges)
    assert again.is_directed()
    for node, data in graph.nodes(data=True):
        assert again.nodes[node] == {key: value for key, value in data.items() if value is not None}
    for edge, data in graph.edges.items():
        assert again.edges[edge] == data | {"changes": "; ".join(data["changes"])}


def test_json_is_strict_and_node_link(family, objective):
    graph = genealogy(family, objective)
    text = "".join(node_link(Family(family, objective)))
    assert text == json.dumps(nx.node_link_data(graph, edges="edges"))
    data = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = nx.node_link_graph(data, edges="edges")
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {edge: dict(value) for edge, value in again.edges.items()} == dict(graph.edges.items())
    assert again.nodes[2]["fitness"] is None


def test_degenerate_runs(make_trial, objective):
    for trials in ([], [make_trial(0, 0.5)], [make_trial(0, None)]):
        family = Family(trials, objective)
        assert json.loads("".join(node_link(family)))["directed"] is True
        assert len(read(family)) == len(trials)


def test_a_part_is_a_subgraph(make_run, objective):
    trials = make_run(96)
    ids = [3, 5, 8, 20, 21, 50]
    graph = genealogy(trials, objective).subgraph(ids)
    again = read(Family(trials, objective, ids))
    assert set(again) == set(ids)
    assert set(again.edges) == set(graph.edges)


def test_pieces_come_one_by_one(make_run, objective):
    """A piece is written before the next trial is looked at."""
    looked_at = []

    class Watched(list):
        def __getitem__(self, place):
            looked_at.append(place)
            return super().__getitem__(place)

    family = Family(Watched(make_run(96)), objective)
    looked_at.clear()
    pieces = node_link(family)
    next(pieces)
    assert looked_at == []
    next(pieces)
    assert looked_at == [0]
    next(pieces)
    assert looked_at == [0, 1]


@pytest.mark.parametrize("parent", [1, 7, -1])
def test_a_wrong_parent_is_refused_before_anything_is_written(make_trial, objective, parent):
    trials = [make_trial(0, 0.5), make_trial(1, 0.4, parents=(parent,))]
    with pytest.raises(Exception, match=f"Trial 1 names trial {parent} as a parent"):
        Family(trials, objective)
