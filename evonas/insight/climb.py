"""The climb: a run as a picture, every trial a dot, the winner's line of descent through them.

One SVG without scripts, for a browser, a report or paper. From left to right are the generations,
upwards is what is better, and the colour is what a network costs. If there are few trials, each is
a circle that names itself under the mouse. Many trials are a few paths of dots.
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
from evonas.insight.svg import (
    COLOURS,
    centre,
    classes,
    coordinate,
    escape,
    opening,
    point,
    style,
    text,
    text_width,
)
from evonas.insight.words import shortened
from evonas.trial import Objective, Trial, TrialState
from evonas.words import counted, measured, number

MOST_CIRCLES = 2_000
"""More trials than these are drawn as paths, without a tooltip each."""

MOST_EDGES = 1_500
"""Edges of more trials than these would be a grey felt, and are not drawn."""

MOST_DOTS = 20_000
"""Of more trials than these, those that would fall on one spot are drawn once."""

MOST_CROSSES = 300
"""More failed trials than these are marked by thin lines instead of crosses."""

MOST_LABELS = 14


def climb_svg(
    trials: Sequence[Trial],
    objective: Objective,
    title: str = "The climb",
    dark: bool | None = None,
) -> str:
    """Draws a run.

    Args:
        trials: trials with ids 0..n-1, in that order.
        title: the run's name.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1200 by 700 units, the same for the same arguments. It has 0.3 MB for
        2,000 trials, and 0.6 MB for 100,000.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """
    view = scene(trials, objective)
    told = _subtitle(view, objective)
    parts = [
        opening("climb", WIDTH, HEIGHT),
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(_description(view, told))}</desc>",
        style("climb", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, shortened(told, 120), "sub soft"),
        # What comes later covers what came before: the winner's family lies on top.
        *_axes(view),
        *_failures(view),
        *_edges(view),
        *_dots(view),
        *_descent(view),
        *_labels(view),
        *legend(view, drawn_singly=_is_singly(view), paleness=_paleness(view)),
        *colour_scale(view),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def radius(count: int) -> float:
    """The radius of a dot in pixels, smaller if there are many."""
    steps = ((120, 5.0), (400, 4.2), (1_000, 3.2), (2_500, 2.5), (20_000, 1.9))
    for limit, size in steps:
        if count <= limit:
            return size
    return 1.4


def _subtitle(view: Scene, objective: Objective) -> str:
    """The best value, then how many trials there are and what became of them."""
    trials = view.trials
    parts = []
    best = _best_in_words(view, objective)
    if best:
        parts.append(best)
    told = counted(len(trials), "trial")
    if view.by_generation:
        generations = {trial.lineage.generation for trial in trials}
        told += f" in {counted(len(generations), 'generation')}"
    parts.append(told)
    own = [trial for trial in trials if trial.twin_of is None]
    failed = sum(map(is_failed, own))
    # Neither is a failure: the limits refused the one, the user or the time ended the other.
    infeasible = sum(trial.state is TrialState.INFEASIBLE for trial in own)
    cancelled = sum(trial.state is TrialState.CANCELLED for trial in own)
    failed -= infeasible + cancelled
    twins = sum(trial.twin_of is not None for trial in trials)
    waiting = sum(trial.state is TrialState.WAITING for trial in trials)
    violating = sum(trial.fitness is not None and not trial.fitness.is_feasible for trial in trials)
    for count, what in ((failed, "failed"), (infeasible, "infeasible"), (cancelled, "cancelled")):
        if count:
            parts.append(f"{count:,} {what}")
    if violating:
        parts.append(f"{violating:,} beyond the constraints (grey)")
    if twins:
        parts.append(counted(twins, "duplicate"))
    if waiting:
        parts.append(f"{waiting:,} not finished")
    return " \u00b7 ".join(parts)


def _best_in_words(view: Scene, objective: Objective) -> str:
    """The winner's value; empty without a winner."""
    if view.winner is None:
        return ""
    trial = view.winner.trial
    if trial.fitness is None:
        return ""
    value = number(trial.fitness.value)
    best = f"best {objective.name} {value}"
    # Most readers know what an accuracy means, whatever the search has followed.
    accuracy = trial.metrics.get("val_accuracy")
    if accuracy is not None and objective.name != "val_accuracy":
        best += f" (val_accuracy {number(accuracy)})"
    return f"{best} by trial {trial.id}"


def _description(view: Scene, told: str) -> str:
    """The picture in words, for readers who do not see it."""
    across = "trials in order"
    if view.by_generation:
        across = "generations"
    words = f"{told}. Each dot is a trial: from left to right {across},"
    words += f" upwards {view.measure.title}."
    if view.cost is not None:
        words += f" Colour: {view.cost.name} by rank."
    if len(view.line) > 1:
        founder = view.line[0]
        between = len(view.line) - 2
        over = f" over {counted(between, 'other')}" if between else ""
        words += f" The thick line leads from trial {founder}{over} to the winner."
    return words


def _axes(view: Scene) -> Iterator[str]:
    """The grid, its labels, and what the axes mean."""
    grid = ""
    if view.dots:
        for x in view.x_lines:
            grid += f"M{coordinate(x)} {TOP}V{BOTTOM}"
    for y, _ in view.y_ticks:
        grid += f"M{LEFT} {coordinate(y)}H{RIGHT}"
    grid += f"M{LEFT} {BOTTOM}H{RIGHT}"
    yield f'<path class="grid" d="{grid}"/>'
    for x, label in view.x_ticks:
        yield text(x, BOTTOM + 41, label, "tick soft", "middle")
    for y, label in view.y_ticks:
        yield text(LEFT - 9, y + 4, label, "tick soft", "end")
    across = "generation" if view.by_generation else "trial"
    middle = (LEFT + RIGHT) / 2
    yield text(middle, BOTTOM + 61, across, "soft", "middle")
    if view.dots:
        yield text(LEFT - 52, TOP - 9, view.measure.title, "soft")
        return
    words = "There are no trials yet."
    if view.trials:
        words = "No trial has succeeded yet."
    yield text(middle, (TOP + BOTTOM) / 2, words, "big soft", "middle")


def _failures(view: Scene) -> Iterator[str]:
    """A mark below the axis for each trial without a result."""
    count = len(view.failed)
    if not count:
        return
    yield text(LEFT - 9, FAILED + 4, "no result", "soft", "end")
    # Crosses in a crowd would be one black bar.
    is_crowded = count > MOST_CROSSES
    strength = "0.5" if is_crowded else "1"
    upper = FAILED - 3
    shapes = ""
    # At most one mark a pixel: more would not be seen.
    for x in dict.fromkeys(round(x) for x in view.failed):
        if is_crowded:
            shapes += f"M{x} {upper}v6"
        else:
            shapes += f"M{x - 3} {upper}l6 6m-6 0l6 -6"
    about = f'stroke-opacity="{strength}" data-count="{count}"'
    yield f'<path class="cross" {about} d="{shapes}"/>'


def _curve(start: Dot, end: Dot) -> str:
    """A path from parent to child that leaves and arrives level."""
    leaving = point(start.x, start.y)
    arriving = point(end.x, end.y)
    middle = (start.x + end.x) / 2
    level_start = point(middle, start.y)
    level_end = point(middle, end.y)
    return f"M{leaving}C{level_start} {level_end} {arriving}"


def _pairs(view: Scene, ids: Iterable[int]) -> Iterator[tuple[Dot, Dot]]:
    """Parent and child, for every parent of these trials that has a dot."""
    for i in ids:
        child = view.dots.get(i)
        # A failed trial has no dot.
        if child is None:
            continue
        for parent in dict.fromkeys(child.trial.lineage.parents):
            if parent in view.dots:
                yield view.dots[parent], child


def _curves(view: Scene, ids: Iterable[int]) -> str:
    """The edges to these trials from all of their parents, as a path."""
    path = ""
    for parent, child in _pairs(view, ids):
        path += _curve(parent, child)
    return path


def _edges(view: Scene) -> Iterator[str]:
    """All edges from parent to child, pale."""
    count = len(view.trials)
    if not view.by_generation or count >= MOST_EDGES:
        return
    shapes = _curves(view, view.dots)
    strength = 0.42 if count <= 300 else 0.2
    yield f'<path class="edges" stroke-opacity="{strength}" d="{shapes}"/>'


def _colour(dot: Dot) -> str:
    """The class of a dot's colour; `c` alone is grey."""
    if dot.colour is None:
        return "c"
    return f"c{dot.colour}"


def _dots(view: Scene) -> Iterator[str]:
    """All trials but those of the winner's family, pale."""
    family = set(view.kin)
    for dot in _leaders(view):
        family.add(dot.trial.id)
    rest = [dot for dot in view.dots.values() if dot.trial.id not in family]
    size = radius(len(view.trials))
    paleness = _paleness(view)
    if _is_singly(view):
        yield f'<g opacity="{paleness}">'
        for dot in rest:
            yield _circle(view, dot, size)
        yield "</g>"
    else:
        # All dots of a path look the same, so that duplicates could not be told apart.
        shown = [dot for dot in rest if dot.trial.twin_of is None]
        yield from _cloud(shown, size, 0.65 * paleness)


def _is_singly(view: Scene) -> bool:
    """Whether each trial is a circle of its own."""
    count = len(view.trials)
    return count <= MOST_CIRCLES


def _paleness(view: Scene) -> float:
    """The opacity of dots beside the winner's line."""
    return 0.48 if view.line else 0.7


def _leaders(view: Scene) -> list[Dot]:
    """The dots on the thick line.

    They are the winner's main parents or, if no trial has parents, the best so far.
    """
    if view.line:
        return [view.dots[i] for i in view.line if i in view.dots]
    leaders = []
    if not view.by_generation:
        leaders += view.best
    if view.winner is not None:
        leaders.append(view.winner)
    return leaders


def _circle(view: Scene, dot: Dot, size: float, css: str = "") -> str:
    """A trial as a circle, with a tooltip."""
    is_twin = dot.trial.twin_of is not None
    shape = classes(
        [
            "twin" if is_twin else "dot",
            "clipped" if dot.clipped else "",
            _colour(dot),
            "" if is_twin else css,
        ]
    )
    at = f'{centre(dot.x, dot.y)} r="{coordinate(size)}"'
    words = escape(_tooltip(view, dot))
    return f'<circle class="{shape}" {at}><title>{words}</title></circle>'


def _tooltip(view: Scene, dot: Dot) -> str:
    """The number, the value and the cost of a trial."""
    trial = dot.trial
    value = view.measure.text(dot.value)
    words = f"trial {trial.id}, generation {trial.lineage.generation}: {value}"
    if view.cost is not None:
        name = view.cost.name
        if name in trial.metrics:
            words += f", {measured(name, trial.metrics[name])} {name}"
    if trial.twin_of is not None:
        words += f", twin of trial {trial.twin_of}"
    return words


def _cloud(dots: Sequence[Dot], size: float, opacity: float) -> Iterator[str]:
    """Many dots as one path a colour."""
    is_thinned = len(dots) > MOST_DOTS
    grid = 1.0
    if len(dots) > 10 * MOST_DOTS:
        grid = 2.0
    seen: set[tuple[int, int]] = set()
    # All colours in the order of the scale, whichever comes first among the dots.
    colours = ["c", *(f"c{i}" for i in range(COLOURS))]
    paths: dict[str, list[str]] = {css: [] for css in colours}
    drawn = dict.fromkeys(colours, 0)
    for dot in dots:
        css = _colour(dot)
        # A dot that falls on another one is counted, too.
        drawn[css] += 1
        # A stroke without length and with round ends is a dot: a dozen bytes instead of a hundred.
        if not is_thinned:
            paths[css].append(f"M{point(dot.x, dot.y)}h0")
            continue
        column = round(dot.x / grid)
        row = round(dot.y / grid)
        if (column, row) not in seen:
            seen.add((column, row))
            paths[css].append(f"M{column * grid:.0f} {row * grid:.0f}h0")
    width = coordinate(2 * size)
    stroke = f'stroke-width="{width}" stroke-opacity="{opacity:.2f}"'
    for css, shapes in paths.items():
        if shapes:
            about = f'class="cloud {css}" data-count="{drawn[css]}"'
            yield f'<path {about} {stroke} d="{"".join(shapes)}"/>'


def _descent(view: Scene) -> Iterator[str]:
    """The winner's family on top of everything: ancestors, thick line, and the winner's ring."""
    size = radius(len(view.trials))
    if view.line:
        yield from _ancestors(view, size)
        path = _main_parents(view)
    else:
        path = _stairs(view)
    if path:
        # A wider line of the paper's colour sets the thick line apart from what is below.
        yield f'<path class="halo" d="{path}"/><path class="line" d="{path}"/>'
    # The winner may be among the best so far, and is drawn once.
    leaders = {dot.trial.id: dot for dot in _leaders(view)}
    is_crowded = len(leaders) > 40
    for dot in leaders.values():
        if is_crowded:
            yield _circle(view, dot, 2.5)
        else:
            yield _circle(view, dot, max(3.6, size), "strong")
    if view.winner is not None:
        at = centre(view.winner.x, view.winner.y)
        ring = max(7.0, size + 3.5)
        yield f'<circle class="ring" {at} r="{ring}"/>'


def _ancestors(view: Scene, size: float) -> Iterator[str]:
    """The winner's ancestors with their edges, without the dots of the thick line."""
    winner = view.line[-1]
    shapes = _curves(view, sorted({*view.kin, winner}))
    if view.kin:
        yield f'<path class="kin" d="{shapes}"/>'
    else:
        # Without ancestors to show, the file has an empty line here.
        yield ""
    css = "strong" if size > 3 else ""
    others = view.kin - set(view.line)
    for i in sorted(others):
        if i in view.dots:
            yield _circle(view, view.dots[i], size, css)


def _main_parents(view: Scene) -> str:
    """The winner's line of main parents as a path."""
    path = ""
    for a, b in pairwise(view.line):
        start = view.dots.get(a)
        end = view.dots.get(b)
        # A failed ancestor has no dot, so that the line is broken there.
        if start is not None and end is not None:
            path += _curve(start, end)
    return path


def _stairs(view: Scene) -> str:
    """The best so far, from the first success to the last trial."""
    if len(view.dots) < 2 or view.by_generation:
        return ""
    first, *others = view.best
    path = f"M{point(first.x, first.y)}"
    for dot in others:
        x = coordinate(dot.x)
        y = coordinate(dot.y)
        path += f"H{x}V{y}"
    return path + f"H{coordinate(RIGHT)}"


def _labels(view: Scene) -> Iterator[str]:
    """The winner and the most telling records, sparsely.

    Each record has a thin ring around its dot.
    """
    winner = view.winner
    if winner is None:
        return
    labels = Labels(LEFT + 3, TOP - 4, RIGHT + 24, BOTTOM)
    labels.keep_clear((dot.x, dot.y) for dot in view.dots.values())
    labels.keep_clear(_line_points(view))
    words = f"trial {winner.trial.id}: {view.measure.text(winner.value)}"
    width = text_width(words, 13.5)
    # The winner is first, and must have a label; the others make room.
    labels.place(winner.x, winner.y, words, width, 13, 13.0, must=True)
    # Its ring is larger than a dot.
    for dx in (-8, 0, 8):
        labels.keep_clear((winner.x + dx, winner.y + dy) for dy in (-8, 0, 8))
    yield from _records(view, winner, labels)
    for label in labels.placed:
        css = "label first" if label.first else "label"
        yield text(label.x, label.y, label.words, css, label.anchor)


def _records(view: Scene, winner: Dot, labels: Labels) -> Iterator[str]:
    """Places a label at records, those with the largest gain first, and draws their rings."""
    size = radius(len(view.trials))
    ring = coordinate(max(4.5, size + 1.6))
    # No label says again what another one says.
    said = {view.measure.text(winner.value)}
    for dot in _by_gain(view):
        if len(labels.placed) > MOST_LABELS:
            break
        words = view.measure.text(dot.value)
        if dot is winner or dot.clipped or words in said:
            continue
        said.add(words)
        width = text_width(words, 11.5)
        is_placed = labels.place(dot.x, dot.y, words, width, 11, 9.0, must=False)
        if is_placed:
            yield f'<circle class="record" {centre(dot.x, dot.y)} r="{ring}"/>'


def _by_gain(view: Scene) -> list[Dot]:
    """The records, those first that were most above the record before them."""
    ranked = []
    # The first record has none before it. It gets a gain of 9, which on a logarithmic axis is nine
    # powers of ten, so that it is among the first.
    first = view.best[0]
    last = view.measure.height(first.value) - 9
    for dot in view.best:
        height = view.measure.height(dot.value)
        gain = height - last
        last = height
        ranked.append((-gain, dot.trial.id, dot))
    ranked.sort(key=lambda item: item[:2])
    return [dot for _, _, dot in ranked]


def _line_points(view: Scene) -> Iterator[tuple[float, float]]:
    """Points along the thick line, close enough that no label fits between them."""
    if view.line:
        shown = [view.dots[i] for i in view.line if i in view.dots]
        for a, b in pairwise(shown):
            yield from _curve_points(a, b)
    elif not view.by_generation:
        for a, b in pairwise(view.best):
            yield from _step_points(a, b)


def _curve_points(start: Dot, end: Dot) -> Iterator[tuple[float, float]]:
    """Points along the curve from parent to child."""
    width = end.x - start.x
    height = end.y - start.y
    for k in range(41):
        t = k / 40
        # The cubic curve that `_curve` draws, whose inner points are level with its ends.
        across = 1.5 * t - 1.5 * t * t + t**3
        down = t * t * (3 - 2 * t)
        yield start.x + width * across, start.y + height * down


def _step_points(start: Dot, end: Dot) -> Iterator[tuple[float, float]]:
    """Points along a step of the best so far: to the right, then up."""
    width = end.x - start.x
    height = end.y - start.y
    for k in range(61):
        yield start.x + width * k / 60, start.y
        yield end.x, start.y + height * k / 60
