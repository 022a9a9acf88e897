"""The record's checksum: a sum over every row, so that no change goes unnoticed.

SQLite notices a page that makes no sense. It does not notice a page that makes another sense:
a sector of zeros, an old version of a page, a number that another program wrote.
So every row has a hash, and the record keeps the sum of all hashes.
Each transaction renews the sum by the rows that it has changed. A row costs a few hundredths of a
millisecond.
The sum guards against failing disks, not against people.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

KEY = "checksum"
"""Key of the sum in `meta`, as 32 hexadecimal digits. This one row is not part of the sum."""

FIRST_VERSION = 2
"""First version of the schema that has a sum.

A migrated copy of an older record is given a sum, which says nothing of the past.
"""

_BITS = 128
_FUNCTION = "evonas_changed"


def row_hash(table: str, values: Sequence[Any]) -> int:
    """A row's share of the sum.

    Args:
        table: name of the row's table.
        values: values of the row, by the alphabetical order of their columns.
    """
    parts = [table]
    for value in values:
        if isinstance(value, str):
            # With the length first, no text can look like two values, or like a number.
            parts.append(f"{len(value)} {value}")
        else:
            parts.append(_plain(value))
    text = "\n".join(parts)
    digest = hashlib.blake2b(text.encode(), digest_size=_BITS // 8).digest()
    return int.from_bytes(digest, "big")


def _plain(value: int | float | None) -> str:
    """A number or null as text; its first word is a word, while that of a text is a length."""
    if value is None:
        return "null"
    # SQLite may give back a whole number as a float, and -0.0 as 0.0. Both must count the same.
    number = float(value) + 0.0
    return f"number {number!r}"


def total(connection: sqlite3.Connection) -> str:
    """The sum over all rows as they are, read one by one; call it within a transaction."""
    found = 0
    for table, columns in _tables(connection).items():
        names = ", ".join(columns)
        query = f"select {names} from {table}"
        if table == "meta":
            query += f" where key is not '{KEY}'"
        for row in connection.execute(query):
            found += row_hash(table, row)
    return _text(found)


class Ledger:
    """Follows every change that a connection makes, and renews the sum.

    It uses temporary triggers, which only this connection has. What another program changes is not
    followed, so that the sum shows it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._change = 0
        # -1: the function takes any number of values, because tables have different widths.
        connection.create_function(_FUNCTION, -1, self._note)
        for table, columns in _tables(connection).items():
            for statement in _triggers(table, columns):
                connection.execute(statement)

    def _note(self, sign: int, table: str, *values: Any) -> None:
        """Called by SQLite for a row that appears (1) or disappears (-1)."""
        share = row_hash(table, values)
        self._change += sign * share

    def forget(self) -> None:
        """Begin a transaction, or take one back: nothing is changed so far."""
        self._change = 0

    def enter(self) -> None:
        """Renew the sum, as the last thing in a transaction."""
        if not self._change:
            return
        query = "select value from meta where key = ?"
        (before,) = self._connection.execute(query, (KEY,)).fetchone()
        number = int(json.loads(before), 16)
        put(self._connection, _text(number + self._change))
        self._change = 0


def put(connection: sqlite3.Connection, checksum: str) -> None:
    """Keep this sum in the record."""
    connection.execute(
        "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
        (KEY, f'"{checksum}"'),
    )


def _text(number: int) -> str:
    """A sum as it is recorded. Sums wrap around, so that they always have the same length."""
    wrapped = number % 2**_BITS
    return f"{wrapped:032x}"


def _triggers(table: str, columns: Sequence[str]) -> list[str]:
    """The SQL statements of the triggers that follow a table's rows."""
    old = _call(table, columns, -1, "old")
    new = _call(table, columns, 1, "new")
    steps = {
        "insert": new,
        "delete": old,
        "update": f"{old} {new}",
    }
    found = []
    for event, calls in steps.items():
        name = f"evonas_{table}_{event}"
        row = "old" if event == "delete" else "new"
        # Otherwise the sum would be part of itself.
        when = f" when {row}.key is not '{KEY}'" if table == "meta" else ""
        found.append(
            f"create temp trigger {name} after {event} on main.{table}{when} begin {calls} end"
        )
    return found


def _call(table: str, columns: Sequence[str], sign: int, side: str) -> str:
    """The SQL statement that tells the ledger of a row, `new` or `old`."""
    values = ", ".join(f"{side}.{name}" for name in columns)
    return f"select {_FUNCTION}({sign}, '{table}', {values});"


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The record's tables and their columns, by name."""
    names = connection.execute(
        "select name from main.sqlite_master where type = 'table' order by name"
    ).fetchall()
    found = {}
    for (name,) in names:
        # SQLite keeps tables of its own under names that begin so.
        if name.startswith("sqlite_"):
            continue
        # Sorted, so that the places of the columns in the table do not count.
        rows = connection.execute(f"pragma main.table_info({name})")
        found[name] = sorted(column for (_, column, *_) in rows)
    return found
