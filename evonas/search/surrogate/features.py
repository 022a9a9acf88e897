"""What a surrogate sees of a genome: counts of subtrees and categories, and its numbers.

The subtrees of Weisfeiler and Lehman (Shervashidze et al., 2011) are counted in the architecture's
graph, as in NAS-BOWL (Ru et al., 2021). Unlike there, a label has the section of its node, and its
place if the section's length is fixed; and words of the settings are counted, too.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Choice, Genome, Node, SearchSpace, drawn, encode
from evonas.genome.encoding import Slots
from evonas.genome.genome import positions
from evonas.genome.space import Coordinate, Section
from evonas.search.surrogate.decisions import Decisions, decisions

CACHED = 20_000
"""Genomes whose features are kept.

The number is larger than that of the fitted trials, so that candidates met again cost nothing.
"""


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each label occurs in a genome.

    Attributes:
        labels: ascending 63-bit hashes, shape (k,).
        counts: number of occurrences of each label, shape (k,).
    """

    labels: NDArray[np.int64]
    counts: NDArray[np.float64]

    @functools.cached_property
    def squared(self) -> float:
        """The sum of squared counts."""
        # The sum is a whole number, so it is exact in any order of summation.
        return float(self.counts @ self.counts)


class Features:
    """Genomes of one space as counts and numbers. What was computed is remembered.

    Args:
        space: search space of the genomes.
        depth: number of edges of the largest subtrees that are counted. It is the number of
            iterations of Weisfeiler and Lehman.
    """

    def __init__(self, space: SearchSpace, depth: int) -> None:
        self.space = space
        self.depth = depth
        numeric = [_is_numeric(space, place) for place in space.coordinates]
        self._numeric = np.array(numeric, dtype=bool)
        # By digest of the genome.
        self._cached: dict[str, tuple[Counts, NDArray[np.float64]]] = {}
        # By the structure and the words of the genome.
        self._counts: dict[Hashable, Counts] = {}
        # By section and slot.
        self._slots: Slots = {}

    @functools.cached_property
    def decisions(self) -> Decisions:
        """How the decisions of the space are grouped."""
        return decisions(self.space)

    def _of(self, genome: Genome) -> tuple[Counts, NDArray[np.float64]]:
        """The counts and the coordinates of a genome, from the cache if they are there."""
        found = self._cached.get(genome.digest)
        if found is None:
            if len(self._cached) >= CACHED:
                self._cached.clear()
            counts = self._counted(genome)
            # Without priors: a score changes with the number, and not with how likely it was.
            if len(self._slots) >= CACHED:
                self._slots.clear()
            point = encode(self.space, genome, flat=True, slots=self._slots)
            found = (counts, point)
            self._cached[genome.digest] = found
        return found

    def _counted(self, genome: Genome) -> Counts:
        """The labels of a genome with their counts."""
        words = categories(self.space, genome)
        # Genomes that differ by numbers alone have the same labels.
        alike = (_structure(genome), tuple(words.items()))
        found = self._counts.get(alike)
        if found is None:
            if len(self._counts) >= CACHED:
                self._counts.clear()
            counted = subtree_counts(self.space, genome, self.depth) + words
            hashed = sorted((_hash(label), count) for label, count in counted.items())
            labels = [label for label, _ in hashed]
            amounts = [count for _, count in hashed]
            found = Counts(
                labels=np.array(labels, dtype=np.int64),
                counts=np.array(amounts, dtype=np.float64),
            )
            self._counts[alike] = found
        return found

    def counts(self, genomes: Sequence[Genome]) -> list[Counts]:
        """The labels in each genome."""
        found = []
        for genome in genomes:
            counts, _ = self._of(genome)
            found.append(counts)
        return found

    def points(self, genomes: Sequence[Genome]) -> NDArray[np.float64]:
        """Every coordinate of the unit cube; shape (len(genomes), space.dimension)."""
        points = []
        for genome in genomes:
            _, point = self._of(genome)
            points.append(point)
        return np.array(points)

    def numbers(self, genomes: Sequence[Genome]) -> NDArray[np.float64]:
        """The coordinates that decide a number; shape (len(genomes), number of them)."""
        points = self.points(genomes)
        return points[:, self._numeric]


def _structure(genome: Genome) -> Hashable:
    """The ops of the genes and their inputs."""
    found: list[Hashable] = []
    for name, genes in genome.sections:
        ops = tuple([gene.op for gene in genes])
        found.append((name, ops, positions(genes)))
    return tuple(found)


def vocabulary(counts: Iterable[Counts]) -> NDArray[np.int64]:
    """All labels of these genomes, ascending."""
    labels = [one.labels for one in counts]
    every = np.concatenate(labels)
    return np.unique(every)


def matrix(counts: Sequence[Counts], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Counts as rows, with a column for each of these labels. Other labels are left out.

    Returns:
        Shape (len(counts), len(labels)).
    """
    height = len(counts)
    width = len(labels)
    # The labels of all genomes in one array, with the row and the count of each.
    lengths = [len(one.labels) for one in counts]
    rows = np.repeat(np.arange(height), lengths)
    found = np.concatenate([one.labels for one in counts])
    amounts = np.concatenate([one.counts for one in counts])
    # The place of an unknown label may be behind the last label: there is nothing to compare.
    places = np.searchsorted(labels, found)
    columns = np.minimum(places, width - 1)
    is_known = labels[columns] == found
    result = np.zeros((height, width))
    result[rows[is_known], columns[is_known]] = amounts[is_known]
    return result


def subtree_counts(space: SearchSpace, genome: Genome, depth: int) -> Counter[str]:
    """How often each subtree occurs in the architecture's graph.

    Args:
        space: search space of the genome.
        genome: genome of the architecture.
        depth: number of edges of the largest subtrees.
    """
    nodes, edges = drawn(space, genome)
    found: Counter[str] = Counter()
    labels: dict[str, str] = {}
    sources: dict[str, list[tuple[str, str]]] = {}
    for name, node in nodes.items():
        # This label has no section, so equal ops of two sections share it.
        found[f"op {node.op}"] += 1
        labels[name] = _label(space, node)
        sources[name] = []
    found.update(labels.values())
    for (source, name), kind in edges.items():
        sources[name].append((kind, source))
    for _ in range(depth):
        # A new dict: all labels of an iteration are made of those of the iteration before.
        deeper = {}
        for name, label in labels.items():
            deeper[name] = _deeper(label, sources[name], labels)
        labels = deeper
        found.update(labels.values())
    return found


def _deeper(label: str, sources: Sequence[tuple[str, str]], labels: dict[str, str]) -> str:
    """A node's label together with those of the nodes that feed it."""
    fed_by = []
    for kind, source in sources:
        fed_by.append(f"{kind} {labels[source]}")
    # Sorted, for the order of the inputs makes no difference.
    fed_by.sort()
    inputs = ",".join(fed_by)
    return f"({label}<{inputs})"


def _label(space: SearchSpace, node: Node) -> str:
    """A node's first label: its section and its op."""
    if not node.section:
        return node.op
    section = space[node.section]
    # If the length is fixed, genes at different places do different things.
    place = f"[{node.position}]" if _is_fixed(section) else ""
    return f"{node.section}{place}={node.op}"


def categories(space: SearchSpace, genome: Genome) -> Counter[str]:
    """How often each word is chosen: ops of the settings, and parameters that are words or truth
    values."""
    found: Counter[str] = Counter()
    for section in space.sections.values():
        # The ops of other sections are counted in the graph.
        is_counted = section.group == "settings" and len(section.ops) > 1
        is_fixed = _is_fixed(section)
        for i, gene in enumerate(genome[section.name]):
            place = f"{section.name}[{i}]" if is_fixed else section.name
            if is_counted:
                found[f"{place}={gene.op}"] += 1
            for name, value in gene.params:
                parameter = section.parameter(gene.op, name)
                # Ordered choices are numbers, which surrogates see as coordinates.
                if isinstance(parameter, Choice) and not parameter.ordered:
                    found[f"{place} {name}={value}"] += 1
    return found


def _is_fixed(section: Section) -> bool:
    """Whether all genomes have the same number of genes in this section."""
    return section.low == section.high


def _is_numeric(space: SearchSpace, place: Coordinate) -> bool:
    """Whether a coordinate decides a length or a number."""
    section, _, key = place
    if key in ("length", "op", "inputs", "merge"):
        return key == "length"
    # Ops share the coordinate of a parameter with one name. All of them must mean a number by it.
    for op in space[section].ops.values():
        parameter = op.parameters.get(key)
        if isinstance(parameter, Choice) and not parameter.ordered:
            return False
    return True


@functools.lru_cache(maxsize=100_000)
def _hash(label: str) -> int:
    """A 63-bit hash that is the same in every process, unlike Python's own."""
    digest = hashlib.blake2b(label.encode(), digest_size=8).digest()
    # One bit is dropped, so that the number fits into a signed 64-bit integer.
    return int.from_bytes(digest, "big") >> 1
