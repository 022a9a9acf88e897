"""At random, without a look at the targets."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.data.splits.drawing import draw, too_few
from evonas.data.splits.split import Misfit, Parts, Samples, Shares, Split


@dataclass(frozen=True)
class Random(Split):
    """Each sample has the same chance."""

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        wrong = too_few(samples.count, shares.sizes(samples.count, samples.given))
        return [("y", wrong)] if wrong else []

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        sizes = shares.sizes(samples.count, samples.given)
        return draw(samples.count, sizes, None, shares.seed)
