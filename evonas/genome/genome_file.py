"""Reads a seed genome from its YAML file: a known network in the words of a search space.

A section is a list of genes. Each gene is `op: {parameter: value, ...}`, or the bare word `op`.
The file need not name a parameter that can be `off`, nor a switch: they are off and false then.
It must name every other parameter. Floats are rounded as the space rounds them.

In a section wired with skips, a gene always takes the output of the gene before. With
`inputs: [input, 0]` it also takes the section's input and the output of the first gene. `merge`
says how they join. In a dag, `inputs` are all that the gene takes; `input 2` is the second input
of a cell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonas.errors import InvalidGenome
from evonas.genome import strict_yaml
from evonas.genome.genome import Gene, Genome, Value
from evonas.genome.parameters import Parameter
from evonas.genome.reading import Reader, shown
from evonas.genome.space import Op, SearchSpace, Section
from evonas.genome.strict_yaml import KeyPath
from evonas.genome.validity import inputs_text, length_text, validate
from evonas.genome.wiring import Inputs
from evonas.words import counted

MOST_RANK = 100
_SOURCES = {"input": -1, "input 2": -2}


def load_genome(path: str | Path, space: SearchSpace) -> Genome:
    """Reads a seed genome from a file.

    Raises:
        InvalidYaml: the file cannot be read, or is not strict YAML.
        InvalidGenome: the file holds no genome of this space; every problem is listed with file,
            line and key.
    """
    document = strict_yaml.load_file(path)
    return _genome(document, space)


def parse_genome(text: str, file: str, space: SearchSpace) -> Genome:
    """Reads a seed genome from a file's content.

    Args:
        text: the file's content.
        file: the file's name, for messages.
        space: the search space whose words the file uses.

    Raises:
        InvalidYaml: the text is not strict YAML.
        InvalidGenome: the text holds no genome of this space; every problem is listed with file,
            line and key.
    """
    document = strict_yaml.load(text, file)
    return _genome(document, space)


def _genome(document: strict_yaml.Document, space: SearchSpace) -> Genome:
    reader = Reader(document)
    first_section = next(iter(space.sections))
    example = f"{{space: {space.name}, {first_section}: [...]}}"
    top = reader.mapping((), document.data, example)
    if not top:
        raise InvalidGenome(reader.problems)
    reader.only((), top, ("space", "about", "rank", *space.sections))
    _check_space(reader, top, space)
    if not isinstance(top.get("about", ""), str):
        reader.expected(("about",), "a sentence", top["about"])
    if "rank" in top:
        # Shipped genomes of one space come into a search in this order.
        reader.integer(("rank",), top["rank"], 1, MOST_RANK)
    sections = []
    for section in space.sections.values():
        genes = _section(reader, section, top)
        sections.append((section.name, genes))
    if reader.problems:
        raise InvalidGenome(reader.problems)
    genome = Genome(tuple(sections))
    validate(space, genome)
    return genome


def _check_space(reader: Reader, top: Any, space: SearchSpace) -> None:
    """The file must name the space that it was written for."""
    if top.get("space") == space.name:
        return
    if "space" in top:
        received = f"Received: {shown(top['space'])}"
    else:
        received = "The key is missing."
    reader.wrong(
        ("space",),
        f"must be {space.name}, the name of the space that is searched. {received}",
    )


def _section(reader: Reader, section: Section, top: Any) -> tuple[Gene, ...]:
    """The genes of one section, which may be left out if it may be empty."""
    if section.name in top:
        data = top[section.name]
        return _genes(reader, section, data)
    if section.low > 0:
        length = length_text(section)
        ops = ", ".join(section.ops)
        reader.wrong(
            (),
            f"the section {section.name} is missing; it has {length}, each one of {ops}.",
        )
    return ()


def _genes(reader: Reader, section: Section, data: Any) -> tuple[Gene, ...]:
    path: KeyPath = (section.name,)
    if not isinstance(data, list):
        first_op = next(iter(section.ops))
        reader.expected(path, f"a list of genes, such as [{first_op}: {{}}]", data)
        return ()
    if not section.low <= len(data) <= section.high:
        length = length_text(section)
        reader.expected(path, f"a list of {length}", counted(len(data), "gene"))
        return ()
    genes = []
    for i, entry in enumerate(data):
        gene = _gene(reader, section, i, entry)
        if gene is not None:
            genes.append(gene)
    return tuple(genes)


def _gene(reader: Reader, section: Section, i: int, entry: Any) -> Gene | None:
    """A gene, numbered by position; None, with problems in the reader, if it is wrong."""
    path: KeyPath = (section.name, i)
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        first_op = next(iter(section.ops))
        reader.expected(path, f"one op with its parameters, such as {first_op}: {{}}", entry)
        return None
    ((name, given),) = entry.items()
    here = (*path, name)
    known = list(section.ops)
    if reader.one_of(here, name, known) is None:
        return None
    # A copy, because `_wires` takes keys out, and the document is not ours to change.
    given = dict(reader.mapping(here, given, "{}", empty=True))
    before = len(reader.problems)
    params = _wires(reader, section, i, here, given)
    inputs = params.pop("inputs")
    op = section.ops[name]
    params.update(_parameters(reader, op, here, given))
    if len(reader.problems) > before:
        return None
    # Gene i has the number i + 1. So the section's inputs -1 and -2 have the numbers 0 and -1.
    numbers = [place + 1 for place in inputs]
    return Gene.make(
        name,
        params,
        inputs=numbers,
        innovation=i + 1,
    )


def _wires(
    reader: Reader, section: Section, i: int, path: KeyPath, given: dict[str, Any]
) -> dict[str, Any]:
    """Takes `inputs` and `merge` out of `given`.

    Returns:
        `inputs` as positions, and `merge` if there are inputs that need it.
    """
    if section.wiring == "dag":
        return {"inputs": _dag_inputs(reader, section, i, path, given)}
    if section.merge is None:
        # In a chain there is nothing to say. A key `inputs` stays in `given` and is refused later.
        return {"inputs": section.legal(i)[0]}
    listed = given.pop("inputs", [])
    inputs = _inputs(reader, section, i, (*path, "inputs"), listed)
    merge = given.pop("merge", None)
    if not inputs:
        if merge is not None:
            reader.wrong(
                (*path, "merge"),
                "goes with `inputs` only: without them there is nothing to merge.",
            )
        return {"inputs": ()}
    if merge is None and len(section.merge.values) == 1:
        merge = section.merge.values[0]
    if not section.merge.contains(merge):
        reader.expected((*path, "merge"), section.merge.describe(), merge)
    return {"inputs": inputs, "merge": merge}


def _dag_inputs(
    reader: Reader, section: Section, i: int, path: KeyPath, given: dict[str, Any]
) -> Inputs:
    """The inputs of a gene in a dag, taken out of `given`; only a sole possibility is implied."""
    legal = section.legal(i)
    if "inputs" not in given and len(legal) == 1:
        return legal[0]
    listed = given.pop("inputs", None)
    return _inputs(
        reader,
        section,
        i,
        (*path, "inputs"),
        listed,
    )


def _inputs(reader: Reader, section: Section, i: int, path: KeyPath, data: Any) -> Inputs:
    """The inputs of gene i as positions in normal form; empty, with a problem, if not legal."""
    items = data if isinstance(data, list) else [data]
    if not isinstance(data, list) or not all(_is_source(item) for item in items):
        words = "the word input"
        if section.sources > 1:
            words = "the words input and input 2"
        reader.expected(
            path,
            f"a list of places in the section (0 is the first gene) or {words}",
            data,
        )
        return ()
    places = []
    for item in items:
        place = _SOURCES[item] if isinstance(item, str) else item
        places.append(place)
    inputs = tuple(sorted(places, reverse=True))
    if inputs not in section.legal(i):
        allowed = inputs_text(section, i)
        reader.wrong(path, f"{allowed} Received: {shown(data)}")
        return ()
    return inputs


def _is_source(item: Any) -> bool:
    """Whether this names an input of the section, or can be the place of a gene."""
    if isinstance(item, str):
        return item in _SOURCES
    return type(item) is int and item >= 0


def _parameters(reader: Reader, op: Op, path: KeyPath, given: dict[str, Any]) -> dict[str, Value]:
    """The op's parameters; those that the file does not name have their defaults."""
    searched = {}
    for name, value in given.items():
        if name in op.shared:
            source = ".".join(op.shared[name])
        elif name in op.constants:
            constant = op.constants[name]
            source = f"always {shown(constant)}"
        else:
            searched[name] = value
            continue
        reader.wrong(
            (*path, name),
            f"is not for a genome to say: the space has it as {source}.",
        )
    reader.only(path, searched, [*op.parameters])
    params: dict[str, Value] = {}
    for name, parameter in op.parameters.items():
        value = _value(reader, parameter, name, path, given)
        if value is not None:
            params[name] = value
    return params


def _value(
    reader: Reader,
    parameter: Parameter,
    name: str,
    path: KeyPath,
    given: dict[str, Any],
) -> Value | None:
    """The value of one parameter; None, with a problem, if the file has no allowed one."""
    if name in given:
        value = parameter.admit(given[name])
        if value is None:
            allowed = parameter.describe()
            reader.expected((*path, name), allowed, given[name])
        return value
    default = parameter.default
    if default is None:
        allowed = parameter.describe()
        reader.wrong(path, f"the parameter {name} is missing; it is {allowed}.")
    return default
