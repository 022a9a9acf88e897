"""The record: one SQLite file for each run, one writer, the only truth.

Every other file of a run can be made again from it, or is checked against a sha256 in it. The
writer uses a write-ahead log and flushes each commit. Readers open read-only and disturb nobody.
When a run has ended, its record is sealed: one plain file, which read-only media can hold.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.clock import on_the_wall
from evonas.errors import EvonasError, RunHeld
from evonas.failpoints import failpoint
from evonas.files import temporary_beside
from evonas.runtime.record import checksum
from evonas.runtime.record.migrations import back_up, migrate
from evonas.runtime.record.open_record import LAST_ASK, STOPPED, TIME_OVER, WORKED, OpenRecord
from evonas.runtime.record.opening import PATIENCE, open_to_write, translated
from evonas.runtime.record.past import Past
from evonas.runtime.record.place import Place
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.rows import CONTENT_COLUMNS, dump, expected_row, new_row
from evonas.runtime.record.schema import SCHEMA, VERSION
from evonas.trial import Objective, Outcome, Trial

_NEW_TRIAL = f"insert into trial ({CONTENT_COLUMNS}) values ({','.join('?' * 15)})"
_NEW_EXPECTED = "insert into expected (trial, median, low, high) values (?, ?, ?, ?)"


class Record(OpenRecord):
    """The writer. The run's lock sees to it that a run has one writer at a time.

    If the lock fails (somebody deleted it), the session that was opened last goes on. The other
    session is refused at its next transaction.

    Args:
        clock: gives the time for the columns that are times; they are no part of the content.

    Attributes:
        session: number of this opening, from 1.
        backup: backup of the record as an older evonas left it; None if nothing was migrated.

    Raises:
        InvalidRecord: the record is damaged; nothing was written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = on_the_wall) -> None:
        # First as a reader: a damaged record is refused before anything is written to it.
        with RecordReader(path) as reader:
            reader.verify()
        with translated(path):
            connection = open_to_write(path)
        super().__init__(path, connection, reader.version)
        self._clock = clock
        self._worked: Callable[[], float] | None = None
        self._place = Place(path)
        self.session = 0
        self.backup: Path | None = None
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Begin a session."""
        if self.version < VERSION:
            self._migrate()
        with translated(self.path):
            # Not before the migration, which makes the sum anew by itself.
            self._ledger = checksum.Ledger(self._connection)
        failpoint("record.opened")
        with self._transaction(as_new=True):
            self.session = int(self.meta("session")) + 1
            self._put("session", self.session)
            # An attempt that still runs was of a session that is gone.
            self._connection.execute(
                "update attempt set state = 'abandoned' where state = 'running'"
            )
            self._event("opened", {"session": self.session})
        failpoint("record.session")

    def _migrate(self) -> None:
        """Make a backup; then do all of the migration or nothing."""
        with translated(self.path):
            self.backup = back_up(self._connection, self.path, self.version)
            self._connection.execute("begin immediate")
            try:
                migrate(self._connection, self.version)
                detail = {
                    "from": self.version,
                    "to": VERSION,
                    "backup": self.backup.name,
                }
                self._event("migrated", detail)
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
        temporary = temporary_beside(path)
        everything = {**meta, "schema": VERSION, "session": 0, "sealed": False}
        with translated(path):
            connection = sqlite3.connect(temporary, isolation_level=None)
            try:
                connection.executescript(SCHEMA)
                connection.execute("begin")
                for key, value in everything.items():
                    connection.execute("insert into meta values (?, ?)", (key, dump(value)))
                for name, digest in files.items():
                    connection.execute("insert into file values (?, ?, null)", (name, digest))
                checksum.put(connection, checksum.total(connection))
                connection.execute("commit")
                # The switch waits for readers. Nobody reads yet, so that no session has to wait.
                connection.execute("pragma journal_mode = wal")
            finally:
                connection.close()
        failpoint("record.created")
        # A hard link never takes the place of another record; a rename would.
        path.hardlink_to(temporary)
        temporary.unlink()

    def check_place(self) -> None:
        """See whether the run's folder is still there, and still this one.

        Raises:
            UserError: it was removed, renamed or replaced.
        """
        self._place.check()

    def use_clock(self, clock: Callable[[], float]) -> None:
        """Keep times by another clock: the virtual one of a simulation."""
        self._clock = clock
        # From here on, commits are not flushed to the disk one by one. A killed process loses none
        # of them all the same. A machine that loses its power may lose the last ones, and a resume
        # repeats them exactly.
        self._connection.execute("pragma synchronous = normal")

    def count_seconds(self, worked: Callable[[], float] | None) -> None:
        """Keep, with each transaction, how long the run has been worked on.

        Args:
            worked: gives the seconds of all sessions so far; None to keep what is recorded.
        """
        self._worked = worked

    @contextlib.contextmanager
    def _transaction(self, as_new: bool = False) -> Iterator[None]:
        """All of it or nothing, with failpoints around the commit.

        Args:
            as_new: begin a session; otherwise this session must be the one that was begun last.
        """
        with self._silent_transaction(as_new):
            yield
            failpoint("record.before_commit", disk=_as_sqlite)
        failpoint("record.after_commit")

    @contextlib.contextmanager
    def _silent_transaction(self, as_new: bool = False) -> Iterator[None]:
        """As `_transaction`, without failpoints.

        Raises:
            RunHeld: another process has begun a session since.
            UserError: the record is no longer where it was.
        """
        self.check_place()
        with translated(self.path):
            # Immediate: the write lock is taken before the session is compared.
            self._connection.execute("begin immediate")
            self._ledger.forget()
            try:
                if not as_new and self.meta("session") != self.session:
                    folder = self.path.parent
                    raise RunHeld(f"the run at {folder} was taken over by another process")
                yield
                if self._worked is not None:
                    self._put(WORKED, self._worked())
                self._ledger.enter()
                self._connection.execute("commit")
            except BaseException:
                # SQLite may have rolled back already, as it does on a full disk.
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
        """Put a value under this key."""
        with self._transaction():
            self._put(key, value)

    def event(self, kind: str, detail: Any) -> None:
        """Note something for the reader; no part of the content."""
        with self._transaction():
            self._event(kind, detail)

    def put_noted(self, key: str, value: Any, kind: str, detail: Any) -> None:
        """Put a value under this key, and note that for the reader: both or neither."""
        with self._transaction():
            self._put(key, value)
            self._event(kind, detail)

    def resume(self, objective: Objective, limit: float | None, is_late: bool) -> Past:
        """Where the last session ended; see `Journal`."""
        trials = self.trials(objective)
        told = self.told_order()
        begun = self.begun()
        # An estimate may have changed since. What was over stays so until the budget is another.
        is_time_over = is_late or (self.has_meta(TIME_OVER) and self.meta(TIME_OVER) == limit)
        if not is_time_over:
            # An older evonas told cancelled trials: what the strategy has seen stays.
            interrupted = {trial.id for trial in trials if trial.is_interrupted}
            open_again = [trials[id].unsettled for id in sorted(interrupted.difference(told))]
            self._reopen(open_again)
            for trial in open_again:
                trials[trial.id] = trial
        return Past(
            session=self.session,
            trials=trials,
            told=told,
            begun=begun.keys(),
            state=self.meta("strategy") if self.has_meta("strategy") else None,
            last_ask=self.last_ask(),
            stops=[detail for _, kind, detail in self.events() if kind == STOPPED],
            is_time_over=is_time_over,
        )

    def _reopen(self, trials: Sequence[Trial]) -> None:
        """Trials that a deadline has interrupted wait again, as if it had not been there.

        The attempts that were cut short become `abandoned`.
        """
        if not trials:
            return
        ids = [(trial.id,) for trial in trials]
        with self._transaction():
            for trial in trials:
                self._settle(trial)
            self._connection.executemany(
                "update attempt set state = 'abandoned' where state = 'ok' and trial = ?", ids
            )
            failpoint("record.reopened")

    def commit_step(
        self,
        told: Sequence[Trial],
        asked: Sequence[Trial],
        state: Mapping[str, Any],
        before: int,
        is_last: bool = False,
        stop: Mapping[str, Any] | None = None,
    ) -> None:
        """What the strategy was told and then asked, and its state; see `Journal`."""
        first = before - len(told) + 1
        with self._transaction():
            for place, trial in enumerate(told, first):
                self._settle(trial)
                self._connection.execute(
                    "update trial set told = ? where id = ?", (place, trial.id)
                )
                failpoint("record.told")
            for trial in asked:
                self._connection.execute(_NEW_TRIAL, new_row(trial, before))
                if expected := expected_row(trial):
                    self._connection.execute(_NEW_EXPECTED, expected)
                failpoint("record.asked")
            self._put("strategy", dict(state))
            if is_last:
                self._put_last_ask(before, state)
            if stop is not None:
                self._event(STOPPED, dict(stop))
            failpoint("record.strategy")

    def _put_last_ask(self, told: int, state: Mapping[str, Any]) -> None:
        trials = self._value("select count(*) from trial")
        self._put(LAST_ASK, {"trials": trials, "told": told, "strategy": dict(state)})

    def go_back(self, told: int, state: Mapping[str, Any]) -> None:
        """The strategy counts only so many trials as told, and is in this state; outcomes stay."""
        with self._transaction():
            self._rewind(told, state)
            failpoint("record.back")

    def _rewind(self, told: int, state: Mapping[str, Any]) -> None:
        self._connection.execute("update trial set told = 0 where told > ?", (told,))
        self._put("strategy", dict(state))

    def change_config(
        self,
        config: Mapping[str, Any],
        changes: Sequence[Mapping[str, Any]],
        rewound: tuple[int, Mapping[str, Any]] | None,
    ) -> None:
        """Later sessions use this config, and the run is not over.

        Args:
            config: the new config.
            changes: changed keys, for the reader: `key`, `from`, `to`.
            rewound: number of trials that the strategy counts as told from now on, and its state
                then; None to leave both. Outcomes are kept.
        """
        with self._transaction():
            self._put("config", dict(config))
            self._put("sealed", False)
            for change in changes:
                self._event("config changed", dict(change))
            failpoint("record.config")
            if rewound is not None:
                self._rewind(*rewound)
                self._put_last_ask(*rewound)

    def start_attempt(self, trial: int) -> int:
        """The number of the attempt that starts now."""
        with self._transaction():
            count = self._value("select count(*) from attempt where trial = ?", (trial,))
            number = int(count)
            self._connection.execute(
                "insert into attempt (trial, number, session, state, started)"
                " values (?, ?, ?, 'running', ?)",
                (trial, number, self.session, self._clock()),
            )
        return number

    def note_epochs(self, reached: Mapping[tuple[int, int], int]) -> None:
        """Note how many epochs running attempts have finished. This is no part of the content.

        Args:
            reached: trial and number of the attempt -> epochs. If it is empty, only the seconds
                that were worked are noted.
        """
        rows = [(epochs, trial, number) for (trial, number), epochs in reached.items()]
        # When this is called depends on the clock. With failpoints, their count would, too.
        with self._silent_transaction():
            self._connection.executemany(
                "update attempt set epochs = ? where trial = ? and number = ?", rows
            )

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        """The outcome of an attempt.

        Args:
            trial: the trial after this outcome.
            number: number of the attempt.
            outcome: what the worker answered.
            final: whether the outcome is the trial's, too. Otherwise the trial waits for another
                attempt.
        """
        with self._transaction():
            history = dump(dict(outcome.history))
            details = dump(outcome.details.to_json())
            self._connection.execute(
                "update attempt set state = ?, ended = ?, epochs = ?, seconds = ?, history = ?,"
                " message = ?, details = ? where trial = ? and number = ?",
                (
                    outcome.state,
                    self._clock(),
                    outcome.epochs,
                    outcome.seconds,
                    history,
                    outcome.message,
                    details,
                    trial.id,
                    number,
                ),
            )
            failpoint("record.attempt")
            if final:
                self._settle(trial)
                self._files(outcome.files, trial.id)
            failpoint("record.outcome")

    def cancel(self, trials: Sequence[Trial], limit: float | None) -> None:
        """The time is over: these trials, which never began, have their outcome; see `Journal`."""
        with self._transaction():
            self._put(TIME_OVER, limit)
            for trial in trials:
                self._settle(trial)
            failpoint("record.cancelled")

    def _settle(self, trial: Trial) -> None:
        """Write a trial's outcome into its row."""
        fitness = trial.fitness
        value = None if fitness is None else fitness.value
        self._connection.execute(
            "update trial set state = ?, value = ?, metrics = ? where id = ?",
            (trial.state, value, dump(dict(trial.metrics)), trial.id),
        )

    def _files(self, files: Mapping[str, str], trial: int | None) -> None:
        """Write files, path -> sha256, as those of a trial, or of the run as a whole."""
        rows = [(path, digest, trial) for path, digest in files.items()]
        # A file that is written again keeps its trial: only its sha256 is new.
        self._connection.executemany(
            "insert into file values (?, ?, ?)"
            " on conflict (path) do update set sha256 = excluded.sha256",
            rows,
        )

    def note_files(
        self,
        files: Mapping[str, str],
        result: Mapping[str, Any] | None = None,
        gone: Sequence[str] = (),
    ) -> None:
        """Note files that the run as a whole has written.

        Args:
            files: path -> sha256.
            result: the result of the run, if the files hold it.
            gone: paths of files that the run has deleted.
        """
        with self._transaction():
            self._files(files, None)
            self._connection.executemany(
                "delete from file where path = ?", [(path,) for path in gone]
            )
            if result is not None:
                self._put("result", dict(result))

    def seal(self) -> None:
        """The run has ended: leave one plain file, without a write-ahead log.

        If somebody reads at this moment, the log stays. The record is as whole with it.
        """
        self._fold()
        failpoint("record.folded")
        self.put_meta("sealed", True)
        failpoint("record.sealed")

    def _fold(self) -> None:
        """Move the write-ahead log into the file, unless a reader keeps it."""
        with contextlib.suppress(sqlite3.OperationalError):
            # A reader may stay for hours, and is not waited for: 1000 ms instead of `PATIENCE`.
            self._connection.execute("pragma busy_timeout = 1000")
            self._connection.execute("pragma wal_checkpoint(truncate)")
            self._connection.execute("pragma journal_mode = delete")
        milliseconds = int(PATIENCE * 1000)
        self._connection.execute(f"pragma busy_timeout = {milliseconds}")

    def close(self) -> None:
        """Close the file. A sealed record stays one plain file."""
        # Opening it has made a log again, even if this session had nothing to write.
        with contextlib.suppress(EvonasError, sqlite3.Error, KeyError):
            if self.meta("sealed"):
                self._fold()
        self._place.close()
        self._connection.close()


def _as_sqlite(error: OSError) -> sqlite3.OperationalError:
    """What SQLite makes of a full or broken disk: for failpoints."""
    if error.errno == errno.ENOSPC:
        return sqlite3.OperationalError("database or disk is full")
    return sqlite3.OperationalError("disk I/O error")
