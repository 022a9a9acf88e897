"""Drawing genomes that were not proposed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evonas.genome import Genome

DRAWS = 1000
"""Number of draws of known genomes in a row, after which a space counts as exhausted.

Suppose that all genomes are equally likely. If a tenth of them is new, all draws miss them with a
probability of 10 to the -46. If a hundredth is new, the probability is 4 in 100,000.
"""


class Knows(Protocol):
    """An object that remembers which genomes were proposed."""

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""


def unknown(memory: Knows, draw: Callable[[], Genome], draws: int = DRAWS) -> Genome:
    """The first drawn genome that was not proposed before.

    If all draws give known genomes, the last one is returned: a duplicate, which costs nothing.
    """
    genome = draw()
    # The first draw is made above, so one less is left.
    for _ in range(draws - 1):
        if not memory.knows(genome):
            break
        genome = draw()
    return genome
