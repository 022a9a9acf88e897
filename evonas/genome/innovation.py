"""Innovation numbers without a counter (the idea of numbering genes: NEAT, Stanley & Miikkulainen, 2002).

Genes of sampled, decoded and seed genomes are numbered by position, from 1. A gene inserted between two others gets a
number that is a function of the two, of its op and of nothing else, so that the same edit in the same place gives the
same number in every process, for eight workers and after a resume, and relatives born apart can be aligned.
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
        left: the number of the gene on its left; 0 for none.
        right: the number of the gene on its right; 0 for none.
        op: of the new gene.

    Returns:
        A number in [256, 2**48 + 256), exact in JSON.
    """
    numbers = {gene.innovation for gene in taken}
    salt = 0
    while True:
        key = f"{left} {right} {op} {salt}".encode()
        number = FIRST_HASHED + int.from_bytes(hashlib.blake2b(key, digest_size=6).digest(), "big")
        if number not in numbers:
            return number
        salt += 1


def neighbours(genes: Sequence[Gene], i: int) -> tuple[int, int]:
    """The numbers on both sides of a gap: between genes i - 1 and i; 0 for none."""
    left = genes[i - 1].innovation if i > 0 else 0
    right = genes[i].innovation if i < len(genes) else 0
    return left, right
