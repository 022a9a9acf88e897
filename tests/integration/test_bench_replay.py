"""Replay tables: recordings, the two landscapes and the noise, on made-up numbers."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from benchmarks import replay
from benchmarks.climb import climb
from benchmarks.genome_distance import EditDistance
from benchmarks.references import of_noisy
from benchmarks.replay import Noise, Recording, Training, odds
from benchmarks.replay_tables import Amounts, DataSet, Recorder, spread
from evonas.genome import Genome, parse_genome, parse_space, sample
from evonas.genome.validity import validate

SPACE = parse_space(
    """\
space: made
input: none
network:
  layers:
    length: [0, 3]
    ops:
      dense: {units: {int: [0, 100]}, activation: {choice: [relu, tanh, gelu]}}
      dropout: {rate: {float: [0.1, 0.5], off: 0.0}}
settings:
  optimizer: {ops: {sgd: {learning_rate: {float: [1.0e-4, 1.0], log: true}}}}
""",
    "made.yaml",
)


def genome(*layers: str, rate: float = 0.01) -> Genome:
    lines = ["space: made"]
    if layers:
        lines += ["layers:", *[f"  - {layer}" for layer in layers]]
    lines.append(f"optimizer: [sgd: {{learning_rate: {rate}}}]")
    return parse_genome("\n".join(lines), "made.yaml", SPACE)


SMALL = "dense: {units: 20, activation: relu}"
LARGE = "dense: {units: 70, activation: relu}"
OTHER = "dense: {units: 20, activation: tanh}"
DROP = "dropout: {rate: 0.3}"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (genome(SMALL), genome(SMALL), 0.0),
        # the learning rate has gone half of its scale of four powers of ten
        (genome(SMALL), genome(SMALL, rate=1.0), 0.5),
        (genome(SMALL), genome(LARGE), 0.5),
        (genome(SMALL), genome(OTHER), 1.0),
        (genome(LARGE), genome(OTHER), 1.0),
        (genome(SMALL), genome(DROP), 1.0),
        (genome(SMALL, LARGE), genome(DROP, SMALL, LARGE), 1.0),
        (genome(SMALL, DROP), genome(LARGE), 1.5),
        (genome(), genome(SMALL, DROP, LARGE), 3.0),
    ],
)
def test_how_many_edits_lie_between(first: Genome, second: Genome, expected: float) -> None:
    known = [second, genome(), second]
    found = EditDistance(SPACE, known).to(first)
    assert found.shape == (3,)
    # a middle of a box of the unit cube, which is 1/101 wide for the units
    assert found[[0, 2]] == pytest.approx([expected] * 2, abs=0.01)
    assert EditDistance(SPACE, [first]).to(second) == pytest.approx([expected], abs=0.01)


A, B, C = genome(SMALL), genome(LARGE), genome(DROP, DROP)
TRAININGS = [
    Training("random", 0, 1.5, A, (0.5, 0.7)),
    Training("random", 0, 2.0, B, ()),
    Training("aging", 0, 1.0, C, (0.2, 0.1)),
    Training("random", 1, 1.5, A, (0.5, 0.9)),
    Training("random", 2, 1.5, A, (0.8, 0.8)),
    Training("aging", 0, 1.5, A, (0.5, 0.7)),
]


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    replay.write(tmp_path / "made.csv.gz", TRAININGS)
    assert replay.read(tmp_path / "made.csv.gz") == TRAININGS
    content = (tmp_path / "made.csv.gz").read_bytes()
    replay.write(tmp_path / "made.csv.gz", TRAININGS)
    assert (tmp_path / "made.csv.gz").read_bytes() == content


def test_what_a_recording_knows() -> None:
    recording = Recording(SPACE, TRAININGS)
    assert recording.genomes == [A, B, C]
    # the mean of three trainings, one of which is there twice; the failed one has the least of all
    assert recording.curves == pytest.approx(np.array([[0.6, 0.8], [0.1, 0.1], [0.2, 0.1]]))
    assert recording.levels == pytest.approx([0.8])
    # in log odds; at the first epoch two are at even odds, and one at 4 : 1
    raised, four = np.sqrt(3 / 2), np.log(4.0)
    first = recording.deviations[0, :, 0]
    assert first == pytest.approx([-raised * four / 3, -raised * four / 3, raised * four * 2 / 3])
    assert recording.deviations.shape == (1, 3, 2)
    assert recording.deviations.sum(axis=1) == pytest.approx(np.zeros((1, 2)), abs=1e-12)


def test_noise_is_that_of_repeated_trainings() -> None:
    noise = Noise(Recording(SPACE, TRAININGS))
    curve = np.array([0.2, 0.95])
    possible = noise.possible(curve)
    # odds of 1 : 4, raised by two thirds of 4 : 1
    raised = np.exp(np.log(4.0) * (np.sqrt(3 / 2) * 2 / 3 - 1))
    assert possible[2, 0] == pytest.approx(raised / (1 + raised))
    assert possible.max() < 1
    assert noise.drawn(curve, 5) == pytest.approx(noise.drawn(curve, 5))
    drawn = {tuple(noise.drawn(curve, seed)) for seed in range(40)}
    assert drawn == {tuple(one) for one in possible}


def test_a_network_gets_the_noise_of_its_likes() -> None:
    trainings = []
    for place in range(20):
        good = place % 2
        one = genome(DROP, rate=0.01 + place / 100)
        width = 0.1 if good else 0.5
        for repeat in range(2):
            level = expit(2.0 * good - 1.0 + width * (2 * repeat - 1))
            trainings.append(Training("random", repeat, 1.0, one, (level,)))
    noise = Noise(Recording(SPACE, trainings))
    # of the 15 nearest, 10 are alike, with a deviation of 0.1 in log odds, and 5 are the others
    sizes = np.abs(odds(noise.possible(np.array([0.73]))[:, 0]) - odds(np.array([0.73])))
    assert sizes[:20] == pytest.approx([0.1 * np.sqrt(2)] * 20)
    assert sizes[20:] == pytest.approx([0.5 * np.sqrt(2)] * 10)


def test_neighbours_predict_what_lies_beside_them() -> None:
    recording = Recording(SPACE, TRAININGS)
    land = replay.Neighbours(recording)
    # at the distances 0, 0.5 and 2, with the weights 1 / (0.1 + distance)²
    weights = 1 / (0.1 + EditDistance(SPACE, [A, B, C]).to(A)) ** 2
    expected = weights @ recording.curves / weights.sum()
    assert land.curve(A) == pytest.approx(expected)
    assert land.curve(A) == pytest.approx([0.6, 0.8], abs=0.03)
    assert land.curve(genome(SMALL, rate=0.011)) == pytest.approx([0.6, 0.8], abs=0.05)


def made() -> Recording:
    """More units are better, and so is a slower start."""
    rng = np.random.default_rng(0)
    trainings = []
    for number in range(120):
        one = sample(SPACE, rng)
        units = sum(int(gene.parameters.get("units", 0)) for gene in one["layers"])
        level = 0.3 + units / 500
        for repeat in range(3 if number % 10 == 0 else 1):
            noise = rng.normal(0, 0.02)
            trainings.append(Training("random", repeat, 1.0, one, (level / 2, level + noise)))
    return Recording(SPACE, trainings)


@pytest.mark.parametrize("kind", list(replay.LANDSCAPES))
def test_a_search_climbs_a_landscape(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = replay.Replay(made(), kind)
    monkeypatch.setattr(replay, "judge", lambda name, folder: judge)
    problem = replay.problem(f"made-{kind}")
    assert problem.epochs == 2
    found = climb(problem, {"aging": {"population": 10, "sample": 3}}, 0, 60)
    assert problem.mean is not None
    poor, good = problem.mean(genome(DROP)), problem.mean(genome(*[LARGE] * 3))
    assert good > poor + 0.15
    assert found.retrained[-1][1] > poor + 0.15
    spent, noisy = found.full[-1]
    assert (spent, noisy) != found.retrained[-1]
    assert noisy == pytest.approx(found.retrained[-1][1], abs=0.1)
    rng = np.random.default_rng(0)
    reference = of_noisy(judge, [sample(SPACE, rng) for _ in range(100)])
    assert poor < reference.random < reference.best
    assert reference.best >= max(judge.mean(one) for one in judge.recording.genomes)


def test_those_trained_again_are_from_the_best_to_the_worst() -> None:
    trainings = [Training("random", 0, 1.0, A, (score / 10,)) for score in (3, 1, 5, 2, 4)]
    trainings.append(Training("random", 0, 1.0, B, ()))
    assert [one.curve for one in spread(trainings, 3)] == [(0.5,), (0.3,), (0.1,)]
    assert len(spread(trainings, 9)) == 5


def small(folder: Path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    return {"x": rng.normal(y[:, None], 0.5, (60, 4)).astype(np.float32), "y": y}


@pytest.mark.full
def test_twelve_trainings_are_recorded_and_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.replay_tables.data_folder", lambda: tmp_path)
    data_set, amounts = DataSet("mlp", 2, small), Amounts(5, 3, 2, 2)

    def recorder(deadline: float | None) -> Recorder:
        return Recorder("made", data_set, tmp_path / "build", amounts, deadline, workers=1)

    # cut in the first run, and gone on with
    assert not recorder(time.monotonic() + 6).record(tmp_path / "replay")
    assert recorder(None).record(tmp_path / "replay")
    trainings = replay.read(tmp_path / "replay" / "made.csv.gz")
    assert [one.repeat for one in trainings] == [0] * 8 + [1, 1, 2, 2]
    assert [one.made_by for one in trainings[:8]] == ["random"] * 5 + ["aging"] * 3
    assert len({one.genome.digest for one in trainings}) == 8
    assert all(len(one.curve) == 2 and one.seconds > 0 for one in trainings)
    again = {one.genome.digest for one in trainings[8:]}
    assert len(again) == 2
    assert again <= {one.genome.digest for one in trainings[:8]}
    problem = replay.problem("made-neighbours", tmp_path / "replay")
    assert climb(problem, {"random": {}}, 0, 20).trials == 20


RECORDED = sorted(replay.FOLDER.glob("*.csv.gz"))


@pytest.mark.parametrize("path", RECORDED, ids=[path.name for path in RECORDED])
def test_what_is_recorded_is_what_the_protocol_says(path: Path) -> None:
    assert path.stat().st_size < 300_000
    trainings = replay.read(path)
    repeats = Counter(one.repeat for one in trainings)
    assert repeats == {0: 480, 1: 60, 2: 60}
    assert sum(one.made_by == "aging" and one.repeat == 0 for one in trainings) == 200
    found = replay.recording(path.name.removesuffix(".csv.gz"))
    assert len(found.genomes) == 480
    assert len(found.levels) == 60
    for one in found.genomes:
        validate(found.space, one)
