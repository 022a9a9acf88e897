"""What a surrogate sees of a genome: counts of subtrees and categories, and the numbers among its decisions.

The subtree kernel is that of Weisfeiler and Lehman (Shervashidze et al., 2011) on the architecture's graph, as in
NAS-BOWL (Ru et al., 2021).
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Choice, Genome, Node, SearchSpace, drawn, encode
from evonas.genome.space import Coordinate, Section

CACHED = 20_000
"""Genomes whose features are kept; more than a surrogate is fitted on, so that candidates met again are free."""


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each label occurs in a genome.

    Attributes:
        labels: ascending 63-bit hashes, shape (k,).
        counts: shape (k,).
    """

    labels: NDArray[np.int64]
    counts: NDArray[np.float64]

    @functools.cached_property
    def squared(self) -> float:
        """The sum of squared counts: a whole number, so that it does not depend on the order."""
        return float(self.counts @ self.counts)


class Features:
    """Genomes of one space as counts and numbers; remembers what it has computed.

    Args:
        depth: subtrees up to so many edges are counted: the iterations of Weisfeiler and Lehman.
    """

    def __init__(self, space: SearchSpace, depth: int) -> None:
        self.space, self.depth = space, depth
        self._numeric = np.array(
            [_is_numeric(space, place) for place in space.coordinates], dtype=bool
        )
        self._cached: dict[str, tuple[Counts, NDArray[np.float64]]] = {}

    def _of(self, genome: Genome) -> tuple[Counts, NDArray[np.float64]]:
        found = self._cached.get(genome.digest)
        if found is None:
            if len(self._cached) >= CACHED:
                self._cached.clear()
            counted = subtree_counts(self.space, genome, self.depth) + categories(
                self.space, genome
            )
            hashed = sorted((_hash(label), count) for label, count in counted.items())
            labels = np.array([label for label, _ in hashed], dtype=np.int64)
            counts = Counts(labels, np.array([count for _, count in hashed], dtype=np.float64))
            found = self._cached[genome.digest] = (counts, encode(self.space, genome))
        return found

    def counts(self, genomes: Sequence[Genome]) -> list[Counts]:
        """The labels in each genome."""
        return [self._of(genome)[0] for genome in genomes]

    def points(self, genomes: Sequence[Genome]) -> NDArray[np.float64]:
        """Every coordinate of the unit cube; shape (len(genomes), space.dimension)."""
        return np.array([self._of(genome)[1] for genome in genomes]).reshape(len(genomes), -1)

    def numbers(self, genomes: Sequence[Genome]) -> NDArray[np.float64]:
        """The coordinates that decide a number; shape (len(genomes), how many there are)."""
        return self.points(genomes)[:, self._numeric]


def vocabulary(counts: Iterable[Counts]) -> NDArray[np.int64]:
    """All labels of these genomes, ascending."""
    return np.unique(np.concatenate([one.labels for one in counts]))


def matrix(counts: Sequence[Counts], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Counts as rows, with a column for each of these labels; others are left out. Shape (len(counts), len(labels))."""
    result = np.zeros((len(counts), len(labels)))
    rows = np.repeat(np.arange(len(counts)), [len(one.labels) for one in counts])
    found = np.concatenate([one.labels for one in counts])
    columns = np.minimum(np.searchsorted(labels, found), len(labels) - 1)
    known = labels[columns] == found
    result[rows[known], columns[known]] = np.concatenate([one.counts for one in counts])[known]
    return result


def subtree_counts(space: SearchSpace, genome: Genome, depth: int) -> Counter[str]:
    """How often each subtree occurs in the architecture's graph, up to a depth of so many edges.

    A node's first label is its op; where a section's length is fixed, its place is a part of it, for there the genes of
    different places do different things. Each further label is the one before with those of the nodes that feed it.
    """
    nodes, edges = drawn(space, genome)
    labels = {name: _label(space, node) for name, node in nodes.items()}
    found = Counter(f"op {node.op}" for node in nodes.values())
    found.update(labels.values())
    sources: dict[str, list[tuple[str, str]]] = {name: [] for name in nodes}
    for (source, name), kind in edges.items():
        sources[name].append((kind, source))
    for _ in range(depth):
        labels = {
            name: f"({label}<{','.join(sorted([f'{kind} {labels[source]}' for kind, source in sources[name]]))})"
            for name, label in labels.items()
        }
        found.update(labels.values())
    return found


def _label(space: SearchSpace, node: Node) -> str:
    if not node.section:
        return node.op
    place = f"[{node.position}]" if _is_fixed(space[node.section]) else ""
    return f"{node.section}{place}={node.op}"


def categories(space: SearchSpace, genome: Genome) -> Counter[str]:
    """How often each word is chosen: ops of the settings, and parameters that are words or truth values."""
    found: Counter[str] = Counter()
    for section in space.sections.values():
        for i, gene in enumerate(genome[section.name]):
            place = f"{section.name}[{i}]" if _is_fixed(section) else section.name
            if section.group == "settings" and len(section.ops) > 1:
                found[f"{place}={gene.op}"] += 1
            for name, value in gene.params:
                parameter = section.parameter(gene.op, name)
                if isinstance(parameter, Choice) and not parameter.ordered:
                    found[f"{place} {name}={value}"] += 1
    return found


def _is_fixed(section: Section) -> bool:
    return section.low == section.high


def _is_numeric(space: SearchSpace, place: Coordinate) -> bool:
    """Whether a coordinate decides a length or a number."""
    section, _, key = place
    if key in ("length", "op", "inputs", "merge"):
        return key == "length"
    parameters = [op.parameters[key] for op in space[section].ops.values() if key in op.parameters]
    return all(not isinstance(parameter, Choice) or parameter.ordered for parameter in parameters)


@functools.lru_cache(maxsize=100_000)
def _hash(label: str) -> int:
    """The same in every process, unlike Python's own."""
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), "big") >> 1
