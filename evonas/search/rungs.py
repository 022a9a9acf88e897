"""Rungs and brackets: who is trained for how long, as data (Jamieson and Talwalkar, 2016; Li et al., 2017)."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from evonas.trial import Trial, rank


@dataclass(frozen=True)
class Rung:
    """A promotion level.

    Attributes:
        epochs: to which its trials are trained, from the beginning.
        places: trials on it, at most.
    """

    epochs: int
    places: int


@dataclass(frozen=True)
class Bracket:
    """Rungs from the shortest training to the full one; on each, the best of the one below go on.

    Attributes:
        level: of the first rung, counted from the shortest training of any bracket: trials of one length have one
            level in all brackets.
    """

    level: int
    rungs: tuple[Rung, ...]

    @property
    def epochs(self) -> int:
        """Epochs trained in all, when the trials that go on continue from their checkpoints."""
        before = (0, *(rung.epochs for rung in self.rungs))
        return sum(
            rung.places * (rung.epochs - start)
            for rung, start in zip(self.rungs, before, strict=False)
        )


def lengths(max_epochs: int, reduction_factor: int, min_epochs: int = 1) -> tuple[int, ...]:
    """The epochs of all rungs, the shortest first: `max_epochs`, and what is left when it is divided again and again.

    Args:
        min_epochs: no rung is shorter.
    """
    found = [max_epochs]
    while max_epochs // reduction_factor ** len(found) >= min_epochs:
        found.append(max_epochs // reduction_factor ** len(found))
    return tuple(reversed(found))


def bracket(
    max_epochs: int, reduction_factor: int, min_epochs: int, s: int, places: int
) -> Bracket:
    """A bracket of s promotions: so many places on its first rung, and on each next one a share of 1 / reduction_factor
    of those below, trained so many times longer.

    Args:
        places: at least reduction_factor^s, so that somebody gets to the last rung.
    """
    epochs = lengths(max_epochs, reduction_factor, min_epochs)
    level = len(epochs) - 1 - s
    return Bracket(
        level, tuple(Rung(epochs[level + i], places // reduction_factor**i) for i in range(s + 1))
    )


def brackets(
    max_epochs: int, reduction_factor: int = 3, min_epochs: int = 1
) -> tuple[Bracket, ...]:
    """Hyperband's brackets, from most trials and shortest trainings to a few that are all trained fully.

    With s_max the most promotions there can be, bracket s begins with floor((s_max + 1) / (s + 1)) reduction_factor^s
    trials. That gives the table of Li et al. (2017) for 81 epochs and a factor of 3: 81, 27, 9, 6 and 5 trials. Their
    pseudocode rounds the whole product up instead, to 81, 34, 15, 8 and 5.
    """
    most = len(lengths(max_epochs, reduction_factor, min_epochs)) - 1
    return tuple(
        bracket(
            max_epochs, reduction_factor, min_epochs, s, (most + 1) // (s + 1) * reduction_factor**s
        )
        for s in range(most, -1, -1)
    )


def distinct(trials: Sequence[Trial]) -> list[Trial]:
    """The trials by id, without those whose genome an older one has: a genome has one place on a rung."""
    by_age = sorted(trials, key=lambda trial: trial.id, reverse=True)
    return list({trial.genome.digest: trial for trial in by_age}.values())[::-1]


def best(trials: Sequence[Trial], count: int) -> list[int]:
    """The ids of the `count` best trials, the best first; fewer where fewer have succeeded with different genomes."""
    succeeded = [trial for trial in distinct(trials) if trial.fitness is not None]
    return [trial.id for trial in sorted(succeeded, key=rank)[:count]]


def promotable(
    ranked: Sequence[Trial], reduction_factor: int, promoted: Container[int] = ()
) -> list[int]:
    """The ids of those that may go on: the best 1 / reduction_factor of a rung, without failures and without those who
    have gone on already; the best first.

    Args:
        ranked: the rung's trials with different genomes, sorted by `evonas.trial.rank`; failures count as its worst.
    """
    share = ranked[: len(ranked) // reduction_factor]
    return [trial.id for trial in share if trial.fitness is not None and trial.id not in promoted]


def source(trial: Trial) -> int:
    """Whose checkpoint a trial's training is continued from: a twin was not trained, and has none."""
    return trial.id if trial.twin_of is None else trial.twin_of
