"""The contract of a sampler of Optuna's, as a part of a config."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

EXTRA = "pip install 'evonas[optuna]'"
"""What brings every package that a sampler may need."""


@dataclass(frozen=True)
class Ask:
    """What a sampler may know besides the study.

    Attributes:
        number: of trials that were asked before.
        seed: of this ask, in [0, 2**31).
        run_seed: the same for all asks of a run, in [0, 2**31).
        cube: the parameters, all of which every trial has; empty under conditional ones.
    """

    number: int
    seed: int
    run_seed: int
    cube: Mapping[str, BaseDistribution]


class OptunaSampler(ABC):
    """Its fields are its settings in the YAML. It is made anew for each ask, and so is its study: whatever
    it wants to remember must be a function of the trials and their generations.

    Class attributes:
        word: its name in a config, and in the lineage of what it suggests.
        packages: what must be installed.
        learns: whether the study has any trials at all.
        minds_waiting: whether those that wait are among them, as running ones.
        is_conditional: whether it understands parameters that only some trials have. Others see the unit cube.
        generation: the name of the system attribute in which it notes a trial's generation; empty where it has none.
    """

    word: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ("optuna",)
    learns: ClassVar[bool] = True
    minds_waiting: ClassVar[bool] = False
    is_conditional: ClassVar[bool] = False
    generation: ClassVar[str] = ""

    @property
    def startup(self) -> int:
        """Trials that must have succeeded before it is asked at all; until then genomes are random."""
        return 0

    @abstractmethod
    def make(self, ask: Ask) -> BaseSampler:
        """The sampler for one ask."""

    def missing(self) -> str:
        """Why it cannot be used here, and what to do; empty where it can."""
        absent = [name for name in self.packages if importlib.util.find_spec(name) is None]
        return f"needs {' and '.join(absent)}, not installed here: {EXTRA}." if absent else ""
