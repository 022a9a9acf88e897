"""Reads a seed genome, a known network written in the words of a search space, from its YAML file.

A section is a list of genes, each `op: {parameter: value, ...}` or the bare word `op`. A parameter that the file does
not name is `off` where the space offers that, and false where it is a switch; any other must be named. In a section
wired with skips, `inputs: [input, 0]` takes the section's input and the output of its first gene beside that of the
gene before, and `merge` says how they join. In a dag, `inputs` are all that the gene takes; `input 2` is the second
input of a cell. Floats are rounded as the space rounds them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonas.errors import InvalidGenome
from evonas.genome import strict_yaml
from evonas.genome.genome import Gene, Genome, Value
from evonas.genome.reading import Reader, shown
from evonas.genome.space import Op, SearchSpace, Section
from evonas.genome.strict_yaml import KeyPath
from evonas.genome.validity import inputs_text, length_text, validate
from evonas.genome.wiring import Inputs

_SOURCES = {"input": -1, "input 2": -2}


def load_genome(path: str | Path, space: SearchSpace) -> Genome:
    """Reads a seed genome from a file.

    Raises:
        InvalidYaml: the file cannot be read, or is not strict YAML.
        InvalidGenome: it is no genome of this space; every problem is listed with file, line and key.
    """
    return _genome(strict_yaml.load_file(path), space)


def parse_genome(text: str, file: str, space: SearchSpace) -> Genome:
    """Reads a seed genome from a file's content; `file` is its name in messages.

    Raises:
        InvalidYaml: the text is not strict YAML.
        InvalidGenome: it is no genome of this space; every problem is listed with file, line and key.
    """
    return _genome(strict_yaml.load(text, file), space)


def _genome(document: strict_yaml.Document, space: SearchSpace) -> Genome:
    reader = Reader(document)
    top = reader.mapping(
        (), document.data, f"{{space: {space.name}, {next(iter(space.sections))}: [...]}}"
    )
    if not top:
        raise InvalidGenome(reader.problems)
    reader.only((), top, ("space", "about", *space.sections))
    if top.get("space") != space.name:
        received = f"Received: {shown(top['space'])}" if "space" in top else "The key is missing."
        reader.wrong(
            ("space",), f"must be {space.name}, the name of the space that is searched. {received}"
        )
    if not isinstance(top.get("about", ""), str):
        reader.expected(("about",), "a sentence", top["about"])
    sections = []
    for section in space.sections.values():
        if section.name in top:
            sections.append((section.name, _genes(reader, section, top[section.name])))
        elif section.low > 0:
            ops = ", ".join(section.ops)
            reader.wrong(
                (),
                f"the section {section.name} is missing; it has {length_text(section)}, each one of {ops}.",
            )
        else:
            sections.append((section.name, ()))
    if reader.problems:
        raise InvalidGenome(reader.problems)
    genome = Genome(tuple(sections))
    validate(space, genome)
    return genome


def _genes(reader: Reader, section: Section, data: Any) -> tuple[Gene, ...]:
    path: KeyPath = (section.name,)
    if not isinstance(data, list):
        reader.expected(path, f"a list of genes, such as [{next(iter(section.ops))}: {{}}]", data)
        return ()
    if not section.low <= len(data) <= section.high:
        reader.expected(path, f"a list of {length_text(section)}", f"{len(data)} genes")
        return ()
    genes = [_gene(reader, section, i, entry) for i, entry in enumerate(data)]
    return tuple(gene for gene in genes if gene is not None)


def _gene(reader: Reader, section: Section, i: int, entry: Any) -> Gene | None:
    """A gene, numbered by position; None, and problems in the reader, where it is none."""
    path: KeyPath = (section.name, i)
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        reader.expected(
            path, f"one op with its parameters, such as {next(iter(section.ops))}: {{}}", entry
        )
        return None
    ((name, given),) = entry.items()
    if reader.one_of((*path, name), name, list(section.ops)) is None:
        return None
    given = dict(reader.mapping((*path, name), given, "{}", empty=True))
    before = len(reader.problems)
    params = _wires(reader, section, i, (*path, name), given)
    inputs = params.pop("inputs")
    params.update(_parameters(reader, section.ops[name], (*path, name), given))
    if len(reader.problems) > before:
        return None
    return Gene.make(name, params, (place + 1 for place in inputs), i + 1)


def _wires(
    reader: Reader, section: Section, i: int, path: KeyPath, given: dict[str, Any]
) -> dict[str, Any]:
    """Takes `inputs` and `merge` out of what is given: {inputs: positions}, and `merge` where there are some."""
    if section.wiring == "dag":
        if "inputs" not in given and len(section.legal(i)) == 1:
            return {"inputs": section.legal(i)[0]}
        return {"inputs": _inputs(reader, section, i, (*path, "inputs"), given.pop("inputs", None))}
    if section.merge is None:
        return {"inputs": section.legal(i)[0]}
    inputs = _inputs(reader, section, i, (*path, "inputs"), given.pop("inputs", []))
    merge = given.pop("merge", None)
    if not inputs:
        if merge is not None:
            reader.wrong(
                (*path, "merge"), "goes with `inputs` only: without them there is nothing to merge."
            )
        return {"inputs": ()}
    if merge is None and len(section.merge.values) == 1:
        merge = section.merge.values[0]
    if not section.merge.contains(merge):
        reader.expected((*path, "merge"), section.merge.describe(), merge)
    return {"inputs": inputs, "merge": merge}


def _inputs(reader: Reader, section: Section, i: int, path: KeyPath, data: Any) -> Inputs:
    """The inputs of gene i as positions in normal form; none, and a problem, where they are not legal."""
    items = data if isinstance(data, list) else [data]
    places = [_SOURCES.get(item, item) if isinstance(item, str) else item for item in items]
    known = all(
        item in _SOURCES if isinstance(item, str) else type(item) is int and item >= 0
        for item in items
    )
    if not isinstance(data, list) or not known:
        words = "the words input and input 2" if section.sources > 1 else "the word input"
        reader.expected(
            path, f"a list of places in the section (0 is the first gene) or {words}", data
        )
        return ()
    inputs = tuple(sorted(places, reverse=True))
    if inputs not in section.legal(i):
        reader.wrong(path, f"{inputs_text(section, i)} Received: {shown(data)}")
        return ()
    return inputs


def _parameters(reader: Reader, op: Op, path: KeyPath, given: dict[str, Any]) -> dict[str, Value]:
    """The op's parameters, those that the file does not name at their defaults."""
    params: dict[str, Value] = {}
    for name in given:
        if name in op.constants or name in op.shared:
            source = (
                ".".join(op.shared[name])
                if name in op.shared
                else f"always {shown(op.constants[name])}"
            )
            reader.wrong(
                (*path, name), f"is not for a genome to say: the space has it as {source}."
            )
    reader.only(
        path,
        {k: v for k, v in given.items() if k not in op.constants and k not in op.shared},
        [*op.parameters],
    )
    for name, parameter in op.parameters.items():
        value = parameter.admit(given[name]) if name in given else parameter.default
        if value is not None:
            params[name] = value
        elif name in given:
            reader.expected((*path, name), parameter.describe(), given[name])
        else:
            reader.wrong(path, f"the parameter {name} is missing; it is {parameter.describe()}.")
    return params
