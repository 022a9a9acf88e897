"""Kills the continuation of a finished run at every failpoint.

A process of its own: it forks, and pytest must not.

    python killed_config_change.py FOLDER [STEP]   at every STEP-th failpoint; prints a JSON report
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # no thread may live when this process forks

from evonas.failpoints import failpoints
from evonas.testing.runs import content, make_run, work

LONGER = "budget.trials=7"


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


def goes_on(root: Path, at: int, *changes: str) -> None:
    failpoints.arm(at)
    work(root, *changes)
    (root.parent / "names").write_text(json.dumps(failpoints.names))


def main(folder: Path, step: int = 1) -> dict[str, object]:
    reference = make_run(folder / "reference", LONGER)
    assert child(lambda: work(reference)) == 0
    template = make_run(folder, "budget.trials=5")
    assert child(lambda: work(template)) == 0
    root = folder / "killed"
    shutil.copytree(template, root)
    assert child(lambda: goes_on(root, 0, LONGER)) == 0
    names = json.loads((folder / "names").read_text())
    killed, wrong = 0, [] if content(root) == content(reference) else [0]
    points = range(random.randint(1, step), len(names) + 1, step)
    for at in points:
        shutil.rmtree(root)
        shutil.copytree(template, root)
        killed += child(lambda at=at: goes_on(root, at, LONGER)) == -9  # type: ignore[misc]
        if child(lambda: goes_on(root, 0, LONGER)) != 0 or content(root) != content(reference):
            wrong.append(at)
    return {
        "failpoints": len(names),
        "points": len(points),
        "killed": killed,
        "kinds": sorted(set(names)),
        "wrong": wrong,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
