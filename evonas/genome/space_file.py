"""Reads a search space from its YAML file, or says all that is wrong with it, each problem with its place."""

from __future__ import annotations

import dataclasses
import functools
import keyword
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from evonas.errors import InvalidSpace
from evonas.genome import strict_yaml
from evonas.genome.genome import Value
from evonas.genome.parameter_file import read_parameter
from evonas.genome.parameters import Choice, Parameter
from evonas.genome.reading import Reader
from evonas.genome.space import Group, InputKind, Op, SearchSpace, Section
from evonas.genome.strict_yaml import KeyPath

GROUPS: tuple[Group, ...] = ("cells", "network", "settings")
INPUTS: tuple[InputKind, ...] = ("image", "sequence", "vector")
NO_INPUT = "none"
"""The `input` of a space whose genomes are no networks; also that of one without network sections, if it names none."""
WIRINGS = ("chain", "skip", "dag")
MERGES = ("add", "concat")
MAX_LENGTH = 200
MAX_DIMENSION = 10_000
MAX_INPUTS = 200_000
"""Legal input tuples of a section, all genes together: about 30 MB."""
LEAST_WEIGHT, MOST_WEIGHT = 1e-3, 1e3

_TOP = ("space", "about", "input", *GROUPS)
_SECTION = ("length", "wiring", "max_skips", "merge", "inputs", "weights", "ops")
MAX_TENSORS = 4
"""That a gene of a dag takes."""
_RESERVED_SECTIONS = ("space", "about")
_RESERVED_PARAMETERS = ("op", "inputs", "merge")
_EXAMPLE = "{features: {ops: {dense: {units: {int: [8, 64]}}}}}"


def load_space(path: str | Path) -> SearchSpace:
    """Reads a search space from a file.

    Raises:
        InvalidYaml: the file cannot be read, or is not strict YAML.
        InvalidSpace: it is no search space; every problem is listed with file, line and key.
    """
    return parse_document(strict_yaml.load_file(path))


@functools.lru_cache(maxsize=4)
def parse_space(text: str, file: str) -> SearchSpace:
    """Reads a search space from a file's content; `file` is its name in messages. The last few are remembered.

    Raises:
        InvalidYaml: the text is not strict YAML.
        InvalidSpace: it is no search space; every problem is listed with file, line and key.
    """
    return parse_document(strict_yaml.load(text, file))


def parse_document(document: strict_yaml.Document) -> SearchSpace:
    """Reads a search space from a YAML document.

    Raises:
        InvalidSpace: it is no search space; every problem is listed with file, line and key.
    """
    reader = Reader(document)
    top = reader.mapping((), document.data, "{space: mine, input: vector, network: ...}")
    if not top:
        raise InvalidSpace(reader.problems)
    reader.only((), top, _TOP)
    if "space" not in top:
        reader.wrong((), "the key `space`, with the space's name, is missing.")
    else:
        reader.word(("space",), top["space"])
    if not isinstance(top.get("about", ""), str):
        reader.expected(("about",), "a sentence", top["about"])
    sections = _sections(reader, top)
    for section in sections.values():
        _check_shared(reader, section, sections)
    if reader.problems:
        raise InvalidSpace(reader.problems)
    named = top.get("input", NO_INPUT)
    kind = None if named == NO_INPUT else cast(InputKind, named)
    size = sum(section.high * (len(section.slot_names) + 1) for section in sections.values())
    if size > MAX_DIMENSION:
        raise InvalidSpace(
            document.problem((), f"too large: about {size} decisions; at most {MAX_DIMENSION}.")
        )
    return SearchSpace(top["space"], top.get("about", ""), kind, sections, document.text)


def _sections(reader: Reader, top: Mapping[str, Any]) -> dict[str, Section]:
    """The sections of all groups, in the order in which the groups are listed above."""
    sections: dict[str, Section] = {}
    if "input" in top:
        reader.one_of(("input",), top["input"], (*INPUTS, NO_INPUT))
    elif "network" in top:
        reader.wrong(
            (), f"the key `input` is missing; it is one of {', '.join((*INPUTS, NO_INPUT))}."
        )
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
                reader.wrong(path, f"a section of this name is in {sections[name].group} already.")
            sections[name] = _section(reader, group, name, data)
    if not any(group in top for group in GROUPS):
        reader.wrong((), f"there is nothing to search: give at least one of {', '.join(GROUPS)}.")
    return sections


def _like(reader: Reader, path: KeyPath, data: Any, cells: Mapping[str, Any]) -> Any:
    """A cell with the keys of the one that `like` names, where it has none of its own."""
    if not isinstance(data, dict) or "like" not in data:
        return data
    known = [
        name for name, other in cells.items() if isinstance(other, dict) and "like" not in other
    ]
    other = reader.one_of((*path, "like"), data["like"], known)
    return {
        **(cells[other] if other else {}),
        **{key: value for key, value in data.items() if key != "like"},
    }


def _section(reader: Reader, group: Group, name: str, data: Any) -> Section:
    path = (group, name)
    data = reader.mapping(path, data, "{ops: {flatten: {}}}")
    reader.only(path, data, _SECTION)
    low, high = _length(reader, (*path, "length"), data.get("length", 1))
    ops = _ops(reader, path, data)
    wiring, max_skips, merge, inputs = "chain", 0, None, 0
    if "wiring" in data:
        wiring = reader.one_of((*path, "wiring"), data["wiring"], WIRINGS) or ""
    if wiring in ("skip", "dag") and group == "settings":
        reader.wrong(
            (*path, "wiring"),
            "settings are not connected: only network sections and cells are wired.",
        )
    elif wiring == "skip":
        max_skips = (
            reader.integer((*path, "max_skips"), data.get("max_skips", 1), 1, MAX_LENGTH) or 1
        )
        merge = _merge(reader, (*path, "merge"), data.get("merge", "add"))
    elif wiring == "dag":
        inputs = reader.integer((*path, "inputs"), data.get("inputs", 2), 1, MAX_TENSORS) or 1
    for key, kind in (("max_skips", "skip"), ("merge", "skip"), ("inputs", "dag")):
        if key in data and wiring and wiring != kind:
            reader.wrong((*path, key), f"goes with `wiring: {kind}` only.")
    if wiring == "dag" and group == "network" and low == 0:
        reader.wrong(
            (*path, "length"), "a dag has at least one gene: there is no output without one."
        )
    elif group == "cells" and low == 0:
        reader.wrong((*path, "length"), "a cell has at least one gene.")
    section = Section(name, group, ops, low, high, wiring or "chain", max_skips, merge, inputs)
    count = sum(section.look_up.count(i) for i in range(high))
    if count > MAX_INPUTS:
        key, what = (
            ("inputs", f"{inputs} inputs")
            if wiring == "dag"
            else ("max_skips", f"up to {max_skips} skips")
        )
        text = f"{high} genes with {what} each have {count} legal inputs; at most {MAX_INPUTS}."
        reader.wrong((*path, key), f"{text} Lower `{key}` or `length`.")
    return section


def _length(reader: Reader, path: KeyPath, value: Any) -> tuple[int, int]:
    """The smallest and the largest number of genes."""
    low, high = value if isinstance(value, list) and len(value) == 2 else (value, value)
    if type(low) is int and type(high) is int and 0 <= low <= high <= MAX_LENGTH and high >= 1:
        return low, high
    allowed = f"a number of genes, or [least, most], with 0 <= least <= most and 1 <= most <= {MAX_LENGTH}"
    reader.expected(path, allowed, value)
    return 1, 1


def _merge(reader: Reader, path: KeyPath, value: Any) -> Choice | None:
    """How a skip joins: one word, or a choice of words."""
    if isinstance(value, str):
        value = {"choice": [value]}
    found = read_parameter(reader, path, value)
    if isinstance(found, Choice) and all(word in MERGES for word in found.values):
        return found
    if found is not None:
        reader.expected(path, f"one of {', '.join(MERGES)}, or a choice of them", value)
    return None


def _ops(reader: Reader, path: KeyPath, data: Mapping[str, Any]) -> dict[str, Op]:
    """A section's ops, each with its weight."""
    if "ops" not in data:
        if data:
            reader.wrong(path, "the key `ops` is missing; it lists what a gene may be.")
        return {}
    listed = reader.mapping((*path, "ops"), data["ops"], "{flatten: {}, global_average: {}}")
    ops = {
        name: _op(reader, (*path, "ops", name), name, params)
        for name, params in listed.items()
        if reader.word((*path, "ops", name), name, plugin=True)
    }
    if "weights" in data:
        here = (*path, "weights")
        weights = reader.mapping(here, data["weights"], "{conv2d: 4}")
        reader.only(here, weights, list(listed))
        for name, weight in weights.items():
            if (
                isinstance(weight, bool | str | None | list | dict)
                or not LEAST_WEIGHT <= weight <= MOST_WEIGHT
            ):
                reader.expected(
                    (*here, name), f"a number in [{LEAST_WEIGHT:g}, {MOST_WEIGHT:g}]", weight
                )
            elif name in ops:
                ops[name] = dataclasses.replace(ops[name], weight=float(weight))
    return ops


def _op(reader: Reader, path: KeyPath, name: str, data: Any) -> Op:
    """An op, its arguments sorted into parameters, constants and shared ones."""
    parameters: dict[str, Parameter] = {}
    constants: dict[str, Value] = {}
    shared: dict[str, tuple[str, str]] = {}
    for key, value in reader.mapping(
        path, data, "{filters: {choice: [8, 16]}}", empty=True
    ).items():
        here = (*path, key)
        if not reader.word(here, key):
            continue
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
    return Op(name, 1.0, parameters, constants, shared)


def _source(reader: Reader, path: KeyPath, value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The section and the parameter that `same_as` names."""
    source = value["same_as"]
    if len(value) > 1:
        reader.wrong(path, f"`same_as` stands alone. Received: {', '.join(value)}.")
    elif isinstance(source, str) and source.count(".") == 1 and all(source.split(".")):
        section, parameter = source.split(".")
        return section, parameter
    else:
        reader.expected((*path, "same_as"), "section.parameter, such as style.activation", source)
    return None


def _check_shared(reader: Reader, section: Section, sections: Mapping[str, Section]) -> None:
    """Every `same_as` names a parameter that exactly one gene has, whatever its op is."""
    for op in section.ops.values():
        for name, (source, parameter) in op.shared.items():
            path = (section.group, section.name, "ops", op.name, name, "same_as")
            if source not in sections:
                reader.one_of(path, source, list(sections))
                continue
            target = sections[source]
            if (target.low, target.high) != (1, 1):
                reader.wrong(
                    path,
                    f"the section {source} may have another length than 1, so there is no one value.",
                )
            for other in target.ops.values():
                known = (*other.parameters, *other.constants)
                if parameter in other.shared:
                    reader.wrong(
                        path, f"{source}.{parameter} is a `same_as` itself: name its source."
                    )
                elif parameter not in known:
                    has = f"It has {', '.join(known)}." if known else "It has no parameters."
                    reader.wrong(path, f"{source}'s op {other.name} has no {parameter!r}. {has}")
