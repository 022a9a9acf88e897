"""The genealogy as Graphviz's DOT, plain text: `dot -Tsvg` draws it, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evonas.insight.words import clean, number, shortened

if TYPE_CHECKING:
    import networkx as nx

MOST_CHANGES = 3
LONGEST = 60


def to_dot(graph: nx.DiGraph[int], marked: int | None = None) -> str:
    """A digraph of a genealogy, or of a part of it.

    Nodes are named by their trial's id and tell its value or its failure; an edge tells the operator and the first few
    changes. Edges from other than the main parent are dashed, and so are failed trials and twins.

    Args:
        graph: as `genealogy` makes it.
        marked: the trial that is drawn thick.
    """
    lines = [
        "digraph genealogy {",
        "  graph [rankdir=TB];",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        '  edge [fontname="sans-serif", fontsize=9];',
    ]
    for node in sorted(graph):
        data = graph.nodes[node]
        lines.append(f"  {node} [label={_label(_told(node, data))}{_style(data, node == marked)}];")
    for parent, child in sorted(graph.edges):
        data = graph.edges[parent, child]
        style = "" if data["main"] else ", style=dashed"
        lines.append(f"  {parent} -> {child} [label={_label(_done(data))}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _told(node: int, data: dict[str, Any]) -> list[str]:
    value = data["state"] if data["fitness"] is None else number(data["fitness"])
    twin = [] if data["twin_of"] is None else [f"twin of {data['twin_of']}"]
    return [f"trial {node}", value, *twin]


def _style(data: dict[str, Any], marked: bool) -> str:
    if marked:
        return ", penwidth=3"
    return (
        ', style="rounded,dashed"' if data["fitness"] is None or data["twin_of"] is not None else ""
    )


def _done(data: dict[str, Any]) -> list[str]:
    shown = data["changes"][:MOST_CHANGES]
    more = len(data["changes"]) - len(shown)
    return [data["operator"], *shown, *([f"and {more} more"] if more else [])]


def _label(lines: list[str]) -> str:
    """A quoted string of several lines. Inside of it a backslash would begin one of Graphviz's own escapes, such as the
    name of the node."""
    safe = [
        shortened(clean(line), LONGEST).replace("\\", "\\\\").replace('"', '\\"') for line in lines
    ]
    return '"' + "\\n".join(safe) + '"'
