"""Reads a search space from its YAML file, or says all that is wrong with it, with each place."""

from __future__ import annotations

import dataclasses
import functools
import keyword
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from evonas.errors import InvalidSpace
from evonas.genome import strict_yaml
from evonas.genome.genome import Value
from evonas.genome.parameter_file import LEAST_WEIGHT, MOST_WEIGHT, is_weight, read_parameter
from evonas.genome.parameters import Choice, Parameter
from evonas.genome.reading import Reader
from evonas.genome.space import Group, InputKind, Op, Range, SearchSpace, Section, Suits
from evonas.genome.strict_yaml import KeyPath
from evonas.invocation import command
from evonas.words import counted

GROUPS: tuple[Group, ...] = ("cells", "network", "settings")
INPUTS: tuple[InputKind, ...] = ("image", "sequence", "vector", "table", "text")
NO_INPUT = "none"
"""The `input` of a space whose genomes are no networks.

It is also the `input` of a space without network sections that names none.
"""
WIRINGS = ("chain", "skip", "dag")
MERGES = ("add", "concat")
MAX_LENGTH = 200
MAX_DIMENSION = 10_000
MAX_INPUTS = 200_000
"""Legal input tuples of a section, all genes together: about 30 MB."""
MAX_TENSORS = 4
"""The largest number of tensors that a gene of a dag takes."""

_TOP = ("space", "about", "input", "suits", *GROUPS)
_SECTION = ("length", "wiring", "max_skips", "merge", "inputs", "weights", "ops")
_WIRING_OF_KEY = {"max_skips": "skip", "merge": "skip", "inputs": "dag"}
_RESERVED_SECTIONS = ("space", "about")
_RESERVED_PARAMETERS = ("op", "inputs", "merge")
_EXAMPLE = "{features: {ops: {dense: {units: {int: [8, 64]}}}}}"


_TOP_EXAMPLE = "{space: mine, input: vector, network: ...}"
_EMPTY = f"must be a mapping such as {_TOP_EXAMPLE}; the file is empty."


class _Wires(NamedTuple):
    """How a section is wired; see `Section` for the fields."""

    wiring: str
    max_skips: int = 0
    merge: Choice | None = None
    inputs: int = 0


def load_space(path: str | Path) -> SearchSpace:
    """Reads a search space from a file.

    Raises:
        InvalidYaml: the file cannot be read, or is not strict YAML.
        InvalidSpace: the file holds no search space; every problem is listed with file, line and
            key.
    """
    document = strict_yaml.load_file(path)
    return parse_document(document)


# The last few are kept: a process may need the text of its run in several places.
@functools.lru_cache(maxsize=4)
def parse_space(text: str, file: str) -> SearchSpace:
    """Reads a search space from a file's content.

    Args:
        text: the file's content.
        file: the file's name, for messages.

    Raises:
        InvalidYaml: the text is not strict YAML.
        InvalidSpace: the text holds no search space; every problem is listed with file, line and
            key.
    """
    document = strict_yaml.load(text, file)
    return parse_document(document)


def parse_document(document: strict_yaml.Document) -> SearchSpace:
    """Reads a search space from a YAML document.

    Raises:
        InvalidSpace: the document holds no search space; every problem is listed with file, line
            and key.
    """
    if document.data is None:
        raise InvalidSpace(document.problem((), _EMPTY))
    reader = Reader(document)
    top = reader.mapping((), document.data, _TOP_EXAMPLE)
    if not top:
        raise InvalidSpace(reader.problems)
    if "budget" in top and "network" not in top:
        run = command("run", document.file)
        message = f"this is a run's config, not a search space. To run it:  {run}"
        raise InvalidSpace(document.problem((), message))
    reader.only((), top, _TOP)
    if "space" not in top:
        reader.wrong((), "the key `space`, with the space's name, is missing.")
    else:
        reader.word(("space",), top["space"])
    if not isinstance(top.get("about", ""), str):
        reader.expected(("about",), "a sentence", top["about"])
    suits = _suits(reader, top)
    sections = _sections(reader, top)
    # A `same_as` may name a section further down, so all sections are read before.
    for section in sections.values():
        _check_shared(reader, section, sections)
    if reader.problems:
        raise InvalidSpace(reader.problems)
    _check_size(document, sections)
    named = top.get("input", NO_INPUT)
    kind = None
    if named != NO_INPUT:
        kind = cast(InputKind, named)
    return SearchSpace(
        name=top["space"],
        about=top.get("about", ""),
        input=kind,
        sections=sections,
        text=document.text,
        suits=suits,
    )


def _suits(reader: Reader, top: Mapping[str, Any]) -> Suits | None:
    """The data that the space is good for, if the file says so."""
    if "suits" not in top:
        return None
    path: KeyPath = ("suits",)
    given = reader.mapping(path, top["suits"], "{samples: [1000, null]}", empty=True)
    names = [item.name for item in dataclasses.fields(Suits)]
    reader.only(path, given, names)
    return Suits(**{name: _range(reader, path, name, given) for name in names})


def _range(reader: Reader, path: KeyPath, name: str, given: Mapping[str, Any]) -> Range:
    """A least and a most number; null is no end."""
    value = given.get(name, [0, None])
    if isinstance(value, list) and len(value) == 2:
        low, high = value
        # Not `isinstance`: True is an int for Python.
        is_end = high is None or (type(high) is int and type(low) is int and high >= low)
        if type(low) is int and low >= 0 and is_end:
            return low, high
    reader.expected((*path, name), "[least, most], whole numbers; null for no end", value)
    return 0, None


def _check_size(document: strict_yaml.Document, sections: Mapping[str, Section]) -> None:
    """Refuses a space with too many decisions."""
    size = 0
    for section in sections.values():
        # An estimate, before the space makes its list of coordinates.
        of_one_gene = len(section.slot_names) + 1
        size += section.high * of_one_gene
    if size > MAX_DIMENSION:
        raise InvalidSpace(
            document.problem((), f"too large: about {size} decisions; at most {MAX_DIMENSION}.")
        )


def _sections(reader: Reader, top: Mapping[str, Any]) -> dict[str, Section]:
    """The sections of all groups, in the order of `GROUPS`."""
    _check_input(reader, top)
    sections: dict[str, Section] = {}
    for group in GROUPS:
        if group not in top:
            continue
        listed = reader.mapping((group,), top[group], _EXAMPLE)
        for name, data in listed.items():
            path = (group, name)
            if group == "cells":
                data = _like(reader, path, data, listed)
            if not reader.word(path, name):
                continue
            if name in _RESERVED_SECTIONS:
                reader.wrong(path, "a section may not have this name: seed genomes use it.")
            if name in sections:
                other = sections[name].group
                reader.wrong(path, f"a section of this name is in {other} already.")
            sections[name] = _section(reader, group, name, data)
    if not any(group in top for group in GROUPS):
        groups = ", ".join(GROUPS)
        reader.wrong((), f"there is nothing to search: give at least one of {groups}.")
    return sections


def _check_input(reader: Reader, top: Mapping[str, Any]) -> None:
    """The key `input` is one of the known words; a space of networks needs it."""
    known = (*INPUTS, NO_INPUT)
    if "input" in top:
        reader.one_of(("input",), top["input"], known)
    elif "network" in top:
        listed = ", ".join(known)
        reader.wrong((), f"the key `input` is missing; it is one of {listed}.")


def _like(reader: Reader, path: KeyPath, data: Any, cells: Mapping[str, Any]) -> Any:
    """A cell's keys, with those of the cell that `like` names added."""
    if not isinstance(data, dict) or "like" not in data:
        return data
    # A cell that has `like` itself is not among them, so there are no circles.
    known = []
    for name, other in cells.items():
        if not isinstance(other, dict):
            continue
        if "like" not in other:
            known.append(name)
    model = reader.one_of((*path, "like"), data["like"], known)
    merged: dict[str, Any] = {}
    if model:
        merged.update(cells[model])
    merged.update(data)
    del merged["like"]
    return merged


def _section(reader: Reader, group: Group, name: str, data: Any) -> Section:
    path = (group, name)
    data = reader.mapping(path, data, "{ops: {flatten: {}}}")
    reader.only(path, data, _SECTION)
    low, high = _length(reader, (*path, "length"), data.get("length", 1))
    ops = _ops(reader, path, data)
    wires = _wires(reader, path, group, data)
    if low == 0:
        _check_may_be_empty(reader, path, group, wires.wiring)
    # A wiring that was refused is empty here. A chain stands in for it, so that reading goes on.
    section = Section(
        name,
        group,
        ops,
        low,
        high,
        wires.wiring or "chain",
        wires.max_skips,
        wires.merge,
        wires.inputs,
    )
    _check_inputs(reader, path, section)
    return section


def _wires(reader: Reader, path: KeyPath, group: Group, data: Mapping[str, Any]) -> _Wires:
    """The keys `wiring`, `max_skips`, `merge` and `inputs` of a section."""
    wiring = "chain"
    if "wiring" in data:
        wiring = reader.one_of((*path, "wiring"), data["wiring"], WIRINGS) or ""
    wires = _Wires(wiring)
    if wiring in ("skip", "dag") and group == "settings":
        reader.wrong(
            (*path, "wiring"),
            "settings are not connected: only network sections and cells are wired.",
        )
    elif wiring == "skip":
        wires = _skip_wires(reader, path, data)
    elif wiring == "dag":
        given = data.get("inputs", 2)
        inputs = reader.integer((*path, "inputs"), given, 1, MAX_TENSORS)
        wires = _Wires(wiring, inputs=inputs or 1)
    for key, kind in _WIRING_OF_KEY.items():
        # Not after a wiring that was refused: the key may go with the one that was meant.
        if key in data and wiring and wiring != kind:
            reader.wrong((*path, key), f"goes with `wiring: {kind}` only.")
    return wires


def _skip_wires(reader: Reader, path: KeyPath, data: Mapping[str, Any]) -> _Wires:
    given = data.get("max_skips", 1)
    most = reader.integer((*path, "max_skips"), given, 1, MAX_LENGTH)
    given = data.get("merge", "add")
    merge = _merge(reader, (*path, "merge"), given)
    return _Wires(
        "skip",
        max_skips=most or 1,
        merge=merge,
    )


def _check_may_be_empty(reader: Reader, path: KeyPath, group: Group, wiring: str) -> None:
    """Refuses a length of 0 for what must have an output of its own."""
    here = (*path, "length")
    if wiring == "dag" and group == "network":
        reader.wrong(here, "a dag has at least one gene: there is no output without one.")
    elif group == "cells":
        reader.wrong(here, "a cell has at least one gene.")


def _check_inputs(reader: Reader, path: KeyPath, section: Section) -> None:
    """Refuses a section whose tables of legal inputs would take too much memory."""
    # `count` computes the sizes; `legal` would make the tables.
    count = sum(section.look_up.count(i) for i in range(section.high))
    if count <= MAX_INPUTS:
        return
    if section.wiring == "dag":
        key = "inputs"
        what = counted(section.inputs, "input")
    else:
        key = "max_skips"
        what = f"up to {counted(section.max_skips, 'skip')}"
    reader.wrong(
        (*path, key),
        f"{section.high} genes with {what} each have {count:,} legal inputs;"
        f" at most {MAX_INPUTS:,}. Lower `{key}` or `length`.",
    )


def _length(reader: Reader, path: KeyPath, value: Any) -> tuple[int, int]:
    """The smallest and the largest number of genes."""
    if isinstance(value, list) and len(value) == 2:
        low, high = value
    else:
        low = value
        high = value
    # Not `isinstance`: True is an int for Python.
    are_numbers = type(low) is int and type(high) is int
    if are_numbers and 0 <= low <= high <= MAX_LENGTH and high >= 1:
        return low, high
    order = f"0 <= least <= most and 1 <= most <= {MAX_LENGTH}"
    allowed = f"a number of genes, or [least, most], with {order}"
    reader.expected(path, allowed, value)
    return 1, 1


def _merge(reader: Reader, path: KeyPath, value: Any) -> Choice | None:
    """How a skip joins: one word, or a choice of words."""
    if isinstance(value, str):
        value = {"choice": [value]}
    found = read_parameter(reader, path, value)
    # `read_parameter` has noted what is wrong.
    if found is None:
        return None
    if isinstance(found, Choice) and all(word in MERGES for word in found.values):
        return found
    listed = ", ".join(MERGES)
    reader.expected(path, f"one of {listed}, or a choice of them", value)
    return None


def _ops(reader: Reader, path: KeyPath, data: Mapping[str, Any]) -> dict[str, Op]:
    """A section's ops, each with its weight."""
    if "ops" not in data:
        # An empty section has been reported as such already.
        if data:
            reader.wrong(path, "the key `ops` is missing; it lists what a gene may be.")
        return {}
    here = (*path, "ops")
    listed = reader.mapping(here, data["ops"], "{flatten: {}, global_average: {}}")
    ops: dict[str, Op] = {}
    for name, params in listed.items():
        place = (*here, name)
        if reader.word(place, name, plugin=True):
            ops[name] = _op(reader, place, name, params)
    if "weights" in data:
        _weigh(reader, (*path, "weights"), data["weights"], list(listed), ops)
    return ops


def _weigh(reader: Reader, path: KeyPath, data: Any, listed: list[str], ops: dict[str, Op]) -> None:
    """Gives the ops the weights that the file names.

    Args:
        listed: names in the file, also of ops that were refused.
        ops: the ops that were read; changed in place.
    """
    weights = reader.mapping(path, data, "{conv2d: 4}")
    reader.only(path, weights, listed)
    allowed = f"a number in [{LEAST_WEIGHT:g}, {MOST_WEIGHT:g}]"
    for name, weight in weights.items():
        if not is_weight(weight):
            reader.expected((*path, name), allowed, weight)
        elif name in ops:
            op = ops[name]
            ops[name] = dataclasses.replace(op, weight=float(weight))


def _op(reader: Reader, path: KeyPath, name: str, data: Any) -> Op:
    """An op, its arguments sorted into parameters, constants and shared ones."""
    parameters: dict[str, Parameter] = {}
    constants: dict[str, Value] = {}
    shared: dict[str, tuple[str, str]] = {}
    listed = reader.mapping(path, data, "{filters: {choice: [8, 16]}}", empty=True)
    for key, value in listed.items():
        here = (*path, key)
        if not reader.word(here, key):
            continue
        # It is an argument of a Python function, so it cannot have a name like `lambda`.
        if key in _RESERVED_PARAMETERS or keyword.iskeyword(key):
            reader.wrong(here, f"a parameter may not be called {key!r}.")
        elif isinstance(value, dict) and "same_as" in value:
            source = _source(reader, here, value)
            if source is not None:
                shared[key] = source
        elif isinstance(value, dict):
            found = read_parameter(reader, here, value)
            if found is not None:
                parameters[key] = found
        elif reader.scalar(here, value):
            constants[key] = value
    return Op(
        name,
        parameters=parameters,
        constants=constants,
        shared=shared,
    )


def _source(reader: Reader, path: KeyPath, value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The section and the parameter that `same_as` names."""
    if len(value) > 1:
        received = ", ".join(value)
        reader.wrong(path, f"`same_as` stands alone. Received: {received}.")
        return None
    source = value["same_as"]
    parts = []
    if isinstance(source, str):
        parts = source.split(".")
    if len(parts) == 2 and all(parts):
        section, parameter = parts
        return section, parameter
    reader.expected(
        (*path, "same_as"),
        "section.parameter, such as style.activation",
        source,
    )
    return None


def _check_shared(reader: Reader, section: Section, sections: Mapping[str, Section]) -> None:
    """Every `same_as` names a parameter that exactly one gene has, whatever its op is."""
    for op in section.ops.values():
        for name, (source, parameter) in op.shared.items():
            path = (
                section.group,
                section.name,
                "ops",
                op.name,
                name,
                "same_as",
            )
            if source in sections:
                target = sections[source]
                _check_source(reader, path, target, parameter)
            else:
                reader.one_of(path, source, list(sections))


def _check_source(reader: Reader, path: KeyPath, target: Section, parameter: str) -> None:
    """The section that a `same_as` names has one gene, and each of its ops has the parameter."""
    source = target.name
    if (target.low, target.high) != (1, 1):
        reader.wrong(
            path,
            f"the section {source} may have another length than 1, so there is no one value.",
        )
    for op in target.ops.values():
        known = (*op.parameters, *op.constants)
        if parameter in op.shared:
            # One step only, so a chain of `same_as` never ends in a circle.
            reader.wrong(path, f"{source}.{parameter} is a `same_as` itself: name its source.")
        elif parameter not in known:
            has = "It has no parameters."
            if known:
                has = f"It has {', '.join(known)}."
            reader.wrong(path, f"{source}'s op {op.name} has no {parameter!r}. {has}")
