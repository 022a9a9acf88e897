"""optuna and dngo in whole runs: compared on a table, audited, and on a space of numbers only."""

from __future__ import annotations

import itertools
import statistics
from pathlib import Path

import pytest

from evonas import api, lifecycle, view
from evonas.experiments import compare
from evonas.runtime.audit import audit
from evonas.runtime.config.config_file import load_config
from evonas.testing import content

OPS = "abcd"
SPACE = "space: s\ninput: none\nnetwork: {cell: {length: 3, ops: {a: {}, b: {}, c: {}, d: {}}}}\n"
CONFIG = """\
space: ./s.yaml
evaluator: {table: {path: t.csv}}
objective: val_accuracy
training: {epochs: 1}
budget: {trials: 16}
pool: {simulated: {workers: 3}}
look_ahead: 4
"""
EXPERIMENT = """\
experiment: strategies
config: ./c.yaml
seeds: [0, 1]
strategies:
  random: random
  tpe: {optuna: {sampler: {tpe: {initial: 5}}}}
  dngo: {model_based: {surrogate: {dngo: {layers: 1, units: 10}}, initial: 5, candidates: 20}}
  screened:
    screened:
      inner: random
      surrogate: {dngo: {layers: 1, units: 10}}
      factor: 10
      warmup: 5
"""
SPHERE = """\
space: sphere
input: none
network: {point: {ops: {p: {x: {float: [-5, 5]}, y: {float: [-5, 5]}}}}}
"""
SPHERE_CONFIG = """\
space: ./s.yaml
evaluator: {python: {function: 'my_sphere_3:evaluate'}}
plugins: [my_sphere_3]
objective: {name: loss, direction: min}
pool: {simulated: {workers: 2}}
look_ahead: 3
strategy: optuna
budget: {trials: 40}
"""
FUNCTION = """\
def evaluate(genome):
    (point,) = genome["point"]
    return {"loss": point.parameters["x"] ** 2 + point.parameters["y"] ** 2}
"""


def test_an_experiment_on_a_table(tmp_path: Path) -> None:
    lines = ["cell.0.op,cell.1.op,cell.2.op,val_accuracy@1"]
    for ops in itertools.product(OPS, repeat=3):
        lines.append(
            f"{','.join(ops)},{sum((place + 1) * OPS.index(op) for place, op in enumerate(ops))}"
        )
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "s.yaml").write_text(SPACE)
    (tmp_path / "c.yaml").write_text(CONFIG)
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    found = compare(tmp_path / "e.yaml", runs=tmp_path / "runs")
    assert set(found.results) == {"random", "tpe", "dngo", "screened"}
    for label in found.results:
        for seed in (0, 1):
            root = tmp_path / "runs" / "strategies" / f"{label}-{seed}"
            assert len([trial for trial in view.load(root).trials if trial.twin_of is None]) == 16
            assert audit(root).is_repeated
    assert (tmp_path / "runs" / "strategies" / "comparison.html").is_file()


def test_numbers_only_judged_by_a_function_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_sphere_3.py").write_text(FUNCTION)
    (tmp_path / "s.yaml").write_text(SPHERE)
    (tmp_path / "c.yaml").write_text(SPHERE_CONFIG)
    monkeypatch.syspath_prepend(tmp_path)
    contents = []
    for budgets in ((40,), (17, 40)):
        root = lifecycle.create(
            load_config(tmp_path / "c.yaml", [f"budget.trials={budgets[0]}"]), tmp_path / "runs"
        )[0]
        run = lifecycle.work(root)
        for trials in budgets[1:]:
            run = api.resume(root, overrides=[f"budget.trials={trials}"])
        contents.append(content(root))
        assert run.best is not None
        assert audit(root).is_repeated
    assert contents[0] == contents[1]
    losses = [trial.fitness.value for trial in run.trials if trial.fitness]
    assert statistics.median(losses[-10:]) < statistics.median(losses[:10]) / 3
