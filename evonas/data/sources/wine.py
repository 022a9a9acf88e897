"""178 wines of three growers: x (178, 13) of chemical measurements, y 0 to 2."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.data.arrays import Arrays
from evonas.data.sources.scikit_learn import ScikitLearnSet
from evonas.memory import Memory


@dataclass(frozen=True)
class Wine(ScikitLearnSet):
    """Wines."""

    name = "wine"

    def read(self, memory: Memory) -> Arrays:
        from sklearn.datasets import load_wine

        x, y = load_wine(return_X_y=True)
        return Arrays(self.name, x, y)
