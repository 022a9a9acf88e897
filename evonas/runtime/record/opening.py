"""Opening a record's file with SQLite, and SQLite's errors in evonas's words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from evonas.errors import DiskFailure, InvalidRecord, RunHeld

PATIENCE = 30.0
"""Seconds to wait for a lock of SQLite's; the transactions of evonas take milliseconds."""


@contextlib.contextmanager
def translated(path: Path, doing: str = "written") -> Iterator[None]:
    """SQLite's errors in evonas's words; `doing` is what cannot be done with the record.

    Raises:
        RunHeld: another process has locked the file, and does not let go.
        DiskFailure: the disk is full, or not writable.
        InvalidRecord: everything else that SQLite can say: the file is damaged, or is none of evonas's.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise RunHeld(
                f"the record {path} is locked by another process: {text}. Try again."
            ) from error
        if "full" in text or "readonly" in text or "disk I/O" in text or "unable to open" in text:
            raise DiskFailure(
                f"the record {path} cannot be {doing}: {text}. Nothing that was committed is lost."
            ) from error
        raise InvalidRecord(f"the record {path} cannot be used: {text}") from error
    except sqlite3.DatabaseError as error:
        raise InvalidRecord(f"the record {path} is damaged: {error}") from error


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write.

    A record that was not sealed cannot be opened from a read-only folder in the usual way; where no log lies beside it,
    it is whole and cannot change.
    """
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE)
    try:
        connection.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if "unable to open" not in str(error) or path.with_name(f"{path.name}-wal").exists():
            raise
        return sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def open_to_write(path: Path) -> sqlite3.Connection:
    """The writer's connection: with a write-ahead log that is on the disk before a commit is over."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma recursive_triggers = on")
        connection.execute("pragma temp_store = memory")
    except BaseException:
        connection.close()
        raise
    return connection
