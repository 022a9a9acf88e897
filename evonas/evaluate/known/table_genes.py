"""The decisions of a genome as cells of a row: which columns a space has, and from cells to genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome import Genome, Op, SearchSpace, Section, Value
from evonas.genome.parameters import Parameter

GeneKey = tuple[str, tuple[tuple[str, Value], ...]]
Key = tuple[tuple[GeneKey, ...], ...]
"""Per section and gene the op and its parameters: equal exactly for equal genomes without wiring."""

Found = list[tuple[str, str]]
"""Columns, and what is wrong there."""


@dataclass(frozen=True)
class Slot:
    """The columns of one place of a section.

    Attributes:
        op: the op's column; empty where there is no question which it is.
        parameters: parameter -> column.
        may_be_absent: whether the section can be so short that the place is empty.
    """

    section: Section
    op: str
    parameters: dict[str, str]
    may_be_absent: bool
    known: dict[tuple[str, ...], tuple[GeneKey | None, Found]] = field(
        default_factory=dict, compare=False
    )

    @property
    def columns(self) -> tuple[str, ...]:
        return (*([self.op] if self.op else []), *self.parameters.values())

    def read(self, cells: tuple[str, ...]) -> tuple[GeneKey | None, Found]:
        """The gene in these cells, None where it is absent, and what is wrong with them."""
        found = self.known.get(cells)
        if found is None:
            found = self.known[cells] = self._read(cells)
        return found

    def _read(self, cells: tuple[str, ...]) -> tuple[GeneKey | None, Found]:
        if self.may_be_absent and not any(cells):
            return None, []
        texts = dict(zip(self.columns, cells, strict=True))
        ops = self.section.ops
        name = texts[self.op] if self.op else next(iter(ops))
        if name not in ops:
            hint = did_you_mean(name, list(ops))
            return None, [(self.op, f"must be one of {', '.join(ops)}. Received: {name!r}.{hint}")]
        problems: Found = []
        values = []
        for parameter, column in self.parameters.items():
            value = self._value(ops[name], parameter, texts[column], column, problems)
            if value is not None:
                values.append((parameter, value))
        return (name, tuple(sorted(values))), problems

    def _value(self, op: Op, name: str, text: str, column: str, problems: Found) -> Value | None:
        parameter = op.parameters.get(name)
        if parameter is None:
            if text:
                problems.append(
                    (column, f"must be empty: {op.name} has no {name}. Received: {text!r}")
                )
            return None
        value = _admitted(parameter, text) if text else parameter.default
        if value is None:
            problems.append((column, f"must be {parameter.describe()}. Received: {text!r}"))
        return value


class Layout:
    """The columns of a space's genomes.

    Raises:
        InvalidData: the space wires genes, which columns cannot say.
    """

    def __init__(self, space: SearchSpace) -> None:
        for section in space.sections.values():
            if section.wiring != "chain":
                message = f"the section {section.name} is wired, so that its genomes must be given by a column `genome`"
                raise InvalidData(Issue(f"{message} with their digests."))
        self._sections = tuple(space.sections)
        self._slots = [
            [_slot(section, place) for place in range(section.high)]
            for section in space.sections.values()
        ]
        self.columns = tuple(
            name for slots in self._slots for slot in slots for name in slot.columns
        )

    def key(self, genome: Genome) -> Key:
        """What stands for a genome of the space."""
        return tuple(
            [tuple([(gene.op, gene.params) for gene in genome[name]]) for name in self._sections]
        )

    def read(self, cells: Sequence[str]) -> tuple[Key, Found]:
        """The key of the genome in these cells, one a column, and what is wrong with them."""
        sections: list[tuple[GeneKey, ...]] = []
        problems: Found = []
        start = 0
        for slots in self._slots:
            genes: list[GeneKey] = []
            for place, slot in enumerate(slots):
                end = start + len(slot.columns)
                gene, wrong = slot.read(tuple(cells[start:end]))
                start = end
                problems += wrong
                if gene is not None:
                    if len(genes) < place and not problems:
                        problems.append(
                            (slot.columns[0], "is not empty, and a gene before it is absent.")
                        )
                    genes.append(gene)
            sections.append(tuple(genes))
        return tuple(sections), problems


def _slot(section: Section, place: int) -> Slot:
    prefix, may_be_absent = f"{section.name}.{place}", place >= section.low
    parameters = {name: f"{prefix}.{name}" for name in section.slot_names}
    has_op = len(section.ops) > 1 or may_be_absent
    return Slot(section, f"{prefix}.op" if has_op else "", parameters, may_be_absent)


def _admitted(parameter: Parameter, text: str) -> Value | None:
    """The value that a cell means; None where it is not allowed."""
    for candidate in (
        text,
        *_numbers(text),
        *({"true": [True], "false": [False]}.get(text.lower(), [])),
    ):
        value = parameter.admit(candidate)
        if value is not None:
            return value
    return None


def _numbers(text: str) -> list[Value]:
    for kind in (int, float):
        try:
            return [kind(text)]
        except ValueError:
            continue
    return []
