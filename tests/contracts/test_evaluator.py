"""Every evaluator keeps the contract."""

from __future__ import annotations

import itertools
from pathlib import Path

from evonas.data.prepared import DataSettings
from evonas.data.sources import Wine
from evonas.evaluate.contract.evaluator import Evaluator
from evonas.evaluate.evaluators.function import FunctionEvaluator
from evonas.evaluate.evaluators.keras_training import KerasTraining
from evonas.evaluate.evaluators.registry import DEFAULT, EVALUATORS
from evonas.evaluate.evaluators.table import TableEvaluator
from evonas.testing import EvaluatorSuite

OPS = "space: s\ninput: none\nnetwork: {cell: {length: 2, ops: {a: {}, b: {}, c: {}}}}\n"


def table(folder: Path) -> Evaluator:
    """A row for each genome but one."""
    rows = ["cell.0.op,cell.1.op,val_loss@2,seconds@2"]
    for place, (first, second) in enumerate(itertools.product("abc", repeat=2)):
        rows.append(f"{first},{second},{place / 10},{1 + place}")
    (folder / "results.csv").write_text("\n".join(rows[:-1]) + "\n")
    return TableEvaluator(str(folder / "results.csv"))


class TestTable(EvaluatorSuite):
    members = {"table": table}
    space = OPS


class TestFunction(EvaluatorSuite):
    members = {"python": lambda folder: FunctionEvaluator("tests.contracts.test_evaluator:score")}
    space = OPS
    plugins = ("tests.contracts.test_evaluator",)


class TestKeras(EvaluatorSuite):
    members = {"keras": lambda folder: KerasTraining()}
    data = DataSettings("vector", Wine())
    genomes = 2


def score(genome):
    """A made-up loss, which some genomes do not have."""
    ops = [gene.op for gene in genome["cell"]]
    return {"val_loss": float("nan") if ops == ["c", "a"] else ops.count("a") / 2}


def test_every_evaluator_is_held_to_it() -> None:
    held = {name for suite in (TestTable, TestFunction) for name in suite.members}
    assert held == set(EVALUATORS)
    assert KerasTraining() == DEFAULT
