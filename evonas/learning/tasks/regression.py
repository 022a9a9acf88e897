"""Regression: one real number for each sample, or several, in the user's units."""

from __future__ import annotations

import numpy as np

from evonas.learning.formulas import Array
from evonas.learning.tasks.quantities import Quantities


class Regression(Quantities):
    """Targets are quantities, one for each sample or several."""

    name = "regression"

    def guess(self, y: Array) -> str:
        if y.ndim == 2:
            return f"each sample has {y.shape[1]} numbers as targets"
        labels = "for labels, write `task: classification`"
        if y.dtype.kind == "f":
            return f"the targets are floats; {labels}"
        count = len(np.unique(y))
        of = f"integers of {count} distinct values in {len(y)} samples"
        return f"the targets are {of}; {labels}"
