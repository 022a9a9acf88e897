"""Reading a record, also while a run is writing it.

Readers open the file read-only and disturb nobody.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evonas.errors import EvonasError, InvalidRecord, UserError
from evonas.runtime.record import checksum
from evonas.runtime.record.migrations import migrated_copy
from evonas.runtime.record.opening import open_to_read, translated
from evonas.runtime.record.rows import (
    ATTEMPT_COLUMNS,
    CONTENT_COLUMNS,
    TRIAL_COLUMNS,
    Attempt,
    attempt_of,
    trial_of,
)
from evonas.runtime.record.schema import VERSION
from evonas.trial import Direction, Objective, Trial, TrialState


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """What was written by evonas cannot be read as evonas's: somebody else, or a failing disk, wrote there."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, UserError) as error:
        raise InvalidRecord(
            f"the record {path} is damaged: {type(error).__name__}: {error}"
        ) from error


class RecordReader:
    """Reads a record, also while a run is writing it.

    Sees what is committed, never half a transaction. A record of an older evonas is read as a migrated copy in memory.

    Attributes:
        version: of the schema that the file has.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UserError(
                f"there is no run at {path.parent}: {path.name} is missing. `evonas list` shows the runs."
            )
        with translated(path, "read"):
            self._connection = open_to_read(path)
        self.version = self._check_version()
        if self.version < VERSION:
            with contextlib.closing(self._connection) as old, translated(path, "read"):
                self._connection = migrated_copy(old, self.version)

    def _check_version(self) -> int:
        try:
            version = int(self.meta("schema"))
        except (InvalidRecord, KeyError, TypeError, ValueError) as error:
            self.close()
            raise InvalidRecord(
                f"{self.path} is not an evonas record, or it is damaged: {error}"
            ) from error
        except EvonasError:
            self.close()
            raise
        if version > VERSION:
            self.close()
            raise InvalidRecord(
                f"{self.path} was written by a newer evonas: its schema is {version}, this one reads up to {VERSION}."
            )
        if version < 1:
            self.close()
            raise InvalidRecord(f"{self.path} is damaged: its schema is said to be {version}.")
        return version

    def verify(self) -> None:
        """Have SQLite check its pages and indices, and hold everything that is recorded against its checksum.

        Raises:
            InvalidRecord: something has changed that evonas did not write.
        """
        with translated(self.path, "read"):
            self._connection.execute(
                "begin"
            )  # one look at all of it, whatever the writer does meanwhile
            try:
                (words,) = self._connection.execute("pragma integrity_check(1)").fetchone()
                if words == "ok" and self.meta(checksum.KEY) != checksum.total(self._connection):
                    words = "its content is not what was written"
            except KeyError:
                words = "its checksum is missing"
            finally:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("rollback")
        if words != "ok":
            last = words.splitlines()[-1]
            raise InvalidRecord(
                f"the record {self.path} is damaged: {last}. Put a copy in its place, or begin a new run."
            )

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with translated(self.path, "read"):
            return self._connection.execute(query, values).fetchall()

    def meta(self, key: str) -> Any:
        """A value that was put under this key.

        Raises:
            KeyError: there is none.
        """
        rows = self._rows("select value from meta where key = ?", (key,))
        if not rows:
            raise KeyError(key)
        with decoding(self.path):
            return json.loads(rows[0][0])

    def has_meta(self, key: str) -> bool:
        return bool(self._rows("select 1 from meta where key = ?", (key,)))

    def trials(self, objective: Objective) -> list[Trial]:
        """All trials, by id; the fitness is read from the metrics by this objective."""
        rows = self._rows(f"select {TRIAL_COLUMNS} from trial order by id")
        if [row[0] for row in rows] != list(range(len(rows))):
            raise InvalidRecord(f"the record {self.path} is damaged: trials are missing")
        with decoding(self.path):
            return [trial_of(row, objective) for row in rows]

    def waiting(self) -> list[int]:
        """The trials whose outcome is not known."""
        return [
            row[0]
            for row in self._rows(
                "select id from trial where state = ? order by id", (TrialState.WAITING,)
            )
        ]

    def charged(self) -> int:
        """How many trials are no twins: what the budget is spent on."""
        return int(self._rows("select count(*) from trial where twin_of is null")[0][0])

    def told(self) -> int:
        """How many trials the strategy has been told."""
        return int(self._rows("select count(*) from trial where told")[0][0])

    def told_order(self) -> list[int]:
        """The trials that the strategy has been told, in the order of the telling."""
        return [row[0] for row in self._rows("select id from trial where told > 0 order by told")]

    def worked_seconds(self) -> float:
        """How long its sessions have worked: of each, from the first attempt's start to the last one's end."""
        times = "max(max(coalesce(ended, started)), max(started)) - min(started)"
        rows = self._rows(f"select {times} from attempt group by session")
        return float(sum(seconds for (seconds,) in rows))

    def latest_end(self) -> float:
        """When the latest of the attempts ended; 0 where none has."""
        return float(self._rows("select coalesce(max(ended), 0) from attempt")[0][0])

    def begun(self) -> dict[int, float]:
        """Of the trials that wait and were in a worker already, when their first attempt started."""
        query = "select trial, min(started) from attempt join trial on id = trial where trial.state = ? group by trial"
        return dict(self._rows(query, (TrialState.WAITING,)))

    def told_before(self) -> list[int]:
        """For each trial, by id, how many trials had been told when it was asked."""
        return [int(count) for (count,) in self._rows("select told_before from trial order by id")]

    def best_known(self, trial: int, direction: Direction) -> float | None:
        """The best value among the trials that had been told when this one was asked; None where none was `ok`."""
        told = "told between 1 and (select told_before from trial where id = ?)"
        best: float | None = self._rows(
            f"select {direction}(value) from trial where {told}", (trial,)
        )[0][0]
        return best

    def attempts(self, trial: int | None = None) -> list[Attempt]:
        """The attempts at one trial, or at all, in order."""
        where, values = (
            ("", ()) if trial is None else ("where trial = ?", (trial,))
        )  # a search, not a scan
        rows = self._rows(
            f"select {ATTEMPT_COLUMNS} from attempt {where} order by trial, number", values
        )
        with decoding(self.path):
            return [attempt_of(row) for row in rows]

    def files(self, trial: int | None = None) -> dict[str, str]:
        """Path -> sha256 of the files that this trial's worker wrote, or of all files."""
        return dict(
            self._rows(
                "select path, sha256 from file where ? is null or trial = ? order by path",
                (trial, trial),
            )
        )

    def events(self) -> list[tuple[float, str, Any]]:
        rows = self._rows("select at, kind, detail from event order by id")
        with decoding(self.path):
            return [(at, kind, json.loads(detail)) for at, kind, detail in rows]

    def content(self) -> list[tuple[Any, ...]]:
        """The table of trials: what must be the same for the same config and seed, whatever happened on the way."""
        return self._rows(f"select {CONTENT_COLUMNS} from trial order by id")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> RecordReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
