"""The result card of a run without networks: the winner's genome, and what it scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evonas.export.description import origin
from evonas.files import sha256_of, write_text_whole
from evonas.runtime.session import Session
from evonas.trial import Trial


def write_card(session: Session, trial: Trial) -> Mapping[str, Any]:
    """Write `best.json` of a run that an evaluator has judged, and note the run's result.

    Metrics of the test data are told here for the first time. The search has not seen them. They
    came with the winner's outcome; at other fidelities they are those of the table.
    """
    # A duplicate has no attempts of its own.
    first = trial.trained_id
    attempts = session.record.attempts(first)
    test = attempts[-1].details.test if attempts else {}
    # A function may have no epochs.
    epochs = attempts[-1].epochs if attempts else 0
    card = {
        "run": session.config.run,
        "trial": trial.id,
        "sections": json.loads(trial.genome.canonical()),
        "evaluator": session.config.evaluator.in_words,
        "objective": session.objective.name,
        "epochs": epochs or None,
        "metrics": {**trial.metrics, **test},
        "fidelities": session.config.evaluator.known(trial.genome, session.space),
        **origin(session, trial),
    }
    layout = session.layout
    text = json.dumps(card, indent=2, allow_nan=False)
    write_text_whole(layout.card, text + "\n")
    # The file first: the record never names one that was not written.
    session.record.note_files({layout.card.name: sha256_of(layout.card)}, result=card)
    return card
