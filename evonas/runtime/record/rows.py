"""Rows: trials and attempts as the record's tables hold them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from evonas.genome import Genome
from evonas.trial import Fidelity, Fitness, Lineage, Objective, Proposal, Trial, TrialState

TRIAL_COLUMNS = (
    "id, genome, digest, epochs, repeat, operator, parents, generation, resume_from, twin_of,"
    " state, metrics"
)
CONTENT_COLUMNS = (
    "id, genome, digest, epochs, repeat, operator, parents, generation, resume_from, twin_of,"
    " state, value, metrics, told, told_before"
)
ATTEMPT_COLUMNS = (
    "trial, number, session, state, started, ended, epochs, seconds, history, message, details"
)


BRIEF_COLUMNS = "trial, state, epochs, seconds, message"


@dataclass(frozen=True, slots=True)
class Brief:
    """One try at a trial, without what takes long to read: its history and its details.

    The attributes are those of an `Attempt`.
    """

    trial: int
    state: str
    epochs: int
    seconds: float | None
    message: str


@dataclass(frozen=True)
class Attempt:
    """One try at a trial, as recorded.

    Attributes:
        trial: id of the trial.
        number: place among the attempts at this trial, from 0.
        session: number of the session that started it.
        state: `running`, `abandoned`, or the state of its outcome.
        started: time in seconds since 1970, or on a virtual clock.
        ended: time of the end; None if there is no outcome.
        epochs: number of finished epochs.
        seconds: wall time that the worker spent; None if there is no outcome.
        history: metric -> one value for each epoch, None if it was not finite.
        message: for a failure, one sentence; empty otherwise.
        details: other answers of the worker, as plain JSON.
    """

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

    @property
    def brief(self) -> Brief:
        """The same without what takes long to read."""
        return Brief(self.trial, self.state, self.epochs, self.seconds, self.message)


AnyTrial = TypeVar("AnyTrial", bound=Trial)
Try = TypeVar("Try", Attempt, Brief)


def deciding(state: TrialState, attempts: Sequence[Try]) -> Try | None:
    """The attempt that a trial's outcome is of; None if there is no outcome, or no attempt.

    Args:
        state: state of the trial.
        attempts: all attempts at the trial, in order.
    """
    # Retries come before it. A training that was repeated for an export comes after it.
    for attempt in attempts:
        if attempt.state == state:
            return attempt
    return None


def dump(value: Any) -> str:
    """The value as strict JSON.

    Raises:
        ValueError: a number in it is not finite.
    """
    # Without spaces: tens of thousands of rows hold such texts.
    compact = (",", ":")
    return json.dumps(value, allow_nan=False, separators=compact)


def new_row(trial: Trial, told_before: int) -> tuple[Any, ...]:
    """A new trial as a row; columns as in CONTENT_COLUMNS."""
    proposal = trial.proposal
    lineage = trial.lineage
    return (
        trial.id,
        dump(trial.genome.to_dict()),
        trial.genome.digest,
        proposal.fidelity.epochs,
        proposal.repeat,
        lineage.operator,
        dump(list(lineage.parents)),
        lineage.generation,
        proposal.resume_from,
        trial.twin_of,
        trial.state,
        # There is no value and no metric yet, and the strategy has not been told.
        None,
        "{}",
        0,
        told_before,
    )


def attempt_of(row: tuple[Any, ...]) -> Attempt:
    """A row with ATTEMPT_COLUMNS as an attempt."""
    (
        trial,
        number,
        session,
        state,
        started,
        ended,
        epochs,
        seconds,
        history,
        message,
        details,
    ) = row
    return Attempt(
        trial,
        number,
        session,
        state,
        started,
        ended,
        epochs,
        seconds,
        json.loads(history),
        message,
        json.loads(details),
    )


def decode_genome(text: str) -> Genome:
    """The genome of a row.

    Raises:
        UserError, ValueError: the text is none that evonas writes.
    """
    return Genome.from_dict(json.loads(text))


def trial_of(
    row: tuple[Any, ...],
    objective: Objective,
    read: Callable[[str, str], Genome],
    make: Callable[..., AnyTrial],
) -> AnyTrial:
    """A row with TRIAL_COLUMNS as a trial.

    Args:
        read: gives the genome of a text and its digest, decoded or stored.
        make: makes the trial, of the six values of a `Trial` in their order.
    """
    (
        id,
        genome,
        digest,
        epochs,
        repeat,
        operator,
        parents,
        generation,
        resume_from,
        twin_of,
        word,
        metrics,
    ) = row
    lineage = Lineage(sys.intern(operator), tuple(json.loads(parents)), generation)
    proposal = Proposal(read(genome, digest), _fidelity(epochs), lineage, repeat, resume_from)
    state = TrialState(word)
    known = json.loads(metrics)
    return make(id, proposal, twin_of, state, known, _fitness(state, known, objective))


# Most trials of a run have the same one.
_fidelity = lru_cache(maxsize=64)(Fidelity)


def settled(
    trial: Trial, state: TrialState, metrics: Mapping[str, float], objective: Objective
) -> Trial:
    """The trial with its outcome."""
    fitness = _fitness(state, metrics, objective)
    return Trial(trial.id, trial.proposal, trial.twin_of, state, metrics, fitness)


def _fitness(
    state: TrialState, metrics: Mapping[str, float], objective: Objective
) -> Fitness | None:
    """The fitness of a trial: the one way to it, live and from the record."""
    if state is not TrialState.OK:
        return None
    return objective.fitness(metrics)
