"""Every block of the guide to evolution works.

YAML is checked as a config and evolves; Python keeps its contract.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from evonas.genome import strict_yaml, validate
from evonas.runtime.audit import replay
from evonas.runtime.config.config_file import check
from evonas.search.crossover import CROSSOVERS
from evonas.search.replacement import REPLACEMENTS
from evonas.search.selection import SELECTIONS
from evonas.search.strategies.evolution import Evolution
from evonas.search.strategy import SearchProblem
from evonas.testing import Driver, drive
from evonas.trial import Fidelity

GUIDE = Path(__file__).parents[2] / "docs" / "evolution.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
YAML = [text for kind, text in BLOCKS if kind == "yaml"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
REST = "space: convnet\ndata: {name: digits}\nbudget: {trials: 9}\n"


def whole(text: str) -> str:
    """A block that does not name its space is a part of a config."""
    return text if "space" in strict_yaml.load(text, "guide").data else text + REST


@pytest.mark.parametrize("text", YAML)
def test_every_yaml_block(text, tmp_path, oracle):
    (tmp_path / "guide.yaml").write_text(whole(text))
    checked = check(tmp_path / "guide.yaml")
    refused = re.search(r"# refused: (.*)", text)
    if refused:
        assert refused[1] in "\n".join(problem.message for problem in checked.problems)
        return
    assert checked.problems == ()
    loaded = checked.loaded
    settings = loaded.config.strategy
    problem = SearchProblem(
        loaded.space, loaded.config.objective.to_objective(), Fidelity(1), 0, loaded.seeds
    )
    strategy = settings.make(problem)
    trials = drive(strategy, oracle.settle, settings.population + 12, order=5)
    for trial in trials:
        validate(loaded.space, trial.genome)
    assert any(trial.lineage.parents for trial in trials)


@pytest.mark.parametrize("family", [SELECTIONS, CROSSOVERS, REPLACEMENTS])
def test_the_tables_have_every_scheme(family):
    text = GUIDE.read_text()
    assert all(f"| `{name}` |" in text for name in family)


def test_the_blocks_are_found():
    assert len(YAML) >= 14
    assert sum("# refused" in text for text in YAML) == 2
    assert len(PYTHON) == 2


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A Python block of the guide, imported as the module that a reader would make of it."""

    def load(text: str):
        name = f"guide_{abs(hash(text))}"
        (tmp_path / f"{name}.py").write_text(text)
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        found = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, found)
        spec.loader.exec_module(found)
        return found

    return load


def test_a_scheme_of_your_own(module, monkeypatch, tmp_path, small_space, loss, oracle):
    monkeypatch.setitem(
        SELECTIONS, "threshold", SELECTIONS["best"]
    )  # so that it is forgotten afterwards
    scheme = module(PYTHON[0]).Threshold
    assert SELECTIONS["threshold"] is scheme
    (tmp_path / "own.yaml").write_text(
        REST + "strategy: {evolution: {selection: {threshold: {factor: 2.0}}}}\n"
    )
    settings = check(tmp_path / "own.yaml").loaded.config.strategy
    assert settings.selection == scheme(2.0)
    strategy = Evolution(SearchProblem(small_space, loss, Fidelity(1), 0), settings)
    trials = drive(strategy, oracle.settle, 40, order=5)
    assert any(trial.lineage.parents for trial in trials)
    (tmp_path / "own.yaml").write_text(
        REST + "strategy: {evolution: {selection: threshold}}\nobjective: val_accuracy\n"
    )
    assert "needs an objective" in check(tmp_path / "own.yaml").problems[0].message


def test_a_strategy_of_your_own(module, small_space, loss, oracle):
    settings = module(PYTHON[1]).WalkSettings()
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    strategy = settings.make(problem)
    driver = Driver(strategy, oracle.settle, look_ahead=1)
    trials = driver.run(40)
    assert driver.waits == 0
    state = strategy.state_dict()
    again = settings.make(problem)
    assert replay(again, trials, driver.told_before, driver.told, state).difference == ""
    resumed = settings.make(problem)
    resumed.load_state_dict(state, {trial.id: trial for trial in trials[: driver.told]})
    assert resumed.ask(3) == strategy.ask(3)
