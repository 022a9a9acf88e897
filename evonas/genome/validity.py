"""What makes a genome legal in a space, and the repair of wiring after an edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evonas.errors import InvalidGenome, Issue, did_you_mean
from evonas.genome.genome import SECTION_INPUTS, Gene, Genome, Value
from evonas.genome.space import SearchSpace, Section
from evonas.genome.wiring import Inputs
from evonas.words import counted

POSITION_INPUTS: Mapping[int, int] = {
    position: number for number, position in SECTION_INPUTS.items()
}
"""The positions -1 and -2, as innovation numbers."""

_SOURCE_WORDS = {-1: "input", -2: "input 2"}


def validate(space: SearchSpace, genome: Genome) -> None:
    """Checks that a genome is one of the space's.

    Raises:
        InvalidGenome: it is not; every problem is listed, with keys such as `features[2].filters`.
    """
    problems: list[Issue] = []
    for name in genome.names:
        if name in space.sections:
            continue
        hint = did_you_mean(name, list(space.sections))
        text = f"the space {space.name} has no such section.{hint}"
        problems.append(Issue(text, name))
    for section in space.sections.values():
        if section.name in genome:
            genes = genome[section.name]
            problems += _section_problems(section, genes)
        else:
            text = f"missing; the space {space.name} has this section."
            problems.append(Issue(text, section.name))
    if len(set(genome.names)) < len(genome.names):
        problems.append(Issue("a section is listed twice."))
    if problems:
        raise InvalidGenome(problems)


def _section_problems(section: Section, genes: Sequence[Gene]) -> list[Issue]:
    problems: list[Issue] = []
    if not section.low <= len(genes) <= section.high:
        text = f"must have {length_text(section)}. Received: {len(genes)}"
        problems.append(Issue(text, section.name))
    numbers = [gene.innovation for gene in genes]
    if len(set(numbers)) < len(numbers) or any(number < 1 for number in numbers):
        text = "innovation numbers must be above 0 and all different."
        problems.append(Issue(text, section.name))
    at = {number: i for i, number in enumerate(numbers)}
    at.update(SECTION_INPUTS)
    for i, gene in enumerate(genes):
        key = f"{section.name}[{i}]"
        if gene.op not in section.ops:
            # Without its op, nothing can be said about the gene's parameters.
            problems.append(_op_problem(section, gene, key))
            continue
        problems += _parameter_problems(section, gene, key)
        # A gene beyond the greatest length has been reported, and has no legal inputs.
        if i >= section.high:
            continue
        # For a number that is not in the section, i stands in: a gene's own place is never legal.
        places = tuple([at.get(number, i) for number in gene.inputs])
        if places not in section.legal(i):
            allowed = inputs_text(section, i)
            text = f"{allowed} Received: {_places_text(places)}"
            problems.append(Issue(text, f"{key}.inputs"))
    return problems


def _op_problem(section: Section, gene: Gene, key: str) -> Issue:
    known = list(section.ops)
    listed = ", ".join(known)
    hint = did_you_mean(gene.op, known)
    text = f"must be one of {listed}.{hint} Received: {gene.op}"
    return Issue(text, f"{key}.op")


def _parameter_problems(section: Section, gene: Gene, key: str) -> list[Issue]:
    problems = []
    needed = list(section.ops[gene.op].parameters)
    if section.merge is not None and gene.inputs:
        needed.append("merge")
    given = gene.parameters
    # The dict keeps one of two equal names, the tuple keeps both.
    if len(given) < len(gene.params):
        problems.append(Issue("a parameter is listed twice.", key))
    for name in needed:
        if name not in given:
            text = f"the parameter {name} of {gene.op} is missing."
            problems.append(Issue(text, key))
    for name, value in given.items():
        if name not in needed:
            text = _unknown_text(gene.op, name, needed)
            problems.append(Issue(text, f"{key}.{name}"))
            continue
        parameter = section.parameter(gene.op, name)
        if not parameter.contains(value):
            allowed = parameter.describe()
            text = f"must be {allowed}. Received: {value!r}"
            problems.append(Issue(text, f"{key}.{name}"))
    return problems


def _unknown_text(op: str, name: str, needed: Sequence[str]) -> str:
    """What is wrong with a parameter that the op does not have."""
    hint = did_you_mean(name, needed)
    known = "It has none."
    if needed:
        known = f"It has {', '.join(needed)}."
    return f"no parameter of {op}.{hint} {known}"


def length_text(section: Section) -> str:
    """How many genes a section may have, in words."""
    if section.low != section.high:
        return f"{section.low} to {section.high} genes"
    return counted(section.low, "gene")


def inputs_text(section: Section, i: int) -> str:
    """Which inputs gene i may have, in words."""
    legal = section.legal(i)
    used: set[int] = set()
    for inputs in legal:
        used.update(inputs)
    sources = _places_text(sorted(used))
    if section.wiring == "dag":
        return (
            f"gene {i} has {section.inputs} of {sources}, the nearest first;"
            " one may be taken twice."
        )
    if len(legal) == 1:
        return f"gene {i} may have no other input than the gene before it."
    most = max(map(len, legal))
    return f"gene {i} may have up to {most} of {sources}, the nearest first."


def _places_text(places: Sequence[int]) -> str:
    words = []
    for place in places:
        word = _SOURCE_WORDS.get(place, str(place))
        words.append(word)
    return f"[{', '.join(words)}]"


def repair(section: Section, genes: Sequence[Gene]) -> tuple[Gene, ...]:
    """The genes with their wiring in normal form, after any edit of the list.

    Inputs that no longer exist, or lie ahead, are dropped. If the rest is not legal, the gene gets
    the legal inputs that have most in common with the rest. `merge` is there exactly when inputs
    are. If genes have the same innovation number, the first one stays.

    The list is cut at the section's greatest length. The caller must check that it is long enough.
    """
    kept: dict[int, Gene] = {}
    for gene in genes:
        kept.setdefault(gene.innovation, gene)
    listed = list(kept.values())[: section.high]
    numbers = {i: gene.innovation for i, gene in enumerate(listed)}
    numbers.update(POSITION_INPUTS)
    # This grows gene by gene, so an input that lies ahead is not found in it.
    at = dict(SECTION_INPUTS)
    repaired = []
    for i, gene in enumerate(listed):
        left = tuple([at[number] for number in gene.inputs if number in at])
        places = _nearest(section, i, left)
        inputs = tuple([numbers[place] for place in places])
        gene = _with_inputs(section, gene, inputs)
        repaired.append(gene)
        at[gene.innovation] = i
    return tuple(repaired)


def _nearest(section: Section, i: int, places: Inputs) -> Inputs:
    """The legal inputs of gene i that are most like these."""
    legal = section.legal(i)
    # The usual case, without a search: a gene that has no skips, and needs none.
    if not places and not legal[0]:
        return ()
    wanted = tuple(sorted(places, reverse=True))
    if wanted in legal:
        return wanted
    have = set(places)

    def likeness(inputs: Inputs) -> tuple[int, int]:
        in_common = len(have & set(inputs))
        return in_common, -len(inputs)

    # `max` returns the first of the best, so the result does not depend on chance.
    return max(legal, key=likeness)


def _with_inputs(section: Section, gene: Gene, inputs: tuple[int, ...]) -> Gene:
    """The gene with these inputs, and with `merge` if they need it."""
    if section.merge is None or _has_merge(gene) == bool(inputs):
        if inputs == gene.inputs:
            return gene
        return dataclasses.replace(gene, inputs=inputs)
    params: dict[str, Value] = gene.parameters
    if inputs:
        params["merge"] = section.merge.values[0]
    else:
        del params["merge"]
    return Gene.make(
        gene.op,
        params,
        inputs=inputs,
        innovation=gene.innovation,
    )


def _has_merge(gene: Gene) -> bool:
    names = (name for name, _ in gene.params)
    return "merge" in names
