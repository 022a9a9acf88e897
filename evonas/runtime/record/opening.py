"""Opening a record's file with SQLite, and SQLite's errors in evonas's words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from evonas.errors import DiskFailure, InvalidRecord, RunHeld
from evonas.files import failure

PATIENCE = 30.0
"""Seconds to wait for a lock of SQLite's; the transactions of evonas take milliseconds."""

_BUSY = ("locked", "busy")
_DISK = ("full", "readonly", "disk I/O", "unable to open")


@contextlib.contextmanager
def translated(path: Path, doing: str = "written") -> Iterator[None]:
    """SQLite's errors in evonas's words.

    Args:
        path: path of the record.
        doing: what cannot be done with the record, for the message.

    Raises:
        RunHeld: another process has locked the file, and does not let go.
        DiskFailure: the disk is full, or not writable.
        UserError: the path leads through something that is no folder.
        SystemLimit: too many files are open.
        InvalidRecord: any other error of SQLite: the file is damaged, or is none of evonas's.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        # One class stands for many causes, which only the words tell apart.
        text = str(error)
        if any(word in text for word in _BUSY):
            raise RunHeld(
                f"the record {path} is locked by another process: {text}. Try again."
            ) from error
        if "unable to open" in text and (reason := _reason(path)):
            raise failure(reason, f"the record {path} cannot be {doing}") from error
        if any(word in text for word in _DISK):
            raise DiskFailure(
                f"the record {path} cannot be {doing}: {text}. Nothing that was committed is lost."
            ) from error
        raise InvalidRecord(f"the record {path} cannot be used: {text}") from error
    except sqlite3.DatabaseError as error:
        raise InvalidRecord(f"the record {path} is damaged: {error}") from error


def _reason(path: Path) -> OSError | None:
    """Why a file cannot be opened, which SQLite does not tell; None if it could be anything."""
    try:
        # Never the record itself: to close it would release the locks of this process.
        with Path(os.devnull).open("rb"):
            path.stat()
    except OSError as error:
        return error
    return None


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE)
    try:
        # SQLite opens the file at the first query, not when it connects.
        connection.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        has_log = path.with_name(f"{path.name}-wal").exists()
        if "unable to open" not in str(error) or has_log:
            raise
        # A record that was not sealed cannot be opened in the usual way in a read-only folder.
        # Without a log beside it, it is whole and cannot change.
        return sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def open_to_write(path: Path) -> sqlite3.Connection:
    """The writer's connection, with a write-ahead log. A commit is on the disk when it returns."""
    # No isolation level: Python begins no transactions, and evonas begins its own.
    connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    try:
        connection.execute("pragma journal_mode = wal")
        # With a write-ahead log, only `full` flushes the log at each commit.
        connection.execute("pragma synchronous = full")
        # SQLite checks no foreign keys unless each connection asks for it.
        connection.execute("pragma foreign_keys = on")
        # Without this, a row that REPLACE removes fires no trigger, and the checksum misses it.
        connection.execute("pragma recursive_triggers = on")
        # A record of somebody else may hold code of SQL's.
        connection.execute("pragma trusted_schema = off")
        # The temporary triggers of the checksum are kept in memory, not in another file.
        connection.execute("pragma temp_store = memory")
    except BaseException:
        connection.close()
        raise
    return connection
