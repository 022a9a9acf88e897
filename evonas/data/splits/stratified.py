"""At random, with as much of each class in every part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.data.splits.drawing import draw, too_few
from evonas.data.splits.split import Misfit, Parts, Samples, Shares, Split


@dataclass(frozen=True)
class Stratified(Split):
    """Each part has the shares of the classes that all samples have, as near as can be."""

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        if samples.strata is None:
            message = "has no classes, and stratified needs them. Allowed: `split: random`."
            return [("y", f"{message} Received: quantities.")]
        sizes = shares.sizes(samples.count, samples.given)
        why = "as many as there are classes"
        wrong = too_few(samples.count, sizes, least=len(samples.classes), why=why)
        found = [("y", wrong)] if wrong else []
        names = ", ".join(["train", *sizes])
        for number, label in enumerate(samples.classes):
            of_class = np.flatnonzero(samples.strata == number)
            if len(of_class) > len(sizes):
                continue
            message = (
                f"class {label!r} has too few samples for a stratified split into {names}:"
                f" needs at least {len(sizes) + 1}."
                f" Received: {len(of_class)}, the first at y[{of_class[0]}]."
            )
            found.append(("y", message))
        return found

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        sizes = shares.sizes(samples.count, samples.given)
        return draw(samples.count, sizes, samples.strata, shares.seed)
