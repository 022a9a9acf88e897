"""Where labels go: beside their dot, over no other label and over as little ink as possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CELL = 6.0
"""Ink is remembered in squares of this many pixels."""

Anchor = str


@dataclass(frozen=True)
class Label:
    """Words at a place; `anchor` is SVG's `text-anchor`, y the baseline."""

    x: float
    y: float
    words: str
    anchor: Anchor
    first: bool = False


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Labels:
    """Places labels one after the other, the most important first."""

    def __init__(self, left: float, top: float, right: float, bottom: float) -> None:
        self._frame = _Box(left, top, right, bottom)
        self._boxes: list[_Box] = []
        self._ink: set[tuple[int, int]] = set()
        self.placed: list[Label] = []

    def keep_clear(self, points: Iterable[tuple[float, float]]) -> None:
        """Remembers where something is drawn."""
        self._ink.update((int(x // CELL), int(y // CELL)) for x, y in points)

    def place(
        self,
        x: float,
        y: float,
        words: str,
        width: float,
        height: float,
        distance: float,
        must: bool,
    ) -> bool:
        """Tries the places around a dot, upper left first: nothing older is better, so there it is empty.

        Args:
            distance: from the middle of the dot, in pixels.
            must: look further around, and take the least bad place where none is free of ink.
        """
        options: list[tuple[int, int, Label, _Box]] = []
        for order, (dx, dy, anchor) in enumerate(_PLACES if must else _PLACES[:3]):
            at_x, at_y = x + dx * distance, y + dy * distance + (0.35 * height if dy == 0 else 0)
            left = at_x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
            box = _Box(left - 5, at_y - height - 1, left + width + 5, at_y + 4)
            if self._inside(box) and not any(box.meets(other) for other in self._boxes):
                options.append(
                    (self._covered(box), order, Label(at_x, at_y, words, anchor, must), box)
                )
        options = [option for option in options if must or option[0] == 0]
        if not options:
            return False
        _, _, label, box = min(options, key=lambda option: option[:2])
        self._boxes.append(box)
        self.placed.append(label)
        return True

    def _inside(self, box: _Box) -> bool:
        frame = self._frame
        return (
            frame.left <= box.left
            and box.right <= frame.right
            and frame.top <= box.top
            and box.bottom <= frame.bottom
        )

    def _covered(self, box: _Box) -> int:
        columns = range(int((box.left + 5) // CELL), int((box.right - 5) // CELL) + 1)
        rows = range(int((box.top + 2) // CELL), int((box.bottom - 2) // CELL) + 1)
        return sum((column, row) in self._ink for column in columns for row in rows)


_PLACES: tuple[tuple[float, float, Anchor], ...] = (
    (-0.7, -0.9, "end"),
    (0, -1.2, "middle"),
    (0.7, -0.9, "start"),
    (-1.3, 0, "end"),
    (1.3, 0, "start"),
    (0, 2.4, "middle"),
)
