"""Drawing at random, as several splits do it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonas.data.raw import Array
from evonas.data.splits.split import Indices, Part, Parts


def draw(count: int, sizes: Mapping[Part, int], strata: Array | None, seed: int) -> Parts:
    """Parts of these sizes of `count` things; what is left over is for training.

    Args:
        strata: number of the class of each thing, so that each part has as much of each class; None
            to draw without a look at classes.
    """
    # The import takes 1.1 s.
    from sklearn.model_selection import train_test_split

    parts: dict[Part, Indices] = {}
    rest = np.arange(count)
    # Each part is drawn from what the parts before have left.
    for part, size in sizes.items():
        of_rest = None if strata is None else strata[rest]
        left, taken = train_test_split(rest, test_size=size, random_state=seed, stratify=of_rest)
        rest = np.sort(left)
        parts[part] = np.sort(taken)
    return {"train": rest, **parts}


def too_few(
    count: int, sizes: Mapping[Part, int], what: str = "samples", least: int = 1, why: str = ""
) -> str:
    """Why these parts cannot be drawn; empty if each of them gets enough.

    Args:
        what: what is drawn, in the plural.
        least: smallest number for each part.
        why: why that many are needed.
    """
    counts = {"train": count - sum(sizes.values()), **sizes}
    if min(counts.values()) >= least:
        return ""
    received = ", ".join(f"{part} {number}" for part, number in counts.items())
    of_each = f"at least {least}, {why}" if why else "at least one"
    return (
        f"there are too few {what}: each part of the split needs {of_each}."
        f" Received: {count} in all, split into {received}."
    )
