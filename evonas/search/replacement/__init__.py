"""Replacement: which individuals form the next population when the children are known.

Each scheme has a file of its own. A new scheme needs a file and a line in `REPLACEMENTS`;
`plus.py` is a short example to copy.
"""

from evonas.search.replacement.comma import Comma
from evonas.search.replacement.elitist import Elitist
from evonas.search.replacement.generational import Generational
from evonas.search.replacement.plus import Plus
from evonas.search.replacement.replacement import Replacement
from evonas.search.replacement.steady_state import SteadyState
from evonas.search.replacement.tournament import TournamentReplacement

REPLACEMENTS: dict[str, type[Replacement]] = {
    "generational": Generational,
    "elitist": Elitist,
    "tournament": TournamentReplacement,
    "plus": Plus,
    "comma": Comma,
    "steady_state": SteadyState,
}

__all__ = [
    "REPLACEMENTS",
    "Comma",
    "Elitist",
    "Generational",
    "Plus",
    "Replacement",
    "SteadyState",
    "TournamentReplacement",
]
