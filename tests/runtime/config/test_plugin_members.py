"""Members from plugins: which classes may stand in a config, and what is said of the others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from evonas.errors import InvalidConfig
from evonas.runtime.config import plugin_members
from evonas.runtime.config.config_file import check, load_config
from evonas.runtime.config.experiment_file import load_experiment
from evonas.runtime.config.plugin_members import PluginMembers, raised_in
from evonas.runtime.config.training_config import StopConfig
from evonas.search.selection import Selection
from evonas.search.strategy import StrategySettings

CONFIG = """
space: convnet
data: {name: digits}
budget: {trials: 9}
plugins: [odd]
"""
ODD = """
from dataclasses import dataclass

import numpy as np

from evonas.search.strategies.random_search import RandomSettings
from evonas.strategies import Sampler, Selection, StrategySettings


@dataclass(frozen=True)
class Good(StrategySettings):
    number: int = 3
    sets_epochs = True

    def make(self, problem):
        raise ValueError("not today")


class Plain(StrategySettings):
    number: int = 3

    def make(self, problem): ...


@dataclass(frozen=True)
class NoMake(StrategySettings):
    number: int = 3


@dataclass(frozen=True)
class Array(StrategySettings):
    array: np.ndarray | None = None

    def make(self, problem): ...


@dataclass(frozen=True)
class Unread(StrategySettings):
    number: "Nowhere" = None

    def make(self, problem): ...


@dataclass(frozen=True)
class Chosen(Selection):
    def select(self, population, count, rng): ...


@dataclass(frozen=True)
class Corner(Sampler):
    width: float = 0.5

    def points(self, dimension, size, seed, round): ...


number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The driver imports the plugin: no other test may find it.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    (tmp_path / "odd.py").write_text(ODD)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def test_only_what_a_config_can_fill_and_a_search_can_use_is_taken(folder: Path) -> None:
    members = PluginMembers(("odd", "gone"), str(folder))
    good = members.find(StrategySettings, "odd:Good")
    assert isinstance(good, type)
    assert good() == good(3)
    for name, words in {
        "odd:Goof": "has no class 'Goof'. Did you mean 'Good'?",
        "odd:Misspelt": "has no class 'Misspelt'. There are RandomSettings, Good, ",
        "odd:number": "does not derive from evonas.strategies.StrategySettings",
        "odd:Chosen": "There are ",
        "odd:StrategySettings": "does not derive from",
        "odd:Plain": "must be a dataclass",
        "odd:NoMake": "odd:NoMake lacks make",
        "odd:Array": "the field array of odd:Array has a type that no config can write",
        "odd:Unread": "cannot be read: NameError",
        "odd:RandomSettings": "is defined as evonas.search.strategies.random_search:Rand",
        "even:Good": "the module 'even' is not among the plugins that may be imported: odd, gone.",
        "gone:Good": "there is no module gone",
    }.items():
        found = members.find(StrategySettings, name)
        assert isinstance(found, str), name
        assert words in found, found
    assert isinstance(members.find(Selection, "odd:Chosen"), type)
    # Names of registries, and families that no plugin can add to.
    assert members.find(StrategySettings, "random") is None
    assert members.find(StopConfig, "odd:Good") is None


def test_issues_are_told_at_their_keys(folder: Path) -> None:
    def told(*changes: str) -> str:
        return "\n".join(map(str, check(folder / "c.yaml", changes).problems))

    assert told("strategy=odd:Good") == ""
    assert "strategy.odd:Good.number: must be a whole number" in told("strategy.odd:Good.number=x")
    assert "strategy: the plugin odd has no class 'Goof'" in told("strategy=odd:Goof")
    # What no plugin has is no path and no name of a run, which may be any text.
    assert "Perhaps" not in told("strategy=odd:Misspelt", "data={source: odd:Misspelt}")
    assert told("strategy={random: {sampler: {odd:Corner: {width: 0.2}}}}") == ""
    inner = "strategy={seeded: {genomes: [lenet5], inner: {odd:Good: {numbr: 1}}}}"
    assert "strategy.seeded.inner.odd:Good.numbr: unknown key" in told(inner)
    words = "pool: odd:Good does not derive from evonas.pools.PoolSettings"
    assert words in told("pool=odd:Good")
    # What it says of itself is heard before it is made.
    assert "cannot be used under the strategy odd:Good" in told(
        "strategy=odd:Good", "training.stop=learning_curve"
    )
    assert "follows one objective" in told("strategy=odd:Good", "objectives=[val_loss, parameters]")


def test_an_experiment_compares_strategies_of_a_plugin(folder: Path) -> None:
    experiment = "config: c.yaml\nseeds: [0]\nstrategies:\n  mine: {odd:Good: {number: 5}}\n"
    (folder / "e.yaml").write_text(experiment + "  random: random\n")
    runs = load_experiment(folder / "e.yaml").runs
    recorded = {"founders": [], "number": 5}
    assert runs["mine"][0].config.to_json()["strategy"] == {"odd:Good": recorded}
    (folder / "e.yaml").write_text(experiment + "  other: odd:Goof\n")
    with pytest.raises(InvalidConfig, match=r"strategies\.other.*has no class 'Goof'"):
        load_experiment(folder / "e.yaml")


def test_who_has_raised_is_named_with_the_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as one that another part of the process has made
    monkeypatch.setitem(sys.modules, "in_memory", ModuleType("in_memory"))
    monkeypatch.setitem(plugin_members._first, "in_memory", "")
    strategy = load_config(folder / "c.yaml", ["strategy=odd:Good"]).config.strategy
    with pytest.raises(ValueError, match="not today") as caught:
        strategy.make(None)  # type: ignore[arg-type]
    line = ODD[: ODD.index("raise ValueError")].count("\n") + 1
    assert raised_in(caught.value) == f"the plugin odd, in {folder / 'odd.py'}, line {line}"
    assert raised_in(ValueError("of nobody")) == ""


def test_a_module_that_ends_its_process_is_refused(folder: Path) -> None:
    (folder / "odd.py").write_text("import os\nos._exit(3)\n")
    (issue,) = check(folder / "c.yaml", ["strategy=odd:Good"]).problems
    assert "importing the plugins odd ended the process with exit code 3" in issue.message


def test_the_search_imports_no_network_with_a_strategy(folder: Path) -> None:
    # Python finds this one before the true one, which takes seconds to import.
    (folder / "tensorflow.py").write_text("")
    (folder / "odd.py").write_text("import tensorflow\n")
    code = (
        "from evonas.runtime.config.config_file import check\n"
        "print(*check('c.yaml', ['strategy=odd:Good']).problems)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the plugin odd imports tensorflow" in done.stdout
