"""The card of a run without networks: the winner's genome, and what it scored."""

from __future__ import annotations

import json
from typing import Any

from evonas.export.description import origin
from evonas.runtime.session import Session
from evonas.trial import Trial


def card_of(session: Session, trial: Trial) -> dict[str, Any]:
    """The card of a winner that an evaluator has judged.

    Metrics of the test data are told here for the first time. The search has not seen them. They
    came with the winner's outcome; at other fidelities they are those of the table.
    """
    # A duplicate has no attempts of its own.
    attempts = session.record.attempts(trial.trained_id)
    test = attempts[-1].details.test if attempts else {}
    # A function may have no epochs.
    epochs = attempts[-1].epochs if attempts else 0
    return {
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
