from __future__ import annotations

import subprocess
import sys

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.genome import SearchSpace, graph, parse_genome, parse_space, sample
from evonas.randomness import generator


def test_nodes_and_edges() -> None:
    space = parse_space(
        "space: s\ninput: vector\nnetwork:\n"
        "  a: {length: [0, 4], wiring: skip, ops: {x: {k: 3, w: {same_as: z.w}}}}\n"
        "  b: {ops: {y: {}}}\n"
        "settings: {z: {ops: {z: {w: {choice: [1, 2]}}}}}",
        "s.yaml",
    )
    seed = "space: s\na: [x, x: {inputs: [input]}, x: {inputs: [0]}]\nb: [y]\nz: [z: {w: 2}]"
    drawn = graph(space, parse_genome(seed, "g.yaml", space))
    assert list(drawn.nodes) == ["input", "a[0]", "a[1]", "a[2]", "b[0]"]
    assert drawn.nodes["a[1]"] == {
        "op": "x",
        "section": "a",
        "position": 1,
        "arguments": {"k": 3, "w": 2},
    }
    chain = [("input", "a[0]"), ("a[0]", "a[1]"), ("a[1]", "a[2]"), ("a[2]", "b[0]")]
    assert [(u, v) for u, v, kind in drawn.edges(data="kind") if kind == "chain"] == chain
    skips = [
        (u, v, data["merge"]) for u, v, data in drawn.edges(data=True) if data["kind"] == "skip"
    ]
    assert sorted(skips) == [("a[0]", "a[2]", "add"), ("input", "a[1]", "add")]


@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_every_gene_lies_between_the_input_and_the_end(convnet: SearchSpace, seed: int) -> None:
    drawn = graph(convnet, sample(convnet, generator(seed, "sample")))
    assert nx.is_directed_acyclic_graph(drawn)
    ends = [node for node, degree in drawn.out_degree() if degree == 0]
    assert len(ends) == 1
    assert nx.descendants(drawn, "input") == set(drawn.nodes) - {"input"}


def test_importing_the_room_is_light() -> None:
    code = (
        "import sys, evonas.genome;"
        " print([m for m in ('networkx', 'keras', 'tensorflow') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_dag_ends_in_one_node_and_a_cell_is_a_component(dag: SearchSpace) -> None:
    for seed in range(20):
        genome = sample(dag, np.random.default_rng(seed))
        made = graph(dag, genome)
        assert nx.is_directed_acyclic_graph(made)
        for name, start in (
            ("even", "even:input"),
            ("odd", "odd:input"),
            ("trunk", "input"),
            ("three", "trunk:output"),
        ):
            ends = {f"{name}:output"}
            genes = [f"{name}[{i}]" for i in range(len(genome[name]))]
            assert {node for node in genes if not nx.descendants(made, node) & ends} == set(), (
                "no gene is without effect"
            )
            assert all(made.in_degree(node) <= dag[name].inputs for node in genes)
            assert start in made
        assert not nx.has_path(made, "even:input", "three:output")
        assert nx.has_path(made, "input", "three:output")
