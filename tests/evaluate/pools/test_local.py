"""The local pool with real workers that crash, hang, stop, talk nonsense or leave children."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from evonas.clock import AwakeClock
from evonas.errors import DiskFailure, NoWorker
from evonas.evaluate.contract.pool import Finished, Report
from evonas.evaluate.contract.protocol import Job
from evonas.evaluate.local import channel
from evonas.evaluate.local import slot as slot_module
from evonas.evaluate.local.devices import Device, DeviceShare
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher
from evonas.evaluate.local.launcher import Launcher
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools import local
from evonas.evaluate.pools.local import LocalPool
from evonas.testing.jobs import make_job, make_setup, stub_genome
from evonas.testing.stub_worker import VARIABLE, stub_outcome
from evonas.trial import Outcome, TrialState

ENTRY = "misbehaving:serve"


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Launcher]:
    """A launcher of workers that do what the genome says."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "local"))
    return lambda: start_launcher(ENTRY, ["misbehaving"])


@pytest.fixture
def open_pool(launch: Callable[[], Launcher], tmp_path: Path) -> Iterator[Callable[..., LocalPool]]:
    opened: list[LocalPool] = []

    def make(workers: int = 1, plugins: tuple[str, ...] = (), **options: Any) -> LocalPool:
        setup = make_setup(tmp_path, plugins=plugins)
        shares = [DeviceShare(number) for number in range(workers)]
        opened.append(LocalPool(setup, shares, launch, tmp_path / "logs", **options))
        return opened[-1]

    yield make
    for pool in opened:
        pool.close()


def act(what: str, trial: int = 0) -> Job:
    return make_job(trial, genome=stub_genome(act=what))


def drain(pool: LocalPool) -> list[Report]:
    reports: list[Report] = []
    while pool.running:
        reports += pool.poll(5.0)
    return reports


def outcome_of(pool: LocalPool, what: str, trial: int = 0) -> Outcome:
    """What comes of a job that does this; the pool must be empty."""
    pool.submit(act(what, trial))
    reports = drain(pool)
    (answer,) = [report for report in reports if isinstance(report, Finished)]
    assert answer.job.trial == trial
    return answer.outcome


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], object]) -> None:
    """Until it is so. A test that waits for ever is ended by pytest-timeout."""
    while not condition():
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("exit", "ended with exit code 3"),
        ("raise", "ended with exit code 70"),
        ("raise in silence", "ended with exit code 70"),
        ("segfault", "killed by SIGSEGV"),
        ("kill", "killed by SIGKILL"),
        ("garbage", "not JSON"),
        ("nan", "not JSON"),
        ("other trial", "an answer for trial 1, attempt 0, where trial 0, attempt 0 is awaited"),
        ("half and exit", "ended with exit code 0"),
        ("hang up", "closed its connection"),
        ("noise", "ended with exit code 1"),
    ],
)
def test_what_a_worker_may_do_is_a_crash_of_its_job_and_of_no_other(
    open_pool: Callable[..., LocalPool], what: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_module, "HANG_UP_LIMIT", 0.1)
    pool = open_pool()
    before = outcome_of(pool, "answer").details.more["pid"]
    outcome = outcome_of(pool, what)
    assert outcome.state is TrialState.CRASHED
    assert words in outcome.message
    assert outcome.details.log is not None
    if what.startswith("raise"):
        assert "a bug of the worker" in outcome.details.log
    wait_for(lambda: is_gone(before))
    after = outcome_of(pool, "answer")
    assert after.state is TrialState.OK
    assert after.details.more["pid"] != before


def test_a_message_without_end_is_a_crash(
    open_pool: Callable[..., LocalPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evonas.evaluate.local.channel.Channel.__init__.__defaults__", (2**20,))
    outcome = outcome_of(open_pool(), "flood")
    assert outcome.state is TrialState.CRASHED
    assert "more than 1,048,576 bytes" in outcome.message


@pytest.mark.parametrize("what", ["hang", "stop", "ignore", "half"])
def test_past_the_time_limit_a_worker_is_killed_whatever_it_does(
    open_pool: Callable[..., LocalPool], what: str
) -> None:
    pool = open_pool(time_limit=0.3)
    pool.submit(act(what))
    workers = [process.pid for process in wait_for_workers(1)]
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    outcome = answer.outcome
    assert outcome.state is TrialState.TIMEOUT
    assert "0.3 s" in outcome.message
    assert all(map(is_gone, workers))


def test_one_bad_worker_does_not_disturb_the_others(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool(workers=3, time_limit=2.0)
    waiting = [
        act(what, trial)
        for trial, what in enumerate(["kill", "stop", "answer", "garbage", "answer", "answer"])
    ]
    states = {}
    while waiting or pool.running:
        while waiting and pool.running < pool.capacity:
            pool.submit(waiting.pop(0))
        for report in pool.poll(1.0):
            assert isinstance(report, Finished)
            states[report.job.trial] = report.outcome.state.value
    assert states == {0: "crashed", 1: "timeout", 2: "ok", 3: "crashed", 4: "ok", 5: "ok"}


@pytest.mark.parametrize("repeat", range(3))
def test_an_answer_before_the_exit_counts_however_much_of_it_is_unread(
    open_pool: Callable[..., LocalPool], monkeypatch: pytest.MonkeyPatch, repeat: int
) -> None:
    monkeypatch.setattr(channel, "CHUNKS", 1)  # most of it is unread when the worker is gone
    monkeypatch.setattr(channel, "CHUNK", 64)
    outcome = outcome_of(
        open_pool(), "answer and exit"
    )  # a pool each: a second job could meet the leaving worker
    assert outcome.state is TrialState.OK
    assert len(outcome.details.more["padding"]) == 100_000


def test_a_second_answer_costs_the_worker_and_no_trial(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool()
    first = outcome_of(pool, "twice")
    assert first.state is TrialState.OK
    wait_for(lambda: pool.poll(0.0) == [] and is_gone(first.details.more["pid"]))
    second = outcome_of(pool, "answer", trial=1)
    assert second.state is TrialState.OK
    assert second.details.more["pid"] != first.details.more["pid"]


def test_an_idle_worker_that_dies_is_replaced_and_no_job_is_lost(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool()
    for trial in range(3):
        pid = outcome_of(pool, "answer", trial).details.more["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: is_gone(pid))


def test_the_log_tail_is_of_the_job_bounded_and_readable(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool()
    tail = outcome_of(pool, "noise").details.log
    assert tail.splitlines()[-1] == "not utf-8: \ufffd"
    assert tail.splitlines()[0] == "line 961"
    assert len(tail.splitlines()) == 40
    later = outcome_of(pool, "exit", trial=1).details.log
    assert later == "about to go"


def test_an_error_told_by_the_worker_has_the_log_and_costs_the_worker(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool()
    outcome = outcome_of(pool, "error")
    assert outcome.state is TrialState.ERROR
    assert outcome.details.log == "a traceback"
    assert is_gone(outcome.details.more["pid"])


def test_a_worker_is_replaced_after_so_many_jobs(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool(recycle_after=3)
    pids = [outcome_of(pool, "answer", trial).details.more["pid"] for trial in range(7)]
    assert [pids.index(pid) for pid in pids] == [0, 0, 0, 3, 3, 3, 6]


def test_a_warm_worker_is_preferred_to_a_new_one(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool(workers=4)
    assert len({outcome_of(pool, "answer", trial).details.more["pid"] for trial in range(4)}) == 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("exit", "ended with exit code 70 before it was ready"),
        ("never", "not ready within 0.3 s"),
        ("babble", "not JSON"),
        ("hang up", "closed its connection"),
    ],
)
def test_workers_that_cannot_start_are_lost_and_then_given_up(
    open_pool: Callable[..., LocalPool], how: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_module, "HANG_UP_LIMIT", 0.1)
    pool = open_pool(plugins=(how,), start_limit=0.3 if how == "never" else 60.0)
    for trial in range(local.FAILED_STARTS):
        outcome = outcome_of(pool, "answer", trial)
        assert outcome.state is TrialState.LOST
        assert words in outcome.message
    with pytest.raises(NoWorker, match="3 workers in a row") as caught:
        pool.submit(act("answer", 3))
    assert ("the plugin is broken" in str(caught.value)) == (how == "exit")


def test_a_gpu_that_tensorflow_does_not_open_is_no_slow_success(
    launch: Callable[[], Launcher], tmp_path: Path
) -> None:
    share = DeviceShare(0, Device(0, "GPU-none", "NVIDIA H200", 2**37))
    with LocalPool(make_setup(tmp_path), [share], launch, tmp_path / "logs") as pool:
        outcome = outcome_of(pool, "answer")
        assert outcome.state is TrialState.LOST
        assert (
            "given GPU 0 (NVIDIA H200, 128 GiB), but TensorFlow has opened /device:CPU:0 only"
            in outcome.message
        )


def test_a_setup_larger_than_any_buffer_arrives(
    launch: Callable[[], Launcher], tmp_path: Path
) -> None:
    setup = make_setup(tmp_path, space="x" * 3 * 2**20)
    with LocalPool(setup, [DeviceShare(0)], launch, tmp_path / "logs") as pool:
        assert outcome_of(pool, "answer").state is TrialState.OK


def test_a_grandchild_ends_with_its_worker(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool()
    child = outcome_of(pool, "grandchild").details.more["child"]
    assert not is_gone(child)
    pool.close()
    wait_for(lambda: is_gone(child))


def test_a_grandchild_that_is_left_behind_ends_too(open_pool: Callable[..., LocalPool]) -> None:
    outcome = outcome_of(open_pool(), "grandchild, exit")
    assert outcome.state is TrialState.CRASHED
    child = int(outcome.details.log.split()[-1])
    wait_for(lambda: is_gone(child))


def test_cancelled_while_it_is_stopped(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool()
    pool.submit(act("stop"))
    (worker,) = wait_for_workers(1)
    wait_for(lambda: pool.poll(0.01) == [] and worker.status() == psutil.STATUS_STOPPED)
    pool.cancel(0)
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    assert answer.outcome.state is TrialState.CANCELLED
    assert is_gone(worker.pid)


def wait_for_workers(count: int) -> list[psutil.Process]:
    """The workers of this process: children of the fork server, or our own."""
    found: list[psutil.Process] = []

    def look() -> bool:
        everyone = psutil.Process().children(recursive=True)
        parents = {process.ppid() for process in everyone}
        found[:] = [process for process in everyone if process.pid not in parents]
        return len(found) == count

    wait_for(look)
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the fork server needs Linux")
def test_a_job_whose_fork_server_dies_is_lost_and_the_next_one_has_a_new_fork_server(
    open_pool: Callable[..., LocalPool], launch: Callable[[], Launcher], tmp_path: Path
) -> None:
    launcher = launch()
    assert isinstance(launcher, ForkServerLauncher)
    with LocalPool(
        make_setup(tmp_path), [DeviceShare(0), DeviceShare(1)], launcher, tmp_path / "logs"
    ) as pool:
        for trial in range(2):
            pool.submit(act("hang", trial))
        assert launcher.pid is not None
        os.kill(launcher.pid, signal.SIGKILL)
        outcomes = [report.outcome for report in drain(pool) if isinstance(report, Finished)]
        assert [outcome.state for outcome in outcomes] == [TrialState.LOST] * 2
        assert "fork server" in outcomes[0].message
        assert outcomes[0].details.cause == "fork server"
        assert outcome_of(pool, "answer").state is TrialState.OK


def test_close_leaves_no_process_and_no_socket(open_pool: Callable[..., LocalPool]) -> None:
    before = psutil.Process().num_fds()
    pool = open_pool(workers=3)
    for trial, what in enumerate(["stop", "hang", "ignore"]):
        pool.submit(act(what, trial))
    wait_for_workers(3)
    everyone = [process.pid for process in psutil.Process().children(recursive=True)]
    pool.close()
    assert all(map(is_gone, everyone))
    assert psutil.Process().num_fds() == before


def test_poll_comes_back_soon_while_a_job_goes_on(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool()
    pool.submit(act("hang"))
    for _ in range(3):
        assert pool.poll(1e6) == []
    assert pool.running == 1


def test_a_driver_that_was_stopped_finds_the_answer_and_not_the_time(
    open_pool: Callable[..., LocalPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = open_pool(time_limit=60.0)
    pool.submit(act("answer"))
    desk = pool._slots[0]
    while desk.phase is not slot_module.Phase.WORKING:
        desk.advance(time.monotonic())
    select.select([desk.channel], [], [])  # the answer has come, and nobody has read it
    later = time.monotonic() + 1e6
    monkeypatch.setattr(time, "monotonic", lambda: later)
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    assert answer.outcome.state is TrialState.OK


def test_time_in_which_the_driver_was_stopped_is_charged_to_nobody(
    open_pool: Callable[..., LocalPool],
) -> None:
    away = 0.0
    clock = AwakeClock(lambda: time.monotonic() + away)
    pool = open_pool(workers=2, time_limit=30.0, stalled_limit=20.0, clock=clock)
    start = pool.clock()
    pool.submit(act("hang", 0))
    pool.submit(act("hang", 1))
    wait_for_workers(2)
    for _ in range(3):
        assert pool.poll(0.2) == []
        away += 3600.0
    assert pool.poll(0.2) == []
    assert pool.running == 2
    assert pool.clock() - start < 3600.0
    for trial in range(2):
        pool.cancel(trial)
    outcomes = [report.outcome for report in drain(pool) if isinstance(report, Finished)]
    assert {outcome.state for outcome in outcomes} == {TrialState.CANCELLED}


def test_after_a_stop_of_the_driver_limits_are_what_they_were(
    open_pool: Callable[..., LocalPool],
) -> None:
    away = 0.0
    clock = AwakeClock(lambda: time.monotonic() + away)
    pool = open_pool(time_limit=0.8, clock=clock)
    pool.submit(act("hang"))
    while pool._slots[0].phase is not slot_module.Phase.WORKING:
        assert pool.poll(0.05) == []
    away += 3600.0
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    assert answer.outcome.state is TrialState.TIMEOUT
    assert 0.8 <= answer.outcome.seconds < 3600.0


def test_the_start_of_the_launcher_is_time_that_was_worked(
    launch: Callable[[], Launcher], tmp_path: Path
) -> None:
    now = 0.0
    clock = AwakeClock(lambda: time.monotonic() + now)

    def slowly() -> Launcher:
        nonlocal now
        now += 50.0
        return launch()

    setup, shares = make_setup(tmp_path), [DeviceShare(0)]
    with LocalPool(setup, shares, slowly, tmp_path / "logs", clock=clock) as pool:
        start = pool.clock()
        assert outcome_of(pool, "answer").state is TrialState.OK
        assert pool.clock() - start >= 50.0


def test_a_log_that_cannot_be_written_stops_the_run(
    launch: Callable[[], Launcher], tmp_path: Path
) -> None:
    (tmp_path / "logs").write_text("a file where a folder should be")
    with LocalPool(make_setup(tmp_path), [DeviceShare(0)], launch, tmp_path / "logs") as pool:
        with pytest.raises(DiskFailure, match="cannot be written"):
            pool.submit(act("answer"))
        assert pool.running == 0


def test_many_jobs_on_workers_that_crash_at_random_come_to_the_same_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"sleep": 0.002, "crash": 0.2}))
    setup = make_setup(tmp_path)
    waiting = [make_job(trial) for trial in range(120)]
    answers: dict[int, Outcome] = {}
    attempts = 0
    launcher = start_launcher("evonas.testing.stub_worker:serve", ["evonas.testing.stub_worker"])
    with LocalPool(
        setup, [DeviceShare(n) for n in range(4)], launcher, tmp_path / "logs", recycle_after=7
    ) as pool:
        while waiting or pool.running:
            while waiting and pool.running < pool.capacity:
                pool.submit(waiting.pop(0))
                attempts += 1
            for report in pool.poll(1.0):
                if isinstance(report, Finished) and report.outcome.state is TrialState.CRASHED:
                    waiting.append(replace(report.job, attempt=report.job.attempt + 1))
                elif isinstance(report, Finished):
                    assert report.job.trial not in answers
                    answers[report.job.trial] = report.outcome
    assert attempts > 120
    for trial, answer in answers.items():
        expected = stub_outcome(make_job(trial), setup)
        assert (answer.state, answer.metrics, answer.history) == (
            expected.state,
            expected.metrics,
            expected.history,
        )
    assert len(answers) == 120


DRIVER = """
import sys
from pathlib import Path
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools.local import LocalPool
from evonas.testing.jobs import make_setup, make_job, stub_genome

root = Path(sys.argv[1])
launcher = start_launcher("misbehaving:serve", prefer=sys.argv[2])
pool = LocalPool(make_setup(root), [DeviceShare(n) for n in range(3)], launcher, root / "logs")
for trial, what in enumerate(["hang", "ignore", "stop"]):
    pool.submit(make_job(trial, genome=stub_genome(act=what)))
while True:
    pool.poll(1.0)
    print(flush=True)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="ends a worker in mid-job on Linux only"
)
@pytest.mark.parametrize("prefer", ["fork_server", "subprocess"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_its_driver(tmp_path: Path, prefer: str, how: signal.Signals) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    path = os.pathsep.join([str(Path(__file__).parents[1] / "local"), *sys.path])
    driver = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), prefer],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
    )
    with driver:
        try:
            everyone: list[psutil.Process] = []
            expected = 5 if prefer == "fork_server" else 3

            def all_at_work() -> bool:
                everyone[:] = psutil.Process(driver.pid).children(recursive=True)
                states = [process.status() for process in everyone]
                return len(everyone) == expected and psutil.STATUS_STOPPED in states

            wait_for(all_at_work)
        finally:
            driver.send_signal(how)
        assert driver.stdout is not None
        driver.stdout.close()
    wait_for(lambda: all(is_gone(process.pid) for process in everyone))


HALF_STARTED = """
import sys
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher

print(flush=True)
ForkServerLauncher("misbehaving:serve", ["endless"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the fork server needs Linux")
@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_fork_server_in_its_start_does_not_outlive_its_driver(
    tmp_path: Path, is_stopped: bool
) -> None:
    (tmp_path / "endless.py").write_text(
        f"import time\nopen({str(tmp_path / 'begun')!r}, 'w').close()\ntime.sleep(1000)\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    driver = subprocess.Popen(
        [sys.executable, "-c", HALF_STARTED], env={**os.environ, "PYTHONPATH": path}
    )
    with driver:
        wait_for((tmp_path / "begun").exists)
        below = psutil.Process(driver.pid).children(recursive=True)
        assert len(below) == 2
        if is_stopped:
            below[-1].suspend()
        driver.kill()
    wait_for(lambda: all(is_gone(process.pid) for process in below))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_ctrl_c_in_the_terminal_hits_the_driver_only(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool()
    pool.submit(act("hang"))
    wait_for_workers(1)
    own = os.getpgrp()
    assert all(
        os.getpgid(process.pid) != own for process in psutil.Process().children(recursive=True)
    )
    assert all(
        os.getsid(process.pid) != os.getsid(0)
        for process in psutil.Process().children(recursive=True)
    )


def test_a_retry_gets_a_worker_without_a_past(open_pool: Callable[..., LocalPool]) -> None:
    """An idle worker may owe a late answer, or lack the memory that it has leaked."""
    pool = open_pool(workers=2)
    first, second = (outcome_of(pool, "work", trial).details.more["pid"] for trial in (0, 1))
    assert first == second, "a first attempt takes the worker that waits"
    pool.submit(replace(act("work", 2), attempt=1))
    (third,) = (
        report.outcome.details.more["pid"] for report in drain(pool) if isinstance(report, Finished)
    )
    assert third != first
    pool.submit(act("work", 3))
    pool.submit(replace(act("work", 4), attempt=1))  # both slots have had a worker by now
    pids = {
        report.job.trial: report.outcome.details.more["pid"]
        for report in drain(pool)
        if isinstance(report, Finished)
    }
    assert pids[4] not in (first, third)
