"""Rows: trials and attempts as the record's tables hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.genome import Genome
from evonas.trial import Fidelity, Lineage, Objective, Proposal, Trial, TrialState

TRIAL_COLUMNS = "id, genome, epochs, repeat, operator, parents, generation, resume_from, twin_of, state, metrics"
CONTENT_COLUMNS = (
    "id, genome, digest, epochs, repeat, operator, parents, generation, resume_from, twin_of, state, value, metrics,"
    " told, told_before"
)
ATTEMPT_COLUMNS = (
    "trial, number, session, state, started, ended, epochs, seconds, history, message, details"
)


@dataclass(frozen=True)
class Attempt:
    """One try at a trial, as recorded."""

    trial: int
    number: int
    session: int
    state: str
    started: float
    ended: float | None
    epochs: int
    seconds: float | None
    history: Mapping[str, list[float | None]]
    message: str
    details: Mapping[str, Any]


def dump(value: Any) -> str:
    """As strict JSON.

    Raises:
        ValueError: a number in it is not finite.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def new_row(trial: Trial, told_before: int) -> tuple[Any, ...]:
    """A new trial as a row; columns as in CONTENT_COLUMNS."""
    proposal = trial.proposal
    return (
        *(
            trial.id,
            dump(trial.genome.to_dict()),
            trial.genome.digest,
            proposal.fidelity.epochs,
            proposal.repeat,
        ),
        *(
            trial.lineage.operator,
            dump(list(trial.lineage.parents)),
            trial.lineage.generation,
            proposal.resume_from,
        ),
        *(trial.twin_of, trial.state, None, "{}", 0, told_before),
    )


def attempt_of(row: tuple[Any, ...]) -> Attempt:
    """A row with ATTEMPT_COLUMNS as an attempt."""
    return Attempt(*(json.loads(value) if at in (8, 10) else value for at, value in enumerate(row)))


def trial_of(row: tuple[Any, ...], objective: Objective) -> Trial:
    """A row with TRIAL_COLUMNS as a trial."""
    (
        id,
        genome,
        epochs,
        repeat,
        operator,
        parents,
        generation,
        resume_from,
        twin_of,
        state,
        metrics,
    ) = row
    lineage = Lineage(operator, tuple(json.loads(parents)), generation)
    proposal = Proposal(
        Genome.from_dict(json.loads(genome)), Fidelity(epochs), lineage, repeat, resume_from
    )
    return settled(Trial(id, proposal, twin_of), TrialState(state), json.loads(metrics), objective)


def settled(
    trial: Trial, state: TrialState, metrics: Mapping[str, float], objective: Objective
) -> Trial:
    """The trial with its outcome; the one way to a fitness, live and from the record alike."""
    fitness = objective.fitness(metrics) if state is TrialState.OK else None
    return Trial(trial.id, trial.proposal, trial.twin_of, state, metrics, fitness)
