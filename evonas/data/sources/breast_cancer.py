"""569 tumours: x (569, 30) of measurements of cell nuclei, y 0 malignant or 1 benign."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.data.arrays import Arrays
from evonas.data.sources.scikit_learn import ScikitLearnSet
from evonas.memory import Memory


@dataclass(frozen=True)
class BreastCancer(ScikitLearnSet):
    """Tumours."""

    name = "breast_cancer"

    def read(self, memory: Memory) -> Arrays:
        from sklearn.datasets import load_breast_cancer

        x, y = load_breast_cancer(return_X_y=True)
        return Arrays(self.name, x, y)
