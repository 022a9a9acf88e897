"""Rungs and brackets as data: which trials are trained, and for how long.

Papers: Jamieson and Talwalkar, 2016; Li et al., 2017.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from evonas.trial import Trial, rank


@dataclass(frozen=True)
class Rung:
    """A promotion level.

    Attributes:
        epochs: epochs of its trials, counted from the beginning of their training.
        places: number of trials on it, at most.
    """

    epochs: int
    places: int


@dataclass(frozen=True)
class Bracket:
    """Rungs from the shortest training to the full one; the best of each rung are promoted.

    Attributes:
        level: level of the first rung, counted from the shortest training of any bracket. So trials
            of one length have the same level in all brackets.
        rungs: the rungs, the shortest training first.
    """

    level: int
    rungs: tuple[Rung, ...]

    @property
    def epochs(self) -> int:
        """Epochs of all trainings together.

        A promoted trial continues from its checkpoint, so only its additional epochs count.
        """
        total = 0
        before = 0
        for rung in self.rungs:
            total += rung.places * (rung.epochs - before)
            before = rung.epochs
        return total


def lengths(max_epochs: int, reduction_factor: int, min_epochs: int = 1) -> tuple[int, ...]:
    """The epochs of all rungs, the shortest first.

    They are `max_epochs`, divided by the factor again and again.

    Args:
        min_epochs: shortest length that a rung may have.
    """
    found: list[int] = []
    epochs = max_epochs
    # The full training always has a rung. It may even be shorter than `min_epochs`.
    while not found or epochs >= min_epochs:
        found.append(epochs)
        epochs //= reduction_factor
    found.reverse()
    return tuple(found)


def bracket(
    max_epochs: int, reduction_factor: int, min_epochs: int, s: int, places: int
) -> Bracket:
    """A bracket of s promotions.

    Each rung has 1 / reduction_factor of the places of the rung below. Its trials are trained
    longer by the same factor.

    Args:
        places: places on the first rung; at least reduction_factor^s, so that the last rung is not
            empty.
    """
    epochs = lengths(max_epochs, reduction_factor, min_epochs)
    # The last rung is always the full training, so a shorter bracket begins at a higher level.
    level = len(epochs) - 1 - s
    rungs = []
    for i in range(s + 1):
        left = places // reduction_factor**i
        rung = Rung(epochs[level + i], left)
        rungs.append(rung)
    return Bracket(level, tuple(rungs))


def brackets(
    max_epochs: int, reduction_factor: int = 3, min_epochs: int = 1
) -> tuple[Bracket, ...]:
    """Hyperband's brackets: from many short trainings to a few that are all full.

    The bracket of s promotions begins with floor((s_max + 1) / (s + 1)) reduction_factor^s trials.
    s_max is the largest possible number of promotions.
    """
    most = len(lengths(max_epochs, reduction_factor, min_epochs)) - 1
    found = []
    for s in range(most, -1, -1):
        # This rounding gives the table of Li et al. (2017) for 81 epochs and a factor of 3: 81, 27,
        # 9, 6 and 5 trials. Their pseudocode rounds the whole product up instead, to 81, 34, 15, 8
        # and 5.
        places = (most + 1) // (s + 1) * reduction_factor**s
        found.append(bracket(max_epochs, reduction_factor, min_epochs, s, places))
    return tuple(found)


def distinct(trials: Sequence[Trial]) -> list[Trial]:
    """The oldest trial of each genome, because a genome has one place on a rung."""
    newest_first = sorted(trials, key=lambda trial: trial.id, reverse=True)
    by_genome: dict[str, Trial] = {}
    for trial in newest_first:
        # Of two trials with one genome, the older comes later and replaces the newer.
        by_genome[trial.genome.digest] = trial
    found = list(by_genome.values())
    return found[::-1]


def best(trials: Sequence[Trial], count: int) -> list[int]:
    """The ids of the `count` best trials, the best first.

    There are fewer if fewer different genomes have succeeded.
    """
    succeeded = []
    for trial in distinct(trials):
        if trial.fitness is not None:
            succeeded.append(trial)
    succeeded.sort(key=rank)
    return [trial.id for trial in succeeded[:count]]


def promotable(
    ranked: Sequence[Trial], reduction_factor: int, promoted: Container[int] = ()
) -> list[int]:
    """The ids of trials that may be promoted, the best first.

    They are the best 1 / reduction_factor of a rung, without failed and promoted trials.

    Args:
        ranked: trials of the rung with different genomes, sorted by `evonas.trial.rank`. Failed
            trials are included and come last.
        promoted: ids of trials that are promoted already.
    """
    # The share is taken first: a promoted trial keeps its place among the best.
    count = len(ranked) // reduction_factor
    found = []
    for trial in ranked[:count]:
        if trial.fitness is not None and trial.id not in promoted:
            found.append(trial.id)
    return found
