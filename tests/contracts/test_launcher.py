"""What `Launcher` promises, held against both ways to start a worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from evonas.errors import NoWorker
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher
from evonas.evaluate.local.launcher import Handle, Launcher
from evonas.evaluate.local.launching import EarlyLauncher, start_launcher
from evonas.evaluate.local.subprocess_launcher import SubprocessLauncher

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the fork server needs Linux"
)

WORKERS = '''
import json, os, socket, subprocess, sys, time

def tell(fd):
    """Says who it is, then obeys: a line is an exit code, or `child`, or `daemon`."""
    with socket.socket(fileno=fd) as connection, connection.makefile("rw") as lines:
        names = ["FIRST", "SECOND", "OPENBLAS_NUM_THREADS"]
        folder = "/proc/self/fd"
        fds = os.listdir(folder) if os.path.exists(folder) else []
        about = {
            "pid": os.getpid(), "group": os.getpgrp(), "session": os.getsid(0), "fd": fd,
            "fds": [int(f) for f in fds if os.path.exists(f"{folder}/{f}")],
            "environment": {n: os.environ.get(n) for n in names}, "stdin": sys.stdin.read(),
            "warm": "colorsys" in sys.modules,
        }
        print("a word for the log")
        os.system("echo from a shell")
        print(json.dumps(about), file=lines, flush=True)
        for line in lines:
            word = line.strip()
            if word in ("child", "daemon"):
                child = subprocess.Popen(["sleep", "1000"], start_new_session=word == "daemon")
                print(json.dumps(child.pid), file=lines, flush=True)
            elif word == "raise":
                raise ValueError("made to fail")
            else:
                sys.stdout.flush()
                os._exit(int(word))
'''


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of workers, importable here and so in every worker."""
    (tmp_path / "told_workers.py").write_text(WORKERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "told_workers:tell"


@pytest.fixture(params=[pytest.param(ForkServerLauncher, marks=linux), SubprocessLauncher])
def launcher(
    request: pytest.FixtureRequest, entry: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Launcher]:
    monkeypatch.setenv("FIRST", "of the driver")
    monkeypatch.setenv("SECOND", "of the driver")
    with request.param(entry) as launcher:
        yield launcher


class Talk:
    """The driver's end, for a test: lines, with waiting."""

    def __init__(self, handle: Handle) -> None:
        handle.socket.settimeout(60)
        self.handle = handle
        self.lines = handle.socket.makefile("rw")

    def hear(self) -> str:
        return self.lines.readline()

    def say(self, word: str) -> None:
        print(word, file=self.lines, flush=True)

    def close(self) -> None:
        self.lines.close()
        self.handle.socket.close()


@pytest.fixture
def spawn(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[..., Talk]]:
    talks: list[Talk] = []

    def start(**environment: str) -> Talk:
        talks.append(Talk(launcher.spawn(environment, tmp_path / "worker.log")))
        return talks[-1]

    yield start
    for talk in talks:
        talk.close()


def about(talk: Talk) -> dict[str, object]:
    told: dict[str, object] = json.loads(talk.hear())
    return told


def wait_for(condition: Callable[[], object]) -> None:
    """Until it is so. A test that waits for ever is ended by pytest-timeout."""
    while not condition():
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def exit_code(launcher: Launcher, handle: Handle) -> int | None:
    wait_for(lambda: launcher.exit_code(handle) is not None)
    return launcher.exit_code(handle)


def test_a_worker_leads_a_session_and_a_group_of_its_own(spawn: Callable[..., Talk]) -> None:
    talk = spawn()
    told = about(talk)
    assert told["pid"] == told["group"] == told["session"] == talk.handle.pid
    assert told["session"] != os.getsid(0)


def test_a_worker_has_its_socket_and_nothing_else_of_the_driver(spawn: Callable[..., Talk]) -> None:
    first, second = spawn(), spawn()
    for talk in (first, second):
        told = about(talk)
        assert sorted(told["fds"]) in ([], [0, 1, 2, told["fd"]])  # type: ignore[call-overload]
        assert told["stdin"] == ""


def test_a_worker_has_the_drivers_environment_and_its_own(spawn: Callable[..., Talk]) -> None:
    told = about(spawn(SECOND="of the worker"))
    expected = {"FIRST": "of the driver", "SECOND": "of the worker", "OPENBLAS_NUM_THREADS": "1"}
    assert told["environment"] == expected
    assert os.environ["SECOND"] == "of the driver"


def test_output_goes_to_the_log_and_logs_are_appended(
    spawn: Callable[..., Talk], tmp_path: Path
) -> None:
    for _ in range(2):
        talk = spawn()
        about(talk)
        talk.say("0")
        assert talk.hear() == ""
    lines = (tmp_path / "worker.log").read_text().splitlines()
    assert sorted(lines) == ["a word for the log"] * 2 + ["from a shell"] * 2


def test_exit_codes(launcher: Launcher, spawn: Callable[..., Talk]) -> None:
    talk = spawn()
    about(talk)
    assert launcher.exit_code(talk.handle) is None
    talk.say("3")
    assert exit_code(launcher, talk.handle) == 3
    assert launcher.exit_code(talk.handle) == 3
    assert not launcher.is_lost(talk.handle)


def test_a_worker_that_raises_leaves_a_traceback_in_its_log(
    launcher: Launcher, spawn: Callable[..., Talk], tmp_path: Path
) -> None:
    talk = spawn()
    about(talk)
    talk.say("raise")
    assert exit_code(launcher, talk.handle) == 70
    assert "ValueError: made to fail" in (tmp_path / "worker.log").read_text()


def test_output_goes_to_a_descriptor_too(launcher: Launcher) -> None:
    ours, theirs = os.pipe()
    talk = Talk(launcher.spawn({}, theirs))
    os.close(theirs)
    told = about(talk)
    assert sorted(told["fds"]) in ([], [0, 1, 2, told["fd"]])  # type: ignore[call-overload]
    talk.say("0")
    assert exit_code(launcher, talk.handle) == 0
    with os.fdopen(ours, "rb") as pipe:
        assert sorted(pipe.read().splitlines()) == [b"a word for the log", b"from a shell"]
    talk.close()


def test_a_worker_ends_when_its_connection_does(
    launcher: Launcher, spawn: Callable[..., Talk]
) -> None:
    talk = spawn()
    about(talk)
    talk.handle.socket.shutdown(socket.SHUT_RDWR)
    assert exit_code(launcher, talk.handle) == 0


@pytest.mark.parametrize("stopped", [False, True])
def test_kill_ends_the_whole_group(
    launcher: Launcher, spawn: Callable[..., Talk], stopped: bool
) -> None:
    talk = spawn()
    about(talk)
    talk.say("child")
    child = int(talk.hear())
    if stopped:
        os.kill(talk.handle.pid, signal.SIGSTOP)
    launcher.kill(talk.handle)
    assert exit_code(launcher, talk.handle) == -signal.SIGKILL
    wait_for(lambda: is_gone(child))
    launcher.kill(talk.handle)  # what is dead stays dead, and nobody else dies


def test_a_worker_that_ends_by_itself_takes_its_group_along(
    launcher: Launcher, spawn: Callable[..., Talk]
) -> None:
    talk = spawn()
    about(talk)
    talk.say("child")
    child = int(talk.hear())
    talk.say("0")
    assert exit_code(launcher, talk.handle) == 0
    wait_for(lambda: is_gone(child))


def test_killing_one_worker_leaves_the_other(
    launcher: Launcher, spawn: Callable[..., Talk]
) -> None:
    first, second = spawn(), spawn()
    about(first)
    about(second)
    launcher.kill(first.handle)
    assert exit_code(launcher, first.handle) == -signal.SIGKILL
    second.say("child")
    assert int(second.hear()) > 0
    assert launcher.exit_code(second.handle) is None


def test_close_leaves_no_process(launcher: Launcher, spawn: Callable[..., Talk]) -> None:
    talks = [spawn() for _ in range(3)]
    for talk in talks:
        about(talk)
    talks[0].say("child")
    child = int(talks[0].hear())
    launcher.close()
    launcher.close()
    for talk in talks:
        assert is_gone(talk.handle.pid)
        assert launcher.exit_code(talk.handle) == -signal.SIGKILL
    wait_for(lambda: is_gone(child))


def test_a_log_that_cannot_be_written_is_no_worker_or_a_dead_one(
    launcher: Launcher, tmp_path: Path
) -> None:
    try:
        handle = launcher.spawn({}, tmp_path / "missing" / "worker.log")
    except NoWorker:
        return
    assert exit_code(launcher, handle) == 70
    handle.socket.close()


def test_a_workers_daemons_end_with_it_and_nothing_of_another_one(
    launcher: Launcher, spawn: Callable[..., Talk]
) -> None:
    talk, other = spawn(), spawn()
    about(talk)
    about(other)
    talk.say("daemon")
    other.say("daemon")
    daemon, of_other = int(talk.hear()), int(other.hear())
    talk.say("0")
    assert exit_code(launcher, talk.handle) == 0
    wait_for(lambda: is_gone(daemon))
    assert not is_gone(of_other)
    launcher.close()
    wait_for(lambda: is_gone(of_other))


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_network_that_strikes_the_reaper_leaves_nothing_either(
    entry: str, tmp_path: Path, how: signal.Signals
) -> None:
    with ForkServerLauncher(entry) as launcher:
        talk, other = (Talk(launcher.spawn({}, tmp_path / "worker.log")) for _ in range(2))
        about(talk)
        about(other)
        started = []
        for one, word in ((talk, "child"), (talk, "daemon"), (other, "daemon")):
            one.say(word)
            started.append(int(one.hear()))
        os.kill(started[-1], signal.SIGSTOP)
        assert launcher.pid is not None
        server = psutil.Process(launcher.pid)
        server.parent().send_signal(how)
        if how == signal.SIGSTOP:
            server.kill()
        assert exit_code(launcher, talk.handle) == -signal.SIGKILL
        assert launcher.is_lost(talk.handle)
        assert all(map(is_gone, [*started, server.pid, talk.handle.pid, other.handle.pid]))
        successor = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        assert about(successor)["pid"] == successor.handle.pid
        for one in (talk, other, successor):
            one.close()


STOPPED_DRIVER = """
import sys
from pathlib import Path
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher

launcher = ForkServerLauncher("told_workers:tell")
worker = launcher.spawn({}, Path(sys.argv[1]))
lines = worker.socket.makefile("rw")
lines.readline()
print("daemon", file=lines, flush=True)
print(lines.readline(), flush=True)
input()
"""


@linux
def test_everything_is_stopped_and_the_driver_is_killed(entry: str, tmp_path: Path) -> None:
    """No process waits for somebody to continue it."""
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED_DRIVER, str(tmp_path / "worker.log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as driver:
        assert driver.stdout is not None
        daemon = psutil.Process(int(driver.stdout.readline()))
        everyone = psutil.Process(driver.pid).children(recursive=True)
        # The reaper, the fork server, the worker and what it has started.
        assert len(everyone) == 4
        assert daemon in everyone
        driver.send_signal(signal.SIGSTOP)
        for process in everyone:
            process.suspend()
        driver.kill()
    wait_for(lambda: all(is_gone(process.pid) for process in everyone))


@linux
def test_a_fork_server_that_dies_takes_its_workers_along_and_is_replaced(
    entry: str, tmp_path: Path
) -> None:
    with ForkServerLauncher(entry) as launcher:
        talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        about(talk)
        talk.say("child")
        child = int(talk.hear())
        first = launcher.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert exit_code(launcher, talk.handle) == -signal.SIGKILL
        assert launcher.is_lost(talk.handle)
        wait_for(lambda: is_gone(talk.handle.pid) and is_gone(child))
        launcher.kill(talk.handle)
        successor = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        assert about(successor)["pid"] == successor.handle.pid
        assert launcher.pid != first
        assert not launcher.is_lost(successor.handle)
        talk.close()
        successor.close()


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_whatever_a_worker_of_a_dead_fork_server_has_started_is_gone_with_it(
    entry: str, tmp_path: Path, how: signal.Signals
) -> None:
    with ForkServerLauncher(entry) as launcher:
        talk, other = (Talk(launcher.spawn({}, tmp_path / "worker.log")) for _ in range(2))
        started = []
        for one, word in ((talk, "child"), (talk, "daemon"), (other, "daemon")):
            if not started or one is other:
                about(one)
            one.say(word)
            started.append(int(one.hear()))
        # Stopped processes end as well.
        os.kill(started[0], signal.SIGSTOP)
        assert launcher.pid is not None
        os.kill(launcher.pid, how)
        assert exit_code(launcher, talk.handle) == -signal.SIGKILL
        # At once: the next fork server finds the memory and the devices free.
        assert all(map(is_gone, [*started, talk.handle.pid, other.handle.pid]))
        talk.close()
        other.close()


@linux
def test_a_fork_server_that_somebody_stops_goes_on(entry: str, tmp_path: Path) -> None:
    with ForkServerLauncher(entry) as launcher:
        before = launcher.pid
        assert before is not None
        for _ in range(2):
            os.kill(before, signal.SIGSTOP)
            talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
            about(talk)
            talk.close()
        assert launcher.pid == before


@linux
def test_close_ends_a_fork_server_that_is_stopped_with_its_reaper(
    entry: str, tmp_path: Path
) -> None:
    launcher = ForkServerLauncher(entry)
    talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
    about(talk)
    talk.say("daemon")
    daemon = int(talk.hear())
    assert launcher.pid is not None
    server = psutil.Process(launcher.pid)
    server.parent().suspend()
    server.suspend()
    launcher.close()
    assert all(map(is_gone, [server.pid, talk.handle.pid, daemon]))
    talk.close()


@linux
def test_a_fork_server_that_dies_at_its_start_is_started_again(entry: str, tmp_path: Path) -> None:
    (tmp_path / "unlucky.py").write_text(
        "import os, signal\n"
        f"with open({str(tmp_path / 'starts')!r}, 'a+') as starts:\n"
        "    starts.write('x')\n"
        "    if starts.tell() < 3:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with ForkServerLauncher(entry, ["unlucky"]) as launcher:
        talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        assert about(talk)["pid"] == talk.handle.pid
        talk.close()


@linux
def test_a_fork_server_told_to_end_takes_everything_along(entry: str, tmp_path: Path) -> None:
    with ForkServerLauncher(entry) as launcher:
        talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        about(talk)
        talk.say("daemon")
        daemon = int(talk.hear())
        assert launcher.pid is not None
        os.kill(launcher.pid, signal.SIGTERM)
        assert exit_code(launcher, talk.handle) == -signal.SIGKILL
        wait_for(lambda: is_gone(talk.handle.pid) and is_gone(daemon))
        talk.close()


@linux
def test_workers_find_what_the_fork_server_has_imported(entry: str, tmp_path: Path) -> None:
    with start_launcher(entry, preload=["colorsys"]) as launcher:
        assert isinstance(launcher, ForkServerLauncher)
        talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        assert about(talk)["warm"] is True
        talk.close()


def test_a_fork_server_with_threads_is_not_used(entry: str, tmp_path: Path) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
    )
    with start_launcher(entry, preload=["threaded"]) as launcher:
        assert isinstance(launcher, SubprocessLauncher)
        talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        assert about(talk)["pid"] == talk.handle.pid
        talk.close()


@linux
def test_a_preload_that_fails_says_why(entry: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such luck')\n")
    with pytest.raises(NoWorker, match=r"importing broken failed(.|\n)*no such luck"):
        start_launcher(entry, preload=["broken"])


@linux
def test_a_preload_that_dies_or_takes_too_long_is_no_worker(entry: str, tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text("import os\nos._exit(1)\n")
    (tmp_path / "endless.py").write_text("import time\ntime.sleep(1000)\n")
    (tmp_path / "killed.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    why = r"died at its start 3 times in a row, while it imported (\w+)\. The last time it "
    with pytest.raises(NoWorker, match=f"{why}ended with exit code 1"):
        ForkServerLauncher(entry, ["deadly"])
    with pytest.raises(NoWorker, match=rf"{why}was killed by SIGKILL, .*memory\.$"):
        ForkServerLauncher(entry, ["killed"])
    with pytest.raises(NoWorker, match=r"did not finish importing endless within 0\.5 s"):
        ForkServerLauncher(entry, ["endless"], start_limit=0.5)


def test_subprocesses_on_demand(entry: str) -> None:
    with start_launcher(entry, prefer="subprocess") as launcher:
        assert isinstance(launcher, SubprocessLauncher)


def test_elsewhere_than_on_linux_there_is_no_fork_server(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evonas.evaluate.local.launching.sys.platform", "darwin")
    with start_launcher(entry) as launcher:
        assert isinstance(launcher, SubprocessLauncher)


def test_one_that_is_begun_early_is_a_launcher_like_any_other(entry: str, tmp_path: Path) -> None:
    early = EarlyLauncher(entry, ["colorsys"])
    with early() as launcher:
        talk = Talk(launcher.spawn({}, tmp_path / "worker.log"))
        assert about(talk)["warm"] is sys.platform.startswith("linux")
        # It is not the caller's any more.
        early.close()
        talk.say("7")
        assert exit_code(launcher, talk.handle) == 7
        talk.close()
    # A second one is begun when it is asked for.
    with early() as launcher:
        Talk(launcher.spawn({}, tmp_path / "worker.log")).close()


@linux
def test_one_that_nobody_asks_for_is_ended_in_the_middle_of_its_import(
    entry: str, tmp_path: Path
) -> None:
    (tmp_path / "endless.py").write_text(
        "import os, pathlib, time\n"
        "part = pathlib.Path(__file__).with_name('part')\n"
        "part.write_text(str(os.getpid()))\n"
        "part.rename(part.with_name('importing'))\n"
        "time.sleep(1000)\n"
    )
    early = EarlyLauncher(entry, ["endless"])
    importing = tmp_path / "importing"
    wait_for(importing.exists)
    early.close()
    early.close()
    assert is_gone(int(importing.read_text()))


@linux
def test_a_preload_that_was_begun_early_and_fails_says_why(entry: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such luck')\n")
    early = EarlyLauncher(entry, ["broken"])
    with pytest.raises(NoWorker, match=r"importing broken failed(.|\n)*no such luck"):
        early()
    early.close()
