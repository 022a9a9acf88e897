"""A pool inside a memory cgroup. No test itself.

`python in_cgroup.py CGROUP FLOOR_MIB LEAK_MIB FOLDER` prints what came of a leaking worker, of one
beside it, and how many processes the kernel has killed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.pools.local import LocalPool
from evonas.memory import MIB, Memory
from evonas.testing.jobs import make_job, make_setup, stub_genome


def main(cgroup: str, floor: str, leak: str, folder: str) -> None:
    (Path(cgroup) / "cgroup.procs").write_text(str(os.getpid()))
    memory = Memory()
    start = lambda: start_launcher("misbehaving:serve", ["misbehaving"], "fork_server")  # noqa: E731
    limits = MemoryLimits(growth=None, worker=None, floor=int(floor) * MIB)
    pool = LocalPool(
        make_setup(Path(folder)),
        [DeviceShare(0), DeviceShare(1)],
        start,
        Path(folder) / "logs",
        memory_limits=limits,
    )
    try:
        pool.submit(make_job(1, genome=stub_genome(act="alive", times=60)))
        pool.submit(make_job(0, genome=stub_genome(act="leak, hang", mib=int(leak))))
        outcomes = {}
        while pool.running:
            found = [report for report in pool.poll(5.0) if isinstance(report, Finished)]
            outcomes |= {
                report.job.trial: (report.outcome.state, report.outcome.message) for report in found
            }
        free = memory.free()
        told = {
            "outcomes": outcomes,
            "kills": memory.oom_kills(),
            "free": free.bytes,
            "where": free.where,
        }
        print(json.dumps(told))  # noqa: T201 - this is a program
    finally:
        pool.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
