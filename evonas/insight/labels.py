"""Where labels go: beside their dot, over no other label and over as little ink as possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CELL = 6.0
"""Ink is remembered in squares of this many pixels."""

Anchor = str


@dataclass(frozen=True)
class Label:
    """Words at a place.

    Attributes:
        y: pixel of the baseline.
        anchor: SVG's `text-anchor`.
        first: whether the label is the most important one.
    """

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

    def holds(self, other: _Box) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
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
        for x, y in points:
            column = int(x // CELL)
            row = int(y // CELL)
            self._ink.add((column, row))

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
        """Tries the places around a dot, and takes the best one that is free.

        Args:
            distance: pixels from the middle of the dot.
            must: look further around, and take the least bad place if none is free of ink.

        Returns:
            Whether a place was found.
        """
        places = _PLACES if must else _PLACES[:3]
        found: tuple[int, Label, _Box] | None = None
        for dx, dy, anchor in places:
            at_x = x + dx * distance
            at_y = y + dy * distance
            # Beside a dot, the baseline is lowered so that the letters are level with the dot.
            if dy == 0:
                at_y += 0.35 * height
            label = Label(at_x, at_y, words, anchor, must)
            box = _box_of(label, width, height)
            if not self._is_free(box):
                continue
            ink = self._covered(box)
            if ink and not must:
                continue
            # Of places with equally little ink, the first one tried is taken.
            if found is None or ink < found[0]:
                found = (ink, label, box)
        if found is None:
            return False
        _, label, box = found
        self.placed.append(label)
        self._boxes.append(box)
        return True

    def _is_free(self, box: _Box) -> bool:
        """Whether a box is inside the picture and over no other label."""
        if not self._frame.holds(box):
            return False
        return not any(box.meets(other) for other in self._boxes)

    def _covered(self, box: _Box) -> int:
        """The number of squares with ink under a box, without its margin."""
        first_column = int((box.left + 5) // CELL)
        last_column = int((box.right - 5) // CELL)
        first_row = int((box.top + 2) // CELL)
        last_row = int((box.bottom - 2) // CELL)
        covered = 0
        for column in range(first_column, last_column + 1):
            for row in range(first_row, last_row + 1):
                if (column, row) in self._ink:
                    covered += 1
        return covered


def _box_of(label: Label, width: float, height: float) -> _Box:
    """The room that a label takes, with a margin that keeps two labels apart."""
    before = {"start": 0.0, "middle": width / 2, "end": width}
    left = label.x - before[label.anchor]
    return _Box(
        left=left - 5,
        top=label.y - height - 1,
        right=left + width + 5,
        bottom=label.y + 4,
    )


# Upper left comes first: no older trial is better than a record, so that corner is empty.
_PLACES: tuple[tuple[float, float, Anchor], ...] = (
    (-0.7, -0.9, "end"),
    (0, -1.2, "middle"),
    (0.7, -0.9, "start"),
    (-1.3, 0, "end"),
    (1.3, 0, "start"),
    (0, 2.4, "middle"),
)
"""Places around a dot: distance to the right, distance down, anchor."""
