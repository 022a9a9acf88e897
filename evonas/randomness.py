"""Where every random number comes from: the run's seed, a purpose, and a counter.

No generator is ever saved. Code that needs the numbers again makes the generator again from the
same three values.
"""

from __future__ import annotations

import hashlib

import numpy as np

# The place of a purpose is part of every seed. So a new purpose goes to the end.
PURPOSES = ("sample", "child", "select", "split", "order", "surrogate", "replace")


def generator(seed: int, purpose: str, *counter: int) -> np.random.Generator:
    """The generator of (seed, purpose, counter).

    Equal arguments give equal numbers. Different arguments give independent numbers.
    """
    place = PURPOSES.index(purpose)
    key = (place, *counter)
    sequence = np.random.SeedSequence(seed, spawn_key=key)
    return np.random.default_rng(sequence)


def training_seed(run_seed: int, digest: str, repeat: int) -> int:
    """The seed of one training, in [0, 2**32).

    Duplicates (same genome digest, same repeat) are the very same training.
    """
    text = f"{run_seed} {digest} {repeat}"
    # Not `hash`: Python salts it anew in each process.
    hashed = hashlib.blake2b(text.encode(), digest_size=4)
    return int.from_bytes(hashed.digest(), "big")
