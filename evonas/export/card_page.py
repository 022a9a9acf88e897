"""The card of a bundle as a page for people: `MODEL_CARD.md` (Mitchell et al., 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas.export.card_errors import neighbour_rows, recall_rows, residual_rows
from evonas.words import size

Card = Mapping[str, Any]


def card_page(card: Card, made_with: Mapping[str, str | None]) -> str:
    """The page, made of the card of a bundle.

    Args:
        made_with: versions and the CPU of the search, as its record has them.
    """
    parts = [
        [f"# Trial {card['trial']} of the run {card['run']}", "", _what(card)],
        _section("Forms", _forms(card)),
        _section("Data", _data(card)),
        _section("Scores", _scores(card)),
        *_beside_the_scores(card),
        _section("Training and lineage", _lineage(card)),
        _section("Versions", _versions(card, made_with)),
        _section("Limits of use", _limits(card)),
    ]
    return "\n".join("\n".join([*lines, ""]) for lines in parts)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *lines]


def _what(card: Card) -> str:
    words = [f"A network for {card['task']}, found by evonas."]
    if card.get("parameters") is not None:
        words.append(f"It has {card['parameters']:,} parameters.")
    if card.get("flops") is not None:
        words.append(f"A sample takes {card['flops']:,} floating-point operations.")
    words.append("It takes raw samples: the preprocessing is inside.")
    return " ".join(words)


def _forms(card: Card) -> list[str]:
    rows = []
    for name, form in card["forms"].items():
        tolerance = "none" if form["tolerance"] is None else f"{form['tolerance']:g}"
        rows.append(
            (
                name,
                f"`{form['path']}`",
                size(form["bytes"]),
                _number(form["latency_ms"], 3),
                _number(form["difference"], 2),
                tolerance,
                _pairs(form["metrics"]),
            )
        )
    heads = ("form", "file", "size", "ms a sample", "difference", "allowed", "its own scores")
    lines = [
        "Each form was loaded in a process without evonas. It predicted what the network does,",
        "also one sample alone. The allowed difference is a share of the largest prediction, if",
        "that is above 1. The milliseconds are those of one sample, on the machine that wrote it.",
        "",
        *_table(heads, rows),
    ]
    if card["left_out"]:
        lines += ["", "Not in this bundle:", ""]
        lines += [f"* {name}: {_flat(why)}" for name, why in card["left_out"].items()]
    return lines


def _data(card: Card) -> list[str]:
    data = card["data"]
    lines = []
    if origin := data.get("name") or data.get("path"):
        lines.append(f"* source: {_flat(str(origin))}")
    for part, count in data.get("samples", {}).items():
        lines.append(f"* {part}: {count:,} samples")
    if data.get("folds"):
        lines.append(f"* {data['folds']} folds for validation")
    if data.get("split_seed") is not None:
        lines.append(f"* the split has the seed {data['split_seed']}")
    lines.append(f"* a sample has the shape {tuple(card['input_shape'])}")
    if card["classes"]:
        labels = ", ".join(_flat(str(label)) for label in card["classes"])
        lines.append(f"* classes, in the order of the answers: {labels}")
    return lines


def _scores(card: Card) -> list[str]:
    intervals = card.get("intervals") or {}
    baseline = card.get("baseline") or {}
    rows = []
    for name, value in card["metrics"].items():
        if not name.startswith(("val_", "test_")):
            continue
        ends = intervals.get(name)
        between = "" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"
        rows.append((name, _number(value, 4), between, _number(baseline.get(name), 4)))
    heads = ("score", "value", "95 % interval", "without learning")
    return [
        *_table(heads, rows),
        "",
        "The search has chosen by the scores on validation data: these are too good by some luck.",
        "The intervals come from samples drawn again, and know nothing of that luck.",
    ]


def _beside_the_scores(card: Card) -> list[list[str]]:
    """Where the network errs and who else was tried, if the test data have told it."""
    sections = []
    heads, rows = neighbour_rows(card)
    if rows:
        lines = [
            "scikit-learn's models, with defaults, on the same samples. The gain is their score",
            "on the test data minus that of the network, with an interval of 95 %. If that",
            "interval holds zero, the difference may be luck.",
        ]
        sections.append(_section("Other models", [*lines, "", *_table(heads, rows)]))
    heads, rows = recall_rows(card)
    if rows:
        lines = ["On the test data: for each class, the share that was found, and what was said."]
        sections.append(_section("Errors", [*lines, "", *_table(heads, rows)]))
    heads, rows = residual_rows(card)
    if rows:
        lines = ["Quantiles of prediction minus target on the test data, in the target's unit."]
        sections.append(_section("Errors", [*lines, "", *_table(heads, rows)]))
    return sections


def _lineage(card: Card) -> list[str]:
    training = card["training"]
    lines = [
        f"* the search: {', '.join(card['strategy'])} in the space {card['space']['name']}",
        f"* objectives: {', '.join(card['objectives'])}",
        f"* generation {card['generation']}, made by {card['operator']}",
    ]
    if card["parents"]:
        lines.append(f"* parents: {', '.join(f'trial {one}' for one in card['parents'])}")
    for name in ("epochs", "best_epoch", "batch_size", "optimizer", "learning_rate", "seconds"):
        value = training.get(name)
        if isinstance(value, int | float | str):
            lines.append(f"* {name.replace('_', ' ')}: {_number(value, 4)}")
    lines.append("* `genome.yaml` can begin another search, and `run.yaml` repeats this one")
    return lines


def _versions(card: Card, made_with: Mapping[str, str | None]) -> list[str]:
    found = {**made_with, **(card.get("versions") or {})}
    return [f"* {name}: {value}" for name, value in found.items() if value]


def _limits(card: Card) -> list[str]:
    lines = [
        "* It knows what its training data show, and nothing else. For samples of another origin,",
        "  its scores may be far from those above: measure them there first.",
        "* Nobody has looked for unfair answers for groups of people.",
    ]
    if card["classes"]:
        lines.append("* Its probabilities are not calibrated.")
    if not any(name.startswith("test_") for name in card["metrics"]):
        lines.append("* It has no score on test data: the search has not opened them for it.")
    return lines


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        lines.append(f"| {' | '.join(_flat(cell) for cell in row)} |")
    return lines


def _flat(text: str) -> str:
    """A text for a line or a cell."""
    return " ".join(text.split()).replace("|", r"\|")


def _number(value: Any, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _pairs(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
