"""A family as GraphML and as JSON, piece by piece: its text is never in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from evonas.insight.family import Family
from evonas.words import clean

_OPENING = """\
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"\
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\
 xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns\
 http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""

_TYPES: Mapping[type, str] = {str: "string", int: "long", float: "double", bool: "boolean"}
"""The words of GraphML for the types of attributes."""

Keys = dict[tuple[str, str, str], str]
"""The name of an attribute, its type and what it is of -> its key in the file."""


def graphml(family: Family) -> Iterator[str]:
    """GraphML for yEd, Gephi and `networkx.read_graphml`, the same that networkx writes.

    An unknown value is left out, and changes are joined by `; `.
    """
    keys = _keys(family)
    yield _OPENING
    # networkx puts each new key before the earlier ones.
    for (name, type_, scope), key in reversed(keys.items()):
        yield f'  <key id="{key}" for="{scope}" attr.name="{name}" attr.type="{type_}" />\n'
    yield '  <graph edgedefault="directed">\n'
    for id, attributes in family.nodes():
        inside = _data(attributes, "node", keys, 6)
        yield f'    <node id="{id}">\n{inside}    </node>\n'
    for parent, child, attributes in family.edges():
        inside = _data(attributes, "edge", keys, 6)
        yield f'    <edge source="{parent}" target="{child}">\n{inside}    </edge>\n'
    yield _data(family.about, "graph", keys, 4)
    yield "  </graph>\n</graphml>\n"


def _keys(family: Family) -> Keys:
    """The keys of all attributes, which the file declares before it uses them."""
    keys: Keys = {}
    _declare(family.about, "graph", keys)
    for _, attributes in family.nodes():
        _declare(attributes, "node", keys)
    # All edges have the same attributes, so that the first one is enough.
    for _, _, attributes in family.edges():
        _declare(attributes, "edge", keys)
        break
    return keys


def _declare(attributes: Mapping[str, Any], scope: str, keys: Keys) -> None:
    for name, value in _flat(attributes):
        keys.setdefault((name, _TYPES[type(value)], scope), f"d{len(keys)}")


def _data(attributes: Mapping[str, Any], scope: str, keys: Keys, indent: int) -> str:
    """The attributes of an element, one a line."""
    lines = []
    for name, value in _flat(attributes):
        key = keys[name, _TYPES[type(value)], scope]
        text = escape(str(value))
        # Plain ASCII, as networkx writes it: no reader has to guess the encoding.
        text = text.encode("ascii", "xmlcharrefreplace").decode("ascii")
        element = f'<data key="{key}">{text}</data>' if text else f'<data key="{key}" />'
        lines.append(f"{' ' * indent}{element}\n")
    return "".join(lines)


def _flat(attributes: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Attributes without None and lists, which GraphML does not know."""
    for name, value in attributes.items():
        if value is None:
            continue
        if isinstance(value, list):
            value = "; ".join(value)
        yield name, clean(value) if isinstance(value, str) else value


def node_link(family: Family) -> Iterator[str]:
    """Strict JSON in networkx's node-link form, with the keys `nodes` and `edges`.

    Unknown values are null.
    """
    about = json.dumps(family.about, allow_nan=False)
    yield f'{{"directed": true, "multigraph": false, "graph": {about}, "nodes": ['
    yield from _listed({**attributes, "id": id} for id, attributes in family.nodes())
    yield '], "edges": ['
    yield from _listed(
        {**attributes, "source": parent, "target": child}
        for parent, child, attributes in family.edges()
    )
    yield "]}"


def _listed(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The rows of a JSON list."""
    before = ""
    for row in rows:
        yield before + json.dumps(row, allow_nan=False)
        before = ", "
