"""What makes a genome legal in a space, and the repair of wiring after an edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evonas.errors import InvalidGenome, Issue, did_you_mean
from evonas.genome.genome import SECTION_INPUTS, Gene, Genome, Value
from evonas.genome.space import SearchSpace, Section
from evonas.genome.wiring import Inputs

POSITION_INPUTS: Mapping[int, int] = {
    position: number for number, position in SECTION_INPUTS.items()
}
"""The positions -1 and -2, as innovation numbers."""


def validate(space: SearchSpace, genome: Genome) -> None:
    """Checks that a genome is one of the space's.

    Raises:
        InvalidGenome: it is not; every problem is listed, with keys such as `features[2].filters`.
    """
    problems: list[Issue] = []
    for name in genome.names:
        if name not in space.sections:
            hint = did_you_mean(name, list(space.sections))
            problems.append(Issue(f"the space {space.name} has no such section.{hint}", name))
    for section in space.sections.values():
        if section.name not in genome:
            problems.append(
                Issue(f"missing; the space {space.name} has this section.", section.name)
            )
        else:
            problems += _section_problems(section, genome[section.name])
    if len(set(genome.names)) < len(genome.names):
        problems.append(Issue("a section is listed twice."))
    if problems:
        raise InvalidGenome(problems)


def _section_problems(section: Section, genes: Sequence[Gene]) -> list[Issue]:
    problems: list[Issue] = []
    if not section.low <= len(genes) <= section.high:
        allowed = length_text(section)
        problems.append(Issue(f"must have {allowed}. Received: {len(genes)}", section.name))
    numbers = [gene.innovation for gene in genes]
    if len(set(numbers)) < len(numbers) or any(number < 1 for number in numbers):
        problems.append(
            Issue("innovation numbers must be above 0 and all different.", section.name)
        )
    at = {number: i for i, number in enumerate(numbers)} | dict(SECTION_INPUTS)
    for i, gene in enumerate(genes):
        key = f"{section.name}[{i}]"
        if gene.op not in section.ops:
            known = list(section.ops)
            text = f"must be one of {', '.join(known)}.{did_you_mean(gene.op, known)} Received: {gene.op}"
            problems.append(Issue(text, f"{key}.op"))
            continue
        problems += _parameter_problems(section, gene, key)
        if i < section.high:
            places = tuple(
                at.get(number, i) for number in gene.inputs
            )  # a gene's own place is never legal
            if places not in section.legal(i):
                problems.append(
                    Issue(
                        f"{inputs_text(section, i)} Received: {_places_text(places)}",
                        f"{key}.inputs",
                    )
                )
    return problems


def _parameter_problems(section: Section, gene: Gene, key: str) -> list[Issue]:
    problems = []
    needed = list(section.ops[gene.op].parameters)
    if section.merge is not None and gene.inputs:
        needed.append("merge")
    given = gene.parameters
    if len(given) < len(gene.params):
        problems.append(Issue("a parameter is listed twice.", key))
    for name in needed:
        if name not in given:
            problems.append(Issue(f"the parameter {name} of {gene.op} is missing.", key))
    for name, value in given.items():
        if name not in needed:
            hint = did_you_mean(name, needed)
            known = f"It has {', '.join(needed)}." if needed else "It has none."
            problems.append(Issue(f"no parameter of {gene.op}.{hint} {known}", f"{key}.{name}"))
        elif not (parameter := section.parameter(gene.op, name)).contains(value):
            problems.append(
                Issue(f"must be {parameter.describe()}. Received: {value!r}", f"{key}.{name}")
            )
    return problems


def length_text(section: Section) -> str:
    """How many genes a section may have, in words."""
    if section.low == section.high:
        return f"{section.low} gene{'s' if section.low != 1 else ''}"
    return f"{section.low} to {section.high} genes"


def inputs_text(section: Section, i: int) -> str:
    """Which inputs gene i may have, in words."""
    legal = section.legal(i)
    if section.wiring == "dag":
        sources = sorted({place for inputs in legal for place in inputs})
        return f"gene {i} has {section.inputs} of {_places_text(sources)}, the nearest first; one may be taken twice."
    if len(legal) == 1:
        return f"gene {i} may have no other input than the gene before it."
    sources = sorted({place for inputs in legal for place in inputs})
    return f"gene {i} may have up to {max(map(len, legal))} of {_places_text(sources)}, the nearest first."


def _places_text(places: Sequence[int]) -> str:
    return (
        "["
        + ", ".join({-1: "input", -2: "input 2"}.get(place, str(place)) for place in places)
        + "]"
    )


def repair(section: Section, genes: Sequence[Gene]) -> tuple[Gene, ...]:
    """The genes with their wiring in normal form, after any edit of the list.

    Inputs that no longer exist, or lie ahead, are dropped; if what is left is not legal, the legal inputs that have
    most in common with it are taken. `merge` is there exactly where inputs are. Of genes with one innovation number the
    first stays. The list is cut at the section's greatest length; that it is long enough is the caller's business.
    """
    kept: dict[int, Gene] = {}
    for gene in genes:
        kept.setdefault(gene.innovation, gene)
    listed = list(kept.values())[: section.high]
    numbers = {i: gene.innovation for i, gene in enumerate(listed)} | dict(POSITION_INPUTS)
    at = dict(SECTION_INPUTS)
    repaired = []
    for i, gene in enumerate(listed):
        places = _nearest(section, i, tuple(at[number] for number in gene.inputs if number in at))
        inputs = tuple(numbers[place] for place in places)
        repaired.append(_with_inputs(section, gene, inputs))
        at[gene.innovation] = i
    return tuple(repaired)


def _nearest(section: Section, i: int, places: Inputs) -> Inputs:
    """The legal inputs of gene i that are most like these."""
    legal = section.legal(i)
    if not places and not legal[0]:
        return ()
    wanted = tuple(sorted(places, reverse=True))
    if wanted in legal:
        return wanted
    have = set(places)
    return max(
        legal, key=lambda inputs: (len(have & set(inputs)), -len(inputs))
    )  # the first of the best


def _with_inputs(section: Section, gene: Gene, inputs: tuple[int, ...]) -> Gene:
    """The gene with these inputs, and with `merge` where they need one."""
    if section.merge is None or bool(inputs) == any(name == "merge" for name, _ in gene.params):
        return gene if inputs == gene.inputs else dataclasses.replace(gene, inputs=inputs)
    params: dict[str, Value] = gene.parameters
    if inputs:
        params["merge"] = section.merge.values[0]
    else:
        del params["merge"]
    return Gene.make(gene.op, params, inputs, gene.innovation)
