"""Kills a run at the failpoints around its deadline, and then goes on with more time.

A process of its own: it forks, and pytest must not.

    python killed_deadline.py FOLDER [STEP]   at every STEP-th failpoint; prints a JSON report
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # no thread may live when this process forks

from evonas.failpoints import failpoints
from evonas.testing.runs import content, make_run, work
from evonas.testing.stub_pool import TimedPool

SHORT, LONG = "budget.seconds=4.5", "budget.seconds=1000"


def child(function: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(repr(error))
            sys.stderr.flush()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def session(root: Path, at: int, *changes: str) -> None:
    failpoints.arm(at)
    # One job at a time: the failpoints are the same each time.
    work(root, *changes, capacity=1, pool=TimedPool)
    (root.parent / "names").write_text(json.dumps(failpoints.names))


def points(folder: Path, template: Path, change: tuple[str, ...]) -> list[str]:
    """The failpoints of a session on a copy of this run."""
    shutil.copytree(template, folder / "counted")
    assert child(lambda: session(folder / "counted", 0, *change)) == 0
    shutil.rmtree(folder / "counted")
    names: list[str] = json.loads((folder / "names").read_text())
    return names


def main(folder: Path, step: int = 1) -> dict[str, object]:
    reference = make_run(folder / "reference", LONG)
    assert child(lambda: session(reference, 0)) == 0
    unborn = make_run(folder, SHORT)
    ended = folder / "ended"
    shutil.copytree(unborn, ended)
    assert child(lambda: session(ended, 0)) == 0
    root = folder / "killed"
    killed, tried, wrong, kinds = 0, 0, [], set()
    for name, template, change in (("to the time", unborn, ()), ("from it", ended, (LONG,))):
        names = points(folder, template, change)
        kinds |= set(names)
        # Before that the first session is like any other.
        first = 0 if change else max(0, names.index("record.cancelled") - 12)
        last = len(names) if not change else 40
        for at in range(first + random.randint(1, step), last + 1, step):
            tried += 1
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(template, root)
            killed += child(partial(session, root, at, *change)) == -9
            if child(lambda: session(root, 0, LONG)) != 0 or content(root) != content(reference):
                wrong.append(f"{name}: {at}, {names[at - 1]}")
    return {"points": tried, "killed": killed, "kinds": sorted(kinds), "wrong": wrong}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
