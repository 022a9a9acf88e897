"""442 patients: x (442, 10) as it was measured, y the progression of the disease a year later, 25
to 346."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.data.arrays import Arrays
from evonas.data.sources.scikit_learn import ScikitLearnSet
from evonas.memory import Memory


@dataclass(frozen=True)
class Diabetes(ScikitLearnSet):
    """Patients."""

    name = "diabetes"

    def read(self, memory: Memory) -> Arrays:
        from sklearn.datasets import load_diabetes

        # scikit-learn's own scaling has seen the test data. The model normalizes what it is given.
        x, y = load_diabetes(return_X_y=True, scaled=False)
        return Arrays(self.name, x, y)
