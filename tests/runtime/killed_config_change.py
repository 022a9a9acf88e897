"""Kills a run that goes on with a greater budget, or that is given something back, at failpoints.

A process of its own: it forks, and pytest must not.

    python killed_config_change.py FOLDER [STEP]   at every STEP-th failpoint; prints a JSON report
    python killed_config_change.py FOLDER STEP infeasible

The last one begins a run of which some trials are infeasible, and kills it from the last kill point
before the first of them is given back.
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
INFEASIBLE = ("strategy={aging: {population: 4, sample: 2}}", "limits.parameters=50000")


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
    # One job at a time: the failpoints are the same each time.
    work(root, *changes, capacity=1)
    (root.parent / "names").write_text(json.dumps(failpoints.names))


def main(folder: Path, step: int = 1, kind: str = "") -> dict[str, object]:
    settings = INFEASIBLE if kind else ()
    reference = make_run(folder / "reference", LONGER, *settings)
    assert child(lambda: work(reference, capacity=4)) == 0
    template = make_run(folder, "budget.trials=5", *settings)
    if not kind:
        assert child(lambda: work(template)) == 0
    root = folder / "killed"
    shutil.copytree(template, root)
    assert child(lambda: goes_on(root, 0, LONGER)) == 0
    names = json.loads((folder / "names").read_text())
    killed, wrong = 0, [] if content(root) == content(reference) else [0]
    first = max(0, names.index("record.back") - 8) if kind else 0
    points = range(first + random.randint(1, step), len(names) + 1, step)
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
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), *map(int, sys.argv[2:3]), *sys.argv[3:])))
