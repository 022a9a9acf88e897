"""Every block of the guide to evolution works.

YAML is checked as a config and evolves. The guide's own tests of its strategy run here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from evonas.genome import strict_yaml, validate
from evonas.runtime.config.config_file import check
from evonas.search.crossover import CROSSOVERS
from evonas.search.replacement import REPLACEMENTS
from evonas.search.selection import SELECTIONS
from evonas.search.strategy import SearchProblem
from evonas.testing import drive
from evonas.trial import Fidelity

GUIDE = Path(__file__).parents[2] / "docs" / "evolution.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
YAML = [text for kind, text in BLOCKS if kind == "yaml"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
MODULES = ("my_schemes", "my_walk", "test_my_walk")
REST = "space: convnet\ndata: {name: digits}\nbudget: {trials: 9}\n"


def whole(text: str) -> str:
    """A block that does not name its space is a part of a config."""
    return text if "space" in strict_yaml.load(text, "guide").data else text + REST


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the modules of the guide, as a reader would make them."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, text in zip(MODULES, PYTHON, strict=True):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize("text", YAML)
def test_every_yaml_block(text, folder, oracle):
    tmp_path = folder
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
    trials = drive(strategy, oracle.settle, (settings.first_generation() or 0) + 12, order=5)
    for trial in trials:
        validate(loaded.space, trial.genome)
    assert any(trial.lineage.parents for trial in trials)


@pytest.mark.parametrize("family", [SELECTIONS, CROSSOVERS, REPLACEMENTS])
def test_the_tables_have_every_scheme(family):
    text = GUIDE.read_text()
    assert all(f"| `{name}` |" in text for name in family)


def test_the_blocks_are_found():
    assert len(YAML) >= 14
    assert sum("# refused" in text for text in YAML) == 3
    assert len(PYTHON) == 3


def settings_of(folder, strategy, rest=""):
    """The strategy of a config, and all that is wrong with it."""
    (folder / "own.yaml").write_text(f"{REST}plugins: [my_schemes, my_walk]\n{strategy}\n{rest}")
    checked = check(folder / "own.yaml")
    told = "".join(problem.message for problem in checked.problems)
    return (checked.loaded.config.strategy if checked.loaded else None), told


def test_a_scheme_of_your_own(folder, small_space, loss, oracle):
    own = "strategy: {evolution: {founders: none, selection: my_schemes:Threshold}}"
    settings, _ = settings_of(folder, own)
    assert settings.selection.factor == 1.5
    strategy = settings.make(SearchProblem(small_space, loss, Fidelity(1), 0))
    trials = drive(strategy, oracle.settle, 40, order=5)
    assert any(trial.lineage.parents for trial in trials)
    _, told = settings_of(folder, own, "objective: val_accuracy\n")
    assert "needs an objective" in told


def test_a_strategy_of_your_own(folder):
    settings, told = settings_of(folder, "strategy: {my_walk:Walk: {edits: 2}}")
    assert (settings.edits, told) == (2, "")


def _defined(name, text):
    """A block of the guide as a module that can be imported."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(text, vars(module))
    return module


_defined("my_walk", PYTHON[1])
TestWalk = _defined("test_my_walk", PYTHON[2]).TestWalk
for _name in MODULES[1:]:
    del sys.modules[_name]
