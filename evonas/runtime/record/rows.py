"""Rows: trials and attempts as the record's tables hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from evonas.genome import Genome
from evonas.trial import (
    Attempt,
    Details,
    Expected,
    Fidelity,
    Fitness,
    Lineage,
    Objective,
    Proposal,
    Trial,
    TrialState,
    operators_of,
)

TRIAL_COLUMNS = (
    "id, genome, digest, epochs, repeat, operator, parents, generation, resume_from, twin_of,"
    " state, metrics, median, low, high"
)
TRIALS = "trial left join expected on expected.trial = trial.id"
"""The tables that TRIAL_COLUMNS are of."""
CONTENT_COLUMNS = (
    "id, genome, digest, epochs, repeat, operator, parents, generation, resume_from, twin_of,"
    " state, value, metrics, told, told_before"
)
ATTEMPT_COLUMNS = (
    "trial, number, session, state, started, ended, epochs, seconds, history, message, details"
)


BRIEF_COLUMNS = "trial, state, epochs, seconds, message"


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


def expected_row(trial: Trial) -> tuple[Any, ...] | None:
    """What was expected of a new trial, as a row; None if nothing was."""
    expected = trial.proposal.expected
    if expected is None:
        return None
    return (trial.id, expected.median, expected.low, expected.high)


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
        Details.from_json(json.loads(details)),
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
) -> Trial:
    """A row with TRIAL_COLUMNS as a trial.

    Args:
        read: gives the genome of a text and its digest, decoded or stored.
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
        median,
        low,
        high,
    ) = row
    lineage = Lineage(_operators(operator), tuple(json.loads(parents)), generation)
    expected = None if median is None else Expected(median, low, high)
    proposal = Proposal(
        read(genome, digest), _fidelity(epochs), lineage, repeat, resume_from, expected
    )
    state = TrialState(word)
    known = json.loads(metrics)
    return Trial(id, proposal, twin_of, state, known, _fitness(state, known, objective))


# Most trials of a run share them.
_fidelity = lru_cache(maxsize=64)(Fidelity)
_operators = lru_cache(maxsize=1024)(operators_of)


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
