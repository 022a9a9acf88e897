"""By groups: all samples of one patient, speaker or day are in one part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.data.splits.drawing import draw, too_few
from evonas.data.splits.split import Misfit, Parts, Samples, Shares, Split


@dataclass(frozen=True)
class Grouped(Split):
    """Groups are drawn, and their samples with them. The shares are those of the groups."""

    needs = ("groups",)

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        assert samples.groups is not None, "it is needed"
        count = len(np.unique(samples.groups))
        wrong = too_few(count, shares.sizes(count, samples.given), "groups")
        return [("groups", wrong)] if wrong else []

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        assert samples.groups is not None, "it is needed"
        names, numbers = np.unique(samples.groups, return_inverse=True)
        sizes = shares.sizes(len(names), samples.given)
        drawn = draw(len(names), sizes, None, shares.seed)
        return {part: np.flatnonzero(np.isin(numbers, taken)) for part, taken in drawn.items()}
