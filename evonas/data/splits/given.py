"""As the source gives it: `x` for training, `x_val` for validation, `x_test` for the test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.data.arrays import GIVEN
from evonas.data.splits.split import Misfit, Parts, Samples, Shares, Split


@dataclass(frozen=True)
class Given(Split):
    """Nothing is drawn, so all parts must be there.

    Every split keeps the parts that are there. This one also says that none may be missing.
    """

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        there = ["x", *(x for part, (x, _) in GIVEN.items() if part in samples.given)]
        message = (
            "this array is missing, and `split: given` draws none. Allowed: x, x_val and x_test,"
            " each with its y; or another split, which draws what is missing."
            f" Received: {', '.join(there)}."
        )
        return [(x, message) for x, _ in GIVEN.values() if x not in there]

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        return {"train": np.arange(samples.count)}
