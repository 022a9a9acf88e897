"""A genome as a graph, for pictures and for counting paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.genome.genome import Genome, positions
from evonas.genome.space import SearchSpace

if TYPE_CHECKING:
    import networkx as nx


def graph(space: SearchSpace, genome: Genome) -> nx.DiGraph[str]:
    """The network sections as one directed graph without cycles; each cell is a component of its own.

    Returns:
        Nodes: `input` (with `op="input"`), and one a gene, named as in `features[0]`, with `op`, `section`, `position`
        and `arguments` (what the op is called with, as a dict). A dag has a node `features:output`, with `op="output"`,
        for what no gene takes; a cell has `normal:input` and `normal:input 2`. Edges: `kind` is `chain`, `skip` or
        `dag`; a skip has `merge`.
    """
    import networkx as nx  # 0.2 s: only where a graph is asked for

    result: nx.DiGraph[str] = nx.DiGraph(space=space.name, digest=genome.digest)
    result.add_node("input", op="input")
    last = "input"
    for section in (*space.group("cells"), *space.group("network")):
        start, second, genes = last, "", genome[section.name]
        if section.group == "cells":
            start, second = f"{section.name}:input", f"{section.name}:input 2"
            result.add_nodes_from((start, second), op="input")
        taken: set[str] = set()
        before = start
        for i, (gene, inputs) in enumerate(zip(genes, positions(genes), strict=True)):
            node = f"{section.name}[{i}]"
            arguments = space.arguments(genome, section.name, gene)
            result.add_node(node, op=gene.op, section=section.name, position=i, arguments=arguments)
            is_dag = section.wiring == "dag"
            if not is_dag:
                result.add_edge(before, node, kind="chain")
            for place in inputs:
                source = {-1: start, -2: second}.get(place, f"{section.name}[{place}]")
                taken.add(source)
                details = {"kind": "dag"} if is_dag else {"kind": "skip", "merge": gene["merge"]}
                result.add_edge(source, node, **details)
            before = node
        if section.wiring == "dag":
            ends = [f"{section.name}[{i}]" for i in range(len(genes)) if f"{section.name}[{i}]" not in taken]
            before = f"{section.name}:output"
            result.add_node(before, op="output")
            result.add_edges_from(((end, before) for end in ends), kind="dag")
        if section.group == "network":
            last = before
    return result
