"""The card: a JSON file beside what is exported, which says what it is and what it scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.files import sha256_of, write_text_whole

if TYPE_CHECKING:
    # what shows a card needs no engine
    from evonas.runtime.session import Session

TAKES = "interface"
"""Key of a card: both ends of its model."""


DAYS = "days since 1970-01-01"
"""How a model takes a date, as a float: 1970-01-02 at noon is 1.5."""

REFERENCES = ("baseline", "persistence", "targets", "neighbours", "errors")
"""Parts of a card beside the scores: what others score, each target by itself, and the errors.

Only a forecast has the second, and only several targets have the third. The last two are those of
the test data.
"""


def dates_of(card: Mapping[str, Any]) -> list[str]:
    """The columns of a table that are dates, by the schema within a card."""
    fitted = card.get(TAKES, {}).get("input", {}).get("fitted", {})
    columns = fitted.get("schema", {}).get("features", ())
    return [column["name"] for column in columns if column["kind"] == "date"]


def references_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside the winner's scores on its card. Cards of older runs have less of it.

    An export made later never opens the test data, so that it has no errors and no neighbours.
    """
    return {name: result[name] for name in REFERENCES if result.get(name)}


def card_beside(model: Path) -> Path:
    """Where the card of an exported model lies: `best.json` for `best.keras`."""
    stem = model.name.removesuffix(".keras")
    return model.with_name(f"{stem}.json")


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card, whole or not at all."""
    write_text_whole(path, json.dumps(card, indent=2, allow_nan=False) + "\n")


def is_card(path: Path) -> bool:
    """Whether this file is a card that evonas has written, and may replace."""
    try:
        card = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(card, dict) and {"trial", "sha256", "metrics"} <= set(card)


def note_result(
    session: Session, card: Mapping[str, Any], path: Path, model: Path | None = None
) -> None:
    """Write the winner's card, and note it in the record as the run's result.

    Args:
        model: file of the winner's model, which the card describes.
    """
    write_card(path, card)
    files = {path.name: sha256_of(path)}
    if model is not None:
        files[model.name] = card["sha256"]
    # The files first: the record never names one that was not written.
    session.record.note_files(files, result=card)
