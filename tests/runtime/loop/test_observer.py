"""Whatever an observer raises, the search goes on and the record ends the same."""

from __future__ import annotations

import logging

import pytest

from evonas.runtime.loop.observer import Observer, sheltered, teller
from evonas.testing.runs import content, make_run, work

METHODS = [name for name in vars(Observer) if name.startswith("on_")]


class Fails(Observer):
    """Raises at its n-th call, or at each from then on."""

    def __init__(self, at: int, for_ever: bool) -> None:
        self.at = at
        self.for_ever = for_ever
        self.calls = 0

    def _count(self, *_: object) -> None:
        self.calls += 1
        if self.calls == self.at or (self.for_ever and self.calls > self.at):
            raise BrokenPipeError(32, "Broken \x1b[2Jpipe")


for name in METHODS:
    setattr(Fails, name, Fails._count)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    root = make_run(tmp_path_factory.mktemp("whole"), "budget.trials=6")
    work(root, observers=[quiet := Fails(0, for_ever=False)])
    return content(root), quiet.calls


@pytest.mark.parametrize(("at", "for_ever"), [(1, True), (1, False), (9, True), (-1, False)])
def test_the_record_is_the_same(reference, tmp_path, at, for_ever, caplog):
    expected, calls = reference
    root = make_run(tmp_path, "budget.trials=6")
    failing = Fails(at if at > 0 else calls, for_ever)
    after = Fails(0, for_ever=False)
    assert work(root, observers=[failing, after]).is_finished
    assert content(root) == expected
    assert after.calls == failing.calls == calls
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "The observer Fails has failed in on_" in told[0]
    assert "test_observer.py" in told[0]
    assert "\x1b" not in told[0]


def test_every_method_is_behind_the_wall():
    (one,) = sheltered([Fails(1, for_ever=True)])
    for name in METHODS:
        method = getattr(one, name)
        count = method.__code__.co_argcount - 1
        method(*[None] * count)
    teller([Fails(1, for_ever=True)])("a note")
    assert sheltered([one]) == (one,)


def test_what_ends_the_program_passes():
    class Leaves(Observer):
        def on_note(self, text: str) -> None:
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        teller([Leaves()])("a note")


def test_a_log_that_fails_ends_nothing(monkeypatch):
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(logging.Logger, "handle", fail)
    teller([Fails(1, for_ever=True)])("a note")
