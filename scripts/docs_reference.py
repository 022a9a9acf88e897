"""The pages of the site that are made from the code: config, ops, and the names of Python.

The settings, the catalog of ops and `__all__` are read, so the pages cannot differ from them. The
names in Python become directives of mkdocstrings, which reads their docstrings.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import evonas
from evonas.model.op_texts import OpText, ParameterText, meanings, op_texts, prose
from evonas.runtime.config.families import Families, members
from evonas.runtime.config.run_config import FAMILIES, RunConfig
from evonas.runtime.config.type_hints import (
    UNIONS,
    bare,
    describe,
    hints_of,
    is_required,
    is_section,
)
from evonas.settings import Settings

CONFIG_HEAD = """# Config reference

Every key that a run's YAML may have. This page is made from the code when the site is built. The
guides say when to change a key. `evonas check FILE` says what a file chooses and what is wrong.

A setting that is written by name stands as one key with its settings below it, such as
`pool: {local: {workers: 2}}`. The bare name takes all defaults: `pool: inline`. A class of your own
is named `package.module:Name` ([write your own](../docs/write-your-own.md)).
"""

OPS_HEAD = """# Ops

What a gene of a [search space](../docs/search-space.md) may be, with its parameters. This page is
made from the code when the site is built. `evonas ops` prints the same. An op of your own is a
function of yours ([your own op](../docs/your-own-op.md)).
"""


# --- config -----------------------------------------------------------------------------------


def config_page(families: Families = FAMILIES) -> str:
    """The config reference: each section with its keys, and each family with its members."""
    parts = [CONFIG_HEAD]
    for section in _sections(families):
        if section in families:
            parts.append(_family(section, families))
        else:
            name = "The whole config" if section is RunConfig else _name(section)
            heading = f"## {name} {{ #{_anchor(section)} }}"
            parts.append(_settings(section, heading, _own(section), families))
    return "\n".join(parts)


def _sections(families: Families) -> list[type[Settings]]:
    """Every section and family that a config can reach, in the order in which it is met."""
    found: dict[type[Settings], None] = {RunConfig: None}
    waiting: list[type[Settings]] = [RunConfig]
    while waiting:
        section = waiting.pop(0)
        holders = [section]
        if section in families:
            holders = list(members(section, families).values())
        for holder in holders:
            for hint in hints_of(holder).values():
                for part in _parts(hint, families):
                    if part not in found:
                        found[part] = None
                        waiting.append(part)
    return list(found)


def _parts(hint: Any, families: Families) -> Iterator[type[Settings]]:
    """The sections and families within a type hint."""
    base = bare(hint)
    if is_section(base):
        yield base
    elif typing.get_origin(base) is not typing.Literal:
        for argument in typing.get_args(base):
            yield from _parts(argument, families)


def _name(section: type[Settings]) -> str:
    """`Budget` of `BudgetConfig`, and `Strategy` of `StrategySettings`."""
    return re.sub(r"(Config|Settings)$", "", section.__name__) or section.__name__


def _anchor(section: type[Settings]) -> str:
    return _name(section).lower()


def _family(family: type[Settings], families: Families) -> str:
    """What may be written by name in one place."""
    parts = [f"## {_name(family)}: by name {{ #{_anchor(family)} }}\n"]
    for name, member in members(family, families).items():
        heading = f"### `{name}` {{ #{_anchor(family)}-{name} }}"
        parts.append(_settings(member, heading, _about(member), families))
    return "\n".join(parts)


def _settings(section: type[Settings], heading: str, about: list[str], families: Families) -> str:
    """One class of settings: its heading, what it is in paragraphs, and a table of its keys."""
    lines = [heading, "", "\n\n".join(about), ""]
    fields = [item for item in dataclasses.fields(section) if item.init]
    if not fields:
        return "\n".join([*lines, "It has no settings.", ""])
    told = _meanings_of(section)
    hints = hints_of(section)
    lines += ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for item in fields:
        allowed = _allowed(hints[item.name], families)
        cells = (f"`{item.name}`", allowed, _default(item, families), told.get(item.name, ""))
        lines.append(row(cells))
    return "\n".join([*lines, ""])


def _own(section: type[Settings]) -> list[str]:
    """What a class of settings says of itself, in paragraphs."""
    return prose(inspect.getdoc(section) or "").split("\n")


def _about(section: type[Settings]) -> list[str]:
    """What something that is written by name is, in paragraphs.

    An algorithm stands in a module of its own, whose docstring says what it does and which paper it
    is from. Its class may say no more than that it is a section.
    """
    own = _own(section)
    module = sys.modules[section.__module__]
    made = [kind for kind in vars(module).values() if _is_made_in(kind, module)]
    # A strategy's module may hold a selection of its own, too.
    kinds = [kind for kind in made if kind.__bases__ == section.__bases__]
    is_of_a_section = (module.__doc__ or "").startswith("The section")
    if kinds != [section] or not module.__doc__ or is_of_a_section:
        return own
    told = prose(inspect.cleandoc(module.__doc__)).split("\n")
    return told + [one for one in own if not one.startswith("The section `")]


def _is_made_in(kind: Any, module: types.ModuleType) -> bool:
    return is_section(kind) and kind.__module__ == module.__name__


def _meanings_of(section: type[Settings]) -> dict[str, str]:
    """Key -> its meaning; what a class says itself is stronger than what its bases say."""
    found: dict[str, str] = {}
    for cls in reversed(section.__mro__):
        found |= dict(meanings(inspect.cleandoc(cls.__doc__ or "")))
    return found


def _allowed(hint: Any, families: Families) -> str:
    """What a key may have, in words, with a link where it has keys of its own."""
    base = bare(hint)
    if base in families:
        return f"by name: [{_name(base)}](#{_anchor(base)})"
    if is_section(base):
        return f"[{_name(base)}](#{_anchor(base)})"
    arguments = typing.get_args(base)
    origin = typing.get_origin(base) or base
    if origin in UNIONS:
        return ", or ".join(_allowed(arm, families) for arm in arguments)
    if origin is tuple:
        return f"a list, each item {_allowed(arguments[0], families)}"
    if origin is Mapping:
        return f"a mapping, each value {_allowed(arguments[1], families)}"
    return describe(hint, families)


def _default(item: dataclasses.Field[Any], families: Families) -> str:
    """The default of a key, as a config would write it."""
    if is_required(item):
        return "required"
    value = item.default
    if value is dataclasses.MISSING:
        assert item.default_factory is not dataclasses.MISSING
        value = item.default_factory()
    return _written(value, families)


def _written(value: Any, families: Families) -> str:
    if isinstance(value, Settings):
        for family in families:
            for name, member in members(family, families).items():
                if isinstance(value, family) and type(value) is member:
                    return f"`{name}`"
        return "its defaults"
    plain = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return f"`{plain[value]}`"
    if isinstance(value, tuple | list):
        return f"`[{', '.join(str(one) for one in value)}]`"
    if isinstance(value, Mapping | types.MappingProxyType):
        pairs = ", ".join(f"{key}: {one}" for key, one in value.items())
        return f"`{{{pairs}}}`"
    return f"`{value}`"


def row(cells: tuple[str, ...]) -> str:
    """A row of a table; a bar in a text would end its cell."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


# --- ops --------------------------------------------------------------------------------------


def ops_page() -> str:
    """Every op of evonas with its parameters, group by group."""
    parts = [OPS_HEAD]
    group = ""
    for op in op_texts():
        if op.group != group:
            group = op.group
            place = "In the network" if group == "network" else f"In `settings.{group}`"
            parts.append(f"## {place}\n")
        parts.append(_op(op))
    return "\n".join(parts)


def _op(op: OpText) -> str:
    lines = [f"### `{op.name}` {{ #{op.group}-{op.name} }}", ""]
    for paragraph in op.about.split("\n"):
        lines += [paragraph, ""]
    if op.takes:
        gives = "the same" if op.gives == "same" else op.gives
        lines += [f"Takes: {', '.join(op.takes)}. Gives: {gives}.", ""]
    if not op.parameters:
        return "\n".join([*lines, "It has no parameters.", ""])
    lines += ["| parameter | allowed | default | meaning |", "|---|---|---|---|"]
    lines += [_parameter(one) for one in op.parameters]
    return "\n".join([*lines, ""])


def _parameter(one: ParameterText) -> str:
    default = "required"
    if not one.is_required:
        default = f"`{one.default}`" if one.default else "may be left out"
    return row((f"`{one.name}`", one.allowed, default, one.about))


# --- Python -----------------------------------------------------------------------------------


def public_modules() -> list[str]:
    """The public modules, as the docstring of evonas lists them."""
    return re.findall(r"^    (evonas[.a-z]*) +\S", evonas.__doc__ or "", re.MULTILINE)


def python_page(module: str) -> str:
    """The public names of a module, for mkdocstrings to fill in."""
    found = importlib.import_module(module)
    about = inspect.cleandoc(found.__doc__ or "").partition("\n")[0]
    lines = [f"# {module}", "", about, ""]
    for name in found.__all__:
        if not name.startswith("__"):
            lines += [f"::: {module}.{name}", ""]
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Path within the site -> text, of every page that is made."""
    made = {
        "reference/config.md": config_page(),
        "reference/ops.md": ops_page(),
    }
    for module in public_modules():
        made[f"reference/{module}.md"] = python_page(module)
    return made
