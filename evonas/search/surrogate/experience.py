"""Experience: the trials that a strategy knows, and what a surrogate makes of them."""

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
from evonas.trial import Trial, rank

GROWTH = 1.1
"""A surrogate is tuned again when this many times as many trials are told."""


class Experience:
    """Genomes that were proposed, and the trials that are told.

    A pure function of the trials, so that it has no state to save. A genome counts once, by its first trial. Failed
    trials count as the worst. A genome that waits counts as if its prediction had come true, so that proposals asked at
    the same time keep apart (the kriging believer of Ginsbourger et al., 2010).

    Args:
        surrogate: fitted when improvements are asked for after something has changed; tuned now and then.
    """

    def __init__(self, problem: SearchProblem, surrogate: Surrogate) -> None:
        self._problem, self._surrogate = problem, surrogate
        self._features = Features(problem.space, surrogate.depth)
        self._asked = 0
        self._waiting: dict[int, Genome] = {}
        self._told: list[Trial] = []
        self._ranked: list[Trial] = []
        self._known: dict[str, bool] = {}  # whether the genome is told, by digest
        self._of_told: Fitted | None = None  # fitted on what is told
        self._fitted: Fitted | None = None  # and on what waits
        self._best = 0.0  # of the values that were fitted
        self._tuned: tuple[int, Any] = (
            0,
            None,
        )  # how many trials it was tuned on, and what that gave

    def ask(self, genome: Genome) -> None:
        """A genome is proposed; its trial has the next number."""
        self._waiting[self._asked] = genome
        self._known.setdefault(genome.digest, False)
        self._asked += 1
        self._fitted = None

    def tell(self, trial: Trial) -> None:
        """What became of a genome that was proposed."""
        self._waiting.pop(trial.id, None)
        self._fitted = self._of_told = None
        if not self._known.get(trial.genome.digest):
            self._known[trial.genome.digest] = True
            self._told.append(trial)
            insort(self._ranked, trial, key=rank)

    def restore(self, trials: Mapping[int, Trial]) -> None:
        """Be asked and told all of these again, in a new experience."""
        for id in sorted(trials):
            self.ask(trials[id].genome)
        for id in sorted(trials):
            if trials[id].state.is_final:
                self.tell(trials[id])

    @property
    def asked(self) -> int:
        """How many genomes were proposed."""
        return self._asked

    @property
    def told(self) -> int:
        """How many different genomes were told."""
        return len(self._told)

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""
        return genome.digest in self._known

    def best(self, count: int) -> list[Trial]:
        """So many trials that succeeded, the best first."""
        return [trial for trial in islice(self._ranked, count) if trial.fitness is not None]

    def improvement(self, genomes: Sequence[Genome]) -> Vector:
        """The expected improvement of each genome on the best that is told, in standard deviations of the known values.

        At least two genomes must be told.
        """
        with one_thread():
            if self._fitted is None:
                self._fitted = self._fit()
            return expected_improvement(*self._fitted.predict(genomes), self._best)

    def _fit(self) -> Fitted:
        genomes, values = _data(self._chosen())
        self._best = float(values.min())
        seed, told = self._problem.seed, len(self._told)
        tuned = self._tune()
        if self._of_told is None:
            rng = generator(seed, "surrogate", told)
            self._of_told = self._surrogate.fit(self._features, genomes, values, rng, tuned)
        waiting = [
            genome
            for genome in dict.fromkeys(self._waiting.values())
            if not self._known[genome.digest]
        ]
        if not waiting:
            return self._of_told
        believed, _ = self._of_told.predict(waiting)
        rng = generator(seed, "surrogate", told, self._asked)
        return self._surrogate.fit(
            self._features, [*genomes, *waiting], np.concatenate([values, believed]), rng, tuned
        )

    def _chosen(self) -> list[Trial]:
        """What is fitted: everything, or the best and the latest."""
        most = self._surrogate.fitted_on
        if len(self._told) <= most:
            return self._told
        best = self._ranked[: most // 2]
        chosen = {trial.id for trial in best}
        latest = islice(
            (trial for trial in reversed(self._told) if trial.id not in chosen), most - len(best)
        )
        return sorted([*best, *latest], key=lambda trial: trial.id)

    def _tune(self) -> Any:
        """What was tuned on the first trials, as many as there were at the last milestone."""
        milestone = 2
        while (following := int(milestone * GROWTH) + 1) <= len(self._told):
            milestone = following
        if self._tuned[0] != milestone:
            first = self._told[:milestone][-self._surrogate.fitted_on :]
            rng = generator(self._problem.seed, "surrogate", milestone, 0, 0)  # a stream of its own
            self._tuned = (milestone, self._surrogate.tune(self._features, *_data(first), rng))
        return self._tuned[1]


def _data(trials: Sequence[Trial]) -> tuple[list[Genome], Vector]:
    orders = [rank(trial)[0] for trial in trials]
    places = {order: place for place, order in enumerate(sorted(set(orders)))}
    return [trial.genome for trial in trials], normal_scores([places[order] for order in orders])
