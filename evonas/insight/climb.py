"""The climb: a run as a picture, every trial a dot, the winner's line of descent through them.

One SVG without scripts, for a browser, a report or paper. From left to right the generations, upwards what is better,
in colour what a network costs. Few trials are circles that name themselves under the mouse; many are a few paths of
dots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from evonas.insight.labels import Labels
from evonas.insight.layout import (
    BOTTOM,
    FAILED,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Dot,
    Scene,
    is_failed,
    scene,
)
from evonas.insight.legend import colour_scale, legend
from evonas.insight.svg import COLOURS, classes, coordinate, escape, style, text, text_width
from evonas.insight.words import amount, counted, number, shortened
from evonas.trial import Objective, Trial, TrialState

MOST_CIRCLES = 2_000
"""More trials than these are drawn as paths, without a tooltip each."""

MOST_EDGES = 1_500
"""Edges of more trials than these are a grey felt."""

MOST_DOTS = 20_000
"""Of more trials than these, those that would fall on one spot are drawn once."""

MOST_LABELS = 14


def climb_svg(
    trials: Sequence[Trial],
    objective: Objective,
    title: str = "The climb",
    dark: bool | None = None,
) -> str:
    """Draws a run.

    Args:
        trials: with ids 0..n-1, in that order.
        title: the run's name.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1200 by 700 units, the same for the same arguments: 0.3 MB for 2,000 trials,
        0.6 MB for 100,000.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """
    view = scene(trials, objective)
    told = _subtitle(view, objective)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="climb" role="img" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width:100%;height:auto">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(_description(view, told))}</desc>",
        style("climb", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, shortened(told, 120), "sub soft"),
        *_axes(view),
        *_failures(view),
        *_edges(view),
        *_dots(view),
        *_descent(view),
        *_labels(view),
        *legend(view, drawn_singly=_is_singly(view), paleness=_paleness(view)),
        *colour_scale(view),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def radius(count: int) -> float:
    """Of a dot, in pixels: smaller where there are many."""
    steps = ((120, 5.0), (400, 4.2), (1_000, 3.2), (2_500, 2.5), (20_000, 1.9))
    return next((size for limit, size in steps if count <= limit), 1.4)


def _subtitle(view: Scene, objective: Objective) -> str:
    trials = view.trials
    parts = []
    if view.winner is not None and view.winner.trial.fitness is not None:
        best = f"best {objective.name} {number(view.winner.trial.fitness.value)}"
        accuracy = view.winner.trial.metrics.get("val_accuracy")
        if accuracy is not None and objective.name != "val_accuracy":
            best += f" (val_accuracy {100 * accuracy:.1f} %)"
        parts.append(f"{best} by trial {view.winner.trial.id}")
    parts.append(counted(len(trials), "trial"))
    if view.by_generation:
        parts[-1] += (
            f" in {counted(len({trial.lineage.generation for trial in trials}), 'generation')}"
        )
    failed = sum(map(is_failed, trials))
    twins = sum(trial.twin_of is not None for trial in trials)
    waiting = sum(trial.state is TrialState.WAITING for trial in trials)
    violating = sum(trial.fitness is not None and not trial.fitness.is_feasible for trial in trials)
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{violating:,} beyond the constraints (grey)"] if violating else []
    parts += [counted(twins, "twin")] if twins else []
    parts += [f"{waiting:,} not finished"] if waiting else []
    return " \u00b7 ".join(parts)


def _description(view: Scene, told: str) -> str:
    across = "generations" if view.by_generation else "trials in order"
    words = (
        f"{told}. Each dot is a trial: from left to right {across}, upwards {view.measure.title}."
    )
    if view.cost is not None:
        words += f" Colour: {view.cost.name} by rank."
    if len(view.line) > 1:
        words += f" The thick line leads from trial {view.line[0]} over {len(view.line) - 2} others to the winner."
    return words


def _axes(view: Scene) -> Iterator[str]:
    lines = [f"M{coordinate(x)} {TOP}V{BOTTOM}" for x in view.x_lines] if view.dots else []
    lines += [f"M{LEFT} {coordinate(y)}H{RIGHT}" for y, _ in view.y_ticks]
    yield f'<path class="grid" d="{"".join(lines)}M{LEFT} {BOTTOM}H{RIGHT}"/>'
    yield from (text(x, BOTTOM + 41, label, "tick soft", "middle") for x, label in view.x_ticks)
    yield from (text(LEFT - 9, y + 4, label, "tick soft", "end") for y, label in view.y_ticks)
    yield text(
        (LEFT + RIGHT) / 2,
        BOTTOM + 61,
        "generation" if view.by_generation else "trial",
        "soft",
        "middle",
    )
    if view.dots:
        yield text(LEFT - 52, TOP - 9, view.measure.title, "soft")
    else:
        words = "No trial has succeeded yet." if view.trials else "There are no trials yet."
        yield text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, words, "big soft", "middle")


def _failures(view: Scene) -> Iterator[str]:
    if not view.failed:
        return
    yield text(LEFT - 9, FAILED + 4, "failed", "soft", "end")
    marks = dict.fromkeys(round(x) for x in view.failed)  # one a pixel
    few = len(view.failed) <= 300
    shapes = (
        f"M{x - 3} {FAILED - 3}l6 6m-6 0l6 -6" if few else f"M{x} {FAILED - 3}v6" for x in marks
    )
    strength = 1 if few else 0.5
    yield f'<path class="cross" stroke-opacity="{strength}" data-count="{len(view.failed)}" d="{"".join(shapes)}"/>'


def _curve(start: Dot, end: Dot) -> str:
    """From parent to child, leaving and arriving level."""
    a, b, c, d = start.x, start.y, end.x, end.y
    middle = coordinate((a + c) / 2)
    return (
        f"M{coordinate(a)} {coordinate(b)}C{middle} {coordinate(b)} {middle} {coordinate(d)} "
        f"{coordinate(c)} {coordinate(d)}"
    )


def _pairs(view: Scene, ids: Iterable[int]) -> Iterator[tuple[Dot, Dot]]:
    """Parent and child, for every parent of these trials that has a dot."""
    for i in ids:
        child = view.dots.get(i)
        if child is not None:
            parents = dict.fromkeys(child.trial.lineage.parents)
            yield from ((view.dots[parent], child) for parent in parents if parent in view.dots)


def _edges(view: Scene) -> Iterator[str]:
    if view.by_generation and len(view.trials) < MOST_EDGES:
        shapes = "".join(_curve(parent, child) for parent, child in _pairs(view, view.dots))
        strength = 0.42 if len(view.trials) <= 300 else 0.2
        yield f'<path class="edges" stroke-opacity="{strength}" d="{shapes}"/>'


def _colour(dot: Dot) -> str:
    return "c" if dot.colour is None else f"c{dot.colour}"


def _dots(view: Scene) -> Iterator[str]:
    """All trials but those of the winner's family, pale."""
    family = view.kin | {dot.trial.id for dot in _leaders(view)}
    rest = [dot for dot in view.dots.values() if dot.trial.id not in family]
    size = radius(len(view.trials))
    if _is_singly(view):
        yield f'<g opacity="{_paleness(view)}">'
        yield from (_circle(view, dot, size) for dot in rest)
        yield "</g>"
    else:
        yield from _cloud(
            [dot for dot in rest if dot.trial.twin_of is None], size, 0.65 * _paleness(view)
        )


def _is_singly(view: Scene) -> bool:
    """Whether each trial is a circle of its own."""
    return len(view.trials) <= MOST_CIRCLES


def _paleness(view: Scene) -> float:
    return 0.48 if view.line else 0.7


def _leaders(view: Scene) -> list[Dot]:
    """The dots on the thick line: the winner's main parents or, where nobody has parents, the best so far."""
    if view.line:
        return [view.dots[i] for i in view.line if i in view.dots]
    return [*(view.best if not view.by_generation else []), *([view.winner] if view.winner else [])]


def _circle(view: Scene, dot: Dot, size: float, css: str = "") -> str:
    twin = dot.trial.twin_of is not None
    words = f"trial {dot.trial.id}, generation {dot.trial.lineage.generation}: {view.measure.text(dot.value)}"
    if view.cost is not None and view.cost.name in dot.trial.metrics:
        words += f", {amount(dot.trial.metrics[view.cost.name])} {view.cost.name}"
    words += f", twin of trial {dot.trial.twin_of}" if twin else ""
    shape = classes(
        [
            "twin" if twin else "dot",
            "clipped" if dot.clipped else "",
            _colour(dot),
            "" if twin else css,
        ]
    )
    at = f'cx="{coordinate(dot.x)}" cy="{coordinate(dot.y)}" r="{coordinate(size)}"'
    return f'<circle class="{shape}" {at}><title>{escape(words)}</title></circle>'


def _cloud(dots: Sequence[Dot], size: float, opacity: float) -> Iterator[str]:
    """Round dots as strokes without length: one path a colour, a dozen bytes a dot."""
    thin = len(dots) > MOST_DOTS
    grid = 1.0 if len(dots) <= 10 * MOST_DOTS else 2.0
    seen: set[tuple[int, int]] = set()
    paths: dict[str, list[str]] = {css: [] for css in ("c", *(f"c{i}" for i in range(COLOURS)))}
    drawn = dict.fromkeys(paths, 0)
    for dot in dots:
        spot = (round(dot.x / grid), round(dot.y / grid))
        drawn[_colour(dot)] += 1
        if not thin:
            paths[_colour(dot)].append(f"M{coordinate(dot.x)} {coordinate(dot.y)}h0")
        elif spot not in seen:
            seen.add(spot)
            paths[_colour(dot)].append(f"M{spot[0] * grid:.0f} {spot[1] * grid:.0f}h0")
    for css, shapes in paths.items():
        if shapes:
            yield (
                f'<path class="cloud {css}" data-count="{drawn[css]}" stroke-width="{coordinate(2 * size)}" '
                f'stroke-opacity="{opacity:.2f}" d="{"".join(shapes)}"/>'
            )


def _descent(view: Scene) -> Iterator[str]:
    """The winner's family on top of everything: ancestors, its line, and the best so far where nobody has parents."""
    size = radius(len(view.trials))
    if view.line:
        kin = "".join(
            _curve(parent, child)
            for parent, child in _pairs(view, sorted(view.kin | {view.line[-1]}))
        )
        yield f'<path class="kin" d="{kin}"/>' if view.kin else ""
        line = set(view.line)
        css = "strong" if size > 3 else ""
        yield from (
            _circle(view, view.dots[i], size, css)
            for i in sorted(view.kin - line)
            if i in view.dots
        )
        pairs = pairwise(view.line)
        path = "".join(
            _curve(view.dots[a], view.dots[b])
            for a, b in pairs
            if a in view.dots and b in view.dots
        )
    else:
        path = _stairs(view)
    if path:
        yield f'<path class="halo" d="{path}"/><path class="line" d="{path}"/>'
    leaders = list({dot.trial.id: dot for dot in _leaders(view)}.values())
    crowded = len(leaders) > 40
    yield from (
        _circle(view, dot, 2.5 if crowded else max(3.6, size), "" if crowded else "strong")
        for dot in leaders
    )
    if view.winner is not None:
        ring = max(7.0, size + 3.5)
        yield f'<circle class="ring" cx="{coordinate(view.winner.x)}" cy="{coordinate(view.winner.y)}" r="{ring}"/>'


def _stairs(view: Scene) -> str:
    """The best so far, from the first success to the last trial."""
    if len(view.dots) < 2 or view.by_generation:
        return ""
    first, *others = view.best
    steps = "".join(f"H{coordinate(dot.x)}V{coordinate(dot.y)}" for dot in others)
    return f"M{coordinate(first.x)} {coordinate(first.y)}{steps}H{coordinate(RIGHT)}"


def _labels(view: Scene) -> Iterator[str]:
    """The winner and the most telling records, sparsely, each record with a thin ring around its dot."""
    if view.winner is None:
        return
    labels = Labels(LEFT + 3, TOP - 4, RIGHT + 24, BOTTOM)
    labels.keep_clear((dot.x, dot.y) for dot in view.dots.values())
    labels.keep_clear(_line_points(view))
    winner = view.winner
    words = f"trial {winner.trial.id}: {view.measure.text(winner.value)}"
    labels.place(winner.x, winner.y, words, text_width(words, 13.5), 13, 13.0, must=True)
    labels.keep_clear((winner.x + dx, winner.y + dy) for dx in (-8, 0, 8) for dy in (-8, 0, 8))
    heights = [view.measure.height(dot.value) for dot in view.best]
    gains = [b - a for a, b in zip([heights[0] - 9, *heights], heights, strict=False)]
    ranked = sorted(
        zip(gains, view.best, strict=True), key=lambda pair: (-pair[0], pair[1].trial.id)
    )
    said = {view.measure.text(winner.value)}
    for _, dot in ranked:
        words = view.measure.text(dot.value)
        if len(labels.placed) > MOST_LABELS:
            break
        if dot is not winner and not dot.clipped and words not in said:
            said.add(words)
            if labels.place(dot.x, dot.y, words, text_width(words, 11.5), 11, 9.0, must=False):
                at = f'cx="{coordinate(dot.x)}" cy="{coordinate(dot.y)}"'
                yield f'<circle class="record" {at} r="{coordinate(max(4.5, radius(len(view.trials)) + 1.6))}"/>'
    for label in labels.placed:
        yield text(
            label.x, label.y, label.words, "label first" if label.first else "label", label.anchor
        )


def _line_points(view: Scene) -> Iterator[tuple[float, float]]:
    """Points along the thick line, close enough that no label fits between them."""
    if view.line:
        shown = [view.dots[i] for i in view.line if i in view.dots]
        for a, b in pairwise(shown):
            for k in range(41):
                t = k / 40
                level = t * t * (3 - 2 * t)  # the height of the curve; its x is nearly even in t
                across = a.x + (b.x - a.x) * (1.5 * t - 1.5 * t * t + t**3)
                yield across, a.y + (b.y - a.y) * level
    elif not view.by_generation:
        for a, b in pairwise(view.best):
            yield from ((a.x + (b.x - a.x) * k / 60, a.y) for k in range(61))
            yield from ((b.x, a.y + (b.y - a.y) * k / 60) for k in range(61))
