"""1,797 handwritten digits: x (1797, 8, 8) float32 from 0 to 16, y 0 to 9.

A space for images reads a sample as height and width. A space for sequences reads it row by row,
as time and channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.sources.scikit_learn import ScikitLearnSet
from evonas.memory import Memory


@dataclass(frozen=True)
class Digits(ScikitLearnSet):
    """Handwritten digits."""

    name = "digits"

    def read(self, memory: Memory) -> Arrays:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        # scikit-learn gives each image as one row of 64 values.
        images = x.reshape(-1, 8, 8)
        return Arrays(self.name, images.astype(np.float32), y)
