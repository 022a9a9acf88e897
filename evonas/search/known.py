"""Drawing genomes that were not proposed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evonas.genome import Genome

DRAWS = 1000
"""Draws in a row of known genomes, after which a space counts as exhausted. One that has a tenth of its genomes left,
each as likely, is found out to have none with a probability of 10 to the -46; a hundredth, 4 in 100,000."""


class Knows(Protocol):
    """Somebody who remembers proposals."""

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""


def unknown(memory: Knows, draw: Callable[[], Genome], draws: int = DRAWS) -> Genome:
    """The first draw that was not proposed before; where none is found, the last: a twin, which costs nothing."""
    genome = draw()
    for _ in range(draws - 1):
        if not memory.knows(genome):
            break
        genome = draw()
    return genome
