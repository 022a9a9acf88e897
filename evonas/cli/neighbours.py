"""What `run` and `show` tell of the neighbours, and of where the winner errs, from its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas.cli.console import number
from evonas.cli.winner import print_words
from evonas.learning.gain import Gain
from evonas.learning.metrics import find_metric
from evonas.words import counted, listed

if TYPE_CHECKING:
    from rich.console import Console

LABELS = {"linear": "linear", "boosted_trees": "trees"}
NAMES = {"linear": "the linear model", "boosted_trees": "the boosted trees"}
PARTS = (("validation", "val_"), ("test", "test_"))

MOST_CLASSES = 3
"""Classes whose recall is told, the lowest first."""


def print_neighbours(card: Mapping[str, Any], metric: str, out: Console) -> None:
    """A line for each neighbour, and whether the winner is ahead of them.

    Args:
        metric: metric by which they are compared.
    """
    found = card.get("neighbours") or {}
    for name, one in found.items():
        if why := one.get("left_out"):
            print_words(f"left out: {why}", out, LABELS[name])
        else:
            print_words(neighbour_in_words(one), out, LABELS[name])
    for words in standing_in_words(found, metric):
        print_words(words, out)


def neighbour_in_words(one: Mapping[str, Any]) -> str:
    """`test loss 0.12, accuracy 0.9; fitted in 0.4 s; 0.20 ms for one sample`."""
    told = []
    for part, prefix in PARTS:
        scores = [
            f"{name.removeprefix(prefix)} {number(value)}"
            for name, value in one["metrics"].items()
            if name.startswith(prefix)
        ]
        if scores:
            told.append(f"{part} {', '.join(scores)}")
    fitted = f"fitted in {one['seconds']:.2g} s on {counted(one['samples'], 'sample')}"
    return f"{'; '.join(told)}  ({fitted}; {one['latency_ms']:.2g} ms for one sample)"


def standing_in_words(found: Mapping[str, Mapping[str, Any]], metric: str) -> list[str]:
    """Whether the winner is ahead of its neighbours on the test data, beyond their noise."""
    ahead, behind, level = [], [], []
    for name, one in found.items():
        if metric not in (one.get("gain") or {}):
            continue
        gain = Gain(**one["gain"][metric])
        if not gain.is_beyond_noise:
            level.append(NAMES[name])
        elif (gain.difference > 0) == _is_more_better(metric):
            ahead.append(f"{NAMES[name]} by {abs(gain.difference):.4g}")
        else:
            behind.append(f"{NAMES[name]} by {abs(gain.difference):.4g}")
    told = []
    if ahead:
        verb = "is" if len(ahead) == 1 and "linear" in ahead[0] else "are"
        told.append(
            f"Ahead of the winner in test {metric}, beyond the noise of these test samples,"
            f" {verb} {listed(ahead)}."
        )
    if behind:
        told.append(
            f"The winner is ahead of {listed(behind)} in test {metric}, beyond the noise of these"
            " test samples."
        )
    if level:
        told.append(
            f"In test {metric}, these test samples do not tell the winner from {listed(level)}."
        )
    return told


def _is_more_better(metric: str) -> bool:
    found = find_metric(metric)
    return found is not None and found.direction == "max"


def print_errors(card: Mapping[str, Any], out: Console) -> None:
    """Where the winner errs on the test data, in short; the card has the rest."""
    errors = card.get("errors") or {}
    if "recall" in errors:
        print_words(recall_in_words(errors, card["data"] or card), out, "recall")
    residuals = errors.get("residuals") or {}
    for name, found in list(residuals.items())[:MOST_CLASSES]:
        of = f" of {name}" if len(residuals) > 1 else ""
        print_words(residuals_in_words(of, found), out, "residuals")


def residuals_in_words(of: str, found: Mapping[str, float]) -> str:
    """`prediction minus target: +0.1 in the middle, half of them -1 to +1, ...  (test)`.

    Args:
        of: which of several targets; empty for the only one.
        found: quantiles, and how many predictions are no numbers.
    """
    told = []
    if "0.5" in found:
        told.append(f"{found['0.5']:+.4g} in the middle")
        told.append(f"half of them {found['0.25']:+.4g} to {found['0.75']:+.4g}")
        told.append(f"nine of ten {found['0.05']:+.4g} to {found['0.95']:+.4g}")
    if missing := found.get("not_finite"):
        told.append(f"{counted(int(missing), 'prediction is', 'predictions are')} not finite")
    return f"prediction minus target{of}: {', '.join(told)}  (test)"


def recall_in_words(errors: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """`lowest: 3 0.9211 of 38, 8 0.9444 of 36  (test); 2 of class 3 were taken for 8`."""
    names: Sequence[Any] = data["classes"]
    rows = zip(errors["recall"], errors["support"], names, strict=True)
    known = sorted(
        ((recall, count, str(name)) for recall, count, name in rows if recall is not None)
    )
    told = [f"{name} {recall:.4f} of {count:,}" for recall, count, name in known[:MOST_CLASSES]]
    which = "lowest" if len(known) > MOST_CLASSES else "of each"
    words = f"{which}: {', '.join(told)}  (test)"
    if "confusion" in errors and (worst := _worst(errors["confusion"], names)):
        words += f"; {worst}"
    return words


def _worst(matrix: Sequence[Sequence[int]], names: Sequence[Any]) -> str:
    """The most frequent confusion; empty without any."""
    most, place = 0, (0, 0)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            if row != column and count > most:
                most, place = count, (row, column)
    if not most:
        return ""
    true, said = (str(names[one]) for one in place)
    return f"{most:,} of class {true} {'was' if most == 1 else 'were'} taken for {said}"
