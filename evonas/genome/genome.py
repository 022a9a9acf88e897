"""Genome and Gene: the encoded network, a pure value with an identity."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from evonas.errors import InvalidGenome, Issue, did_you_mean

T = TypeVar("T")
Value = str | int | float | bool
"""What a parameter may be. 1, 1.0 and true are three different values: compare with `same_value`."""

SECTION_INPUTS: Mapping[int, int] = {0: -1, -1: -2}
"""The innovation numbers that stand for a section's first and second input, and the positions they stand for."""

_GENE_KEYS = ("op", "params", "inputs", "innovation")


def same_value(a: Value | None, b: Value | None) -> bool:
    """Equal in value and in type, unlike `==`, for which 1, 1.0 and True are the same."""
    return type(a) is type(b) and a == b


_SHARED: dict[tuple[Any, ...], Any] = {}
_MOST_SHARED = 20_000


def _shared(key: tuple[Any, ...], value: T) -> T:
    """The same object for equal keys, as long as there are not too many: a long run keeps every genome."""
    if len(_SHARED) >= _MOST_SHARED:
        found: T = _SHARED.get(key, value)
    else:
        found = _SHARED.setdefault(key, value)
    return found


def _pair(name: str, value: Value) -> tuple[str, Value]:
    pair = (sys.intern(name), value)
    return pair if isinstance(value, float) and value else _shared((name, type(value), value), pair)


@dataclass(frozen=True, slots=True)
class Gene:
    """One op with its parameters, its inputs, and the number by which it is aligned with its relatives.

    Attributes:
        op: the op's name.
        params: (name, value) pairs, sorted by name. In a section wired with skips, `merge` is one of them exactly
            when `inputs` is not empty.
        inputs: innovation numbers of genes of the same section; 0 and -1 are the section's first and second input.
        innovation: unique within a section; equal in parents and children. No part of the genome's identity.
    """

    op: str
    params: tuple[tuple[str, Value], ...] = ()
    inputs: tuple[int, ...] = ()
    innovation: int = 0

    @classmethod
    def make(
        cls, op: str, params: Mapping[str, Value], inputs: Iterable[int] = (), innovation: int = 0
    ) -> Gene:
        """A gene from a mapping of parameters."""
        pairs = tuple(_pair(*pair) for pair in sorted(params.items()))
        gene = cls(sys.intern(op), pairs, tuple(inputs), innovation)
        if gene.inputs or innovation != 1 or any(isinstance(value, float) for _, value in pairs):
            return gene
        return _shared(
            (op, *((name, type(value), value) for name, value in pairs)), gene
        )  # a section of one gene

    @property
    def parameters(self) -> dict[str, Value]:
        """The parameters as a new dict, in alphabetical order."""
        return dict(self.params)

    def __getitem__(self, name: str) -> Value:
        """The value of one parameter.

        Raises:
            KeyError: the gene has no such parameter.
        """
        for known, value in self.params:
            if known == name:
                return value
        raise KeyError(
            f"{self.op} has no parameter {name!r}.{did_you_mean(name, [k for k, _ in self.params])}"
        )


def positions(genes: Sequence[Gene]) -> tuple[tuple[int, ...], ...]:
    """Each gene's inputs as positions in the section; -1 and -2 are the section's first and second input.

    Raises:
        InvalidGenome: an input names no gene of the section.
    """
    at = {gene.innovation: i for i, gene in enumerate(genes)} | dict(SECTION_INPUTS)
    try:
        return tuple(tuple([at[number] for number in gene.inputs]) for gene in genes)
    except KeyError as error:
        raise InvalidGenome(
            Issue(f"an input names gene {error.args[0]}, which is not in the section.")
        ) from None


@dataclass(frozen=True, eq=False, slots=True)
class Genome:
    """A few named sections, each an ordered tuple of genes.

    Two genomes are equal when they describe the same network: per section the ops, their parameters and the positions
    of their inputs. Innovation numbers and the order in which sections are listed make no difference.

    Attributes:
        sections: (name, genes) pairs.
    """

    sections: tuple[tuple[str, tuple[Gene, ...]], ...]
    _sha256: bytes = field(default=b"", init=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sections, in order."""
        return tuple(name for name, _ in self.sections)

    def __getitem__(self, name: str) -> tuple[Gene, ...]:
        """The genes of one section.

        Raises:
            KeyError: the genome has no such section.
        """
        for known, genes in self.sections:
            if known == name:
                return genes
        raise KeyError(f"no section {name!r}.{did_you_mean(name, self.names)}")

    def get(self, name: str) -> tuple[Gene, ...]:
        """The genes of one section; none where the genome has no such section."""
        return dict(self.sections).get(name, ())

    def __contains__(self, name: object) -> bool:
        return any(known == name for known, _ in self.sections)

    def canonical(self) -> str:
        """What would be trained, as JSON: no innovation numbers, inputs by position."""
        content = {
            name: [
                [gene.op, dict(gene.params), list(inputs)]
                if inputs
                else [gene.op, dict(gene.params)]
                for gene, inputs in zip(genes, positions(genes), strict=True)
            ]
            for name, genes in self.sections
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def _identity(self) -> bytes:
        """The sha256 of the canonical text; the text itself is long, and a run keeps thousands of genomes."""
        if not self._sha256:
            object.__setattr__(self, "_sha256", hashlib.sha256(self.canonical().encode()).digest())
        return self._sha256

    @property
    def digest(self) -> str:
        """16 hexadecimal digits: equal exactly for equal genomes, on every machine and in every process."""
        return self._identity.hex()[:16]

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Genome) and self._identity == other._identity)

    def __hash__(self) -> int:
        return hash(self._identity)

    def with_section(self, name: str, genes: Iterable[Gene]) -> Genome:
        """A genome in which one section has other genes.

        Raises:
            KeyError: the genome has no such section.
        """
        if name not in self:
            raise KeyError(f"no section {name!r}.{did_you_mean(name, self.names)}")
        new = tuple(genes)
        return Genome(tuple((known, new if known == name else old) for known, old in self.sections))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON with everything in it, innovation numbers too: `from_dict` gives the genome back."""
        return {
            name: [
                {
                    "op": g.op,
                    "params": g.parameters,
                    "inputs": list(g.inputs),
                    "innovation": g.innovation,
                }
                for g in genes
            ]
            for name, genes in self.sections
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Genome:
        """The genome that `to_dict` wrote. Whether it is legal in a space is asked of `validate`.

        Raises:
            InvalidGenome: the data are not of the form that `to_dict` writes; all problems are listed.
        """
        problems: list[Issue] = []
        sections = []
        if not isinstance(data, Mapping):
            raise InvalidGenome(
                Issue(f"a genome must be a mapping of sections. Received: {_shown(data)}")
            )
        for name, entries in data.items():
            if not isinstance(name, str) or not isinstance(entries, list | tuple):
                problems.append(
                    Issue(f"must be a list of genes. Received: {_shown(entries)}", str(name))
                )
                continue
            genes = tuple(
                _gene_from(entry, f"{name}[{i}]", problems) for i, entry in enumerate(entries)
            )
            _check_numbers(name, genes, problems)
            sections.append((sys.intern(name), genes))
        if problems:
            raise InvalidGenome(problems)
        return cls(tuple(sections))


def _gene_from(entry: Any, key: str, problems: list[Issue]) -> Gene:
    """One gene; what is wrong with it goes to `problems`."""
    before = len(problems)
    if not isinstance(entry, Mapping) or set(entry) != set(_GENE_KEYS):
        problems.append(
            Issue(f"a gene has the keys {', '.join(_GENE_KEYS)}. Received: {_shown(entry)}", key)
        )
        return Gene("")
    op, params, inputs, number = (entry[name] for name in _GENE_KEYS)
    if not isinstance(op, str) or not op:
        problems.append(Issue(f"must be the name of an op. Received: {_shown(op)}", f"{key}.op"))
    if not isinstance(params, Mapping):
        problems.append(Issue(f"must be a mapping. Received: {_shown(params)}", f"{key}.params"))
    else:
        for name, value in params.items():
            if not isinstance(name, str) or not is_value(value):
                allowed = "must be a word, true, false or a finite number"
                problems.append(
                    Issue(f"{allowed}. Received: {_shown(value)}", f"{key}.params.{name}")
                )
    if not isinstance(inputs, list | tuple) or not all(type(n) is int for n in inputs):
        problems.append(
            Issue(
                f"must be a list of innovation numbers. Received: {_shown(inputs)}", f"{key}.inputs"
            )
        )
    if type(number) is not int or number < 1:
        problems.append(
            Issue(f"must be an integer above 0. Received: {_shown(number)}", f"{key}.innovation")
        )
    return Gene("") if len(problems) > before else Gene.make(op, params, inputs, number)


def _check_numbers(name: str, genes: Sequence[Gene], problems: list[Issue]) -> None:
    """Innovation numbers are unique in a section, and inputs name some of them."""
    if problems:
        return
    numbers = {gene.innovation for gene in genes}
    if len(numbers) < len(genes):
        problems.append(Issue("two genes have the same innovation number.", name))
    for i, gene in enumerate(genes):
        for number in gene.inputs:
            if number not in numbers and number not in SECTION_INPUTS:
                problems.append(
                    Issue(
                        f"an input names gene {number}, which is not in the section.",
                        f"{name}[{i}].inputs",
                    )
                )


def is_value(value: object) -> bool:
    """Whether this may be a parameter's value: a word, a truth value or a finite number."""
    return isinstance(value, str | bool | int) or (
        isinstance(value, float) and math.isfinite(value)
    )


def _shown(value: object, limit: int = 80) -> str:
    """A value in an error message, short whatever it is."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
