"""The family of a run, node by node and edge by edge, for files that other programs read.

A graph of networkx would hold all of it at once, and so would the genomes. Here a genome is decoded
when an edge needs it, and forgotten soon after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from evonas.genome import Genome, changes
from evonas.insight.genealogy import node, parents
from evonas.trial import Objective, Trial

AT_HAND = 2048
"""Genomes that are kept decoded. Parents and children are near each other in most searches."""


@dataclass(frozen=True)
class Family:
    """Trials with their descent: a directed acyclic graph, edges from parent to child.

    Attributes:
        trials: trials with ids 0..n-1, in that order.
        ids: ids of the trials that belong to it, rising; None for all.
        children: for each member that has some, the ids of its children, rising.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """

    trials: Sequence[Trial]
    objective: Objective
    ids: Sequence[int] | None = None
    children: Mapping[int, Sequence[int]] = field(init=False)

    def __post_init__(self) -> None:
        # Now, and not at the first edge: a wrong parent is told before anything is written.
        object.__setattr__(self, "children", self._children())

    @property
    def about(self) -> dict[str, Any]:
        """What holds of the whole: the objective and its direction."""
        return {"objective": self.objective.name, "direction": self.objective.direction}

    @property
    def members(self) -> Sequence[int]:
        """The ids of the trials that belong to it."""
        return range(len(self.trials)) if self.ids is None else self.ids

    def nodes(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each trial's id with what is known of it, in the order of the ids."""
        for id in self.members:
            yield id, node(self.trials[id])

    def edges(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Parent, child and what is known of that step, by parent and then by child."""

        @lru_cache(AT_HAND)
        def decoded(id: int) -> Genome:
            return self.trials[id].genome.decoded()

        for parent in self.members:
            for child in self.children.get(parent, ()):
                is_main = parents(self.trials[child])[0] == parent
                attributes = {
                    "operator": self.trials[child].lineage.operator,
                    "changes": list(changes(decoded(parent), decoded(child))),
                    "main": is_main,
                }
                yield parent, child, attributes

    def _children(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        known = set(self.members)
        for child in self.members:
            for parent in parents(self.trials[child]):
                if parent in known:
                    found.setdefault(parent, []).append(child)
        return found
