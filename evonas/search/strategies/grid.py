"""Grid search: every combination of a few levels of each decision, once each, in random order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.errors import did_you_mean
from evonas.genome import SearchSpace, decode
from evonas.randomness import generator
from evonas.search.lattice import Lattice
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Proposal, Trial

DEFAULT_LEVELS = 3

LARGEST = 1_000_000
"""Genomes of a grid, at most, also where the budget is not counted in trials."""

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class GridSettings:
    """The section `strategy.grid` of a config.

    Attributes:
        levels: values of a parameter with a range, evenly spaced on its scale with both ends among them (1: the
            middle); an `off` beside the range comes on top. One number for all, or by the parameter's name; those not
            named have 3. Of everything else (choices, ops, lengths, wirings) the grid has all there is.
    """

    levels: Count | Mapping[str, Count] = DEFAULT_LEVELS

    def levels_of(self, parameter: str) -> int:
        """How many levels a parameter with a range has."""
        return (
            self.levels
            if isinstance(self.levels, int)
            else self.levels.get(parameter, DEFAULT_LEVELS)
        )

    def lattice(self, space: SearchSpace) -> Lattice:
        return Lattice(space, self.levels_of)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        if unknown := self._unknown(problem.space):
            return {"levels": unknown}
        lattice = self.lattice(problem.space)
        allowed = LARGEST if problem.trials is None else min(problem.trials, LARGEST)
        if lattice.size <= allowed:
            return {}
        parts = " * ".join(
            f"{_number(size)} ({name})" for name, size in lattice.sizes.items() if size > 1
        )
        total = f"{parts} = {_number(lattice.size)} genomes" if "*" in parts else f"{parts} genomes"
        limit = (
            f"the budget is {problem.trials:,} trials"
            if allowed == problem.trials
            else f"at most {LARGEST:,} can be"
        )
        advice = "Allowed: fewer levels, a smaller space, a larger budget."
        return {"levels": f"the grid has {total}, and {limit}. {advice}"}

    def _unknown(self, space: SearchSpace) -> str:
        """What is wrong with the names in `levels`; empty where nothing is."""
        if isinstance(self.levels, int):
            return ""
        ops = [op for section in space.sections.values() for op in section.ops.values()]
        known = sorted({name for op in ops for name in op.parameters})
        for name in self.levels:
            if name not in known:
                hint = did_you_mean(name, known)
                return f"no op of the space {space.name} has a parameter {name!r}.{hint} There are {', '.join(known)}."
        return ""


def _number(size: int) -> str:
    return f"{size:,}" if size < 10**12 else f"about 10^{math.log10(size):.0f}"


class Grid(Strategy):
    """Each genome of the grid once, in an order that the seed shuffles; then the search is done.

    In order of the coordinates, a run that is looked at half-way would know half of the first decision only.
    """

    Settings = GridSettings
    takes_several = True

    def __init__(self, problem: SearchProblem, settings: GridSettings) -> None:
        super().__init__(problem, settings)
        self._lattice = settings.lattice(problem.space)
        self._order = generator(problem.seed, "sample", 0).permutation(self._lattice.size)
        self._asked = 0

    def ask(self, count: int) -> list[Proposal]:
        numbers = self._order[self._asked : self._asked + count]
        self._asked += len(numbers)
        return [self._propose(int(number)) for number in numbers]

    def _propose(self, number: int) -> Proposal:
        genome = decode(self.problem.space, np.array(self._lattice[number]))
        return Proposal(genome, self.problem.fidelity, Lineage("sample"))

    def tell(self, trial: Trial) -> None:
        pass

    @property
    def is_done(self) -> bool:
        return self._asked == self._lattice.size

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
