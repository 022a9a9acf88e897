"""From an older record to today's: forward only, one version at a time.

The writer makes a backup, then migrates in one transaction. A reader migrates a copy in memory.
It leaves the file alone, so that an old run on read-only media can be shown.
There is no way back: an older evonas refuses a newer record.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from evonas.failpoints import failpoint
from evonas.files import flush_directory, temporary_beside
from evonas.runtime.record import checksum
from evonas.runtime.record.schema import EXPECTED, VERSION

Migration = tuple[str, ...] | Callable[[sqlite3.Connection], None]


def _divide_interface(connection: sqlite3.Connection) -> None:
    """The input of the networks gets a section of its own in the interface."""
    found = connection.execute("select value from meta where key = 'interface'").fetchone()
    interface = json.loads(found[0]) if found is not None else None
    # A run whose genomes a function or a table judges has none.
    if interface is None:
        return
    fitted = {name: interface.pop(name) for name in ("mean", "variance")}
    ends = {name: interface.pop(name) for name in ("kind", "shape")}
    interface["input"] = {**ends, "fitted": fitted}
    value = json.dumps(interface, separators=(",", ":"), allow_nan=False)
    connection.execute("update meta set value = ? where key = 'interface'", (value,))


MIGRATIONS: Mapping[int, Migration] = {
    # The checksum of version 2 is no step here: it is made anew after any migration.
    1: (
        # No query used the index.
        "drop index trial_twin",
        # `told` was 1 for every told trial; now it is the place in the order of telling.
        "update trial set told = id + 1 where told",
    ),
    2: _divide_interface,
    # Nothing is rewritten. Version 4 may hold what an evonas of version 3 would call damaged:
    # encodings of the input, priors in the text of a space, and folds.
    3: (),
    # A new table is no column: the rows of an older record keep their hashes.
    4: (EXPECTED,),
}
"""Version -> what leads to the next one: statements, or a function of the connection.

They run within a transaction.
"""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a record of this version to `VERSION`, except for the checksum.

    The caller holds a transaction open.
    """
    for number in range(version, VERSION):
        step = MIGRATIONS[number]
        if callable(step):
            step(connection)
        else:
            for statement in step:
                connection.execute(statement)
        following = str(number + 1)
        connection.execute("update meta set value = ? where key = 'schema'", (following,))
        failpoint("migration.step")


def migrated_copy(source: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A record of today in memory, from an older one that stays as it is."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        source.backup(copy)
        copy.execute("begin")
        if version < checksum.FIRST_VERSION:
            migrate(copy, version)
            checksum.put(copy, checksum.total(copy))
        else:
            # The sum follows the migration row by row. Damage from before it still shows.
            ledger = checksum.Ledger(copy)
            migrate(copy, version)
            ledger.enter()
        copy.execute("commit")
    except BaseException:
        copy.close()
        raise
    return copy


def back_up(source: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy a record before it is migrated, to a file beside it such as `run.db.v1`.

    Returns:
        path of the backup, which is whole and on the disk.
    """
    backup = path.with_name(f"{path.name}.v{version}")
    # Written under another name first: what is called a backup is a whole one.
    temporary = temporary_beside(backup)
    copy = sqlite3.connect(temporary, isolation_level=None)
    try:
        # Not a copy of the file: a part of the record may still be in the write-ahead log.
        source.backup(copy)
        # One plain file, which read-only media can hold.
        copy.execute("pragma journal_mode = delete")
    finally:
        copy.close()
    failpoint("migration.copied")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    # An earlier backup is replaced. It comes from a migration that was cut off, or from one before
    # the old record was put back. In both cases the record is the old one, and as good.
    temporary.replace(backup)
    flush_directory(backup.parent)
    failpoint("migration.backed_up")
    return backup
