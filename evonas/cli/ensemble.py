"""What `run` and `show` tell of the ensemble: what it gains on the test data, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas.cli.console import number
from evonas.cli.winner import print_words
from evonas.learning.gain import Gain
from evonas.learning.metrics import find_metric
from evonas.words import counted, listed

if TYPE_CHECKING:
    from rich.console import Console

PARTS = (("validation", "val_"), ("test", "test_"))


def print_ensemble(card: Mapping[str, Any], out: Console) -> None:
    """The ensemble beside the winner, or why there is none. Cards of older runs have neither."""
    found = card.get("ensemble")
    if found is None:
        return
    if why := found.get("left_out"):
        print_words(f"none: {why}", out, "ensemble")
        return
    print_words(f"{members_in_words(found)}; {cost_in_words(found, card)}", out, "ensemble")
    told = [f"{part} {_scores(found['metrics'], prefix)}" for part, prefix in PARTS]
    print_words("; ".join(told), out, " ")
    for name, gain in found["gain"].items():
        print_words(gain_in_words(name, Gain(**gain)), out, " ")


def members_in_words(found: Mapping[str, Any]) -> str:
    """`the mean of trials 6 (54 %) and 5 (46 %), chosen by val_loss`."""
    members = found["members"]
    told = [f"{one['trial']} ({one['share']:.0%})" for one in members]
    words = f"the mean of {'trial' if len(told) == 1 else 'trials'} {listed(told)}"
    folds = members[0]["networks"]
    if folds > 1:
        words += f", each with the networks of {folds} folds"
    return f"{words}, chosen by {found['chosen_by']}"


def cost_in_words(found: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    """Parameters and latency of the ensemble, as multiples of the winner's."""
    times = found["parameters"] / max(card["parameters"] or 1, 1)
    slower = found["latency_ms"] / max(found["latency_ms_of_winner"], 1e-9)
    return (
        f"{counted(found['parameters'], 'parameter')}, {times:.1f} times the winner's;"
        f" {found['latency_ms']:.2f} ms for one sample, {slower:.1f} times the winner's"
    )


def gain_in_words(name: str, gain: Gain) -> str:
    """Whether the ensemble is better than the winner on the test data, beyond their noise."""
    metric = find_metric(name)
    is_more_better = metric is not None and metric.direction == "max"
    # A zero has no direction.
    better = (gain.difference > 0) == is_more_better and gain.difference != 0
    words = (
        f"test {name} {gain.difference:+.4g} beside the winner"
        f" (95 %: {gain.low:+.4g} to {gain.high:+.4g})"
    )
    if not gain.is_beyond_noise:
        return f"{words}: no more than the noise of these test samples"
    return f"{words}: {'better' if better else 'worse'}, beyond the noise of these test samples"


def _scores(metrics: Mapping[str, float], prefix: str) -> str:
    """`loss 0.0123, accuracy 0.9850`."""
    told = []
    for name, value in metrics.items():
        if name.startswith(prefix):
            told.append(f"{name.removeprefix(prefix)} {number(value)}")
    return ", ".join(told)
