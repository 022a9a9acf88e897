"""Expected improvement (Mockus, 1978; Jones et al., 1998), and values to compute it on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.search.surrogate.surrogate import Vector


def expected_improvement(mean: Vector, std: Vector, best: float) -> Vector:
    """How far a normal variable is expected to fall below the best value: E[max(best - Y, 0)].

    Args:
        mean: mean of the variable, shape (n,).
        std: standard deviation of the variable, shape (n,), at least 0. With 0 the improvement is
            certain.
        best: least value so far.

    Returns:
        Shape (n,), at least 0.
    """
    # SciPy is slow to import, so only a run that fits a surrogate does it, here and below.
    from scipy import special

    gain = best - mean
    is_uncertain = std > 0
    # Dividing by 1 instead of 0 avoids a warning. The last `where` replaces these results.
    safe = np.where(is_uncertain, std, 1.0)
    z = gain / safe
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    probability = special.ndtr(z)
    improvement = gain * probability + safe * density
    found = np.where(is_uncertain, improvement, gain)
    at_least_zero = np.maximum(found, 0.0)
    return np.asarray(at_least_zero)


def normal_scores(keys: Sequence[float]) -> Vector:
    """Values by rank, as if drawn from the standard normal distribution (Blom, 1958).

    A loss of 10,000 then means only that it is the worst. The best few are told apart even if
    they are very close.

    Args:
        keys: numbers to be ranked; less is better. Equal ones get equal scores, and infinite ones
            the greatest.

    Returns:
        Shape (len(keys),), in the order of `keys`.
    """
    from scipy import special

    numbers = np.asarray(keys, dtype=np.float64)
    _, places, equal = np.unique(numbers, return_inverse=True, return_counts=True)
    # Equal keys share the mean of their ranks, which count from 1.
    mean_ranks = np.cumsum(equal) - (equal - 1) / 2
    ranks = mean_ranks[places]
    # Blom's constants: close to the expected values of sorted normal numbers.
    quantiles = (ranks - 0.375) / (len(keys) + 0.25)
    scores = special.ndtri(quantiles)
    return np.asarray(scores)
