"""Sample weights: what is wrong with them, and what they do not reach."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonas.data.arrays import GIVEN, Arrays
from evonas.data.raw import Array
from evonas.errors import InvalidData, Issue
from evonas.words import listed

KEY = "sample_weight"


def check_weights(arrays: Arrays) -> list[Issue]:
    """Issues of the weights of samples."""
    weights = arrays.sample_weight
    if weights is None:
        return []
    wanted = "must hold finite numbers of at least 0, one for each sample of x"
    if weights.dtype.kind not in "biuf" or weights.shape != arrays.y.shape[:1]:
        message = f"{wanted}. Received: dtype {weights.dtype}, shape {weights.shape}."
        return [Issue(message, KEY, arrays.origin)]
    # Networks compute with 32-bit floats, in which a large number is infinite.
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(weights.astype(np.float32)) | (weights < 0)
    if wrong.any():
        first = int(np.argmax(wrong))
        message = f"{wanted}. Received: {weights[first]} at {KEY}[{first}]."
        return [Issue(message, KEY, arrays.origin)]
    if not weights.any():
        return [Issue(f"{wanted}, not all of them 0.", KEY, arrays.origin)]
    return []


def about_weights(arrays: Arrays) -> tuple[str, ...]:
    """What the weights of samples do not reach, a sentence each."""
    given = [x for part, (x, _) in GIVEN.items() if arrays.given(part)]
    if arrays.sample_weight is None or not given:
        return ()
    return (f"{KEY}: is of x; samples of {listed(given)} all count the same.",)


def check_parts(weights: Mapping[str, Array | None], origin: str) -> None:
    """Each part needs a sample that counts.

    Args:
        weights: those of each part, by its name; None for a part without weights.

    Raises:
        InvalidData: a part has none.
    """
    issues = []
    for part, one in weights.items():
        if one is not None and not one.any():
            message = f"all samples of the {part} part have the weight 0."
            issues.append(Issue(message, KEY, origin))
    if issues:
        raise InvalidData(issues)
