"""The tree-structured Parzen estimator (Bergstra et al., 2011), multivariate as in Optuna (Falkner
et al., 2018)."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from evonas.search.part import Part

# The annotations need it only for type checkers. Optuna is an extra and slow to import.
if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

EXTRA = "pip install 'evonas[optuna]'"
"""The command that installs Optuna."""


@dataclass(frozen=True)
class Tpe(Part):
    """Models the better and the worse trials, and suggests what is typical of the better ones.

    The sampler is made anew for each ask, so it remembers nothing that is not in the trials.

    Attributes:
        initial: number of trials that must have succeeded before the sampler chooses. Until then
            genomes are random.
        candidates: number of points that are compared for each proposal.
    """

    initial: Annotated[int, Ge(1)] = 10
    candidates: Annotated[int, Ge(1)] = 24

    libraries: ClassVar[tuple[str, ...]] = ("optuna",)

    def make(self, seed: int) -> BaseSampler:
        """The sampler for one ask.

        Args:
            seed: seed of the ask, in [0, 2**31).
        """
        from optuna.samplers import TPESampler

        return TPESampler(
            seed=seed,
            # The strategy already waits for the first trials.
            n_startup_trials=0,
            n_ei_candidates=self.candidates,
            multivariate=True,
            # Parameters that occur together are modelled together.
            group=True,
            # Trials that wait count among the worse ones, so that proposals asked for together
            # keep apart.
            constant_liar=True,
        )

    def missing(self) -> str:
        """Why this sampler cannot be used here, and what to do; empty if it can be used."""
        # `find_spec` looks for a package without importing it.
        if importlib.util.find_spec("optuna") is not None:
            return ""
        return f"needs optuna, not installed here: {EXTRA}."


OPTUNA_SAMPLERS: dict[str, type[Tpe]] = {"tpe": Tpe}
"""Samplers by the names that a config writes."""
