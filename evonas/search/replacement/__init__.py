"""Replacement: who lives on when the children are known.

One file a scheme; a scheme is added by a file and a line in `REPLACEMENTS`.
"""

from evonas.search.replacement.elitist import Elitist
from evonas.search.replacement.replacement import Replacement

REPLACEMENTS: dict[str, type[Replacement]] = {"elitist": Elitist}

__all__ = ["REPLACEMENTS", "Elitist", "Replacement"]
