"""`make bench-hangs`: the time from a limit until a hanging worker's slot is free again.

Also the time until the worker of a killed driver is gone. All processes are real. The workers are
those of `tests/evaluate/local/misbehaving.py`, which do what the genome says. When the driver is
killed, a worker is in one TensorFlow call that has no end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from benchmarks.machine import describe
from benchmarks.runs import RESULTS
from benchmarks.sections import paragraph
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.pools.local import LocalPool
from evonas.memory import MIB
from evonas.testing.jobs import make_job, make_setup, stub_genome
from evonas.trial import Outcome

REPEATS = 5
DRIVER_REPEATS = 3
WORKERS = Path(__file__).parent.parent / "tests" / "evaluate" / "local"
UNLIMITED = MemoryLimits(growth=None, worker=None, floor=0)
SMALL = MemoryLimits(growth=None, worker=150 * MIB, floor=0)

Prefer = Literal["fork_server", "subprocess"]


@dataclass(frozen=True)
class Hang:
    """One way not to answer.

    Attributes:
        words: what the worker does, for the table.
        act: the same, as an order for the worker.
        options: options of the pool, with the limit that shall strike.
        limit: limit in seconds, at whose end the measurement begins; 0 begins with the job.
        start: whether the worker misbehaves in its start instead of in its job.
        genome: further entries of the job's genome.
    """

    words: str
    act: str
    options: dict[str, Any] = field(default_factory=dict)
    limit: float = 0.0
    start: bool = False
    genome: dict[str, Any] = field(default_factory=dict)


def _of_trial(words: str, act: str) -> Hang:
    return Hang(words, act, {"time_limit": 1.0}, 1.0)


TRIAL = [
    _of_trial("sleeps", "hang"),
    _of_trial("is stopped (SIGSTOP)", "stop"),
    _of_trial("ignores SIGTERM", "ignore"),
    _of_trial("sends half a message", "half"),
    _of_trial("prints without end", "print"),
    _of_trial("says that it lives, and nothing else", "alive, hang"),
    _of_trial("has a child", "child, hang"),
]
FORK_SERVER_ONLY = [
    _of_trial("has a daemon in a session of its own", "daemon, hang"),
    Hang("no sign of life", "hang", {"stalled_limit": 1.0}, 1.0),
    Hang("no sign of life after an epoch", "epoch, hang", {"stalled_limit": 1.0}, 1.0),
    Hang("is never ready", "never", {"start_limit": 1.0}, 1.0, start=True),
    Hang("hangs up and stays (limit 1 s)", "hang up", {}, 1.0),
    Hang("dies by SIGKILL", "kill"),
    Hang("dies by SIGSEGV", "segfault"),
    Hang("sends garbage", "garbage"),
    Hang(
        "takes 250 MiB, the limit is 150",
        "leak, hang",
        {"memory_limits": SMALL},
        genome={"mib": 250},
    ),
    Hang(
        "has a child that does so",
        "leak in a child, hang",
        {"memory_limits": SMALL},
        genome={"mib": 250},
    ),
    Hang(
        "sleeps, below the floor of free memory",
        "hang",
        {"memory_limits": MemoryLimits(None, None, 2**60)},
    ),
]


def members(group: int) -> int:
    """The number of living processes of a group."""
    count = 0
    for process in psutil.process_iter():
        # a process can end between the listing and the question
        try:
            if os.getpgid(process.pid) == group:
                count += process.status() != psutil.STATUS_ZOMBIE
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return count


def finish(pool: LocalPool) -> Outcome:
    while pool.running:
        for report in pool.poll(5.0):
            if isinstance(report, Finished):
                return report.outcome
    raise AssertionError("no report")


@dataclass
class Row:
    """A line of the table.

    Attributes:
        hang: what the worker does.
        prefer: way in which the worker is started.
        seconds: time of each repeat.
        outcomes: outcomes of the jobs.
        left: number of processes that were left of the worker's group, over all repeats.
    """

    hang: Hang
    prefer: str
    seconds: list[float] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    left: int = 0

    def __str__(self) -> str:
        limit = f"{self.hang.limit:g} s" if self.hang.limit else "-"
        times = f"{statistics.median(self.seconds):.2f} | {max(self.seconds):.2f}"
        outcomes = ", ".join(self.outcomes)
        words = self.hang.words
        return f"| {words} | {self.prefer} | {limit} | {times} | {outcomes} | {self.left} |"


def measure(hang: Hang, prefer: Prefer = "fork_server") -> Row:
    row = Row(hang, prefer)
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            # the worker takes its first plugin for the way in which its start goes wrong
            plugins = (hang.act,) if hang.start else ()
            setup = make_setup(Path(folder), plugins=plugins)
            launcher = start_launcher("misbehaving:serve", ["misbehaving"], prefer)
            options = {"memory_limits": UNLIMITED, **hang.options}
            logs = Path(folder) / "logs"
            with LocalPool(setup, [DeviceShare(0)], launcher, logs, **options) as pool:
                if not hang.start and "memory_limits" not in hang.options:
                    # this worker has started when the clock does, so its next job begins at once
                    pool.submit(make_job(genome=stub_genome(act="answer")))
                    finish(pool)
                start = time.monotonic()
                pool.submit(make_job(genome=stub_genome(act=hang.act, **hang.genome)))
                # asked now: a slot whose worker has ended names no group
                group = pool._slots[0].group
                outcome = finish(pool)
                row.seconds.append(time.monotonic() - start - hang.limit)
                row.outcomes.add(outcome.state.value)
                row.left += members(group) if group is not None else 0
    print(row, flush=True)
    return row


@contextmanager
def jumping_wall_clock() -> Iterator[None]:
    """`time.time` of the driver is an hour early, right or an hour late, drawn at each call."""
    real = time.time
    chance = random.Random(0)
    time.time = lambda: real() + chance.choice([-3600.0, 0.0, 3600.0])
    try:
        yield
    finally:
        time.time = real


def flood() -> str:
    """The size of the log of a worker that prints for three seconds, as fast as it can."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        launcher = start_launcher("misbehaving:serve", ["misbehaving"])
        setup = make_setup(Path(folder))
        share = DeviceShare(0)
        with LocalPool(setup, [share], launcher, logs, memory_limits=UNLIMITED) as pool:
            pool.submit(make_job(genome=stub_genome(act="print")))
            sizes = [0]
            watching = True

            def watch() -> None:
                while watching:
                    size = sum(path.stat().st_size for path in logs.iterdir())
                    sizes.append(size)
                    time.sleep(0.002)

            watcher = threading.Thread(target=watch)
            watcher.start()
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                pool.poll(0.1)
            group = pool._slots[0].group
            assert group is not None
            # while the worker still runs: the counters end with the process
            written = psutil.Process(group).io_counters().write_chars
            watching = False
            watcher.join()
    most = max(sizes) / MIB
    return f"it wrote {written / MIB:,.0f} MiB; its logs never had more than {most:,.0f} MiB"


DRIVER = """
import sys
from pathlib import Path
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools.local import LocalPool
from evonas.testing.jobs import make_setup, make_job

root = Path(sys.argv[1])
launcher = start_launcher("endless:serve", ("tensorflow",), sys.argv[2])
pool = LocalPool(make_setup(root), [DeviceShare(0)], launcher, root / "logs")
pool.submit(make_job())
while True:
    pool.poll(1.0)
"""

ENDLESS = """
import json, socket
import tensorflow as tf
from evonas.evaluate.contract.protocol import encode

@tf.function
def run():
    return tf.while_loop(lambda i: i >= 0, lambda i: 1 - i, [tf.constant(0, tf.int64)])

def serve(fd):
    with socket.socket(fileno=fd) as connection, connection.makefile("rb") as lines:
        next(lines)
        connection.sendall(encode({"ready": {}}))
        next(lines)
        print("in the call", flush=True)
        run()
"""


def driver_killed(prefer: Prefer) -> float:
    """Seconds from the driver's SIGKILL until none of its processes is left."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "endless.py").write_text(ENDLESS)
        path = os.pathsep.join([folder, *sys.path])
        environment = {**os.environ, "PYTHONPATH": path}
        command = [sys.executable, "-c", DRIVER, folder, prefer]
        with subprocess.Popen(command, env=environment) as driver:
            log = Path(folder) / "logs" / "worker-0.log"
            wait_for(lambda: log.is_file() and "in the call" in log.read_text(errors="replace"))
            everyone = psutil.Process(driver.pid).children(recursive=True)
            worker = everyone[-1]
            before = worker.cpu_times().user
            # after two seconds of CPU, TensorFlow has traced the function and is in its loop
            wait_for(lambda: worker.cpu_times().user > before + 2)
            start = time.monotonic()
            driver.send_signal(signal.SIGKILL)
            wait_for(lambda: all(map(is_gone, everyone)))
            return time.monotonic() - start


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.002)


def main() -> int:
    sys.path.insert(0, str(WORKERS))
    print(describe(), flush=True)
    rows = []
    for hang in TRIAL + FORK_SERVER_ONLY:
        rows.append(measure(hang))
    for hang in TRIAL:
        rows.append(measure(hang, "subprocess"))
    with jumping_wall_clock():
        jumps = [
            measure(TRIAL[0]),
            measure(FORK_SERVER_ONLY[1]),
        ]
    told = flood()
    print(told, flush=True)
    killed: dict[str, list[float]] = {}
    for prefer in ("fork_server", "subprocess"):
        killed[prefer] = [driver_killed(prefer) for _ in range(DRIVER_REPEATS)]
        print(json.dumps(killed), flush=True)
    text = "\n".join(table(rows, jumps, told, killed))
    (RESULTS / "hangs.md").write_text(text)
    print("\n" + text)
    return 0


def table(
    rows: list[Row], jumps: list[Row], told: str, killed: dict[str, list[float]]
) -> list[str]:
    header = [
        "| the worker | started by | limit | median | max | outcome | left |",
        "|---|---|---|---|---|---|---|",
    ]
    killed_rows = []
    for prefer, times in killed.items():
        killed_rows.append(f"| {prefer} | {statistics.median(times):.2f} | {max(times):.2f} |")
    return [
        "# Hanging workers",
        "",
        paragraph(f"{describe()}; load average {os.getloadavg()[0]:.1f} at the end."),
        "",
        paragraph(
            f"""
            Seconds from the limit until the slot is free again, {REPEATS} repeats, each in a pool
            of its own. Where there is no limit, they count from the beginning of the job, and for
            memory with the start. `left` is how many processes of the worker's group were alive at
            that instant, over all repeats.
            """
        ),
        "",
        *header,
        *map(str, rows),
        "",
        "With `time.time` of the driver off by an hour, early or late, at random at each call:",
        "",
        *header,
        *map(str, jumps),
        "",
        paragraph(f"A worker that prints for three seconds as fast as it can: {told}."),
        "",
        paragraph(
            """
            The driver is killed with SIGKILL while a worker sits in one TensorFlow call without an
            end; seconds until no process is left:
            """
        ),
        "",
        f"| started by | median | max of {DRIVER_REPEATS} |",
        "|---|---|---|",
        *killed_rows,
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
