"""Evaluators besides Keras: what a table or a function says, as outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.prepared import DataSettings
from evonas.data.sources import Npz
from evonas.errors import InvalidConfig, UserError
from evonas.evaluate.contract.evaluator import WORKER, Question, described, evaluator_in
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Job, Setup
from evonas.evaluate.evaluators.function import FunctionCall, FunctionEvaluator, import_function
from evonas.evaluate.evaluators.judging import judged
from evonas.evaluate.evaluators.keras_training import KerasTraining
from evonas.evaluate.evaluators.table import TableEvaluator
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.subprocess_launcher import SubprocessLauncher
from evonas.evaluate.pools.local import LocalPool
from evonas.genome import Gene, Genome, parse_space, sample
from evonas.randomness import generator
from evonas.testing.jobs import make_job, make_setup
from evonas.trial import Details, Outcome, TrialState

SPACE = "space: s\ninput: none\nnetwork: {cell: {length: 2, ops: {a: {}, b: {}}}}\n"
TABLE = """\
cell.0.op,cell.1.op,val_loss@1,val_loss@9,test_loss@9,seconds@1,seconds@9
a,a,3,1,1.1,10,90
a,b,3,inf,1,10,90
b,a,3,,1,10,90
"""
ACCURACY = {"name": "val_accuracy", "direction": "max"}


def genome(*ops: str) -> Genome:
    genes = [Gene.make(op, {}, innovation=place) for place, op in enumerate(ops, 1)]
    return Genome((("cell", tuple(genes)),))


def ask(setup: Setup, job: Job, simulated: bool = False) -> Outcome:
    return evaluator_in(setup).open(setup, is_simulated=simulated)(
        setup, job, lambda epoch, metrics: None
    )


@pytest.fixture
def tabled(tmp_path: Path) -> Setup:
    (tmp_path / "t.csv").write_text(TABLE)
    return make_setup(
        tmp_path, space=SPACE, evaluator=described(TableEvaluator(str(tmp_path / "t.csv")))
    )


def test_a_table_tells_metrics_and_seconds_and_keeps_the_test_data_aside(tabled: Setup) -> None:
    outcome = ask(tabled, make_job(genome=genome("a", "a"), epochs=9))
    assert outcome == Outcome(
        TrialState.OK, {"val_loss": 1.0}, 9, 90.0, details=Details(test={"test_loss": 1.1})
    )


def test_a_continued_trial_costs_the_difference(tabled: Setup) -> None:
    outcome = ask(tabled, make_job(genome=genome("a", "a"), epochs=9, trained=1, resume_from="x"))
    assert (outcome.seconds, outcome.metrics) == (80.0, {"val_loss": 1.0})


@pytest.mark.parametrize(
    ("ops", "epochs", "state", "words"),
    [
        (("b", "b"), 9, TrialState.INFEASIBLE, "no such genome"),
        (("b", "a"), 9, TrialState.INFEASIBLE, "no val_loss"),
        (("a", "b"), 9, TrialState.DIVERGED, "val_loss was inf"),
        (("a", "a"), 5, TrialState.ERROR, "results at epochs 1, 9 only. Received: 5."),
    ],
)
def test_what_a_table_cannot_say(
    tabled: Setup, ops: tuple[str, ...], epochs: int, state: str, words: str
) -> None:
    outcome = ask(tabled, make_job(genome=genome(*ops), epochs=epochs))
    assert outcome.state is state
    assert words in outcome.message


def test_limits_hold_for_what_an_evaluator_measures() -> None:
    setup = make_setup(Path(), limits={"parameters": 10})
    outcome = judged({"val_loss": 1.0, "parameters": 11.0}, setup, 1.0, epochs=1)
    assert outcome.state is TrialState.INFEASIBLE
    assert "11, more than the limit of 10" in outcome.message


def plain(genome: Genome) -> dict[str, float]:
    return {"val_loss": 0.5 if genome["cell"][0].op == "a" else 1.5}


def timed(genome: Genome, epochs: int, seed: int, scale: float = 1.0) -> dict[str, float]:
    return {"val_loss": scale / epochs, "seconds": 2.0 * epochs, "seed": seed}


def call(
    function: Any, job: Job, arguments: Mapping[str, Any] | None = None, simulated: bool = False
) -> Outcome:
    return FunctionCall(function, arguments or {}, simulated)(
        make_setup(Path()), job, lambda *_: None
    )


def test_a_function_gets_what_it_takes() -> None:
    assert call(plain, make_job(genome=genome("b", "a"))).metrics == {"val_loss": 1.5}
    outcome = call(timed, make_job(4, genome=genome("b", "a"), epochs=4), {"scale": 2.0})
    assert (outcome.metrics, outcome.seconds) == ({"val_loss": 0.5, "seed": 4.0}, 8.0)
    assert call(timed, make_job(genome=genome("b", "a"), epochs=4, trained=1)).seconds == 6.0


@pytest.mark.parametrize("value", [0.5, math.nan, None])
def test_a_function_that_does_not_take_epochs_has_none(value: float | None) -> None:
    found = {"seconds": 1.0} if value is None else {"val_loss": value}
    job = make_job(genome=genome("a", "a"), epochs=4)
    assert call(lambda genome: dict(found), job).epochs == 0
    assert call(lambda genome, epochs: dict(found), job).epochs == 4
    assert call(lambda genome, **given: dict(found), job).epochs == 4


def test_without_seconds_an_epoch_counts_as_one_in_a_simulation() -> None:
    job = make_job(genome=genome("a", "a"), epochs=9, trained=3)
    assert call(plain, job, simulated=True).seconds == 6.0
    assert call(plain, job).seconds < 5.0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "must return a mapping"),
        ({"val_loss": "x"}, "metric 'val_loss' must be a number. Received: 'x'"),
        ({"val_loss": None}, "metric 'val_loss' must be a number. Received: None"),
        ({"val_loss": 10**400}, "metric 'val_loss' must be a number. Received: 1000"),
        ({"seconds": [1, 2]}, r"metric 'seconds' must be a number. Received: \[1, 2\]"),
        ({"val_loss": "x" * 5_000_000}, r"Received: 'x{76}\.\.\.$"),
        ({"half \ud800": 1}, r"name must be text of at most 200 characters. Received: 'half \\ud8"),
        ({"x" * 201: 1}, r"name must be text of at most 200 characters. Received: 'xxx"),
        ({str(n): n for n in range(1001)}, "at most 1,000 metrics. Received: 1,001"),
        ({"val_loss": 1, "seconds": -1}, "-1"),
    ],
)
def test_a_function_that_answers_badly(answer: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        call(lambda genome: answer, make_job(genome=genome("a", "a")))


def test_a_function_without_the_objective_is_an_error() -> None:
    outcome = call(lambda genome: {"loss": 1.0}, make_job(genome=genome("a", "a")))
    assert outcome.state is TrialState.ERROR
    assert "no val_loss among the metrics: loss" in outcome.message
    assert (
        call(lambda genome: {"val_loss": math.nan}, make_job(genome=genome("a", "a"))).state
        is TrialState.DIVERGED
    )


def test_a_function_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_problem_1.py").write_text("def evaluate(genome):\n    return {}\n")
    (tmp_path / "my_problem_2.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert callable(import_function("my_problem_1:evaluate"))
    with pytest.raises(UserError, match=r"no function 'evaluat'\. Did you mean 'evaluate'"):
        import_function("my_problem_1:evaluat")
    with pytest.raises(UserError, match="cannot be imported: ZeroDivisionError"):
        import_function("my_problem_2:evaluate")
    with pytest.raises(UserError, match="cannot be imported: ModuleNotFoundError"):
        import_function("my_problem_3:evaluate")


PROBLEM = """
import os

def evaluate(genome, epochs):
    print("hello from", genome["cell"][0].op)
    if genome["cell"][1].op == "b":
        os.abort()
    if genome["cell"][0].op == "b":
        raise RuntimeError("no luck")
    return {"val_loss": 1 / epochs, "val_accuracy": 0.5}
"""


def test_functions_run_in_worker_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_problem_4.py").write_text(PROBLEM)
    monkeypatch.syspath_prepend(tmp_path)
    evaluator = described(FunctionEvaluator("my_problem_4:evaluate"))
    setup = make_setup(tmp_path, space=SPACE, evaluator=evaluator, objective=ACCURACY)
    launcher = SubprocessLauncher(WORKER)
    answers = []
    with LocalPool(setup, [DeviceShare(0)], launcher, tmp_path / "logs") as pool:
        for trial, ops in enumerate([("a", "a"), ("b", "a"), ("a", "b"), ("a", "a")]):
            pool.submit(make_job(trial, genome=genome(*ops), epochs=4))
            while pool.running:
                answers += [report for report in pool.poll(1.0) if isinstance(report, Finished)]
    outcomes = [answer.outcome for answer in answers]
    assert [str(outcome.state) for outcome in outcomes] == ["ok", "error", "crashed", "ok"]
    assert outcomes[0].metrics == {"val_loss": 0.25, "val_accuracy": 0.5}
    assert outcomes[1].message == "RuntimeError: no luck"


def test_a_sampled_genome_reaches_the_function_whole() -> None:
    space = parse_space(SPACE, "s.yaml")
    seen = []

    def function(genome: Genome) -> dict[str, float]:
        seen.append(genome)
        return {"val_loss": 0.0}

    drawn = sample(space, generator(0, "sample", 0))
    call(function, make_job(genome=drawn))
    assert seen == [drawn]


AUC = ["val_loss", "val_auc", "val_f1_macro", "val_own:metric", "parameters"]
R2 = ["val_rmse", "val_r2"]


@pytest.mark.parametrize(
    ("task", "metrics", "targets", "undefined", "received"),
    [
        ("classification", AUC, [1, 1, 1], "val_auc", "3 targets of 1 distinct value"),
        ("classification", AUC, [1, 0], None, ""),
        ("regression", R2, [4.5], "val_r2", "1 target of 1 distinct value"),
        ("regression", R2, [4.5, 4.5], None, ""),
    ],
)
def test_a_metric_without_a_value_on_the_validation_data_is_refused(
    tmp_path: Path,
    task: str,
    metrics: list[str],
    targets: list[float],
    undefined: str | None,
    received: str,
) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    count = len(targets)
    path = tmp_path / "data.npz"
    np.savez(path, x=x, y=np.arange(40) % 2, x_val=x[:count], y_val=np.array(targets))
    data = DataSettings("vector", Npz(str(path)), task)
    keys = {name: f"key of {name}" for name in metrics}
    question = Question(parse_space(SPACE, "s"), "c.yaml", 3, frozenset({3}), "s", keys, data=data)
    if undefined is None:
        KerasTraining().prepare(question, tmp_path)
        return
    with pytest.raises(InvalidConfig) as caught:
        KerasTraining().prepare(question, tmp_path)
    (issue,) = caught.value.problems
    assert (issue.key, issue.file) == (keys[undefined], "c.yaml")
    assert issue.message.startswith(f"{undefined} has no value")
    assert received in issue.message
