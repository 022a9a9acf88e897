"""The fork server's own side of the talk; the launcher's is in tests/contracts/test_launcher.py."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evonas.evaluate.local import fork_server
from evonas.evaluate.local.python_process import ENVIRONMENT

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the fork server needs Linux"
)


class Driver:
    """The other end of the control socket."""

    def __init__(self, preload: str = "") -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(60)
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "evonas.evaluate.local.fork_server",
                    str(theirs.fileno()),
                    "--preload",
                    preload,
                ],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)},
                stderr=subprocess.DEVNULL,
            )

    def hear(self) -> dict[str, Any]:
        data = self.control.recv(fork_server.PACKET)
        return json.loads(data) if data else {}

    def say(self, message: Mapping[str, Any], *sockets: socket.socket) -> None:
        socket.send_fds(
            self.control, [json.dumps(message).encode()], [sock.fileno() for sock in sockets]
        )

    def close(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


def test_it_tells_that_it_is_ready_and_how_many_threads_it_has(driver: Driver) -> None:
    assert driver.hear() == {"ready": driver.process.pid, "threads": 1}


def test_it_ends_when_the_driver_hangs_up(driver: Driver) -> None:
    driver.hear()
    driver.control.close()
    assert driver.process.wait(60) == 0


def test_it_ends_when_the_driver_is_gone_before_it_is_ready(driver: Driver) -> None:
    driver.control.close()
    assert driver.process.wait(60) == 0


def test_a_preload_that_raises_is_told() -> None:
    driver = Driver("no_such_module")
    assert "No module named 'no_such_module'" in driver.hear()["failed"]
    assert driver.process.wait(60) == 70
    driver.close()


def test_what_is_preloaded_does_without_scikit_learn_and_a_worker_need_not(tmp_path: Path) -> None:
    module = "try:\n    import sklearn\nexcept ImportError:\n    sklearn = None\n"
    module += "def serve(fd):\n    print(sklearn)\n"
    module += "    from sklearn.base import clone\n    print(clone.__name__)\n"
    (tmp_path / "wants_it.py").write_text(module)
    ours, theirs = socket.socketpair()
    order = {"environment": {}, "log": str(tmp_path / "log"), "spawn": 0, "entry": "wants_it:serve"}
    with pytest.MonkeyPatch.context() as patch, ours, theirs:
        patch.syspath_prepend(tmp_path)
        with closing(Driver("wants_it")) as driver:
            driver.hear()
            driver.say(order, theirs)
            assert driver.hear()["born"] == 0
            assert driver.hear() == {"exit": 0, "code": 0}
    assert (tmp_path / "log").read_text().split() == ["None", "clone"]


def test_a_worker_whose_order_is_nonsense_dies_and_the_fork_server_lives(
    driver: Driver, tmp_path: Path
) -> None:
    driver.hear()
    ours, theirs = socket.socketpair()
    order = {"environment": {}, "log": str(tmp_path / "log")}
    with ours, theirs:
        for number, entry in enumerate(["no_such_module:serve", "json:no_such_function", "json"]):
            driver.say({**order, "spawn": number, "entry": entry}, theirs)
            assert driver.hear()["born"] == number
            assert driver.hear() == {"exit": number, "code": 70}
    assert (tmp_path / "log").read_text().count("Traceback") == 3


def test_killing_what_was_never_born_is_nothing(driver: Driver) -> None:
    driver.hear()
    driver.say({"kill": 12})
    driver.control.close()
    assert driver.process.wait(60) == 0


def test_killing_a_group_that_is_gone_is_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    fork_server.kill_group(process.pid)


def test_a_worker_without_prctl_ends_with_its_connection() -> None:
    """Off Linux, in place of the parent-death signal: the hang-up ends the whole group."""
    ours, theirs = socket.socketpair()
    code = "import sys, time\nfrom evonas.evaluate.local.bootstrap import die_with_connection\n"
    code += "die_with_connection(int(sys.argv[1]))\nprint(flush=True)\ntime.sleep(1000)"
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            theirs.close()
            ours.sendall(b"words that wait to be read are left alone")
            assert process.poll() is None
            ours.close()
            assert process.wait(60) == -signal.SIGKILL


def test_importing_the_fork_server_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import evonas.evaluate.local.fork_server, evonas.evaluate.local.devices\n"
        "import evonas.evaluate.pools.local, evonas.evaluate.pools.inline\n"
        "heavy = ('tensorflow', 'keras', 'pynvml', 'networkx')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
