"""A genome as a graph, for pictures and for counting paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.genome.genome import Genome, positions
from evonas.genome.space import SearchSpace

if TYPE_CHECKING:
    import networkx as nx


def graph(space: SearchSpace, genome: Genome) -> nx.DiGraph[str]:
    """The network sections as one directed graph without cycles.

    Returns:
        Nodes: `input` (with `op="input"`), and one a gene, named as in `features[0]`, with `op`, `section`, `position`
        and `arguments` (what the op is called with, as a dict). Edges: `kind` is `chain` or `skip`; a skip has `merge`.
    """
    import networkx as nx  # 0.2 s: only where a graph is asked for

    result: nx.DiGraph[str] = nx.DiGraph(space=space.name, digest=genome.digest)
    result.add_node("input", op="input")
    last = "input"
    for section in space.group("network"):
        start, genes = last, genome[section.name]
        for i, (gene, inputs) in enumerate(zip(genes, positions(genes), strict=True)):
            node = f"{section.name}[{i}]"
            arguments = space.arguments(genome, section.name, gene)
            result.add_node(node, op=gene.op, section=section.name, position=i, arguments=arguments)
            result.add_edge(last, node, kind="chain")
            for place in inputs:
                source = start if place < 0 else f"{section.name}[{place}]"
                result.add_edge(source, node, kind="skip", merge=gene["merge"])
            last = node
    return result
