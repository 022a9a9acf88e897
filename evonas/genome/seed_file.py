"""Writes a genome as the file of a seed genome, which can begin another search."""

from __future__ import annotations

from typing import Any

from evonas.genome.genome import SECTION_INPUTS, Gene, Genome
from evonas.genome.space import SearchSpace, Section

_WORDS = {-1: "input", -2: "input 2"}
"""The words for the inputs of a section, by their positions."""


def as_seed(space: SearchSpace, genome: Genome) -> dict[str, Any]:
    """What the file of a seed genome says; `parse_genome` reads the same genome of it."""
    found: dict[str, Any] = {"space": space.name}
    for section in space.sections.values():
        genes = genome[section.name]
        places = {gene.innovation: place for place, gene in enumerate(genes)}
        rows = [_row(section, gene, {**places, **SECTION_INPUTS}) for gene in genes]
        # A section that may be empty is left out then.
        if rows or section.low > 0:
            found[section.name] = rows
    return found


def _row(section: Section, gene: Gene, places: dict[int, int]) -> dict[str, Any]:
    said: dict[str, Any] = dict(gene.params)
    is_dag = section.wiring == "dag"
    # In a chain, a gene takes the output of the gene before, and a file says nothing.
    if is_dag or (section.merge is not None and gene.inputs):
        inputs = [places[number] for number in gene.inputs]
        said["inputs"] = [_WORDS.get(place, place) for place in inputs]
    return {gene.op: said}
