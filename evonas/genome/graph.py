"""A genome as a graph, for pictures, for counting paths and for what surrogates see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evonas.genome.genome import Gene, Genome, positions
from evonas.genome.space import SearchSpace

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Node:
    """A gene, or where a section begins or ends.

    Attributes:
        op: of the gene; `input` or `output` where there is none.
        section: of the gene; empty where there is none.
        position: in the section.
    """

    op: str
    section: str = ""
    position: int = 0
    gene: Gene | None = None


def drawn(space: SearchSpace, genome: Genome) -> tuple[dict[str, Node], dict[tuple[str, str], str]]:
    """What `graph` draws, as plain data.

    Returns:
        The nodes by name, and the kind of each edge by its two ends.
    """
    nodes, edges = {"input": Node("input")}, dict[tuple[str, str], str]()
    last = "input"
    for section in (*space.group("cells"), *space.group("network")):
        start, second, genes = last, "", genome[section.name]
        if section.group == "cells":
            start, second = f"{section.name}:input", f"{section.name}:input 2"
            nodes[start] = nodes[second] = Node("input")
        names = [f"{section.name}[{i}]" for i in range(len(genes))]
        taken: set[str] = set()
        is_dag, before = section.wiring == "dag", start
        for i, (gene, inputs) in enumerate(zip(genes, positions(genes), strict=True)):
            nodes[names[i]] = Node(gene.op, section.name, i, gene)
            if not is_dag:
                edges[before, names[i]] = "chain"
            for place in inputs:
                source = start if place == -1 else second if place == -2 else names[place]
                taken.add(source)
                edges[source, names[i]] = "dag" if is_dag else "skip"
            before = names[i]
        if is_dag:
            before = f"{section.name}:output"
            nodes[before] = Node("output")
            edges.update({(name, before): "dag" for name in names if name not in taken})
        if section.group == "network":
            last = before
    return nodes, edges


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
    nodes, edges = drawn(space, genome)
    for name, node in nodes.items():
        if node.gene is None:
            result.add_node(name, op=node.op)
        else:
            arguments = space.arguments(genome, node.section, node.gene)
            result.add_node(
                name, op=node.op, section=node.section, position=node.position, arguments=arguments
            )
    for (source, name), kind in edges.items():
        gene = nodes[name].gene
        result.add_edge(
            source, name, kind=kind, **({"merge": gene["merge"]} if kind == "skip" and gene else {})
        )
    return result
