"""The experiment in the guide, and the shipped one, can be run."""

from __future__ import annotations

import re
from pathlib import Path

from evonas.runtime.config.experiment_file import load_experiment
from evonas.search.registry import STRATEGIES

GUIDE = Path(__file__).parents[2] / "docs" / "compare.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def test_the_experiment_of_the_guide_is_fine(tmp_path):
    assert len(BLOCKS) == 2
    (tmp_path / "experiment.yaml").write_text(BLOCKS[0])
    loaded = load_experiment(tmp_path / "experiment.yaml")
    assert {label: len(seeds) for label, seeds in loaded.runs.items()} == {
        "evolution": 5,
        "random": 5,
        "aging": 5,
    }
    assert loaded.any_run.config.training.epochs == 20


def test_the_experiment_with_several_objectives_is_fine(tmp_path):
    (tmp_path / "fronts.yaml").write_text(BLOCKS[1])
    loaded = load_experiment(tmp_path / "fronts.yaml")
    assert list(loaded.runs) == ["nsga2", "nsga3", "random"]
    assert len(loaded.any_run.config.objectives) == 2


def test_the_strategies_that_can_be_compared_by_several_objectives_are_named():
    line = next(
        line
        for line in GUIDE.read_text().splitlines()
        if line.startswith("* Strategies that follow one")
    )
    named = set(re.findall(r"`(\w+)`", line))
    assert named == {name for name, kind in STRATEGIES.items() if kind.takes_several} - {"seeded"}


def test_the_shipped_experiment_is_fine():
    loaded = load_experiment("compare-digits")
    assert list(loaded.runs) == ["evolution", "random", "hyperband", "gaussian_process"]
    assert loaded.config.compared_with == "random"
