"""Expected and found as a picture: what a surrogate expected of each trial, and what came of it.

To the right is what was expected, upwards what was found, on the same scale. On the diagonal both
are the same. It is one SVG without scripts. The colour is the trial's number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evonas.insight.axis import measure_for
from evonas.insight.laid_axis import LaidAxis, laid
from evonas.insight.layout import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from evonas.insight.legend import SWATCH, swatches
from evonas.insight.svg import COLOURS, centre, coordinate, escape, opening, style, text
from evonas.insight.words import shortened
from evonas.trial import Expected, Objective, Trial
from evonas.words import counted


@dataclass(frozen=True)
class Met:
    """A trial of which something was expected, and what was found.

    Attributes:
        found: value of the objective.
    """

    trial: int
    expected: Expected
    found: float

    @property
    def is_within(self) -> bool:
        """Whether it is among the middle two thirds of what was expected."""
        return self.expected.holds(self.found)


def met(trials: Sequence[Trial]) -> list[Met]:
    """The trials whose expectation can be compared with a result.

    Those are no duplicates, have succeeded, and satisfy the constraints.
    """
    found = []
    for trial in trials:
        expected = trial.proposal.expected
        fitness = trial.fitness
        if expected is None or fitness is None or trial.twin_of is not None:
            continue
        if fitness.is_feasible:
            found.append(Met(trial.id, expected, fitness.value))
    return found


def expected_svg(
    trials: Sequence[Trial],
    objective: Objective,
    title: str = "Expected and found",
    dark: bool | None = None,
) -> str:
    """Draws the trials that a surrogate has chosen and that have succeeded.

    Args:
        trials: trials with ids 0..n-1, in that order.
        objective: the first objective, of which something was expected.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1200 by 700 units, the same for the same arguments.
    """
    shown = met(trials)
    told = in_words(trials, shown)
    parts = [
        opening("expected", WIDTH, HEIGHT),
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(told)}</desc>",
        style("expected", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, shortened(told, 150), "sub soft"),
    ]
    if not shown:
        words = "No trial that a surrogate has chosen has succeeded."
        middle = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
        parts.append(text(*middle, words, "big soft", "middle"))
    else:
        x, y = _axes_for(shown, objective)
        parts += _axes(x, y)
        parts += _dots(shown, x, y)
        parts += _legend()
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def in_words(trials: Sequence[Trial], shown: Sequence[Met]) -> str:
    """How many there are, and how often the result was where it was expected."""
    chosen = 0
    for trial in trials:
        chosen += trial.proposal.expected is not None and trial.twin_of is None
    told = [f"{counted(chosen, 'trial')} chosen by a surrogate"]
    if shown:
        within = sum(one.is_within for one in shown)
        share = f"{within:,} of {len(shown):,} results among the middle two thirds of what was"
        told.append(f"{share} expected")
    if missing := chosen - len(shown):
        told.append(f"{missing:,} without a result to compare, not drawn")
    return " \u00b7 ".join(told)


def _axes_for(shown: Sequence[Met], objective: Objective) -> tuple[LaidAxis, LaidAxis]:
    """Both axes on one scale, from the worst value that is no outlier to the best."""
    values = []
    for one in shown:
        values += [one.expected.median, one.found]
    measure = measure_for(values, objective)
    across = (LEFT + 12.0, RIGHT - 24.0)
    upwards = (BOTTOM - 12.0, TOP + 34.0)
    return laid(measure, values, (), across), laid(measure, values, (), upwards)


def _axes(x: LaidAxis, y: LaidAxis) -> Iterator[str]:
    """The grid, its labels, what the axes mean, and the diagonal."""
    grid = ""
    for place, label in x.ticks(64):
        grid += f"M{coordinate(place)} {TOP}V{BOTTOM}"
        yield text(place, BOTTOM + 20, label, "tick soft", "middle")
    for place, label in y.ticks(44):
        grid += f"M{LEFT} {coordinate(place)}H{RIGHT}"
        yield text(LEFT - 9, place + 4, label, "tick soft", "end")
    grid += f"M{LEFT} {BOTTOM}H{RIGHT}"
    yield f'<path class="grid" d="{grid}"/>'
    middle = (LEFT + RIGHT) / 2
    name = y.measure.name
    yield text(middle, BOTTOM + 44, f"expected {name} (better to the right)", "soft", "middle")
    yield text(LEFT - 52, TOP - 9, f"found: {y.measure.title}", "soft")
    start = f"{coordinate(x.start)} {coordinate(y.start)}"
    end = f"{coordinate(x.end)} {coordinate(y.end)}"
    yield f'<path class="record diagonal" d="M{start}L{end}"/>'


def _dots(shown: Sequence[Met], x: LaidAxis, y: LaidAxis) -> Iterator[str]:
    """A dot for each trial, on the line of its middle two thirds."""
    edges = ""
    for one in shown:
        left, right = sorted((x.place(one.expected.low), x.place(one.expected.high)))
        edges += f"M{coordinate(left)} {coordinate(y.place(one.found))}H{coordinate(right)}"
    yield f'<path class="edges" opacity="0.5" d="{edges}"/>'
    for place, one in enumerate(shown):
        at = centre(x.place(one.expected.median), y.place(one.found))
        measure = y.measure
        words = f"trial {one.trial}: expected {measure.text(one.expected.median)}"
        words += f" ({measure.text(one.expected.low)} to {measure.text(one.expected.high)})"
        words += f", found {measure.text(one.found)}"
        colour = min(COLOURS - 1, int(place / len(shown) * COLOURS))
        shape = f'class="dot c{colour} strong" {at} r="4.6"'
        yield f"<circle {shape}><title>{escape(words)}</title></circle>"


def _legend() -> Iterator[str]:
    """What the signs and colours mean."""
    y = HEIGHT - 24
    x = LEFT - 40
    yield f'<circle class="dot c4" cx="{x}" cy="{y - 4}" r="4"/>'
    yield f'<path class="edges" d="M{x - 12} {y - 4}H{x + 12}"/>'
    yield text(x + 20, y, "a trial, and the middle two thirds of what was expected", "soft")
    yield f'<path class="record" d="M{x + 342} {y + 2}L{x + 358} {y - 10}"/>'
    words = "as expected; above it, better. Nothing is expected beyond the best value known then"
    yield text(x + 368, y, words, "soft")
    yield from swatches(RIGHT - COLOURS * SWATCH, "first to last trial")
