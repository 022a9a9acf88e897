from __future__ import annotations

import json
from typing import Any

import pytest

from evonas.evaluate.contract.answers import Alive, BadAnswer, Code, Epoch, Ready, read_answer
from evonas.evaluate.contract.protocol import encode, outcome_to_json
from evonas.evaluate.contract.user_code import UNREADABLE, Source
from evonas.testing.jobs import make_job
from evonas.trial import Cause, Details, Outcome, Stopped, TrialState

JOB = make_job(3, attempt=1)
NAME = {"trial": 3, "attempt": 1}


def line(**message: Any) -> bytes:
    return json.dumps(message).encode()


def outcome(**changes: Any) -> bytes:
    return line(outcome={**NAME, "state": "ok", **changes})


def test_ready() -> None:
    assert read_answer(line(ready={"pid": 1}), None) == Ready()
    assert read_answer(line(ready={"protocol": 1, "devices": ["/device:CPU:0"]}), None) == Ready(
        ("/device:CPU:0",)
    )


def test_progress_keeps_the_numbers() -> None:
    message = line(
        progress={
            **NAME,
            "epoch": 2,
            "metrics": {"loss": 1, "val_loss": 0.5, "bad": None, "worse": "x"},
        }
    )
    assert read_answer(message, JOB) == Epoch(2, {"loss": 1, "val_loss": 0.5})


def test_code_is_told_with_or_without_a_job() -> None:
    sources = {"mine": Source("ab" * 32, "/a/mine.py"), "w.txt": Source(UNREADABLE, "/a/w.txt")}
    for job in (None, JOB):
        assert read_answer(encode({"imported": sources}), job) == Code(sources)


@pytest.mark.parametrize(
    "source",
    ["ab" * 32, ["ab" * 32], ["ab" * 31, "/a"], [1, "/a"], ["ab" * 32, 1], None, {}],
)
def test_code_that_is_no_sha256_and_path_is_refused(source: object) -> None:
    with pytest.raises(BadAnswer, match="no sha256 and path"):
        read_answer(line(imported={"mine": source}), None)


def test_code_that_no_record_could_hold_is_refused() -> None:
    with pytest.raises(BadAnswer, match="no text"):
        read_answer(line(imported={"mine": ["ab" * 32, "\ud800"]}), None)


def test_a_sign_of_life_is_of_the_job() -> None:
    assert read_answer(line(alive=NAME), JOB) == Alive()
    with pytest.raises(BadAnswer, match="where no answer is awaited"):
        read_answer(line(alive=NAME), None)


def test_an_outcome_comes_back_as_it_was_sent() -> None:
    sent = Outcome(
        TrialState.OK,
        {"val_loss": 0.5},
        3,
        1.5,
        {"loss": [1.0, 0.5]},
        "",
        {JOB.weights: "ab" * 32},
        Details(
            stopped=Stopped(3, 30, 0.12, 0.02),
            test={"test_loss": 0.7},
            batch_size=16,
            cause=Cause.DISK,
            clock="trial",
            log="",
            accumulation_steps=2,
            cut_short=3,
            reused=0,
            more={"anything": [1, {"a": None}]},
        ),
    )
    assert read_answer(encode({"outcome": {**NAME, **outcome_to_json(sent)}}), JOB) == sent


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        line(ready=1),
        line(hello={}),
        line(ready={}, outcome={}),
        line(ready={"protocol": 99}),
        line(progress={**NAME, "metrics": {}}),
        line(progress={**NAME, "epoch": 1}),
        line(progress={**NAME, "trial": 4, "epoch": 1, "metrics": {}}),
        line(outcome={"trial": 3, "state": "ok"}),
        line(outcome={"trial": 3, "attempt": 0, "state": "ok"}),
        line(outcome=NAME),
        line(alive={}),
        line(alive={"trial": 3, "attempt": 0}),
        outcome(state="splendid"),
        outcome(state="waiting"),
        outcome(state=None),
        outcome(extra=1),
        outcome(metrics=[1]),
        outcome(metrics={"val_loss": "0.5"}),
        outcome(metrics={"val_loss": True}),
        outcome(metrics={"val_loss": None}),
        outcome(history={"loss": 1.0}),
        outcome(epochs=1.5),
        outcome(seconds="1"),
        outcome(message=None),
        outcome(files=[]),
        outcome(files={"weights/4.npz": "ab" * 32}),
        outcome(files={JOB.weights: "ab"}),
        outcome(files={JOB.weights: None}),
        outcome(metrics={"val_loss": 10**400}),
        outcome(metrics={"val_loss": 2**70}),
        outcome(history={"loss": ["1"]}),
        outcome(epochs=10**30),
        outcome(epochs=-1),
        outcome(message="\ud800"),
        line(outcome={"trial": "\ud800" * 1000, "attempt": 1, "state": "ok"}),
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "history": {"loss": [1e999]}}}',
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "details": {"a": [1e999]}}}',
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "details": {"log": 5}}}',
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "details": {"cause": "x"}}}',
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "details": {"stopped": {}}}}',
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "metrics": {"val_loss": NaN}}}',
        b'{"outcome": {"trial": 3, "attempt": 1, "state": "ok", "metrics": {"val_loss": 1e999}}}',
    ],
)
def test_what_is_not_the_protocol_is_refused(message: bytes) -> None:
    with pytest.raises(BadAnswer) as caught:
        read_answer(message, JOB)
    assert len(str(caught.value)) < 300
    str(caught.value).encode()  # it goes into the record


def test_nothing_is_awaited_where_there_is_no_job() -> None:
    with pytest.raises(BadAnswer, match="no answer is awaited"):
        read_answer(outcome(), None)
