"""What the signs and colours of the climb mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evonas.insight.layout import HEIGHT, LEFT, RIGHT, Scene
from evonas.insight.svg import COLOURS, coordinate, text, text_width
from evonas.insight.words import amount

SWATCH = 15
"""Width of one colour of the scale, in pixels."""

SCALE_TOP = 42
"""Upper edge of the colour scale, in pixels."""


class _Item(NamedTuple):
    """One entry of the legend: a drawing around (0, 0), and words."""

    drawing: str
    words: str


def legend(view: Scene, drawn_singly: bool, paleness: float) -> Iterator[str]:
    """A line below the picture that names what is in it, and nothing else."""
    y = HEIGHT - 24
    x = float(LEFT - 46)
    for item in _items(view, drawn_singly, paleness):
        place = f"translate({coordinate(x)} {y - 4})"
        yield f'<g transform="{place}">{item.drawing}</g>'
        yield text(x + 15, y, item.words, "soft")
        width = text_width(item.words, 12)
        x += 15 + width + 22


def colour_scale(view: Scene) -> Iterator[str]:
    """What the colours mean, in the upper right corner."""
    cost = view.cost
    if cost is None:
        return
    start = RIGHT - COLOURS * SWATCH
    middle = (start + RIGHT) / 2
    yield from swatches(start, f"{cost.name}, by rank")
    below = SCALE_TOP + 24
    yield text(start, below, amount(cost.least), "soft")
    yield text(middle, below, amount(cost.middle), "soft", "middle")
    yield text(RIGHT, below, amount(cost.greatest), "soft", "end")


def swatches(start: float, words: str) -> Iterator[str]:
    """All colours of the scale side by side, with words above them."""
    yield text(start, SCALE_TOP - 8, words, "soft")
    x = start
    for i in range(COLOURS):
        place = f'x="{x}" y="{SCALE_TOP}" width="{SWATCH}" height="9"'
        yield f'<rect fill="currentColor" class="c{i}" {place}/>'
        x += SWATCH


def _items(view: Scene, drawn_singly: bool, paleness: float) -> Iterator[_Item]:
    """The entries: only signs that are in the picture."""
    if not view.dots:
        return
    dots = view.dots.values()
    yield _Item(f'<circle class="dot c4" opacity="{paleness}" r="4"/>', "a trial")
    if view.kin - set(view.line):
        yield _Item('<circle class="dot c4" r="4.5"/>', "ancestor of the winner")
    # The thick line has one of two meanings; see `climb`.
    if len(view.line) > 1:
        yield _Item('<path class="line" d="M-8 0H8"/>', "the winner's main parents")
    elif not view.by_generation and len(dots) > 1:
        yield _Item('<path class="line" d="M-8 0H8"/>', "best so far")
    if view.by_generation and len(view.best) > 1:
        yield _Item('<circle class="record" r="5"/>', "best so far")
    yield _Item('<circle class="ring" r="5.5"/>', "winner")
    # Many trials are paths of dots, and there a duplicate has no sign of its own.
    if drawn_singly and any(dot.trial.twin_of is not None for dot in dots):
        yield _Item('<circle class="twin c4" r="4"/>', "duplicate")
    if any(dot.clipped for dot in dots):
        edge = '<path class="grid" d="M-8 3H8"/><circle class="dot c4" opacity=".45" r="4"/>'
        yield _Item(edge, "at the edge: worse")
    if view.failed:
        yield _Item('<path class="cross" d="M-3 -3l6 6m-6 0l6 -6"/>', "no result")
