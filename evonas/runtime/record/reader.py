"""Reading a record, also while a run is writing it.

Readers open the file read-only and disturb nobody.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

from evonas.errors import InvalidRecord, UserError
from evonas.files import is_file
from evonas.invocation import command
from evonas.runtime.record.migrations import migrated_copy
from evonas.runtime.record.open_record import OpenRecord
from evonas.runtime.record.opening import open_to_read, translated
from evonas.runtime.record.schema import VERSION
from evonas.words import clean


def where_runs_are(root: Path) -> str:
    """The command that lists the runs beside this folder, as a sentence."""
    words = ["list"]
    if root.parent.is_dir():
        words += ["--runs", str(root.parent)]
    return f"To list the runs:  {command(*words)}"


class RecordReader(OpenRecord):
    """Reads a record, also while a run is writing it.

    A record of an older evonas is read as a migrated copy in memory.

    Raises:
        UserError: there is no record.
        InvalidRecord: the file is no record, is damaged, or was written by a newer evonas.
    """

    def __init__(self, path: Path) -> None:
        if not is_file(path):
            raise UserError(
                f"there is no run at {path.parent}: {path.name} is missing."
                f" {where_runs_are(path.parent)}"
            )
        # Closes the file if it is refused, and if it is read as a copy.
        with contextlib.ExitStack() as stack:
            with translated(path, "read"):
                connection = stack.enter_context(contextlib.closing(open_to_read(path)))
            version = _checked_version(path, connection)
            if version < VERSION:
                # The file is left alone: only the writer migrates it.
                with translated(path, "read"):
                    connection = _migrated(path, connection, version)
            else:
                stack.pop_all()
        super().__init__(path, connection, version)

    def close(self) -> None:
        self._connection.close()


def _migrated(path: Path, connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A copy that is as today.

    Raises:
        InvalidRecord: it holds what no evonas has written.
    """
    try:
        return migrated_copy(connection, version)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InvalidRecord(f"the record {path} is damaged: {reason}") from error


def _checked_version(path: Path, connection: sqlite3.Connection) -> int:
    """The version of a record's schema.

    Raises:
        InvalidRecord: this evonas cannot read it.
    """
    try:
        with translated(path, "read"):
            found = connection.execute("select value from meta where key = 'schema'").fetchone()
        version = int(json.loads(found[0]))
    except (InvalidRecord, TypeError, ValueError) as error:
        raise InvalidRecord(f"{path} is not an evonas record, or it is damaged: {error}") from error
    if version > VERSION:
        raise InvalidRecord(
            f"{path} was written by a newer evonas: its schema is {version}, "
            f"this one reads up to {VERSION}."
        )
    with translated(path, "read"):
        names = "select group_concat(name) from sqlite_master where type in ('trigger', 'view')"
        (foreign,) = connection.execute(names).fetchone()
    if foreign:
        raise InvalidRecord(
            f"{path} is no record of evonas, or was changed: it has triggers or views"
            f" ({clean(foreign)[:200]}), which could rewrite results."
        )
    if version < 1:
        raise InvalidRecord(f"{path} is damaged: its schema is said to be {version}.")
    return version
