"""The record's checksum: a sum over every row, so that nothing changes in it unnoticed.

SQLite notices a page that makes no sense, and not one that makes another sense: a sector of zeros, an old version of a
page, a number of somebody else's. So every row has a hash, and the record keeps the sum of all of them, renewed in
each transaction by what the transaction has changed. It costs some hundredths of a millisecond a row. The sum guards
against failing disks, not against people.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

KEY = "checksum"
"""Under which the sum is kept in `meta`, as 32 hexadecimal digits; the one row that is not part of it."""

FIRST_VERSION = 2
"""Of the schema: older records have no sum; a migrated copy is given one, which says nothing of the past."""

_BITS = 128
_FUNCTION = "evonas_changed"


def row_hash(table: str, values: Sequence[Any]) -> int:
    """A row's share of the sum.

    Numbers count as SQLite gives them back: a whole one may have become a float, and -0.0 is 0.0.
    """
    told = [
        f"{len(value)} {value}" if isinstance(value, str) else _plain(value) for value in values
    ]
    text = "\n".join([table, *told])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_BITS // 8).digest(), "big")


def _plain(value: int | float | None) -> str:
    """With a word first, as no text has."""
    return "null" if value is None else f"number {float(value) + 0.0!r}"


def total(connection: sqlite3.Connection) -> str:
    """The sum over all rows as they are, read one by one; call it within a transaction."""
    found = 0
    for table, columns in _tables(connection).items():
        where = f" where key is not '{KEY}'" if table == "meta" else ""
        for row in connection.execute(f"select {', '.join(columns)} from {table}{where}"):
            found += row_hash(table, row)
    return _text(found)


class Ledger:
    """Follows what a connection changes, whoever changes it, by temporary triggers that only this connection has."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._change = 0
        connection.create_function(_FUNCTION, -1, self._note)
        for table, columns in _tables(connection).items():
            for event, sides in (
                ("insert", ("new",)),
                ("delete", ("old",)),
                ("update", ("old", "new")),
            ):
                calls = "".join(f"select {_call(table, columns, side)}; " for side in sides)
                when = f" when {sides[-1]}.key is not '{KEY}'" if table == "meta" else ""
                name = f"evonas_{table}_{event}"
                connection.execute(
                    f"create temp trigger {name} after {event} on main.{table}{when} begin {calls}end"
                )

    def _note(self, sign: int, table: str, *values: Any) -> None:
        self._change += sign * row_hash(table, values)

    def forget(self) -> None:
        """The transaction begins, or was taken back."""
        self._change = 0

    def enter(self) -> None:
        """Renew the sum, as the last thing in a transaction."""
        if not self._change:
            return
        (before,) = self._connection.execute(
            "select value from meta where key = ?", (KEY,)
        ).fetchone()
        put(self._connection, _text(int(json.loads(before), 16) + self._change))
        self._change = 0


def put(connection: sqlite3.Connection, checksum: str) -> None:
    """Keep this sum in the record."""
    connection.execute(
        "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
        (KEY, f'"{checksum}"'),
    )


def _text(number: int) -> str:
    return f"{number % 2**_BITS:032x}"


def _call(table: str, columns: Sequence[str], side: str) -> str:
    sign = 1 if side == "new" else -1
    return f"{_FUNCTION}({sign}, '{table}', {', '.join(f'{side}.{name}' for name in columns)})"


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The record's tables and their columns, by name."""
    names = connection.execute(
        "select name from main.sqlite_master where type = 'table' order by name"
    ).fetchall()
    return {
        name: sorted(
            column for (_, column, *_) in connection.execute(f"pragma main.table_info({name})")
        )
        for (name,) in names
        if not name.startswith("sqlite_")
    }
