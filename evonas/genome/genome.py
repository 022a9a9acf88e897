"""Genome and Gene: the encoded network, a pure value with an identity."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from evonas.errors import InvalidGenome, Issue, did_you_mean
from evonas.markup import table

T = TypeVar("T")
Value = str | int | float | bool
"""A parameter's value. 1, 1.0 and true are three different values: compare with `same_value`."""

SECTION_INPUTS: Mapping[int, int] = {0: -1, -1: -2}
"""Innovation number -> position, for the section's first and second input."""

_GENE_KEYS = ("op", "params", "inputs", "innovation")
_GENE_KEY_SET = frozenset(_GENE_KEYS)


def same_value(a: Value | None, b: Value | None) -> bool:
    """Equal in value and in type, unlike `==`, for which 1, 1.0 and True are the same."""
    if type(a) is not type(b):
        return False
    return a == b


# A long run keeps every genome, and most of their genes repeat. Sharing them saves memory.
_SHARED: dict[tuple[Any, ...], Any] = {}
_MOST_SHARED = 20_000


def _shared(key: tuple[Any, ...], value: T) -> T:
    """The same object for equal keys."""
    # A full table still answers for the keys that it has, but it takes no new ones.
    if len(_SHARED) >= _MOST_SHARED:
        found: T = _SHARED.get(key, value)
    else:
        found = _SHARED.setdefault(key, value)
    return found


def _pair(name: str, value: Value) -> tuple[str, Value]:
    """A parameter with its value, as an object that genes share."""
    pair = (sys.intern(name), value)
    # Most floats are drawn from a range and never occur again. Only 0.0 is common: it means off.
    if isinstance(value, float) and value:
        return pair
    # The type is in the key because 1 and True are the same key otherwise.
    return _shared((name, type(value), value), pair)


@dataclass(frozen=True, slots=True)
class Gene:
    """One op with its parameters, its inputs, and a number.

    Attributes:
        op: the op's name.
        params: (name, value) pairs, sorted by name. If the section is wired with skips, `merge` is
            one of them exactly when `inputs` is not empty.
        inputs: innovation numbers of genes of the same section; 0 and -1 are the section's first
            and second input.
        innovation: number by which relatives are aligned; unique within a section, equal in
            parents and children. It is no part of the genome's identity.
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
        gene = cls(
            sys.intern(op),
            pairs,
            tuple(inputs),
            innovation,
        )
        # Only a gene like that of a one-gene section is likely to come again as it is.
        if gene.inputs or innovation != 1:
            return gene
        if any(isinstance(value, float) for _, value in pairs):
            return gene
        typed = ((name, type(value), value) for name, value in pairs)
        return _shared((op, *typed), gene)

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
        names = list(self.parameters)
        hint = did_you_mean(name, names)
        raise KeyError(f"{self.op} has no parameter {name!r}.{hint}")


def positions(genes: Sequence[Gene]) -> tuple[tuple[int, ...], ...]:
    """Each gene's inputs as positions; -1 and -2 are the section's first and second input.

    Raises:
        InvalidGenome: an input names no gene of the section.
    """
    at = {gene.innovation: i for i, gene in enumerate(genes)}
    at.update(SECTION_INPUTS)
    try:
        # `tuple` of a list is faster than of a generator, and each genome comes through here.
        return tuple([_places(gene, at) for gene in genes])
    except KeyError as error:
        number = error.args[0]
        raise InvalidGenome(
            Issue(f"an input names gene {number}, which is not in the section.")
        ) from None


def _places(gene: Gene, at: Mapping[int, int]) -> tuple[int, ...]:
    """A gene's inputs as positions, by a mapping of numbers to positions."""
    if not gene.inputs:
        return ()
    return tuple([at[number] for number in gene.inputs])


@dataclass(frozen=True, eq=False, slots=True)
class Genome:
    """A few named sections, each an ordered tuple of genes.

    Two genomes are equal when they describe the same network. That means: each section has the
    same ops, with the same parameters and the same positions of their inputs. Innovation numbers
    and the order in which sections are listed make no difference.

    A genome from a record may be `stored`: it keeps its text, and is decoded at its first use. Its
    digest and its ops are known before.

    Attributes:
        sections: (name, genes) pairs.
    """

    sections: tuple[tuple[str, tuple[Gene, ...]], ...]
    _digest: str = field(default="", init=False, repr=False)
    _text: str = field(default="", init=False, repr=False)
    _decode: Callable[[str], Genome] | None = field(default=None, init=False, repr=False)

    @classmethod
    def stored(cls, text: str, digest: str, decode: Callable[[str], Genome]) -> Genome:
        """A genome that is decoded when it is first used.

        Args:
            text: what `to_dict` gave, as JSON.
            digest: the digest that goes with it.
            decode: gives the genome of such a text. Its errors come from the first use.
        """
        genome = cls.__new__(cls)
        object.__setattr__(genome, "_digest", digest)
        object.__setattr__(genome, "_text", text)
        object.__setattr__(genome, "_decode", decode)
        return genome

    def __getattr__(self, name: str) -> Any:
        # Python comes here for a slot that holds nothing yet. That is `sections` of a stored
        # genome, and only once: every later use finds the slot filled, at no cost.
        if name != "sections" or self._decode is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        sections = self._decode(self._text).sections
        object.__setattr__(self, "sections", sections)
        object.__setattr__(self, "_text", "")
        object.__setattr__(self, "_decode", None)
        return sections

    def decoded(self) -> Genome:
        """An equal genome that is decoded. A stored one stays as it is, and so stays small.

        For those who look into very many genomes, one after the other.
        """
        if self._decode is None:
            return self
        found = self._decode(self._text)
        object.__setattr__(found, "_digest", self._digest)
        return found

    def part(self, name: str) -> tuple[Gene, ...]:
        """The genes of one section; empty if the genome has no such section.

        Of a stored genome, only this section is decoded, and it is not kept.
        """
        if self._decode is None:
            return self.get(name)
        try:
            entries = json.loads(self._text).get(name)
        except (ValueError, AttributeError):
            # Whoever decodes all of it says what is wrong.
            return self.get(name)
        if entries is None:
            return ()
        return self._decode(json.dumps({name: entries})).get(name)

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
        hint = did_you_mean(name, self.names)
        raise KeyError(f"no section {name!r}.{hint}")

    def get(self, name: str) -> tuple[Gene, ...]:
        """The genes of one section; empty if the genome has no such section."""
        sections = dict(self.sections)
        return sections.get(name, ())

    def _repr_html_(self) -> str:
        """What a notebook shows: a row for each gene."""
        rows: list[tuple[object, ...]] = []
        for name, genes in self.sections:
            places = positions(genes)
            for number, gene in enumerate(genes):
                settings = ", ".join(f"{key} {value}" for key, value in gene.params)
                inputs = ", ".join(map(str, places[number]))
                rows.append((name, number, gene.op, settings, inputs))
        return table("genome", rows, ("section", "gene", "op", "settings", "inputs"))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        """The names of the sections, in order, as a mapping gives its keys."""
        return iter(self.names)

    def canonical(self) -> str:
        """What would be trained, as JSON: no innovation numbers, inputs by position."""
        content = {}
        for name, genes in self.sections:
            entries: list[list[Any]] = []
            places = positions(genes)
            for gene, inputs in zip(genes, places, strict=True):
                entry: list[Any] = [gene.op, gene.parameters]
                if inputs:
                    entry.append(list(inputs))
                entries.append(entry)
            content[name] = entries
        # Digests in old records depend on every character of this text, so it never changes.
        return json.dumps(
            content,
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        )

    @property
    def digest(self) -> str:
        """16 hexadecimal digits, equal exactly for equal genomes, in every process and machine."""
        # Only the digest is kept: the text is long, and a run keeps thousands of genomes.
        if not self._digest:
            content = self.canonical().encode()
            digits = hashlib.sha256(content).hexdigest()
            object.__setattr__(self, "_digest", digits[:16])
        return self._digest

    @property
    def ops(self) -> tuple[str, ...]:
        """The names of the ops of all sections, each once, in the order of the genes."""
        if self._decode is not None:
            try:
                # To look for the names alone takes a fifth of the time.
                sections = json.loads(self._text).values()
                return tuple(dict.fromkeys([gene["op"] for genes in sections for gene in genes]))
            except (ValueError, TypeError, KeyError, AttributeError):
                # Whoever decodes it below says in full what is wrong.
                pass
        names = [gene.op for _, genes in self.sections for gene in genes]
        return tuple(dict.fromkeys(names))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Genome):
            return False
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def with_section(self, name: str, genes: Iterable[Gene]) -> Genome:
        """A genome in which one section has other genes.

        Raises:
            KeyError: the genome has no such section.
        """
        if name not in self:
            hint = did_you_mean(name, self.names)
            raise KeyError(f"no section {name!r}.{hint}")
        new = tuple(genes)
        sections = []
        for known, old in self.sections:
            entry = (known, old)
            if known == name:
                entry = (known, new)
            sections.append(entry)
        return Genome(tuple(sections))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON with everything in it, innovation numbers too; `from_dict` reads it."""
        data = {}
        for name, genes in self.sections:
            data[name] = [_entry(gene) for gene in genes]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Genome:
        """The genome that `to_dict` wrote. `validate` says whether it is legal in a space.

        Raises:
            InvalidGenome: `to_dict` does not write such data; all problems are listed.
        """
        if not isinstance(data, Mapping):
            raise InvalidGenome(
                Issue(f"a genome must be a mapping of sections. Received: {_shown(data)}")
            )
        problems: list[Issue] = []
        sections = []
        for name, entries in data.items():
            if not isinstance(name, str) or not isinstance(entries, list | tuple):
                text = f"must be a list of genes. Received: {_shown(entries)}"
                problems.append(Issue(text, str(name)))
                continue
            genes = []
            for i, entry in enumerate(entries):
                key = f"{name}[{i}]"
                gene = _gene_from(entry, key, problems)
                genes.append(gene)
            _check_numbers(name, genes, problems)
            section = (sys.intern(name), tuple(genes))
            sections.append(section)
        if problems:
            raise InvalidGenome(problems)
        return cls(tuple(sections))


def _entry(gene: Gene) -> dict[str, Any]:
    """A gene as plain JSON."""
    return {
        "op": gene.op,
        "params": gene.parameters,
        "inputs": list(gene.inputs),
        "innovation": gene.innovation,
    }


def _gene_from(entry: Any, key: str, problems: list[Issue]) -> Gene:
    """One gene; what is wrong with it goes to `problems`."""
    before = len(problems)
    if not isinstance(entry, Mapping) or entry.keys() != _GENE_KEY_SET:
        keys = ", ".join(_GENE_KEYS)
        text = f"a gene has the keys {keys}. Received: {_shown(entry)}"
        problems.append(Issue(text, key))
        return Gene("")
    op = entry["op"]
    params = entry["params"]
    inputs = entry["inputs"]
    number = entry["innovation"]
    if not isinstance(op, str) or not op:
        text = f"must be the name of an op. Received: {_shown(op)}"
        problems.append(Issue(text, f"{key}.op"))
    problems += _params_problems(params, f"{key}.params")
    if not _is_list_of_numbers(inputs):
        text = f"must be a list of innovation numbers. Received: {_shown(inputs)}"
        problems.append(Issue(text, f"{key}.inputs"))
    # `type` instead of `isinstance`: True is an int for Python, but no number here.
    if type(number) is not int or number < 1:
        text = f"must be an integer above 0. Received: {_shown(number)}"
        problems.append(Issue(text, f"{key}.innovation"))
    if len(problems) > before:
        return Gene("")
    return Gene.make(op, params, inputs, number)


def _params_problems(params: Any, key: str) -> list[Issue]:
    """What is wrong with the parameters of a gene."""
    if not isinstance(params, Mapping):
        text = f"must be a mapping. Received: {_shown(params)}"
        return [Issue(text, key)]
    problems = []
    for name, value in params.items():
        if isinstance(name, str) and is_value(value):
            continue
        allowed = "must be a word, true, false or a finite number"
        text = f"{allowed}. Received: {_shown(value)}"
        problems.append(Issue(text, f"{key}.{name}"))
    return problems


def _is_list_of_numbers(inputs: Any) -> bool:
    if not isinstance(inputs, list | tuple):
        return False
    return all(type(number) is int for number in inputs)


def _check_numbers(name: str, genes: Sequence[Gene], problems: list[Issue]) -> None:
    """Innovation numbers are unique in a section, and inputs name some of them."""
    # A gene that was refused has no number, so after a first problem this would find false ones.
    if problems:
        return
    numbers = {gene.innovation for gene in genes}
    if len(numbers) < len(genes):
        problems.append(Issue("two genes have the same innovation number.", name))
    for i, gene in enumerate(genes):
        for number in gene.inputs:
            if number in numbers or number in SECTION_INPUTS:
                continue
            text = f"an input names gene {number}, which is not in the section."
            key = f"{name}[{i}].inputs"
            problems.append(Issue(text, key))


def is_value(value: object) -> bool:
    """Whether this may be a parameter's value: a word, a truth value or a finite number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | bool | int)


def _shown(value: object, limit: int = 80) -> str:
    """A value in an error message, cut if it is long."""
    text = repr(value)
    if len(text) <= limit:
        return text
    return text[: limit - 3] + "..."
