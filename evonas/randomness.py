"""Where every random number comes from: the run's seed, a purpose, and a counter.

No generator is ever saved: whoever needs numbers again, derives the generator again from the same three.
"""

from __future__ import annotations

import hashlib

import numpy as np

PURPOSES = ("sample", "child", "select", "split", "order", "surrogate", "replace")


def generator(seed: int, purpose: str, *counter: int) -> np.random.Generator:
    """The generator of (seed, purpose, counter): equal arguments give equal numbers, different ones independent
    numbers."""
    return np.random.default_rng(
        np.random.SeedSequence(seed, spawn_key=(PURPOSES.index(purpose), *counter))
    )


def training_seed(run_seed: int, digest: str, repeat: int) -> int:
    """The seed of one training, in [0, 2**32): twins (same genome digest, same repeat) are the very same training."""
    key = f"{run_seed} {digest} {repeat}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "big")
