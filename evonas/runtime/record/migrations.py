"""From an older record to today's: forward only, one version at a time, in one transaction and with a backup before it.

Nobody else can do it: an older evonas refuses a newer record. A reader migrates a copy in memory and leaves the file
alone, so that an old run on read-only media can be looked at.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from evonas.failpoints import failpoint
from evonas.files import flush_directory
from evonas.runtime.record import checksum
from evonas.runtime.record.schema import VERSION

Migration = tuple[str, ...] | Callable[[sqlite3.Connection], None]

MIGRATIONS: Mapping[int, Migration] = {
    # no query used the index; `told` had been 1 for all that were told; the checksum is made anew after any migration
    1: ("drop index trial_twin", "update trial set told = id + 1 where told"),
}
"""What leads from a version to the next: statements, or a function of the connection. They run within a transaction."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a record of this version to `VERSION`, but for the checksum; the caller holds a transaction open."""
    for number in range(version, VERSION):
        step = MIGRATIONS[number]
        if callable(step):
            step(connection)
        else:
            for statement in step:
                connection.execute(statement)
        connection.execute("update meta set value = ? where key = 'schema'", (str(number + 1),))
        failpoint("migration.step")


def migrated_copy(source: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A record of today in memory, from an older one that is left as it is."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        source.backup(copy)
        copy.execute("begin")
        migrate(copy, version)
        checksum.put(copy, checksum.total(copy))
        copy.execute("commit")
    except BaseException:
        copy.close()
        raise
    return copy


def back_up(source: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy a record before it is migrated: whole, on the disk, and beside it, as `run.db.v1`.

    A backup that is there already comes from a migration that was cut off, or from an older one of a record that was
    put back since; it is replaced, for the record itself is still the old one.
    """
    backup = path.with_name(f"{path.name}.v{version}")
    temporary = backup.with_name(f"{backup.name}.tmp")
    temporary.unlink(missing_ok=True)
    copy = sqlite3.connect(temporary, isolation_level=None)
    try:
        source.backup(copy)
        copy.execute(
            "pragma journal_mode = delete"
        )  # one plain file, which read-only media can hold
    finally:
        copy.close()
    failpoint("migration.copied")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(backup)
    flush_directory(backup.parent)
    failpoint("migration.backed_up")
    return backup
