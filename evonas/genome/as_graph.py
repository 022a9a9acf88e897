"""A genome as a graph, for pictures, for counting paths and for what surrogates see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evonas.genome.genome import Gene, Genome, positions
from evonas.genome.space import SearchSpace, Section

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Node:
    """A gene, or the place where a section begins or ends.

    Attributes:
        op: the gene's op; `input` or `output` if there is no gene.
        section: the gene's section; empty if there is no gene.
        position: the gene's place in its section.
    """

    op: str
    section: str = ""
    position: int = 0
    gene: Gene | None = None


Nodes = dict[str, Node]
"""The nodes by name."""
Edges = dict[tuple[str, str], str]
"""The kind of each edge, by the names of its two ends."""


def drawn(space: SearchSpace, genome: Genome) -> tuple[Nodes, Edges]:
    """What `graph` draws, as plain data.

    Returns:
        The nodes by name, and the kind of each edge by its two ends.
    """
    nodes: Nodes = {"input": Node("input")}
    edges: Edges = {}
    for cell in space.group("cells"):
        first = f"{cell.name}:input"
        second = f"{cell.name}:input 2"
        nodes[first] = Node("input")
        nodes[second] = Node("input")
        sources = (first, second)
        _draw_section(cell, genome, sources, nodes, edges)
    # Each network section starts where the one before it ends.
    last = "input"
    for section in space.group("network"):
        sources = (last, "")
        last = _draw_section(section, genome, sources, nodes, edges)
    return nodes, edges


def _draw_section(
    section: Section, genome: Genome, sources: tuple[str, str], nodes: Nodes, edges: Edges
) -> str:
    """Adds one section to `nodes` and `edges`.

    Args:
        sources: names of the section's first and second input.

    Returns:
        The name of the node with the section's output.
    """
    genes = genome[section.name]
    names = [f"{section.name}[{i}]" for i in range(len(genes))]
    # From a place, as in `positions`, to the name of the node there.
    by_place = dict(enumerate(names))
    by_place[-1] = sources[0]
    by_place[-2] = sources[1]
    is_dag = section.wiring == "dag"
    taken: set[str] = set()
    before = sources[0]
    places = positions(genes)
    for i, gene in enumerate(genes):
        name = names[i]
        nodes[name] = Node(
            gene.op,
            section=section.name,
            position=i,
            gene=gene,
        )
        if not is_dag:
            edges[before, name] = "chain"
        for place in places[i]:
            source = by_place[place]
            taken.add(source)
            edges[source, name] = "dag" if is_dag else "skip"
        before = name
    if not is_dag:
        return before
    # The output of a dag is made of everything that no gene takes.
    output = f"{section.name}:output"
    nodes[output] = Node("output")
    for name in names:
        if name not in taken:
            edges[name, output] = "dag"
    return output


def graph(space: SearchSpace, genome: Genome) -> nx.DiGraph[str]:
    """The network sections as one directed graph without cycles.

    Each cell is a component of its own.

    Returns:
        A graph whose nodes are `input` (with `op="input"`) and one node for each gene. A gene's
        node is named as in `features[0]`. It has `op`, `section`, `position` and `arguments` (a
        dict of what the op is called with). A dag has a node `features:output`, with
        `op="output"`, for all that no gene takes. A cell has `normal:input` and `normal:input 2`.
        An edge has `kind`: `chain`, `skip` or `dag`. A skip also has `merge`.
    """
    # Importing networkx takes 0.2 s, so only those who ask for a graph pay for it.
    import networkx as nx

    result: nx.DiGraph[str] = nx.DiGraph(space=space.name, digest=genome.digest)
    nodes, edges = drawn(space, genome)
    for name, node in nodes.items():
        if node.gene is None:
            result.add_node(name, op=node.op)
            continue
        arguments = space.arguments(genome, node.section, node.gene)
        result.add_node(
            name,
            op=node.op,
            section=node.section,
            position=node.position,
            arguments=arguments,
        )
    for (source, name), kind in edges.items():
        gene = nodes[name].gene
        if kind == "skip" and gene is not None:
            result.add_edge(source, name, kind=kind, merge=gene["merge"])
        else:
            result.add_edge(source, name, kind=kind)
    return result
