"""Experience: the trials that a strategy knows, and what a surrogate predicts from them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from evonas.genome import Genome
from evonas.randomness import generator
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.improvement import expected_improvement, normal_scores
from evonas.search.surrogate.surrogate import Fitted, Surrogate, Vector
from evonas.search.surrogate.threads import one_thread
from evonas.trial import Expected, Trial, rank

GROWTH = 1.1
"""Factor by which the number of told trials grows until a surrogate is tuned again."""


class Experience:
    """Genomes that were proposed, and the trials that are told.

    What it predicts is a pure function of the trials, so it has no state to save. Each genome
    counts once, by its first trial. A failed trial counts as the worst.

    A genome that waits counts as if its prediction had come true. So proposals that are asked at
    the same time keep apart (the kriging believer of Ginsbourger et al., 2010).

    Args:
        problem: search problem of the run.
        surrogate: model that predicts. It is fitted when improvements are asked for after a
            change, and tuned now and then.
    """

    def __init__(self, problem: SearchProblem, surrogate: Surrogate) -> None:
        self._problem = problem
        self._surrogate = surrogate
        self._features = Features(problem.space, surrogate.depth)
        self._asked = 0
        self._waiting: dict[int, Genome] = {}
        self._told: list[Trial] = []
        self._ranked: list[Trial] = []
        # Digests of all proposed genomes, and whether their first trial is told.
        self._known: dict[str, bool] = {}
        # Two fits: on the told trials alone, and on the waiting genomes as well. A proposal drops
        # only the second one.
        self._of_told: Fitted | None = None
        self._fitted: Fitted | None = None
        # The best of the values that were fitted, not of the trials' own.
        self._best = 0.0
        # The values of the objective that these stand for: scores, ascending, and values.
        self._scale: tuple[Sequence[float], Sequence[float]] = ((), ())
        # The number of trials that the surrogate was tuned on, and the result.
        self._tuned: tuple[int, Any] = (0, None)

    def ask(self, genome: Genome) -> None:
        """Note that a genome is proposed. Its trial has the next number."""
        self._waiting[self._asked] = genome
        self._known.setdefault(genome.digest, False)
        self._asked += 1
        self._fitted = None

    def tell(self, trial: Trial) -> None:
        """Note the result of a genome that was proposed."""
        self._waiting.pop(trial.id, None)
        self._of_told = None
        self._fitted = None
        digest = trial.genome.digest
        if not self._known.get(digest):
            self._known[digest] = True
            self._told.append(trial)
            insort(self._ranked, trial, key=rank)

    def restore(self, trials: Mapping[int, Trial]) -> None:
        """Be asked and told all of these trials again, in a new experience."""
        for id in sorted(trials):
            self.ask(trials[id].genome)
        # In the order of the telling, which decides what is the latest.
        for trial in trials.values():
            if trial.state.is_final:
                self.tell(trial)

    @property
    def asked(self) -> int:
        """Number of genomes that were proposed."""
        return self._asked

    @property
    def told(self) -> int:
        """Number of different genomes that were told."""
        return len(self._told)

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""
        return genome.digest in self._known

    def best(self, count: int) -> list[Trial]:
        """The best `count` trials that succeeded, the best first; fewer if fewer succeeded."""
        first = islice(self._ranked, count)
        return [trial for trial in first if trial.fitness is not None]

    def improvement(self, genomes: Sequence[Genome]) -> Vector:
        """The expected improvement of each genome on the best that is told.

        At least two genomes must be told.

        Returns:
            Shape (len(genomes),), in standard deviations of the known values.
        """
        with one_thread():
            if self._fitted is None:
                self._fitted = self._fit()
            mean, std = self._fitted.predict(genomes)
            return expected_improvement(mean, std, self._best)

    def expected(self, genome: Genome) -> Expected | None:
        """What is expected of a genome; call it after `improvement`, before anything changes.

        A surrogate predicts a place among the known trials. It is given as the value that stands
        there. So nothing is expected beyond the best and the worst value that are known.

        Returns:
            None if fewer than two values are known, of trials that satisfy the constraints.
        """
        scores, values = self._scale
        if self._fitted is None or len(scores) < 2:
            return None
        with one_thread():
            mean, std = self._fitted.predict([genome])
        places = float(mean[0]) + float(std[0]) * np.array([-1.0, 0.0, 1.0])
        found = np.interp(places, scores, values)
        # Without digits of which a last one could depend on the machine.
        ends = [float(f"{value:.6g}") for value in found]
        return Expected(ends[1], min(ends), max(ends))

    def _fit(self) -> Fitted:
        """The surrogate, fitted on the told trials and the waiting genomes."""
        chosen = self._chosen()
        genomes, values = _data(chosen)
        self._best = float(values.min())
        self._scale = _scale(chosen, values)
        seed = self._problem.seed
        told = len(self._told)
        tuned = self._tune()
        if self._of_told is None:
            rng = generator(seed, "surrogate", told)
            self._of_told = self._surrogate.fit(self._features, genomes, values, rng, tuned)
        waiting = self._undecided()
        if not waiting:
            return self._of_told
        believed, _ = self._of_told.predict(waiting)
        all_genomes = [*genomes, *waiting]
        all_values = np.concatenate([values, believed])
        rng = generator(seed, "surrogate", told, self._asked)
        return self._surrogate.fit(self._features, all_genomes, all_values, rng, tuned)

    def _undecided(self) -> list[Genome]:
        """The different genomes that wait and were never told."""
        # The waiting trial of a duplicate adds nothing: its genome's result is known.
        different = dict.fromkeys(self._waiting.values())
        undecided = []
        for genome in different:
            is_told = self._known[genome.digest]
            if not is_told:
                undecided.append(genome)
        return undecided

    def _chosen(self) -> list[Trial]:
        """The trials that are fitted: all of them, or the best and the latest."""
        most = self._surrogate.fitted_on
        if len(self._told) <= most:
            return self._told
        best = self._ranked[: most // 2]
        chosen = {trial.id for trial in best}
        latest_first = reversed(self._told)
        others = (trial for trial in latest_first if trial.id not in chosen)
        latest = islice(others, most - len(best))
        return sorted([*best, *latest], key=lambda trial: trial.id)

    def _tune(self) -> Any:
        """The result of tuning on the trials that were told at the last milestone."""
        # Milestones depend on the number of told trials alone, not on when an improvement was
        # asked for.
        milestone = 2
        while (following := int(milestone * GROWTH) + 1) <= len(self._told):
            milestone = following
        if self._tuned[0] != milestone:
            most = self._surrogate.fitted_on
            first = self._told[:milestone]
            genomes, values = _data(first[-most:])
            # The zeros make this stream differ from those of `_fit`.
            rng = generator(self._problem.seed, "surrogate", milestone, 0, 0)
            tuned = self._surrogate.tune(self._features, genomes, values, rng)
            self._tuned = (milestone, tuned)
        return self._tuned[1]


def _data(trials: Sequence[Trial]) -> tuple[list[Genome], Vector]:
    """The genomes of these trials, and values to fit: normal scores, less is better."""
    genomes = []
    orders = []
    for trial in trials:
        order, _ = rank(trial)
        genomes.append(trial.genome)
        orders.append(order)
    # `normal_scores` takes numbers, but an order is a pair: its place among all stands for it.
    different = sorted(set(orders))
    places = {order: place for place, order in enumerate(different)}
    keys = [places[order] for order in orders]
    return genomes, normal_scores(keys)


def _scale(trials: Sequence[Trial], scores: Vector) -> tuple[list[float], list[float]]:
    """The different scores of trials that satisfy the constraints, and the objective's values.

    Args:
        trials: trials that are fitted.
        scores: their scores, as `_data` gives them.

    Returns:
        Two lists of one length, by ascending score.
    """
    known: dict[float, float] = {}
    for trial, score in zip(trials, scores, strict=True):
        if trial.fitness is not None and trial.fitness.is_feasible:
            known[float(score)] = trial.fitness.value
    ascending = sorted(known)
    return ascending, [known[score] for score in ascending]
