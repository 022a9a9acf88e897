"""Two drivers, one run: the second is told who holds it. A lock does not outlive its holder."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

import evonas
from evonas.errors import RunHeld
from evonas.runtime.record.record import Record
from evonas.testing.runs import content, make_run, work
from tests.command import run_evonas

HOLD = (
    "import sys, time\nfrom pathlib import Path\nfrom evonas.runtime.session import Session\n"
    "with Session(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)\n"
)
WORK = (
    "import sys\nfrom pathlib import Path\nfrom evonas.errors import EvonasError\n"
    "from evonas.testing.runs import work\n"
    "print('ready', flush=True)\nsys.stdin.readline()\n"
    "try: work(Path(sys.argv[1]), *sys.argv[2:])\n"
    "except EvonasError as error: print(error); sys.exit(error.exit_code)\n"
)


def start(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_second_is_told_who_holds_the_run_and_a_killed_holder_holds_nothing(tmp_path):
    root = make_run(tmp_path)
    with start(HOLD, root) as holder:
        assert holder.stdout.readline() == "held\n"
        assert evonas.load(root).is_going_on
        second = run_evonas("resume", root)
        assert second.returncode == 6
        assert f"is being worked on by process {holder.pid} on " in second.stderr
        assert "Traceback" not in second.stderr
        with pytest.raises(RunHeld):
            evonas.resume(root, overrides=["budget.trials=20"])
        holder.send_signal(signal.SIGKILL)
        assert holder.wait() == -signal.SIGKILL
    assert (root / "run.lock").read_text().startswith("process"), (
        "its name is still there, and holds nothing"
    )
    assert not evonas.load(root).is_going_on
    assert work(root).is_finished


def test_of_two_that_start_at_the_same_instant_one_works_and_the_other_is_refused(tmp_path):
    reference = make_run(tmp_path / "reference", "budget.trials=40")
    work(reference)
    root = make_run(tmp_path / "both", "budget.trials=40")
    drivers = [start(WORK, root) for _ in range(2)]
    for driver in drivers:
        assert driver.stdout.readline() == "ready\n"
    for driver in drivers:
        driver.stdin.write("go\n")
        driver.stdin.flush()
    said = {driver.pid: driver.communicate()[0] for driver in drivers}
    codes = sorted(driver.returncode for driver in drivers)
    # both are 0 if one had ended before the other began
    assert codes in ([0, 6], [0, 0]), (codes, said)
    for driver in drivers:
        if driver.returncode == 6:
            other = next(pid for pid in said if pid != driver.pid)
            assert f"process {other} on " in said[driver.pid]
    assert content(root) == content(reference)


def test_where_the_lock_was_deleted_the_last_one_goes_on_and_the_first_one_is_refused(tmp_path):
    reference = make_run(tmp_path / "reference")
    work(reference)
    root = make_run(tmp_path / "both")
    with Record(root / "run.db") as first:
        first.event("first", None)
        (root / "run.lock").unlink(missing_ok=True)
        assert work(root).is_finished
        for write in (
            lambda: first.event("late", None),
            lambda: first.start_attempt(0),
            first.seal,
        ):
            with pytest.raises(RunHeld, match="was taken over by another process"):
                write()
    assert content(root) == content(reference)
