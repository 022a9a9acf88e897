"""Replay tables: landscapes made of recorded trainings of our own, with their noise.

They have what published tables lack: many decisions, genes that come and go, and noise. Each
recording makes two landscapes, so that no model of a strategy is favoured. `replay_tables.py` has
made the recordings.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.ensemble import RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor

from benchmarks.genome_distance import EditDistance
from benchmarks.loop import Problem
from evonas.evaluate.evaluators.function import FunctionCall
from evonas.files import write_whole
from evonas.genome import Genome, SearchSpace, encode, load_space
from evonas.genome.encoding import deciding
from evonas.trial import Objective

FOLDER = Path(__file__).parent / "replay"
METRIC = "val_accuracy"
NEIGHBOURS = 5
"""Recorded genomes that a prediction of the second landscape is made of."""
ALIKE = 15
"""Repeated genomes of about the same score whose noise a genome may get."""
EDGE = 0.002
"""Accuracies are kept this far from 0 and 1, where the log odds are infinite."""
ABSENT = -1.0
"""Stands for what a genome does not have; everything else is in [0, 1]."""

HEADER = ("made_by", "repeat", "seconds", "genome", "curve")

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """One recorded training.

    Attributes:
        made_by: `random` or `aging`: the search that has proposed the genome.
        repeat: 0, or 1 and 2 for the same genome trained again.
        seconds: time that it took.
        curve: validation accuracy after each epoch; empty if the training has failed.
    """

    made_by: str
    repeat: int
    seconds: float
    genome: Genome
    curve: tuple[float, ...]


def write(path: Path, trainings: Sequence[Training]) -> None:
    """Write a recording, packed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for one in trainings:
        genome = json.dumps(one.genome.to_dict(), separators=(",", ":"))
        curve = " ".join(f"{value:.4f}" for value in one.curve)
        writer.writerow((one.made_by, one.repeat, f"{one.seconds:.2f}", genome, curve))
    # without the time, the same recording gives the same bytes
    packed = gzip.compress(text.getvalue().encode(), mtime=0)
    write_whole(path, lambda file: file.write(packed))


def read(path: Path) -> list[Training]:
    """The trainings of a recording, in its order."""
    found = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            genome = Genome.from_dict(json.loads(line["genome"]))
            curve = tuple(map(float, line["curve"].split()))
            repeat, seconds = int(line["repeat"]), float(line["seconds"])
            found.append(Training(line["made_by"], repeat, seconds, genome, curve))
    return found


class Recording:
    """Recorded trainings of one space.

    Attributes:
        space: the space as it was when the trainings were recorded.
        genomes: the genomes, each once.
        curves: their curves, shape (genomes, epochs): the mean if a genome was trained repeatedly.
            A training that has failed has the least accuracy of all.
        levels: best accuracy of the mean curve of each repeated genome, shape (repeated,).
        deviations: what each training of a repeated genome had beside their mean, in log odds,
            shape (repeated, repeats, epochs).
    """

    def __init__(self, space: SearchSpace, trainings: Sequence[Training]) -> None:
        self.space = space
        by_genome: dict[str, dict[int, Training]] = {}
        for one in trainings:
            # The same genome and seed give the same training, so it counts once.
            by_genome.setdefault(one.genome.digest, {})[one.repeat] = one
        groups = [list(group.values()) for group in by_genome.values()]
        self.genomes = [group[0].genome for group in groups]
        epochs = max(len(one.curve) for one in trainings)
        least = min(min(one.curve) for one in trainings if one.curve)
        most = max(map(len, groups))
        means, levels, deviations = [], [], []
        for group in groups:
            curves = np.array([one.curve or (least,) * epochs for one in group])
            mean = curves.mean(axis=0)
            means.append(mean)
            if len(group) == most:
                levels.append(mean.max())
                beside = odds(curves) - odds(curves).mean(axis=0)
                # The mean is that of the same few trainings, and so too near to them.
                deviations.append(beside * np.sqrt(most / max(1, most - 1)))
        self.curves = np.array(means)
        self.levels = np.array(levels)
        self.deviations = np.array(deviations)


def odds(accuracy: Curve) -> Curve:
    """The log odds, in which noise is about alike for good and for poor networks.

    Otherwise the noise of a poor one could lift a good one above 1.
    """
    found: Curve = logit(np.clip(accuracy, EDGE, 1.0 - EDGE))
    return found


class Landscape(ABC):
    """Predicts the learning curve of any genome of a space, without noise."""

    def __init__(self) -> None:
        self._known: dict[str, Curve] = {}

    def curve(self, genome: Genome) -> Curve:
        """Accuracy after each epoch, shape (epochs,)."""
        if genome.digest not in self._known:
            self._known[genome.digest] = np.clip(self._predicted(genome), 0.0, 1.0)
        return self._known[genome.digest]

    @abstractmethod
    def _predicted(self, genome: Genome) -> Curve:
        """As `curve`, and perhaps a little outside [0, 1]."""


class Forest(Landscape):
    """A random forest over the coordinates of the unit cube; what is absent has a value too."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._space = recording.space
        self._forest = RandomForestRegressor(100, max_features=0.5, random_state=0)
        points = [self._point(genome) for genome in recording.genomes]
        self._forest.fit(points, recording.curves)

    def _point(self, genome: Genome) -> Curve:
        decides = deciding(self._space, genome)
        return np.where(decides, encode(self._space, genome, flat=True), ABSENT)

    def _predicted(self, genome: Genome) -> Curve:
        found: Curve = np.ravel(self._forest.predict([self._point(genome)]))
        return found


class Neighbours(Landscape):
    """The recorded genomes at the least edit distance; the nearer, the more one counts."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._distance = EditDistance(recording.space, recording.genomes)
        count = min(NEIGHBOURS, len(recording.genomes))
        self._mean = KNeighborsRegressor(count, weights=_weights, metric="precomputed")
        between = [self._distance.to(genome) for genome in recording.genomes]
        self._mean.fit(between, recording.curves)

    def _predicted(self, genome: Genome) -> Curve:
        found: Curve = np.ravel(self._mean.predict([self._distance.to(genome)]))
        return found


def _weights(distances: Curve) -> Curve:
    # a tenth of an edit, so that a recorded genome is not its own training alone
    found: Curve = 1.0 / (0.1 + distances) ** 2
    return found


LANDSCAPES: Mapping[str, type[Forest] | type[Neighbours]] = {
    "forest": Forest,
    "neighbours": Neighbours,
}


class Noise:
    """What trainings of one genome differ by: that of recorded genomes with about its score."""

    def __init__(self, recording: Recording) -> None:
        self._levels = recording.levels
        self._deviations = recording.deviations

    def possible(self, curve: Curve) -> Curve:
        """All curves that a training may have, shape (n, epochs)."""
        order = np.argsort(np.abs(self._levels - curve.max()), kind="stable")
        nearest = self._deviations[order[:ALIKE]]
        found: Curve = expit(odds(curve) + nearest.reshape(-1, len(curve)))
        return found

    def drawn(self, curve: Curve, seed: int) -> Curve:
        """The curve of one training, by its seed."""
        curves = self.possible(curve)
        chosen: Curve = curves[np.random.default_rng(seed).integers(len(curves))]
        return chosen


class Replay:
    """Judges genomes as a training would: by the best epoch of a curve with noise.

    Attributes:
        recording: what it was made of.
        epochs: length of a full training.
    """

    def __init__(self, recording: Recording, landscape: str) -> None:
        self.recording = recording
        self.epochs: int = recording.curves.shape[1]
        self._landscape = LANDSCAPES[landscape](recording)
        self._noise = Noise(recording)

    def __call__(self, genome: Genome, epochs: int, seed: int) -> dict[str, float]:
        """One training.

        Args:
            seed: seed of the training. A longer training with it goes on with the same curve.
        """
        curve = self._noise.drawn(self._landscape.curve(genome), seed)
        return {METRIC: float(curve[:epochs].max())}

    def mean(self, genome: Genome) -> float:
        """The mean over all full trainings that are possible."""
        curves = self._noise.possible(self._landscape.curve(genome))
        return float(curves.max(axis=1).mean())


def names() -> list[str]:
    """The landscapes that there are recordings for, such as `car-forest`."""
    found = []
    for path in sorted(FOLDER.glob("*.csv.gz")):
        recorded = path.name.removesuffix(".csv.gz")
        found += [f"{recorded}-{landscape}" for landscape in LANDSCAPES]
    return found


@functools.cache
def recording(name: str, folder: Path = FOLDER) -> Recording:
    """A recording of a folder, by the name of its data set."""
    space = load_space(folder / f"{name}.yaml")
    return Recording(space, read(folder / f"{name}.csv.gz"))


@functools.cache
def judge(name: str, folder: Path = FOLDER) -> Replay:
    """A landscape with its noise, such as `car-forest`."""
    recorded, _, landscape = name.rpartition("-")
    return Replay(recording(recorded, folder), landscape)


def problem(name: str, folder: Path = FOLDER) -> Problem:
    """The same as a problem for `benchmarks.loop.search`."""
    found = judge(name, folder)
    call = FunctionCall(found, {}, is_simulated=True)
    objective = Objective(METRIC, "max")
    return Problem(found.recording.space, objective, found.epochs, call, mean=found.mean)
