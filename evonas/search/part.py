"""What strategies and their parts have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from evonas.settings import Settings


@dataclass(frozen=True)
class Part(Settings):
    """Settings that decide what is proposed: of a strategy, or of a part of one.

    Class attributes:
        libraries: packages besides NumPy whose versions may change what is proposed. Those of the
            parts in the fields are their own, and are not named again.
    """

    libraries: ClassVar[tuple[str, ...]] = ()

    def all_libraries(self) -> set[str]:
        """The libraries of this part and of all parts that it is made of."""
        found = set(self.libraries)
        for item in fields(self):
            part = getattr(self, item.name)
            if isinstance(part, Part):
                found |= part.all_libraries()
        return found
