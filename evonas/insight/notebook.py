"""What a notebook shows of a run: a small table, made from the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.markup import table
from evonas.words import counted, listed, measured, number, span


def run_html(summary: Mapping[str, Any], counts: Mapping[str, int], space: str) -> str:
    """A run as a table of facts.

    Args:
        summary: what `Run.summary` gives.
        counts: number of samples of each part of the data.
        space: name of the search space.
    """
    state = "finished" if summary["finished"] else "unfinished"
    if summary["going_on"]:
        state = "going on"
    states = [f"{count:,} {name}" for name, count in summary["states"].items()]
    parts = [f"{count:,} {part}" for part, count in counts.items()]
    limits = [_limit(unit, amount) for unit, amount in summary["budgets"].items()]
    rows = {
        "state": state,
        "folder": summary["directory"],
        "data": listed(parts),
        "space": space,
        "budget": ", ".join(limits),
        "trials": ", ".join([counted(summary["trials"], "trial"), *states]),
    }
    if summary["best"] is not None:
        value = number(summary["best_value"])
        rows["best"] = f"trial {summary['best']}: {summary['objective']} {value}"
    if result := summary["result"]:
        test = {
            name: value for name, value in result["metrics"].items() if name.startswith("test_")
        }
        rows["test"] = ", ".join(f"{name} {measured(name, value)}" for name, value in test.items())
    return table(f"run {summary['run']}", [(name, word) for name, word in rows.items() if word])


def _limit(unit: str, amount: float) -> str:
    return span(amount) if unit == "seconds" else counted(int(amount), unit.removesuffix("s"))
