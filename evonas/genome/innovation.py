"""Innovation numbers without a counter.

Numbering genes is the idea of NEAT (Stanley & Miikkulainen, 2002). Genes of sampled, decoded and
seed genomes are numbered by position, from 1. A gene inserted between two others gets a number
that is a function of these two and of its op. So the same edit in the same place gives the same
number in every process. The number of workers and a resume make no difference. Relatives that were
made independently can be aligned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from evonas.genome.genome import Gene

FIRST_HASHED = 256
"""Smaller numbers are positions: no section is longer than 200."""


def innovation(taken: Iterable[Gene], left: int, right: int, op: str) -> int:
    """The number of a gene inserted between two others.

    Args:
        taken: the section's genes; their numbers are avoided by raising a salt.
        left: the number of the gene on the left; 0 if there is none.
        right: the number of the gene on the right; 0 if there is none.
        op: the op of the new gene.

    Returns:
        A number in [256, 2**48 + 256), exact in JSON.
    """
    numbers = {gene.innovation for gene in taken}
    salt = 0
    while True:
        key = f"{left} {right} {op} {salt}".encode()
        # Six bytes: with more, a JSON reader that uses doubles could round the number.
        hashed = hashlib.blake2b(key, digest_size=6).digest()
        number = FIRST_HASHED + int.from_bytes(hashed, "big")
        if number not in numbers:
            return number
        salt += 1


def neighbours(genes: Sequence[Gene], i: int) -> tuple[int, int]:
    """The numbers on both sides of the gap between genes i - 1 and i; 0 if there is no gene."""
    left = 0
    right = 0
    if i > 0:
        left = genes[i - 1].innovation
    if i < len(genes):
        right = genes[i].innovation
    return left, right
