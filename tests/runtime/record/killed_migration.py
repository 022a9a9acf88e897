"""Kills a migration at every failpoint; a process of its own, for it forks, and pytest must not.

python killed_migration.py DUMP FOLDER      prints a JSON report
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from evonas.failpoints import failpoints
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.record.schema import VERSION


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


def fresh(path: Path, dump: str) -> None:
    for old in path.parent.iterdir():
        old.unlink()
    connection = sqlite3.connect(path)
    connection.executescript(dump)
    connection.close()


def opened(path: Path, at: int) -> None:
    failpoints.arm(at)
    Record(path).close()
    (path.parent / "names").write_text(json.dumps(failpoints.names))


def main(dump: str, folder: Path) -> dict[str, object]:
    folder.mkdir()
    path = folder / "run.db"
    fresh(path, dump)
    with RecordReader(path) as reader:
        before = reader.content()
    assert child(lambda: opened(path, 0)) == 0
    names = json.loads((folder / "names").read_text())
    versions, wrong = [], []
    for at in range(1, len(names) + 1):
        fresh(path, dump)
        assert child(lambda at=at: opened(path, at)) == -9  # type: ignore[misc]
        with RecordReader(path) as reader:
            reader.verify()
            versions.append(reader.version)
            wrong += [at] if reader.content() != before else []
        with Record(path) as record:
            wrong += [at] if record.content() != before or record.meta("schema") != VERSION else []
        backup = sqlite3.connect(path.with_name("run.db.v1"))
        wrong += (
            [at]
            if backup.execute("select value from meta where key = 'schema'").fetchone() != ("1",)
            else []
        )
        backup.close()
    return {
        "names": names,
        "versions": versions,
        "wrong": wrong,
        "left": sorted(item.name for item in folder.iterdir()),
    }


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps(main(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2])))
    )
