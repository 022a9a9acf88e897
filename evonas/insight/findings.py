"""What the trials of a run show beside a winner: a founder that was not beaten, ops that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas.genome import Genome
from evonas.trial import SEED, Trial, TrialState

LEAST = 2
"""A single failure of an op may be chance."""

UNDECIDED = frozenset({TrialState.WAITING, TrialState.CANCELLED, TrialState.LOST})
"""States that say nothing of a genome."""


@dataclass(frozen=True)
class FailingOps:
    """Ops that no genome has survived, while genomes without them succeeded.

    Attributes:
        ops: names of the ops. Several stand together if exactly the same genomes hold them, so that
            nobody can tell which one is at fault.
        genomes: number of different genomes that hold them.
        states: how many of these genomes ended in each state.
    """

    ops: tuple[str, ...]
    genomes: int
    states: Mapping[str, int]


def given_founder(trials: Sequence[Trial], best: Trial) -> str:
    """The name of the founder that the user gave and that the winner is; empty if it is none.

    A strategy may train a genome again, and for longer. So genomes are compared, not trials.
    """
    for trial in trials:
        operator = trial.lineage.operator
        if operator.startswith(SEED) and trial.genome == best.genome:
            return operator.removeprefix(SEED)
    return ""


def failing_ops(trials: Sequence[Trial]) -> list[FailingOps]:
    """The ops all of whose genomes failed, at least two, the most frequent first.

    Nothing is said of any op if no trial succeeded. An op is looked for in all sections. A genome
    that was trained more than once counts once, and as a success if it succeeded once.
    """
    states = _state_of_each_genome(trials)
    if TrialState.OK not in states.values():
        return []
    together: dict[frozenset[str], list[str]] = {}
    for op, digests in _suspects(trials, states).items():
        together.setdefault(frozenset(digests), []).append(op)
    found = []
    for same, ops in together.items():
        counts = Counter(str(states[digest]) for digest in sorted(same))
        found.append(FailingOps(tuple(ops), len(same), dict(counts.most_common())))
    return sorted(found, key=lambda one: (-one.genomes, one.ops))


def _suspects(trials: Sequence[Trial], states: Mapping[str, TrialState]) -> dict[str, set[str]]:
    """For each op that no genome survived, the digests of the genomes that hold it.

    Args:
        states: how each genome ended, by its digest, if that is known.
    """
    successes: dict[str, Genome] = {}
    held: dict[str, set[str]] = {}
    for trial in trials:
        digest = trial.genome.digest
        state = states.get(digest)
        if state is TrialState.OK:
            successes.setdefault(digest, trial.genome)
        elif state is not None:
            for op in trial.genome.ops:
                held.setdefault(op, set()).add(digest)
    suspects = {op: digests for op, digests in held.items() if len(digests) >= LEAST}
    # Most ops are soon seen in a success. Then no other genome needs to be looked into.
    for genome in successes.values():
        if not suspects:
            break
        for op in genome.ops:
            suspects.pop(op, None)
    return suspects


def _state_of_each_genome(trials: Sequence[Trial]) -> dict[str, TrialState]:
    """By digest: `ok` if any trial of the genome was, otherwise the state of its first trial."""
    states: dict[str, TrialState] = {}
    for trial in trials:
        if trial.state in UNDECIDED:
            continue
        digest = trial.genome.digest
        if trial.state is TrialState.OK:
            states[digest] = TrialState.OK
        else:
            states.setdefault(digest, trial.state)
    return states
