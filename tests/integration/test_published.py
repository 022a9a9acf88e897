"""The adapters of published tables, where EVONAS_DATA names their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import published
from benchmarks.loop import search, tabled
from evonas.genome import load_space, sample
from evonas.randomness import generator
from evonas.runtime.loop.budget import RunLimits

pytestmark = pytest.mark.skipif(
    not Path(os.environ.get("EVONAS_DATA") or "/nowhere").is_dir(),
    reason="EVONAS_DATA names no folder",
)


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "TABLES", tmp_path)


def test_nasbench201() -> None:
    best = {}
    for data_set in published.NASBENCH201:
        problem = tabled(
            published.SPACES / "nasbench201.yaml",
            published.nasbench201(data_set),
            "val_accuracy",
            200,
        )
        assert problem.table is not None
        assert (len(problem.table), problem.table.fidelities) == (15_625, (12, 200))
        best[data_set] = max(
            problem.table.values(row, 200)["test_accuracy"] for row in range(15_625)
        )
    assert best == pytest.approx(
        {"cifar10": 94.373, "cifar100": 73.513, "imagenet16": 47.311}, abs=1e-3
    )


def test_nasbench_macro_and_a_search_on_it() -> None:
    problem = tabled(
        published.SPACES / "nasbench_macro.yaml", published.nasbench_macro(), "accuracy", 50
    )
    found = search(
        problem, {"aging": {"population": 10, "sample": 3}}, 0, RunLimits(100, look_ahead=1)
    )
    assert len(found.trained) == 100
    best = max(trial.fitness.value for trial in found.trained if trial.fitness)
    assert 92.5 < best <= 93.127
    assert (
        search(problem, {"aging": {"population": 10, "sample": 3}}, 0, RunLimits(100, look_ahead=1))
        == found
    )


def test_lcbench() -> None:
    assert len(published.lcbench_tasks()) == 34
    space = load_space(published.SPACES / "lcbench.yaml")
    assert space.dimension == 7
    genomes = [sample(space, generator(0, "sample", number)) for number in range(100)]
    scores = [published.lcbench(genome, 52, "3945")["val_accuracy"] for genome in genomes]
    assert 95 < max(scores) <= published.lcbench_best("3945") + 1
    seconds = [published.lcbench(genomes[0], epochs, "3945")["seconds"] for epochs in (1, 10, 52)]
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_nasbench301() -> None:
    space = load_space(published.SPACES / "nasbench301.yaml")
    genomes = [sample(space, generator(0, "sample", number)) for number in range(50)]
    scores = [published.nasbench301(genome, 98)["val_accuracy"] for genome in genomes]
    assert 0.85 < min(scores) < max(scores) < 0.948
    codes = published._darts(genomes[0])
    assert len([name for name in codes if name.startswith("edge")]) == 16, (
        "two edges into each of eight nodes"
    )


def test_the_published_best_of_nasbench301() -> None:
    assert published.nasbench301_best() == pytest.approx(94.766, abs=1e-3)
