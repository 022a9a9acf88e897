"""Children that may be proposed, and the improvement that is expected of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.search.breeding import Child
from evonas.search.surrogate import Experience


class Candidates:
    """Different children whose genomes were not proposed before.

    Args:
        experience: what is known, and what predicts. It must not change while children are added.
    """

    def __init__(self, experience: Experience) -> None:
        self._experience = experience
        # By digest of the genome. If a genome comes again, the child that came first stays.
        self._children: dict[str, Child] = {}
        self._improvement: list[float] = []

    def add(self, children: Sequence[Child]) -> None:
        """Add those of the children that are new."""
        new: dict[str, Child] = {}
        for child in children:
            genome = child.genome
            if genome.digest in self._children or self._experience.knows(genome):
                continue
            new.setdefault(genome.digest, child)
        if not new:
            return
        genomes = [child.genome for child in new.values()]
        self._improvement += self._experience.improvement(genomes).tolist()
        self._children.update(new)

    def best(self, count: int) -> list[Child]:
        """The `count` most promising children, the best first; fewer if there are fewer."""
        children = list(self._children.values())
        # Without "stable", the order of equal children could depend on the machine.
        order = np.argsort(-np.array(self._improvement), kind="stable")
        return [children[i] for i in order[:count]]
