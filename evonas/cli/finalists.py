"""What `run` and `show` tell of the finalists: the claimed score beside those measured again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas.cli.console import number
from evonas.cli.winner import print_words
from evonas.words import counted

if TYPE_CHECKING:
    from rich.console import Console


def print_finalists(card: Mapping[str, Any], objective: str, out: Console) -> None:
    """A line for each finalist, the winner first; nothing if none was trained again."""
    label = "finalists"
    for row in card.get("finalists") or ():
        words = finalist_in_words(row, objective)
        if row["trial"] == card["trial"]:
            words += "; chosen"
        print_words(words, out, label)
        label = " "


def finalist_in_words(row: Mapping[str, Any], objective: str) -> str:
    """`trial 5: val_loss 0.31 in the search, 0.35 trained again (0.34, 0.36)`."""
    words = f"trial {row['trial']}: {objective} {number(row['claimed'])} in the search"
    if row["again"]:
        words += f", {number(row['value'])} trained again"
        if len(row["again"]) > 1:
            words += f" ({', '.join(map(number, row['again']))})"
    if row["failures"]:
        words += f"; {counted(row['failures'], 'further training')} failed"
    return words
