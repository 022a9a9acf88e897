"""A strategy and its parts in one file of the user's: run, continued, audited and read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evonas import api, lifecycle, view
from evonas.cli.app import _run as main_with
from evonas.cli.app import app
from evonas.errors import InvalidConfig, NotRepeatable, UserError
from evonas.genome import strict_yaml
from evonas.runtime.audit import audit
from evonas.runtime.config.config_file import load_config
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content
from evonas.trial import TrialState

SPACE = """
space: s
input: none
network: {cell: {length: [2, 6], ops: {a: {v: {int: [1, 9]}}, b: {}}}}
"""
SEED = "space: s\ncell: [b: {}, b: {}, a: {v: 4}]\n"
CONFIG = """
run: grown
space: ./s.yaml
plugins: [grown]
evaluator: {python: {function: "grown:evaluate"}}
objective: {name: score, direction: min}
budget: {trials: 12}
pool: {simulated: {workers: 3}}
strategy: grown:Walk
"""
PLUGIN = '''
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from evonas.genome import mutate, sample
from evonas.strategies import (
    Adaptation,
    Crossover,
    Lineage,
    Proposal,
    Replacement,
    Selection,
    Strategy,
    StrategySettings,
    best_first,
    generator,
)


@dataclass(frozen=True)
class Walk(StrategySettings):
    """Each proposal is the best genome so far with one edit.

    Attributes:
        rest: number of proposals after which a random one comes.
        seeds: genomes that it begins with.
    """

    rest: Annotated[int, Ge(2)] = 5
    seeds: tuple[str, ...] = ()

    has_alternatives = True

    def make(self, problem):
        return Walker(problem, self)


class Walker(Strategy):
    def __init__(self, problem, settings):
        super().__init__(problem, settings)
        self._asked, self._best = 0, None

    def ask(self, count):
        found = []
        for _ in range(count):
            found.append(self._propose(self._asked))
            self._asked += 1
        return found

    def alternatives(self, count):
        more = [self._propose(self._asked, i) for i in range(1, count)]
        return [self._propose(self._asked), *more]

    def _propose(self, *number):
        rng = generator(self.problem.seed, "child", *number)
        if number[0] < len(self.settings.seeds):
            genome = self.problem.seeds[self.settings.seeds[number[0]]]
            return Proposal(genome, self.problem.fidelity, Lineage(("seed",)))
        if self._best is None or number[0] % self.settings.rest == 0:
            genome = sample(self.problem.space, rng)
            return Proposal(genome, self.problem.fidelity, Lineage(("sample",)))
        genome, word = mutate(self.problem.space, self._best.genome, rng)
        return Proposal(genome, self.problem.fidelity, Lineage((word,), (self._best.id,)))

    def tell(self, trial):
        is_better = self._best is None or trial.fitness > self._best.fitness
        if trial.fitness is not None and is_better:
            self._best = trial

    def state_dict(self):
        return {"asked": self._asked, "best": None if self._best is None else self._best.id}

    def load_state_dict(self, state, trials):
        self._asked, self._best = state["asked"], trials.get(state["best"])


@dataclass(frozen=True)
class Half(Selection):
    """The better part."""

    part: float = 0.5

    def select(self, population, count, rng):
        ranked = best_first(population)
        good = ranked[: max(1, int(len(ranked) * self.part))]
        return [good[int(i)] for i in rng.integers(len(good), size=count)]


@dataclass(frozen=True)
class Never(Crossover):
    def cross(self, space, first, second, rng):
        return first


@dataclass(frozen=True)
class Youngest(Replacement):
    def offspring(self, population):
        return population

    def survivors(self, parents, children, population, rng):
        return best_first([*parents, *children][-population:])


@dataclass(frozen=True)
class Last(Adaptation):
    def learn(self, learned, operator, reward):
        return learned


def evaluate(genome):
    return {"score": sum(gene.parameters.get("v", 0) for gene in genome["cell"]), "seconds": 1.0}
'''

CASES = {
    "inside": {
        "seeded": {
            "genomes": ["./seed.yaml"],
            "inner": {"grown:Walk": {"rest": 3, "seeds": ["./seed.yaml"]}},
        }
    },
    "parts": {
        "evolution": {
            "population": 3,
            "selection": {"grown:Half": {"part": 0.7}},
            "crossover": "grown:Never",
            "mutation": {"adaptation": "grown:Last"},
            "replacement": "grown:Youngest",
        }
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The driver imports the plugin: no other test may find it.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "grown", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "grown.py").write_text(PLUGIN)
    (tmp_path / "s.yaml").write_text(SPACE)
    (tmp_path / "seed.yaml").write_text(SEED)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def shown(*words: object) -> tuple[int, str]:
    """The exit code and the output of a command that only reads."""
    found = CliRunner().invoke(app, [str(word) for word in words])
    return found.exit_code, found.output


@pytest.mark.parametrize("name", CASES)
def test_it_is_run_continued_audited_and_read(folder: Path, name: str) -> None:
    strategy = f"strategy={json.dumps(CASES[name])}"
    config = folder / "c.yaml"
    run = api.run(config, overrides=[strategy, "budget.trials=7"], runs=folder / "runs")
    root = run.directory
    api.resume(root, overrides=["budget.trials=12"])
    whole = api.run(config, overrides=[strategy, "run=whole"], runs=folder / "runs")
    assert content(root) == content(whole.directory)
    assert audit(root).is_repeated
    recorded = view.load(root).config
    assert (
        recorded.to_json()["strategy"]
        == load_config(config, [strategy]).config.to_json()["strategy"]
    )
    copied = strict_yaml.load_file(root / "config.yaml").data["strategy"]
    inner = copied.get("seeded", {}).get("inner", {}).get("grown:Walk", {"seeds": []})
    assert all(Path(path).is_absolute() for path in inner["seeds"])
    with RecordReader(root / "run.db") as record:
        assert "grown" in record.meta("code")


def test_a_run_is_read_without_its_plugin_and_not_continued(folder: Path) -> None:
    root = api.run(folder / "c.yaml", runs=folder / "runs").directory
    (folder / "grown.py").unlink()
    del sys.modules["grown"]
    assert view.load(root).config.strategy_name == "grown:Walk"
    for words in (("show", root), ("genealogy", root), ("list", "--runs", folder / "runs")):
        code, told = shown(*words)
        assert code == 0, told
    for ask in (lambda: audit(root), lambda: api.resume(root, overrides=["budget.trials=14"])):
        with pytest.raises(InvalidConfig, match="there is no module grown"):
            ask()
    # A finished run is left as it is, and needs nothing.
    assert api.resume(root).is_finished


def test_another_code_is_refused_and_explains_an_audit(folder: Path) -> None:
    root = api.run(folder / "c.yaml", runs=folder / "runs").directory
    (folder / "grown.py").write_text(PLUGIN.replace('"child"', '"sample"'))
    # In this process the old code would go on.
    with pytest.raises(InvalidConfig, match="has imported grown before"):
        load_config(folder / "c.yaml")
    del sys.modules["grown"]
    with pytest.raises(InvalidConfig, match="the code has changed"):
        lifecycle.work(root, overrides=["budget.trials=14"])
    code, told = shown("audit", root, "--json")
    assert code == NotRepeatable.exit_code
    assert "the code of grown has changed" in json.loads(told)["code"]


def test_what_a_strategy_raises_is_told_as_the_users(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = "found = []"
    (folder / "grown.py").write_text(PLUGIN.replace(first, "raise ValueError('not today')", 1))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(SystemExit) as caught:
        main_with(["run", "c.yaml"])
    assert caught.value.code == UserError.exit_code
    told = capfd.readouterr().err
    line = PLUGIN[: PLUGIN.index(first)].count("\n") + 1
    assert f"line {line} has raised: ValueError: not today" in told
    assert "bug of evonas" not in told
    (log,) = folder.glob("evonas-*.log")
    assert "not today" in log.read_text()


def test_what_a_strategy_gives_is_told_as_the_users_and_nothing_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    last = "return found\n\n    def alternatives"
    odd = PLUGIN.replace(last, "return found if self._asked < 9 else [{}]\n\n    def alternatives")
    (folder / "grown.py").write_text(odd)
    with pytest.raises(SystemExit) as caught:
        main_with(["run", "c.yaml"])
    assert caught.value.code == UserError.exit_code
    told = capfd.readouterr().err
    assert "c.yaml: strategy.grown:Walk: ask must give a list of Proposal. Received: {}." in told
    del sys.modules["grown"]
    (folder / "grown.py").write_text(PLUGIN)
    run = lifecycle.work(folder / "runs" / "grown", accept_changed_code=True)
    assert [trial.state for trial in run.trials] == [TrialState.OK] * 12
