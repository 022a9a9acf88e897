"""In order of time: the past for training, what follows for validation, the latest for the test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.data.raw import Array
from evonas.data.splits.drawing import too_few
from evonas.data.splits.split import Indices, Misfit, Part, Parts, Samples, Shares, Split


@dataclass(frozen=True)
class Chronological(Split):
    """Nothing is drawn: the order decides. Samples of one time are in one part.

    The order is that of the array `time`, or that of the samples if there is none.
    """

    takes = ("time",)

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        if samples.given == {"validation"}:
            message = (
                "cannot be placed in time: chronological would take the test samples from before"
                " them. Allowed: x_test and y_test beside them, or neither."
            )
            return [("x_val", f"{message} Received: x_val alone.")]
        sizes = {part: len(taken) for part, taken in self.parts(samples, shares).items()}
        count = sizes.pop("train")
        key = "y" if samples.time is None else "time"
        wrong = too_few(count + sum(sizes.values()), sizes)
        return [(key, wrong)] if wrong else []

    def notes(self, samples: Samples) -> tuple[str, ...]:
        if samples.time is not None or len(samples.given) == 2:
            return ()
        return ("x: there is no array `time`, so the samples count as in the order of time.",)

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        order = np.arange(samples.count)
        time: Array = order
        if samples.time is not None:
            # Equal times keep the order of the samples.
            order = np.argsort(samples.time, kind="stable")
            time = samples.time[order]
        sizes = shares.sizes(samples.count, samples.given)
        parts: dict[Part, Indices] = {}
        end = samples.count
        # From the latest backwards: the test first.
        for part in reversed(list(sizes)):
            begin = max(end - sizes[part], 0)
            if begin < end:
                begin = int(np.searchsorted(time, time[begin]))
            parts[part] = np.sort(order[begin:end])
            end = begin
        return {"train": np.sort(order[:end]), **parts}
