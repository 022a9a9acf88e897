"""Two runs side by side: what each came to, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Plain = str | float | int | bool | None

FACTS = ("finished", "trials", "generations", "seconds", "best")
"""Facts of a run's summary that stand in the list, before the scores."""
SIZES = ("parameters", "flops")
"""Facts of a winner's card."""


@dataclass(frozen=True)
class Row:
    """A fact of two runs.

    Attributes:
        key: name of the fact.
        first, second: its values; None for a run that has none.
    """

    key: str
    first: Plain
    second: Plain


def side_by_side(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Row]:
    """What two runs have come to.

    Args:
        first, second: summaries of the runs, as `Run.summary` gives them.
    """
    both = (_facts(first), _facts(second))
    # A dict keeps the order of the first run; what only the second one has comes last.
    keys = dict.fromkeys([*both[0], *both[1]])
    return [Row(key, both[0].get(key), both[1].get(key)) for key in keys]


def _facts(summary: Mapping[str, Any]) -> dict[str, Plain]:
    """The facts of one run, by name."""
    found: dict[str, Plain] = {name: summary[name] for name in FACTS}
    # As `show` and `list` count them: without duplicates and cancelled ones.
    found["trials"] = summary["done"]
    found[f"best {summary['objective']}"] = summary["best_value"]
    card = summary["result"]
    if card is None:
        return found
    for name, value in card["metrics"].items():
        found[name] = value
    for name in SIZES:
        # A table or a function judges genomes that have no size.
        if name in card:
            found[name] = card[name]
    return found
