"""How the best score of one search rises with the epochs that it spends."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.loop import Found, Problem, search
from benchmarks.sections import Strategy
from evonas.genome import Genome
from evonas.runtime.loop.budget import RunLimits
from evonas.search.registry import STRATEGIES
from evonas.trial import Objective, Trial

Steps = tuple[tuple[int, float], ...]
"""Epochs spent, and the score from then on."""


@dataclass(frozen=True)
class Climb:
    """How the best score of one search rose. More is better, so what is minimised is negative.

    Attributes:
        steps: epochs spent and score, at each trial that was better than all before it.
        full: the same of the trials of full length alone.
        retrained: the steps of `full`, each with the mean of its genome over the noise. It is what
            the genome is worth when it is trained again. Without noise it is the same as `full`.
        trials: number of trained trials.
        cpu: CPU seconds.
    """

    steps: Steps
    full: Steps
    retrained: Steps
    trials: int
    cpu: float

    @property
    def best(self) -> float:
        """The best score of a trial of full length."""
        if not self.full:
            return -math.inf
        _, score = self.full[-1]
        return score


def climb(
    problem: Problem, strategy: Strategy, seed: int, trainings: int, knows_trials: bool = False
) -> Climb:
    """One search, one worker, every trial told before the next is asked.

    Args:
        trainings: budget in full trainings; those with rungs get the same number of epochs.
        knows_trials: whether a strategy without rungs is told the budget in trials, as it is when
            a config names one.
    """
    kind = STRATEGIES[next(iter(strategy))]
    trials = trainings if knows_trials and not kind.sets_epochs else None
    limits = RunLimits(trials, look_ahead=1, epochs=trainings * problem.epochs)
    cpu = time.process_time()
    found = search(problem, strategy, seed, limits)
    cpu = time.process_time() - cpu
    spent = 0
    scores: list[tuple[int, float]] = []
    full: list[tuple[int, float]] = []
    genomes: dict[int, Genome] = {}
    for trial in found.trained:
        spent += _cost(found, trial)
        if trial.fitness is None:
            continue
        step = (spent, upwards(problem.objective, trial.fitness.value))
        scores.append(step)
        if trial.proposal.fidelity.epochs == problem.epochs:
            full.append(step)
            genomes[spent] = trial.genome
    risen = rises(full)
    retrained = risen
    if problem.mean is not None:
        means = [(spent, problem.mean(genomes[spent])) for spent, _ in risen]
        retrained = tuple((spent, upwards(problem.objective, mean)) for spent, mean in means)
    return Climb(rises(scores), risen, retrained, len(found.trained), cpu)


def upwards(objective: Objective, value: float) -> float:
    """The value on a scale on which more is better."""
    return value if objective.direction == "max" else -value


def _cost(found: Found, trial: Trial) -> int:
    """The epochs of a trial, without those of the trial that it continues."""
    epochs = trial.proposal.fidelity.epochs
    start = trial.proposal.resume_from
    if start is None:
        return epochs
    return epochs - found.trials[start].proposal.fidelity.epochs


def rises(scores: Sequence[tuple[int, float]]) -> Steps:
    """The scores that are better than all before them."""
    found: list[tuple[int, float]] = []
    for spent, score in scores:
        if not found or score > found[-1][1]:
            found.append((spent, score))
    return tuple(found)


def reached(steps: Sequence[tuple[int, float]], target: float) -> float:
    """The epochs spent when the score was at least the target; infinite if it never was."""
    for spent, score in steps:
        if score >= target:
            return spent
    return math.inf
