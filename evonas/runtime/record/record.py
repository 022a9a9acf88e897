"""The record: one SQLite file a run, one writer, the only truth.

Every other file of a run can be made again from it or is checked against a sha256 in it. The writer commits in WAL
mode with full synchronisation; readers open read-only and disturb nobody. When a run has ended its record is sealed:
one plain file that can be read from read-only media.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.errors import EvonasError, RunHeld
from evonas.failpoints import failpoint
from evonas.runtime.record import checksum
from evonas.runtime.record.migrations import back_up, migrate
from evonas.runtime.record.opening import PATIENCE, open_to_write, translated
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.rows import CONTENT_COLUMNS, dump, new_row
from evonas.runtime.record.schema import SCHEMA, VERSION
from evonas.trial import Outcome, Trial


class Record(RecordReader):
    """The writer.

    Exactly one a run at any time: the run's lock sees to that. Where the lock fails (somebody deleted it), the session
    that was opened last goes on, and the other one is refused at its next transaction.

    Args:
        clock: gives the time for the columns that are times; they are no part of the content.

    Attributes:
        session: the number of this opening, from 1.
        backup: of the record as an older evonas left it; None where there was nothing to migrate.

    Raises:
        InvalidRecord: the record is damaged; nothing was written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(path)
        with contextlib.closing(self._connection):
            self.verify()
        self._clock = clock
        with translated(path):
            self._connection = open_to_write(path)
        self.session = 0
        self.backup: Path | None = None
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        if self.version < VERSION:
            self._migrate()
        with translated(self.path):
            self._ledger = checksum.Ledger(self._connection)
        failpoint("record.opened")
        with self._transaction(as_new=True):
            self.session = int(self.meta("session")) + 1
            self._put("session", self.session)
            self._connection.execute(
                "update attempt set state = 'abandoned' where state = 'running'"
            )
            self._event("opened", {"session": self.session})
        failpoint("record.session")

    def _migrate(self) -> None:
        """The backup first; then all of it or nothing."""
        with translated(self.path):
            self.backup = back_up(self._connection, self.path, self.version)
            self._connection.execute("begin immediate")
            try:
                migrate(self._connection, self.version)
                self._event(
                    "migrated", {"from": self.version, "to": VERSION, "backup": self.backup.name}
                )
                checksum.put(self._connection, checksum.total(self._connection))
                failpoint("migration.before_commit")
                self._connection.execute("commit")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("rollback")
                raise
        failpoint("migration.done")

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, Any], files: Mapping[str, str]) -> None:
        """Make a new record, whole or not at all.

        Args:
            meta: what never changes in this run: config, space, interface, ...
            files: path -> sha256, of the files that the run starts from.
        """
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        with translated(path):
            connection = sqlite3.connect(temporary, isolation_level=None)
            try:
                connection.executescript(SCHEMA)
                connection.execute("begin")
                everything = {**meta, "schema": VERSION, "session": 0, "sealed": False}
                connection.executemany(
                    "insert into meta values (?, ?)", [(k, dump(v)) for k, v in everything.items()]
                )
                connection.executemany("insert into file values (?, ?, null)", list(files.items()))
                checksum.put(connection, checksum.total(connection))
                connection.execute("commit")
                connection.execute(
                    "pragma journal_mode = wal"
                )  # or the first session would wait for readers
            finally:
                connection.close()
        failpoint("record.created")
        path.hardlink_to(temporary)  # never in the place of another record, as a rename would be
        temporary.unlink()

    def use_clock(self, clock: Callable[[], float]) -> None:
        """Keep times by another clock: the virtual one of a simulation.

        Its commits are not forced to the disk one by one any more. A killed process loses none of them even so; a
        machine that loses its power may lose the last ones, and repeats them exactly when the run is resumed.
        """
        self._clock = clock
        self._connection.execute("pragma synchronous = normal")

    @contextlib.contextmanager
    def _transaction(self, as_new: bool = False) -> Iterator[None]:
        """All of it or nothing.

        Args:
            as_new: begin a session, rather than be held to the one that was begun last.
        """
        with self._silent_transaction(as_new):
            yield
            failpoint("record.before_commit", disk=_as_sqlite)
        failpoint("record.after_commit")

    @contextlib.contextmanager
    def _silent_transaction(self, as_new: bool = False) -> Iterator[None]:
        with translated(self.path):
            self._connection.execute("begin immediate")
            self._ledger.forget()
            try:
                if not as_new and self.meta("session") != self.session:
                    raise RunHeld(
                        f"the run at {self.path.parent} was taken over by another process"
                    )
                yield
                self._ledger.enter()
                self._connection.execute("commit")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("rollback")
                raise

    def _put(self, key: str, value: Any) -> None:
        self._connection.execute(
            "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
            (key, dump(value)),
        )

    def _event(self, kind: str, detail: Any) -> None:
        self._connection.execute(
            "insert into event (at, kind, detail) values (?, ?, ?)",
            (self._clock(), kind, dump(detail)),
        )

    def put_meta(self, key: str, value: Any) -> None:
        with self._transaction():
            self._put(key, value)

    def event(self, kind: str, detail: Any) -> None:
        """Note something for the reader; no part of the content."""
        with self._transaction():
            self._event(kind, detail)

    def commit_step(
        self, told: Sequence[Trial], asked: Sequence[Trial], state: Mapping[str, Any], before: int
    ) -> None:
        """What the strategy was told and then asked, and its state after it, in one transaction.

        Args:
            before: how many trials had been told when `asked` were asked, `told` included.
        """
        with self._transaction():
            for place, trial in enumerate(told, before - len(told) + 1):
                self._settle(trial)
                self._connection.execute(
                    "update trial set told = ? where id = ?", (place, trial.id)
                )
                failpoint("record.told")
            for trial in asked:
                self._connection.execute(
                    f"insert into trial ({CONTENT_COLUMNS}) values ({','.join('?' * 15)})",
                    new_row(trial, before),
                )
                failpoint("record.asked")
            self._put("strategy", dict(state))
            failpoint("record.strategy")

    def change_config(
        self,
        config: Mapping[str, Any],
        changes: Sequence[Mapping[str, Any]],
        rewound: tuple[int, Mapping[str, Any]] | None,
    ) -> None:
        """Later sessions go by this config, and the run is not over.

        Args:
            changes: what has changed, for the reader: `key`, `from`, `to`.
            rewound: how many trials the strategy counts as told from now on, and its state then; None to leave both.
                Outcomes are kept.
        """
        with self._transaction():
            self._put("config", dict(config))
            self._put("sealed", False)
            for change in changes:
                self._event("config changed", dict(change))
            failpoint("record.config")
            if rewound is not None:
                told, state = rewound
                self._connection.execute("update trial set told = 0 where told > ?", (told,))
                self._put("strategy", dict(state))

    def start_attempt(self, trial: int) -> int:
        """The number of the attempt that starts now."""
        with self._transaction():
            number = int(self._rows("select count(*) from attempt where trial = ?", (trial,))[0][0])
            self._connection.execute(
                "insert into attempt (trial, number, session, state, started) values (?, ?, ?, 'running', ?)",
                (trial, number, self.session, self._clock()),
            )
        return number

    def note_epochs(self, reached: Mapping[tuple[int, int], int]) -> None:
        """How many epochs running attempts have behind them, by trial and number.

        No part of the content, and without failpoints: when it is called depends on the clock.
        """
        rows = [(epochs, trial, number) for (trial, number), epochs in reached.items()]
        with self._silent_transaction():
            self._connection.executemany(
                "update attempt set epochs = ? where trial = ? and number = ?", rows
            )

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        """What came of an attempt.

        Args:
            trial: as it is after this outcome.
            final: whether the outcome is the trial's too; otherwise the trial goes on waiting, for another attempt.
        """
        with self._transaction():
            measured = (outcome.epochs, outcome.seconds, dump(dict(outcome.history)))
            said = (outcome.message, dump(dict(outcome.details)))
            self._connection.execute(
                "update attempt set state = ?, ended = ?, epochs = ?, seconds = ?, history = ?, message = ?,"
                " details = ? where trial = ? and number = ?",
                (outcome.state, self._clock(), *measured, *said, trial.id, number),
            )
            failpoint("record.attempt")
            if final:
                self._settle(trial)
                self._files(outcome.files, trial.id)
            failpoint("record.outcome")

    def _settle(self, trial: Trial) -> None:
        value = None if trial.fitness is None else trial.fitness.value
        self._connection.execute(
            "update trial set state = ?, value = ?, metrics = ? where id = ?",
            (trial.state, value, dump(dict(trial.metrics)), trial.id),
        )

    def _files(self, files: Mapping[str, str], trial: int | None) -> None:
        self._connection.executemany(
            "insert into file values (?, ?, ?) on conflict (path) do update set sha256 = excluded.sha256",
            [(path, digest, trial) for path, digest in files.items()],
        )

    def note_files(self, files: Mapping[str, str], result: Mapping[str, Any] | None = None) -> None:
        """Path -> sha256 of files that the run as a whole has written, and the result that they hold, if it is one."""
        with self._transaction():
            self._files(files, None)
            if result is not None:
                self._put("result", dict(result))

    def seal(self) -> None:
        """The run has ended: leave one plain file, without a write-ahead log.

        While somebody reads, the log cannot be given up; the record is as whole with it.
        """
        self._fold()
        failpoint("record.folded")
        self.put_meta("sealed", True)
        failpoint("record.sealed")

    def _fold(self) -> None:
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute(
                "pragma busy_timeout = 1000"
            )  # of a reader, who is not to be waited for
            self._connection.execute("pragma wal_checkpoint(truncate)")
            self._connection.execute("pragma journal_mode = delete")
        self._connection.execute(f"pragma busy_timeout = {int(PATIENCE * 1000)}")

    def close(self) -> None:
        """Let go; a sealed record stays one plain file, also where this session had nothing to do."""
        with contextlib.suppress(EvonasError, sqlite3.Error, KeyError):
            if self.meta("sealed"):
                self._fold()
        super().close()


def _as_sqlite(error: OSError) -> sqlite3.OperationalError:
    """What SQLite makes of a full or broken disk: for failpoints."""
    return sqlite3.OperationalError(
        "database or disk is full" if error.errno == errno.ENOSPC else "disk I/O error"
    )
