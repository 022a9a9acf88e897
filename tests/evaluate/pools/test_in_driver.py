"""Jobs in the driver's own process: what they raise is an outcome, and a Ctrl-C is the user's."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas.evaluate.contract.pool import Finished, Pool
from evonas.evaluate.contract.protocol import RunJob
from evonas.evaluate.pools.in_driver import outcome_of
from evonas.evaluate.pools.inline import InlinePool
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.runtime.loop.stopping import StopRequest, Urgency, stop_on_signals
from evonas.testing.jobs import make_job, make_setup
from evonas.trial import Outcome, TrialState

OK = Outcome(TrialState.OK, {"val_loss": 1.0}, seconds=1.0)


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def raising(error: BaseException) -> Callable[[], Outcome]:
    def work() -> Outcome:
        raise error

    return work


POOLS: list[Callable[[RunJob], Pool]] = [
    lambda run_job: InlinePool(make_setup(Path("nowhere")), run_job),
    lambda run_job: SimulatedPool(make_setup(Path("nowhere")), 2, run_job),
]


@pytest.mark.parametrize("open_pool", POOLS, ids=["inline", "simulated"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemExit(0), "SystemExit: 0"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (GeneratorExit("out"), "GeneratorExit: out"),
        (type("Odd", (BaseException,), {})("unheard of"), "Odd: unheard of"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_job_raises_is_its_outcome_and_the_pool_goes_on(
    open_pool: Callable[[RunJob], Pool], error: BaseException, words: str
) -> None:
    with open_pool(lambda setup, job, on_epoch: OK if job.trial else raising(error)()) as pool:
        for trial in range(2):
            pool.submit(make_job(trial))
            (answer,) = pool.poll(1.0)
            assert isinstance(answer, Finished)
            if trial == 0:
                assert answer.outcome.state is TrialState.ERROR
                assert answer.outcome.message == words
                assert "raise error" in answer.outcome.details.log
            else:
                assert answer.outcome.state is TrialState.OK


def swallow_ctrl_c() -> Outcome:
    try:
        press_ctrl_c()
    except KeyboardInterrupt:
        return OK
    raise AssertionError("unreachable")


@pytest.mark.parametrize("work", [press_ctrl_c, swallow_ctrl_c])
def test_a_real_ctrl_c_of_which_nobody_takes_care_is_raised(work: Callable[[], Outcome]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        outcome_of(work)
    assert signal.getsignal(signal.SIGINT) is before


def test_in_a_search_ctrl_c_is_noted_and_the_job_is_finished() -> None:
    stop = StopRequest()

    def work() -> Outcome:
        press_ctrl_c()
        return OK

    with stop_on_signals(stop):
        assert outcome_of(work) is OK
    assert stop.urgency is Urgency.FINISH


def test_a_job_cannot_take_the_users_ctrl_c_away() -> None:
    stop = StopRequest()

    def work() -> Outcome:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise SystemExit

    with stop_on_signals(stop):
        assert outcome_of(work).state is TrialState.ERROR
        press_ctrl_c()
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.urgency is Urgency.ABANDON


def test_elsewhere_than_in_the_main_thread_it_is_the_same() -> None:
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(outcome_of(raising(SystemExit(0)))))
    thread.start()
    thread.join()
    assert [outcome.message for outcome in found] == ["SystemExit: 0"]


def test_a_job_cannot_lead_the_driver_into_another_folder(tmp_path: Path) -> None:
    before = Path.cwd()

    def work() -> Outcome:
        os.chdir(tmp_path)
        return OK

    assert outcome_of(work) == OK
    assert Path.cwd() == before


@pytest.mark.parametrize("ends", [lambda: OK, lambda: sys.exit(3)])
def test_a_fork_of_a_job_is_no_second_driver(ends: Callable[[], Outcome], tmp_path: Path) -> None:
    def work() -> Outcome:
        child = os.fork()
        if not child:
            return ends()
        os.waitpid(child, 0)
        return OK

    assert outcome_of(work) == OK
    # A child that had come back would write here, too.
    with (tmp_path / "drivers").open("a") as file:
        file.write(f"{os.getpid()}\n")
    assert (tmp_path / "drivers").read_text() == f"{os.getpid()}\n"
