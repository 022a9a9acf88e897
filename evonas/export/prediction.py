"""Predictions of an exported model for new samples, which are read as the run's data were.

Everything that this needs stands on the card beside the model: the run may be gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.new_samples import new_samples
from evonas.data.raw import Array
from evonas.errors import InvalidData, Issue, UserError
from evonas.export.card import TAKES, card_beside
from evonas.files import sha256_of
from evonas.learning.interface import Interface
from evonas.memory import Memory
from evonas.words import counted


@dataclass(frozen=True)
class Predictions:
    """What a model answers for samples.

    Attributes:
        columns: names of the columns.
        rows: one row a sample: words, numbers and whole numbers.
        notes: what was left out of the samples or not known of them, in sentences.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | int | float]]
    notes: Sequence[str] = ()


def interface_on(card: Mapping[str, Any]) -> Interface:
    """The ends of the model that a card describes.

    Raises:
        UserError: the card is of an older evonas, which did not write them.
    """
    if TAKES not in card:
        raise UserError(
            "the card of this model does not say what it takes: it is of an older evonas."
            " Export the model again."
        )
    return Interface.from_json(card[TAKES])


def card_of(model: Path) -> dict[str, Any]:
    """The card beside an exported `.keras` file.

    Raises:
        UserError: one of both is missing, or the card is another model's.
    """
    if not model.is_file():
        raise UserError(f"there is no file {model}.")
    path = card_beside(model)
    try:
        card = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"the card of {model} cannot be read: {error}. It is {path.name}, which every export"
            " writes beside the model."
        ) from error
    if not isinstance(card, dict) or card.get("sha256") != sha256_of(model):
        raise UserError(f"{path} is not the card of {model}: the file has another sha256.")
    return card


def predict(model: Path, data: Path) -> Predictions:
    """What an exported model answers for the samples in a file.

    Imports Keras, on purpose.

    Args:
        model: path of a `.keras` file with its card beside it.
        data: path of a file or folder of the kind that the run's data came from.

    Raises:
        UserError: there is no such model, or its card is not there.
        InvalidData: the samples are not such that the model can answer.
    """
    interface = interface_on(card_of(model))
    new = new_samples(data, interface, Memory())
    from evonas.evaluate.training.export_job import given_to_keras
    from evonas.model.formats import KerasFile
    from evonas.model.formats.calls import predict as answers_of

    # What is stored as it is, is taken as it is.
    given: Any = new.x if not interface.input.encoding else given_to_keras(new.x)
    answers = answers_of(KerasFile(), model, given)
    check_finite(answers, str(data))
    names, rows = interface.learning_task.told(interface.classes, answers)
    if len(names) > 1 and not interface.classes:
        names = [f"prediction_{name}" for name in interface.output_names]
    if new.called:
        names = [new.called, *names]
        rows = [[name, *row] for name, row in zip(new.names, rows, strict=True)]
    return Predictions(tuple(names), rows, new.notes)


def check_finite(answers: Array, origin: str) -> None:
    """Raises InvalidData if an answer is not a number: a sample is beyond what can be computed."""
    wrong = ~np.isfinite(answers).all(axis=-1)
    if wrong.any():
        first = int(np.argmax(wrong))
        message = (
            f"the model has no finite answer for {counted(int(wrong.sum()), 'sample')}; the first"
            f" is sample {first} (counted from 0). Look at its values: they may be far too large."
        )
        raise InvalidData(Issue(message, file=origin))
