"""Grid search: all combinations of a few levels of each decision.

Each combination is proposed once, in random order. Then the search is done. `lattice.py` counts and
numbers the combinations.
"""

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
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.trial import Lineage, Proposal, Trial
from evonas.words import counted

DEFAULT_LEVELS = 3

LARGEST = 1_000_000
"""Largest number of genomes of a grid, also if the budget is not counted in trials."""

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class GridSettings(StrategySettings):
    """The section `strategy.grid` of a config.

    Attributes:
        levels: number of values of a parameter with a range. They are evenly spaced on its scale,
            with both ends (1: the middle). An `off` beside the range is one value more. Write one
            number for all parameters, or numbers by the parameter's name; parameters without an
            entry have 3. Everything else (choices, ops, lengths, wirings) is in the grid
            completely.
    """

    levels: Count | Mapping[str, Count] = DEFAULT_LEVELS

    # Each of its points is one of the grid's, and none may be missing.
    takes_founders = False
    takes_several = True
    counts_infeasible = True

    def make(self, problem: SearchProblem) -> Strategy:
        return Grid(problem, self)

    def levels_of(self, parameter: str) -> int:
        """The number of levels of a parameter with a range."""
        if isinstance(self.levels, int):
            return self.levels
        return self.levels.get(parameter, DEFAULT_LEVELS)

    def lattice(self, space: SearchSpace) -> Lattice:
        return Lattice(space, self.levels_of)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        unknown = self._unknown(problem.space)
        if unknown:
            return {"levels": unknown}
        lattice = self.lattice(problem.space)
        allowed = LARGEST
        limit = f"at most {LARGEST:,} can be"
        # A grid that the budget cuts off would not have all combinations.
        if problem.trials is not None and problem.trials <= LARGEST:
            allowed = problem.trials
            limit = f"the budget is {counted(problem.trials, 'trial')}"
        if lattice.size <= allowed:
            return {}
        total = _total(lattice)
        advice = "Allowed: fewer levels, a smaller space, a larger budget."
        return {"levels": f"the grid has {total}, and {limit}. {advice}"}

    def _unknown(self, space: SearchSpace) -> str:
        """What is wrong with the names in `levels`; empty if nothing is."""
        if isinstance(self.levels, int):
            return ""
        names: set[str] = set()
        for section in space.sections.values():
            for op in section.ops.values():
                names.update(op.parameters)
        known = sorted(names)
        for name in self.levels:
            if name not in names:
                hint = did_you_mean(name, known)
                return (
                    f"no op of the space {space.name} has a parameter {name!r}.{hint}"
                    f" There are {', '.join(known)}."
                )
        return ""


def _total(lattice: Lattice) -> str:
    """How many genomes a lattice has, as a product of its sections in words."""
    factors = []
    for name, size in lattice.sizes.items():
        if size > 1:
            factors.append(f"{_number(size)} ({name})")
    product = " * ".join(factors)
    if len(factors) > 1:
        return f"{product} = {_number(lattice.size)} genomes"
    return f"{product} genomes"


def _number(size: int) -> str:
    """The number in digits, or its power of ten if it is long."""
    if size < 10**12:
        return f"{size:,}"
    power = math.log10(size)
    return f"about 10^{power:.0f}"


class Grid(Strategy):
    """Each genome of the grid once, in an order that the seed decides; then the search is done."""

    def __init__(self, problem: SearchProblem, settings: GridSettings) -> None:
        super().__init__(problem, settings)
        self._lattice = settings.lattice(problem.space)
        # In order of the coordinates, the first half of a run would know half of the first decision
        # only. A shuffled order covers all decisions at any time.
        rng = generator(problem.seed, "sample", 0)
        self._order = rng.permutation(self._lattice.size)
        self._asked = 0

    def ask(self, count: int) -> list[Proposal]:
        end = self._asked + count
        numbers = self._order[self._asked : end]
        # At the end of the grid there may be fewer numbers than `count`.
        self._asked += len(numbers)
        proposals = []
        for number in numbers:
            proposals.append(self._propose(int(number)))
        return proposals

    def _propose(self, number: int) -> Proposal:
        """The genome with this number of the lattice."""
        point = np.array(self._lattice[number])
        genome = decode(self.problem.space, point)
        lineage = Lineage(("sample",))
        return Proposal(genome, self.problem.fidelity, lineage)

    def tell(self, trial: Trial) -> None:
        # Grid search learns nothing.
        pass

    @property
    def is_done(self) -> bool:
        size = self._lattice.size
        return self._asked == size

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
