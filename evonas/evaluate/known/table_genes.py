"""A genome's decisions as cells of a row: which columns a space has, and what genes cells mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome import Genome, Op, SearchSpace, Section, Value
from evonas.genome.parameters import Parameter

GeneKey = tuple[str, tuple[tuple[str, Value], ...]]
Key = tuple[tuple[GeneKey, ...], ...]
"""Per section and gene the op and its parameters: equal only for equal genomes without wiring."""

Found = list[tuple[str, str]]
"""Columns, and what is wrong there."""


@dataclass(frozen=True)
class Slot:
    """The columns of one place of a section.

    Attributes:
        op: the op's column; empty if only one op is possible.
        parameters: parameter -> column.
        may_be_absent: whether the section can be so short that the place is empty.
        known: cells that were read before, and what they meant.
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
        names = tuple(self.parameters.values())
        if not self.op:
            return names
        return (self.op, *names)

    def read(self, cells: tuple[str, ...]) -> tuple[GeneKey | None, Found]:
        """The gene in these cells, None if it is absent, and what is wrong with them."""
        # A table has far more rows than a place has genes: each is read once.
        found = self.known.get(cells)
        if found is None:
            found = self._read(cells)
            self.known[cells] = found
        return found

    def _read(self, cells: tuple[str, ...]) -> tuple[GeneKey | None, Found]:
        if self.may_be_absent and not any(cells):
            return None, []
        texts = dict(zip(self.columns, cells, strict=True))
        ops = self.section.ops
        # Without a column for the op there is only one.
        name = texts[self.op] if self.op else next(iter(ops))
        if name not in ops:
            hint = did_you_mean(name, list(ops))
            message = f"must be one of {', '.join(ops)}. Received: {name!r}.{hint}"
            return None, [(self.op, message)]
        issues: Found = []
        values = []
        for parameter, column in self.parameters.items():
            value = self._value(ops[name], parameter, texts[column], column, issues)
            if value is not None:
                values.append((parameter, value))
        # Sorted, as the parameters of a gene are: `Layout.key` makes equal keys of genomes.
        values.sort()
        gene = (name, tuple(values))
        return gene, issues

    def _value(self, op: Op, name: str, text: str, column: str, issues: Found) -> Value | None:
        """The value of a parameter, None if the op does not have it; what is wrong is added."""
        parameter = op.parameters.get(name)
        if parameter is None:
            # The columns of a place are those of all its ops together.
            if text:
                message = f"must be empty: {op.name} has no {name}. Received: {text!r}"
                issues.append((column, message))
            return None
        value = _admitted(parameter, text) if text else parameter.default
        if value is None:
            issues.append((column, f"must be {parameter.describe()}. Received: {text!r}"))
        return value


class Layout:
    """The columns of a space's genomes.

    Raises:
        InvalidData: the space wires genes, which columns cannot say.
    """

    def __init__(self, space: SearchSpace) -> None:
        for section in space.sections.values():
            if section.wiring != "chain":
                raise InvalidData(
                    Issue(
                        f"the section {section.name} is wired, so that its genomes must be given "
                        "by a column `genome` with their digests."
                    )
                )
        self._sections = tuple(space.sections)
        self._slots: list[list[Slot]] = []
        columns: list[str] = []
        for section in space.sections.values():
            places = range(section.high)
            slots = [_slot(section, place) for place in places]
            self._slots.append(slots)
            for slot in slots:
                columns += slot.columns
        self.columns = tuple(columns)

    def key(self, genome: Genome) -> Key:
        """What stands for a genome of the space."""
        sections = []
        for name in self._sections:
            genes = [(gene.op, gene.params) for gene in genome[name]]
            sections.append(tuple(genes))
        return tuple(sections)

    def read(self, cells: Sequence[str]) -> tuple[Key, Found]:
        """The key of the genome in these cells, one a column, and what is wrong with them."""
        sections: list[tuple[GeneKey, ...]] = []
        issues: Found = []
        start = 0
        for slots in self._slots:
            genes: list[GeneKey] = []
            for place, slot in enumerate(slots):
                end = start + len(slot.columns)
                gene, wrong = slot.read(tuple(cells[start:end]))
                start = end
                issues += wrong
                if gene is None:
                    continue
                # After another issue the earlier gene may be absent only because it was wrong.
                if len(genes) < place and not issues:
                    message = "is not empty, and a gene before it is absent."
                    issues.append((slot.columns[0], message))
                genes.append(gene)
            sections.append(tuple(genes))
        return tuple(sections), issues


def _slot(section: Section, place: int) -> Slot:
    prefix = f"{section.name}.{place}"
    parameters = {}
    for name in section.slot_names:
        parameters[name] = f"{prefix}.{name}"
    may_be_absent = place >= section.low
    # A gene that may be absent needs the column even for a single op: it tells whether it is there.
    has_op = len(section.ops) > 1 or may_be_absent
    op = f"{prefix}.op" if has_op else ""
    return Slot(section, op, parameters, may_be_absent)


def _admitted(parameter: Parameter, text: str) -> Value | None:
    """The value that a cell means; None if it is not allowed."""
    # A cell has no type, so each reading is tried: the parameter admits only its own type.
    for candidate in _readings(text):
        value = parameter.admit(candidate)
        if value is not None:
            return value
    return None


def _readings(text: str) -> Iterator[Value]:
    """A cell's text as a word, as a number and as a truth value."""
    yield text
    yield from _numbers(text)
    word = text.lower()
    if word in ("true", "false"):
        yield word == "true"


def _numbers(text: str) -> list[Value]:
    for kind in (int, float):
        try:
            return [kind(text)]
        except ValueError:
            continue
    return []
