"""Selection: which individuals become parents.

Each scheme has a file of its own. A new scheme needs a file and a line in `SELECTIONS`;
`tournament.py` is a short example to copy.
"""

from evonas.search.selection.best import Best
from evonas.search.selection.random_choice import Random
from evonas.search.selection.rank import Rank
from evonas.search.selection.roulette import Roulette
from evonas.search.selection.selection import Selection
from evonas.search.selection.tournament import Tournament
from evonas.search.selection.universal import StochasticUniversal

SELECTIONS: dict[str, type[Selection]] = {
    "tournament": Tournament,
    "roulette": Roulette,
    "rank": Rank,
    "stochastic_universal": StochasticUniversal,
    "best": Best,
    "random": Random,
}

__all__ = [
    "SELECTIONS",
    "Best",
    "Random",
    "Rank",
    "Roulette",
    "Selection",
    "StochasticUniversal",
    "Tournament",
]
