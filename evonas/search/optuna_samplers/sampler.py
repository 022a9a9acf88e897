"""The contract of a sampler of Optuna's, as a part of a config."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evonas.search.part import Part

# The annotations need these names only for type checkers. Optuna is an extra and slow to import.
if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

EXTRA = "pip install 'evonas[optuna]'"
"""The command that installs every package that a sampler may need."""


@dataclass(frozen=True)
class Ask:
    """What a sampler may know besides the study.

    Attributes:
        number: number of trials that were asked for before.
        seed: seed of this ask, in [0, 2**31).
        run_seed: seed that is the same for all asks of a run, in [0, 2**31).
        cube: parameters that every trial has; empty if parameters are conditional.
    """

    number: int
    seed: int
    run_seed: int
    cube: Mapping[str, BaseDistribution]


class OptunaSampler(Part, ABC):
    """A sampler of Optuna's. Its fields are its settings in the YAML.

    The sampler and its study are made anew for each ask. So whatever it wants to remember must be
    a function of the trials and their generations.

    Class attributes:
        word: name of the sampler in a config, and in the lineage of what it suggests.
        libraries: packages that must be installed. Their versions may change what is suggested.
        learns: whether the study gets any trials at all.
        minds_waiting: whether the study also gets the trials that wait, as running ones.
        is_conditional: whether the sampler understands parameters that only some trials have.
            Other samplers see the unit cube.
        generation: name of the system attribute in which the sampler notes a trial's generation;
            empty if it has none.
    """

    word: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ("optuna",)
    learns: ClassVar[bool] = True
    minds_waiting: ClassVar[bool] = False
    is_conditional: ClassVar[bool] = False
    generation: ClassVar[str] = ""

    @property
    def startup(self) -> int:
        """Number of trials that must have succeeded before the sampler is asked.

        Until then genomes are random.
        """
        return 0

    @abstractmethod
    def make(self, ask: Ask) -> BaseSampler:
        """The sampler for one ask."""

    def missing(self) -> str:
        """Why this sampler cannot be used here, and what to do; empty if it can be used."""
        # `find_spec` looks for a package without importing it.
        absent = [name for name in self.libraries if importlib.util.find_spec(name) is None]
        if not absent:
            return ""
        return f"needs {' and '.join(absent)}, not installed here: {EXTRA}."
