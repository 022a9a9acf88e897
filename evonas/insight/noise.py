"""How much two trainings of one genome differ: a gain within that may be luck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evonas.insight.summary import succeeded
from evonas.trial import Trial


@dataclass(frozen=True)
class Noise:
    """The spread of trainings of one genome with different seeds.

    Attributes:
        deviation: pooled standard deviation of one training, in units of the objective.
        trainings: number of trainings that it was measured on.
        genomes: number of genomes of which they are.
    """

    deviation: float
    trainings: int
    genomes: int

    @property
    def of_a_difference(self) -> float:
        """The difference of two trainings that luck exceeds once in twenty times.

        By Student's t, because a spread that was measured on few trainings is itself uncertain.
        """
        from scipy import stats

        freedom = self.trainings - self.genomes
        return float(stats.t.ppf(0.975, freedom) * math.sqrt(2) * self.deviation)


def noise_of(trials: Sequence[Trial]) -> Noise | None:
    """The noise of a run, from genomes that it has trained several times; None without any."""
    values: dict[tuple[str, int], dict[int, float]] = {}
    for trial in trials:
        fitness = succeeded(trial)
        if fitness is None or trial.twin_of is not None or trial.is_cut_short:
            continue
        # Trainings of different length differ by more than luck; those of one repeat are one.
        key = (trial.genome.digest, trial.proposal.fidelity.epochs)
        values.setdefault(key, {})[trial.proposal.repeat] = fitness.value
    repeated = [list(found.values()) for found in values.values() if len(found) > 1]
    if not repeated:
        return None
    squares, trainings = 0.0, 0
    for found in repeated:
        mean = math.fsum(found) / len(found)
        squares += math.fsum((value - mean) ** 2 for value in found)
        trainings += len(found)
    freedom = trainings - len(repeated)
    return Noise(math.sqrt(squares / freedom), trainings, len(repeated))
