"""What frees a slot: three clocks and three limits on memory, each shown on real processes."""

from __future__ import annotations

import inspect
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from evonas import memory
from evonas.evaluate.contract.pool import Finished, Progress, Report
from evonas.evaluate.contract.protocol import Job
from evonas.evaluate.local import (
    bootstrap,
    channel,
    fork_server,
    fork_server_launcher,
    memory_guard,
    reaper,
    slot,
    subprocess_launcher,
    worker_log,
)
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.pools import local
from evonas.evaluate.pools.local import LocalPool
from evonas.memory import MIB, Free, Memory
from evonas.testing.jobs import make_export, make_job, make_setup, stub_genome
from evonas.trial import Outcome, TrialState

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc, and uses the fork server"
)

UNLIMITED = MemoryLimits(growth=None, worker=None, floor=0)
HANGS = [
    "hang",
    "stop",
    "ignore",
    "half",
    "child, hang",
    "daemon, hang",
    "print",
    "alive, hang",
    "epoch, hang",
]


@pytest.fixture
def open_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., LocalPool]]:
    """A pool of workers that do what the genome says, unlimited unless a test says more."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    opened: list[LocalPool] = []

    def make(workers: int = 1, prefer: Any = "fork_server", **options: Any) -> LocalPool:
        start = lambda: start_launcher("misbehaving:serve", ["misbehaving"], prefer)  # noqa: E731
        device_shares = [DeviceShare(number) for number in range(workers)]
        options = {"memory_limits": UNLIMITED, **options}
        opened.append(
            LocalPool(make_setup(tmp_path), device_shares, start, tmp_path / "logs", **options)
        )
        return opened[-1]

    yield make
    for pool in opened:
        pool.close()


def act(what: str, trial: int = 0, kind: str = "train", **genome: Any) -> Job:
    make = make_export if kind == "export" else make_job
    return make(trial, genome=stub_genome(act=what, **genome))


def drain(pool: LocalPool) -> list[Report]:
    reports: list[Report] = []
    while pool.running:
        reports += pool.poll(5.0)
    return reports


def outcome_of(pool: LocalPool, what: str, **genome: Any) -> Outcome:
    pool.submit(act(what, **genome))
    (outcome,) = [report.outcome for report in drain(pool) if isinstance(report, Finished)]
    return outcome


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], object]) -> None:
    """Until it is so. A test that waits for ever is ended by pytest-timeout."""
    while not condition():
        time.sleep(0.005)


def members(group: int) -> list[int]:
    """The living processes of a group."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def group_of(pool: LocalPool, trial: int = 0) -> int:
    """Of the worker that has this trial."""
    (group,) = [
        slot.group for slot in pool._slots if slot.job is not None and slot.job.trial == trial
    ]
    assert group is not None
    return group


@pytest.mark.parametrize("what", HANGS)
def test_a_hang_frees_its_slot_leaves_no_process_and_disturbs_nobody(
    open_pool: Callable[..., LocalPool], what: str
) -> None:
    pool = open_pool(workers=2, time_limit=1.5)
    pool.submit(act(what, 1))
    hanging = group_of(pool, 1)
    pool.submit(act("answer", 2))
    finished: dict[int, Outcome] = {}
    while pool.running:
        for report in pool.poll(1.0):
            if isinstance(report, Finished):
                assert report.job.trial not in finished
                finished[report.job.trial] = report.outcome
        if pool.running == 1 and 1 not in finished:
            pool.submit(act("answer", 2 + len(finished)))
    timeout = finished.pop(1)
    assert (timeout.state, timeout.details.clock) == (TrialState.TIMEOUT, "trial")
    assert "The time limit of 1.5 s for one trial (limits.seconds)" in timeout.message
    assert members(hanging) == []
    if found := re.search(r"child (\d+)", timeout.details.log):
        wait_for(lambda: is_gone(int(found[1])))
    assert ("child" in timeout.details.log) == (what in ("child, hang", "daemon, hang"))
    assert {outcome.state for outcome in finished.values()} == {TrialState.OK}
    pids = {outcome.details.more["pid"] for outcome in finished.values()}
    assert hanging not in pids
    assert len(pids) <= 1 + len(finished) // 20, (
        "the other worker is recycled after 20 jobs, for no other reason"
    )
    assert outcome_of(pool, "answer").state is TrialState.OK


@pytest.mark.parametrize("what", ["stop", "ignore", "child, hang", "half"])
def test_without_the_fork_server_it_is_the_same(
    open_pool: Callable[..., LocalPool], what: str
) -> None:
    pool = open_pool(prefer="subprocess", time_limit=0.5)
    pool.submit(act(what))
    group = group_of(pool)
    drain(pool)
    assert members(group) == []
    assert outcome_of(pool, "answer").state is TrialState.OK


@pytest.mark.parametrize("what", ["hang", "half", "stop", "epoch, hang", "print"])
def test_without_a_sign_of_life_a_training_is_ended(
    open_pool: Callable[..., LocalPool], what: str
) -> None:
    pool = open_pool(stalled_limit=0.5, time_limit=600.0)
    outcome = outcome_of(pool, what)
    assert (outcome.state, outcome.details.clock) == (TrialState.TIMEOUT, "stalled")
    assert "no sign of life for 0.5 s (limits.stalled_seconds)" in outcome.message
    assert outcome_of(pool, "answer").state is TrialState.OK


def test_signs_of_life_keep_a_training_alive_and_are_no_reports(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool(stalled_limit=0.5)
    pool.submit(act("alive", times=25))
    reports = drain(pool)
    assert [report.outcome.state for report in reports if isinstance(report, Finished)] == [
        TrialState.OK
    ]
    assert not any(isinstance(report, Progress) for report in reports)


def test_signs_of_life_do_not_stop_the_clock_of_the_trial(
    open_pool: Callable[..., LocalPool],
) -> None:
    outcome = outcome_of(open_pool(stalled_limit=60.0, time_limit=0.5), "alive, hang")
    assert outcome.details.clock == "trial"


def test_no_clock_bounds_an_export(open_pool: Callable[..., LocalPool]) -> None:
    pool = open_pool(stalled_limit=0.05, time_limit=0.05)
    pool.submit(act("alive", kind="export", times=10))
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    assert answer.outcome.state is TrialState.OK


def test_a_clock_on_the_wall_that_jumps_by_hours_is_not_looked_at(
    open_pool: Callable[..., LocalPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, real = random.Random(0), time.time
    monkeypatch.setattr(time, "time", lambda: real() + chance.choice([-3600.0, 0.0, 3600.0]))
    pool = open_pool(stalled_limit=60.0, time_limit=120.0)
    assert outcome_of(pool, "alive", times=10).state is TrialState.OK
    assert outcome_of(open_pool(time_limit=0.5), "hang").details.clock == "trial"
    assert outcome_of(open_pool(stalled_limit=0.5), "hang").details.clock == "stalled"


@pytest.mark.parametrize(
    "module",
    [
        bootstrap,
        channel,
        fork_server,
        fork_server_launcher,
        local,
        memory,
        memory_guard,
        reaper,
        slot,
        subprocess_launcher,
        worker_log,
    ],
    ids=str,
)
def test_the_supervisor_never_asks_the_clock_on_the_wall(module: Any) -> None:
    source = inspect.getsource(module)
    assert not re.search(r"\btime\.(time|localtime|gmtime)|\bdatetime\b|from time import", source)


@pytest.mark.parametrize("what", ["leak, hang", "leak in a child, hang"])
def test_a_worker_beyond_its_memory_is_ended_with_its_children(
    open_pool: Callable[..., LocalPool], what: str
) -> None:
    pool = open_pool(workers=2, memory_limits=MemoryLimits(growth=None, worker=150 * MIB, floor=0))
    pool.submit(act("alive", 1, times=30))
    pool.submit(act(what, 0, mib=250))
    group = group_of(pool, 0)
    finished = {
        report.job.trial: report.outcome for report in drain(pool) if isinstance(report, Finished)
    }
    assert finished[1].state is TrialState.OK
    assert finished[0].state is TrialState.OOM_HOST
    assert re.search(
        r"took \d+ MiB of memory; the limit, pool.local.memory_mb, is 150 MiB", finished[0].message
    )
    assert finished[0].details.log is not None
    assert members(group) == []


class Scarce(Memory):
    """The host has no memory while a process group takes more than `most`; the rest is real."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.pools: list[LocalPool] = []

    def free(self) -> Free:
        groups = [
            group
            for pool in self.pools
            for slot in pool._slots
            if (group := slot.group) is not None
        ]
        sizes = super().of_groups(groups)
        return Free(
            MIB if any(size > self.most for size in sizes.values()) else 10**12, "this machine"
        )


def test_below_the_floor_the_largest_worker_is_ended_and_no_other(
    open_pool: Callable[..., LocalPool],
) -> None:
    scarce = Scarce(150 * MIB)
    pool = open_pool(
        workers=3, memory_limits=MemoryLimits(None, None, floor=64 * MIB), memory=scarce
    )
    scarce.pools.append(pool)
    pool.submit(act("alive", 0, times=40))
    pool.submit(act("leak", 1, mib=50))
    pool.submit(act("leak, hang", 2, mib=300))
    finished = {
        report.job.trial: report.outcome for report in drain(pool) if isinstance(report, Finished)
    }
    assert {trial: outcome.state.value for trial, outcome in finished.items()} == {
        0: "ok",
        1: "ok",
        2: "oom_host",
    }
    assert re.match(
        r"Only 1 MiB of memory were free on this machine, .* keeps 64 MiB free", finished[2].message
    )


def test_below_the_floor_idle_workers_go_first_and_cost_no_trial(
    open_pool: Callable[..., LocalPool],
) -> None:
    scarce = Scarce(150 * MIB)
    pool = open_pool(
        workers=2, memory_limits=MemoryLimits(None, None, floor=64 * MIB), memory=scarce
    )
    pool.submit(act("alive", 0, times=2))
    pool.submit(act("leak", 1, mib=300))
    leaking = group_of(pool, 1)
    drain(pool)
    scarce.pools.append(pool)
    pool.submit(act("alive", 2, times=40))
    assert group_of(pool, 2) != leaking
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    assert answer.outcome.state is TrialState.OK
    assert is_gone(leaking)


def test_the_real_readings_end_a_worker_when_the_floor_is_higher_than_the_host(
    open_pool: Callable[..., LocalPool],
) -> None:
    outcome = outcome_of(open_pool(memory_limits=MemoryLimits(None, None, floor=2**60)), "hang")
    assert outcome.state is TrialState.OOM_HOST
    assert re.match(r"Only [\d,]+ MiB of memory were free on this machine", outcome.message)
    assert "pool.local.free_memory_mb" in outcome.message


def test_a_worker_that_has_grown_is_replaced_after_its_job(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool(memory_limits=MemoryLimits(growth=100 * MIB, worker=None, floor=0))
    outcomes = [outcome_of(pool, "leak", mib=40) for _ in range(6)]
    assert {outcome.state for outcome in outcomes} == {TrialState.OK}
    pids = [outcome.details.more["pid"] for outcome in outcomes]
    assert [pids.index(pid) for pid in pids] == [0, 0, 0, 3, 3, 3]


class Kernel(Memory):
    """Has killed one more process for want of memory each time that it is asked."""

    kills = 0

    def oom_kills(self) -> int:
        self.kills += 1
        return self.kills


def test_a_worker_that_the_kernel_kills_for_memory_is_no_crash(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool(memory=Kernel())
    outcome = outcome_of(pool, "kill")
    assert outcome.state is TrialState.OOM_HOST
    assert "The kernel killed the worker" in outcome.message
    assert outcome_of(pool, "segfault").state is TrialState.CRASHED
    assert outcome_of(open_pool(), "kill").state is TrialState.CRASHED


def test_the_kernel_would_rather_kill_a_worker_than_the_driver(
    open_pool: Callable[..., LocalPool],
) -> None:
    pool = open_pool()
    pid = outcome_of(pool, "answer").details.more["pid"]
    badness = [int(Path(f"/proc/{who}/oom_score_adj").read_text()) for who in ("self", pid)]
    assert badness[0] < badness[1]


def test_a_log_that_is_printed_to_without_end_stays_small(
    open_pool: Callable[..., LocalPool], tmp_path: Path
) -> None:
    pool = open_pool()
    pool.submit(act("print"))
    worker = psutil.Process(group_of(pool))
    most = 0

    def has_written_much() -> bool:
        nonlocal most
        assert pool.poll(0.1) == []
        most = max(most, sum(path.stat().st_size for path in (tmp_path / "logs").iterdir()))
        return worker.io_counters().write_chars > 4 * worker_log.SIZE_LIMIT

    wait_for(has_written_much)
    assert worker_log.SIZE_LIMIT < most <= 2 * worker_log.SIZE_LIMIT
    worker.kill()
    (answer,) = drain(pool)
    assert isinstance(answer, Finished)
    assert answer.outcome.state is TrialState.CRASHED
    assert answer.outcome.details.log
    assert outcome_of(pool, "answer").state is TrialState.OK
