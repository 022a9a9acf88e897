"""What the signs and colours of the climb mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evonas.insight.layout import HEIGHT, LEFT, RIGHT, Scene
from evonas.insight.svg import COLOURS, coordinate, text, text_width
from evonas.insight.words import amount


class _Item(NamedTuple):
    """One entry of the legend: a drawing around (0, 0), and words."""

    drawing: str
    words: str


def legend(view: Scene, drawn_singly: bool, paleness: float) -> Iterator[str]:
    """A line below the picture that names what is in it, and nothing else."""
    y = HEIGHT - 24
    x = float(LEFT - 46)
    for item in _items(view, drawn_singly, paleness):
        yield f'<g transform="translate({coordinate(x)} {y - 4})">{item.drawing}</g>'
        yield text(x + 15, y, item.words, "soft")
        x += 15 + text_width(item.words, 12) + 22


def colour_scale(view: Scene) -> Iterator[str]:
    """What the colours mean, in the upper right corner."""
    cost = view.cost
    if cost is None:
        return
    swatch, end = 15, RIGHT
    start = end - COLOURS * swatch
    top = 42
    yield text(start, top - 8, f"{cost.name}, by rank", "soft")
    for i in range(COLOURS):
        yield f'<rect fill="currentColor" class="c{i}" x="{start + i * swatch}" y="{top}" width="{swatch}" height="9"/>'
    yield text(start, top + 24, amount(cost.least), "soft")
    yield text((start + end) / 2, top + 24, amount(cost.middle), "soft", "middle")
    yield text(end, top + 24, amount(cost.greatest), "soft", "end")


def _items(view: Scene, drawn_singly: bool, paleness: float) -> Iterator[_Item]:
    if not view.dots:
        return
    yield _Item(f'<circle class="dot c4" opacity="{paleness}" r="4"/>', "a trial")
    if view.kin - set(view.line):
        yield _Item('<circle class="dot c4" r="4.5"/>', "ancestor of the winner")
    if len(view.line) > 1:
        yield _Item('<path class="line" d="M-8 0H8"/>', "the winner's main parents")
    elif not view.by_generation and len(view.dots) > 1:
        yield _Item('<path class="line" d="M-8 0H8"/>', "best so far")
    if view.by_generation and len(view.best) > 1:
        yield _Item('<circle class="record" r="5"/>', "best so far")
    yield _Item('<circle class="ring" r="5.5"/>', "winner")
    if drawn_singly and any(dot.trial.twin_of is not None for dot in view.dots.values()):
        yield _Item('<circle class="twin c4" r="4"/>', "twin")
    if any(dot.clipped for dot in view.dots.values()):
        yield _Item(
            '<path class="grid" d="M-8 3H8"/><circle class="dot c4" opacity=".45" r="4"/>',
            "at the edge: worse",
        )
    if view.failed:
        yield _Item('<path class="cross" d="M-3 -3l6 6m-6 0l6 -6"/>', "failed")
