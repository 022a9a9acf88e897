"""Workers that lie, come late, run out of memory, leak or die do not change a run's content."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from evonas.evaluate.contract.answers import BadAnswer, read_answer
from evonas.evaluate.contract.claims import verified
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import encode, outcome_to_json
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content, make_job, make_run, make_setup
from evonas.testing.lies import LIES, lie
from evonas.testing.stub_worker import run_stub
from evonas.trial import Outcome, TrialState

HABITS = {
    "lying": {"lie": 0.4},
    "late": {"late": 0.3, "late_by": 0.05, "sleep": 0.01},
    "out of memory": {"oom_host": 0.3},
    "leaking": {"leak": 20.0},
    "everything": {
        "lie": 0.1,
        "late": 0.1,
        "late_by": 0.02,
        "oom_host": 0.1,
        "crash": 0.1,
        "leak": 5.0,
        "sleep": 0.01,
    },
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, stub_runs) -> list[tuple[object, ...]]:
    """The content of a run in which nothing goes wrong."""
    root = make_run(tmp_path_factory.mktemp("honest"), "budget.trials=40")
    stub_runs("work", root, 2)
    return content(root)


@pytest.mark.parametrize(
    "habit",
    [
        name if name == "everything" else pytest.param(name, marks=pytest.mark.full)
        for name in HABITS
    ],
)
def test_whatever_workers_do_the_content_is_the_same(
    tmp_path: Path, stub_runs, honest, habit: str
) -> None:
    root = make_run(tmp_path, "budget.trials=40")
    stub_runs("work", root, 3, **HABITS[habit])
    with RecordReader(root / "run.db") as record:
        attempts = record.attempts()
    states = Counter(attempt.state for attempt in attempts)
    if habit == "out of memory":
        assert states["oom_host"] > 3
    elif habit != "leaking":
        assert states["crashed"] > 3, "they must have been found out, or this shows nothing"
    assert content(root) == honest


def truth(tmp_path: Path) -> tuple[Outcome, bytes]:
    """What an honest worker answers to trial 0, and its line."""
    outcome = run_stub(make_setup(tmp_path), make_job(0), lambda epoch, metrics: None)
    assert outcome.state is TrialState.OK
    return outcome, encode({"outcome": {"trial": 0, "attempt": 0, **outcome_to_json(outcome)}})


@pytest.mark.parametrize("name", LIES)
def test_every_lie_is_found_out(tmp_path: Path, name: str) -> None:
    outcome, line = truth(tmp_path)
    setup, job = make_setup(tmp_path), make_job(0)
    answer = read_answer(line.rstrip(), job)
    assert answer == outcome
    assert verified([Finished(job, outcome)], setup) == [Finished(job, outcome)]
    try:
        spoilt = read_answer(lie(name, line).rstrip(), job)
    except BadAnswer:
        return
    assert isinstance(spoilt, Outcome)
    (report,) = verified([Finished(job, spoilt)], setup)
    assert isinstance(report, Finished)
    assert report.outcome.state is TrialState.CRASHED
    assert "worker told of" in report.outcome.message


def test_a_success_without_the_objective_is_none(tmp_path: Path) -> None:
    job = make_job(0)
    (report,) = verified(
        [Finished(job, Outcome(TrialState.OK, {"loss": 1.0}))], make_setup(tmp_path)
    )
    assert isinstance(report, Finished)
    assert report.outcome.state is TrialState.CRASHED
    assert "val_loss" in report.outcome.message


def test_lies_are_lines_of_json(tmp_path: Path) -> None:
    _, line = truth(tmp_path)
    for name in LIES:
        spoilt = lie(name, line)
        assert spoilt.count(b"\n") == 1
        assert spoilt.endswith(b"\n")
        assert json.loads(spoilt) != json.loads(line), name
