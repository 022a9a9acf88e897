"""Selection: who becomes a parent. One file a scheme; a scheme is added by a file and a line in `SELECTIONS`."""

from evonas.search.selection.selection import Selection
from evonas.search.selection.tournament import Tournament

SELECTIONS: dict[str, type[Selection]] = {"tournament": Tournament}

__all__ = ["SELECTIONS", "Selection", "Tournament"]
