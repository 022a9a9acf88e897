"""Writes a genome as the YAML of a seed genome, which `parse_genome` reads back."""

from __future__ import annotations

import json

from evonas.genome.genome import Gene, Genome, positions, same_value
from evonas.genome.parameters import value_text
from evonas.genome.space import SearchSpace, Section

_SOURCES = {-1: "input", -2: "input 2"}


def genome_text(space: SearchSpace, genome: Genome, about: str = "") -> str:
    """A genome in the words of its space.

    What is off is left out, as in the shipped genomes. Read back, it is the same genome;
    innovation numbers are new.

    Args:
        about: a sentence for people; it may hold anything.
    """
    lines = [f"space: {value_text(space.name)}"]
    if about:
        # A string of JSON is a quoted string of YAML.
        lines.append(f"about: {json.dumps(about, ensure_ascii=False)}")
    for section in space.sections.values():
        genes = genome[section.name]
        # Only a section that may be empty can be left out, and an empty one says nothing.
        if not genes:
            continue
        lines.append(f"{value_text(section.name)}:")
        for gene, inputs in zip(genes, positions(genes), strict=True):
            lines.append(f"  - {_gene(section, gene, inputs)}")
    return "\n".join(lines) + "\n"


def _gene(section: Section, gene: Gene, inputs: tuple[int, ...]) -> str:
    """`conv2d: {filters: 16, kernel_size: 3}`."""
    words = []
    for name, value in gene.params:
        # `merge` is no parameter of the op, and has no default.
        parameter = section.parameter(gene.op, name)
        if name == "merge" or not same_value(parameter.default, value):
            words.append(f"{value_text(name)}: {value_text(value)}")
    if inputs:
        sources = [_SOURCES.get(place, str(place)) for place in inputs]
        words.append(f"inputs: [{', '.join(sources)}]")
    return f"{value_text(gene.op)}: {{{', '.join(words)}}}"
