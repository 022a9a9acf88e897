"""The frame of `make bench-front`, on a made-up landscape."""

from __future__ import annotations

import itertools

import pytest

from benchmarks import front
from benchmarks.loop import Problem, judged_by
from benchmarks.published import OPS_201, SPACES
from evonas.genome import Genome
from evonas.insight.front import Box


def scores(ops: tuple[int, ...]) -> dict[str, float]:
    """More convolutions are better, and slower on one device; skips are slow on the other."""
    return {
        "val_accuracy": ops.count(3) + 0.1 * ops[0],
        "raspi4_ms": ops.count(3) + 1.0,
        "gtx1080ti_ms": ops.count(1) + 0.5,
    }


def judge(genome: Genome, epochs: int) -> dict[str, float]:
    return scores(tuple(OPS_201.index(gene.op) for gene in genome["cell"]))


@pytest.fixture
def land(monkeypatch: pytest.MonkeyPatch) -> front.Landscape:
    monkeypatch.setattr(front, "MARKS", (30, 60))
    objectives = front.PROBLEMS["accuracy, Raspberry Pi 4, GTX 1080 Ti"]
    found = judged_by(SPACES / "nasbench201.yaml", judge, "val_accuracy", 200)
    problem = Problem(found.space, objectives[0], 200, found.evaluate, None, objectives)
    known = {ops: tuple(scores(ops).values()) for ops in itertools.product(range(5), repeat=6)}
    known = {ops: (-accuracy, *others) for ops, (accuracy, *others) in known.items()}
    box = Box((-6.4, 1.0, 0.5), (0.0, 7.0, 6.5))
    best = front.nondominated(list(known.values()))
    return front.Landscape(problem, known, box, box.volume(best), len(best))


@pytest.mark.parametrize("name", front.ENTRANTS)
def test_every_entrant_is_repeatable_and_measured_alike(land: front.Landscape, name: str) -> None:
    found = front.ENTRANTS[name](land, seed=1)
    assert found == front.ENTRANTS[name](land, seed=1)
    assert found != front.ENTRANTS[name](land, seed=2)
    assert 0 < found[0] <= found[1] <= 1


def test_the_front_of_a_table() -> None:
    assert front.nondominated([(1.0, 1.0), (0.0, 2.0), (0.0, 3.0), (2.0, 0.0), (1.0, 1.0)]) == [
        (0, 2),
        (1, 1),
        (2, 0),
    ]
