"""The part of `MODEL_CARD.md` on errors: which classes are confused, and who else was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Card = Mapping[str, Any]
Rows = list[tuple[str, ...]]

MOST_COLUMNS = 20
"""The most classes whose confusion matrix is a table on the page; `model.json` has larger ones."""

NAMES = {"linear": "linear model", "boosted_trees": "boosted trees"}


def neighbour_rows(card: Card) -> tuple[Sequence[str], Rows]:
    """Heads and rows of a table: scikit-learn's models on the same samples, beside the network."""
    found: Mapping[str, Any] = card.get("neighbours") or {}
    heads = ("model", "test scores", "gain over the network", "seconds", "ms a sample", "samples")
    rows: Rows = []
    for name, one in found.items():
        if why := one.get("left_out"):
            rows.append((NAMES[name], f"left out: {why}", "", "", "", ""))
            continue
        scores = []
        for metric, value in one["metrics"].items():
            if metric.startswith("test_"):
                scores.append(f"{metric.removeprefix('test_')} {value:.4g}")
        gains = []
        for metric, gain in one["gain"].items():
            ends = f"{gain['low']:+.3g} to {gain['high']:+.3g}"
            gains.append(f"{metric} {gain['difference']:+.3g} ({ends})")
        took = (f"{one['seconds']:.2g}", f"{one['latency_ms']:.2g}", f"{one['samples']:,}")
        rows.append((NAMES[name], ", ".join(scores), ", ".join(gains), *took))
    return heads, rows


def recall_rows(card: Card) -> tuple[Sequence[str], Rows]:
    """Heads and rows of a table: each class, with its recall, and what it was taken for."""
    errors = card.get("errors") or {}
    if "recall" not in errors:
        return (), []
    names = [str(label) for label in card["classes"]]
    matrix = errors.get("confusion") or []
    if len(names) > MOST_COLUMNS:
        matrix = []
    heads = ["class", "samples", "recall", *(f"as {name}" for name in names if matrix)]
    rows: Rows = []
    for place, name in enumerate(names):
        recall = errors["recall"][place]
        told = "" if recall is None else f"{recall:.4f}"
        counts = matrix[place] if matrix else []
        rows.append((name, f"{errors['support'][place]:,}", told, *map(str, counts)))
    return heads, rows


def residual_rows(card: Card) -> tuple[Sequence[str], Rows]:
    """Heads and rows of a table: for each target, quantiles of prediction minus target."""
    found: Mapping[str, Mapping[str, float]] = (card.get("errors") or {}).get("residuals") or {}
    # A target without a single finite prediction has no quantiles.
    shares = list(dict.fromkeys(share for one in found.values() for share in one))
    heads = ("target", *(share.replace("not_finite", "not finite") for share in shares))
    rows: Rows = []
    for name, quantiles in found.items():
        values = [quantiles.get(share) for share in shares]
        rows.append((name, *("" if value is None else f"{value:.4g}" for value in values)))
    return heads, rows
