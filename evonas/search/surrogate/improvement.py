"""Expected improvement (Mockus, 1978; Jones et al., 1998), and values that it can be computed on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.search.surrogate.surrogate import Vector


def expected_improvement(mean: Vector, std: Vector, best: float) -> Vector:
    """By how much a normal variable is expected to fall below the best value: E[max(best - Y, 0)].

    Args:
        mean: shape (n,).
        std: shape (n,), at least 0; where it is 0, the improvement is certain.
        best: the least value so far.

    Returns:
        Shape (n,), at least 0.
    """
    from scipy import special  # here and below: only where something is fitted

    gain = best - mean
    safe = np.where(std > 0, std, 1.0)
    z = gain / safe
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    found = np.where(std > 0, gain * special.ndtr(z) + safe * density, gain)
    return np.asarray(np.maximum(found, 0.0))


def normal_scores(keys: Sequence[float]) -> Vector:
    """Values by rank, as if they were drawn from the standard normal distribution (Blom, 1958).

    A loss of 10,000 says no more than that it is the worst, and the best few are told apart however close they are.

    Args:
        keys: less is better; equal ones get equal scores, and infinite ones the greatest.

    Returns:
        Shape (len(keys),), in the order of `keys`.
    """
    from scipy import special

    _, places, equal = np.unique(
        np.asarray(keys, dtype=np.float64), return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(equal) - (equal - 1) / 2)[places]
    return np.asarray(special.ndtri((ranks - 0.375) / (len(keys) + 0.25)))
