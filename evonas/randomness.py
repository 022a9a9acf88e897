"""Where every random number comes from: the run's seed, a purpose, and a counter.

No generator is ever saved. Code that needs the numbers again makes the generator again from the
same three values.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

# NumPy is imported by the functions that use it: whoever only looks at a run draws no number.
if TYPE_CHECKING:
    import numpy as np

# The place of a purpose is part of every seed. So a new purpose goes to the end.
PURPOSES = ("sample", "child", "select", "split", "order", "surrogate", "replace", "augment")


def generator(seed: int, purpose: str, *counter: int) -> np.random.Generator:
    """The generator of (seed, purpose, counter).

    Equal arguments give equal numbers. Different arguments give independent numbers.
    """
    import numpy as np

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


def fold_seed(seed: int, fold: int) -> int:
    """The seed of one fold of a training, in [0, 2**32).

    Args:
        seed: seed of the training.
        fold: number of the fold, counted from 0.
    """
    hashed = hashlib.blake2b(f"{seed} fold {fold}".encode(), digest_size=4)
    return int.from_bytes(hashed.digest(), "big")


@contextmanager
def kept_generators() -> Iterator[None]:
    """Put the global generators of Python and NumPy back as they were."""
    import numpy as np

    of_python = random.getstate()
    of_numpy = np.random.get_state()  # noqa: NPY002 - the user's code may draw from the global one
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002


@contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Seed the global generators of Python and NumPy, and put them back as they were.

    Keras draws its initial weights from Python's.

    Args:
        seed: seed in [0, 2**32).
    """
    import numpy as np

    with kept_generators():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        yield
