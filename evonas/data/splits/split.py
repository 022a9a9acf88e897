"""The contract of a split. `grouped.py` is a short example to copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evonas.data.raw import Array
from evonas.settings import Settings

Part = Literal["train", "validation", "test"]
Indices = NDArray[np.intp]
Parts = Mapping[Part, Indices]
"""The indices of each part's samples, in ascending order; no index is in two parts."""

Misfit = tuple[str, str]
"""The name of an array, and what is wrong with it in words."""


@dataclass(frozen=True, eq=False)
class Samples:
    """What a split may know of the samples. The arrays are read-only.

    Attributes:
        count: number of samples.
        classes: labels in the order of their numbers; empty for quantities. Of several labels a
            sample, their combinations.
        strata: (count,), the number of each sample's class; None for quantities, and if most
            combinations of labels are rare.
        groups: (count,), what samples have in common, or None.
        time: (count,), when each sample was taken, or None.
        given: the parts that the source has split off itself.
    """

    count: int
    classes: tuple[str | int | float, ...] = ()
    strata: Array | None = None
    groups: Array | None = None
    time: Array | None = None
    given: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shares:
    """How much is split off, and by which seed.

    Attributes:
        seed: seed of the split alone, so that runs with other seeds have the same test data.
        validation: fraction that is for validation.
        test: fraction that is for the test.
    """

    seed: int = 0
    validation: float = 0.2
    test: float = 0.2

    def sizes(self, count: int, given: frozenset[str]) -> dict[Part, int]:
        """How many of `count` are to be split off for each part that is not given."""
        wanted: dict[Part, float] = {"validation": self.validation, "test": self.test}
        return {part: round(share * count) for part, share in wanted.items() if part not in given}


class Split(Settings, ABC):
    """How samples are split. Its fields are its settings in the YAML.

    Class attributes:
        needs: further arrays of the source without which it cannot work: `groups`, `time`.
        takes: further arrays that it uses if they are there.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ()

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        """Why these samples cannot be split so; empty if they can. What it needs is there."""
        return []

    def notes(self, samples: Samples) -> tuple[str, ...]:
        """What is allowed and probably not meant, a sentence each, for the user."""
        return ()

    @abstractmethod
    def parts(self, samples: Samples, shares: Shares) -> Parts:
        """The parts: `train`, and those of validation and test that are not given.

        Called only if there are no misfits. The same arguments give the same parts.
        """
