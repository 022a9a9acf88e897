"""Adaptation: which operators are used more often, learned from what their children gained.

Each scheme has a file of its own. A new scheme needs a file and a line in `ADAPTATIONS`.
`Credit` turns told trials into rewards.
"""

from evonas.search.adaptation.adaptation import Adaptation, Learned
from evonas.search.adaptation.credit import Credit, gain
from evonas.search.adaptation.fixed import Fixed
from evonas.search.adaptation.matching import Matching
from evonas.search.adaptation.pursuit import Pursuit

ADAPTATIONS: dict[str, type[Adaptation]] = {
    "fixed": Fixed,
    "matching": Matching,
    "pursuit": Pursuit,
}

__all__ = ["ADAPTATIONS", "Adaptation", "Credit", "Fixed", "Learned", "Matching", "Pursuit", "gain"]
