"""The record: one SQLite file a run, one writer, the only truth.

Every other file of a run can be made again from it or is checked against a sha256 in it. The writer commits in WAL
mode with full synchronisation; readers open read-only and disturb nobody. When a run has ended its record is sealed:
one plain file that can be read from read-only media.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.errors import DiskFailure, EvonasError, InvalidRecord, RunHeld, UserError
from evonas.genome import Genome
from evonas.runtime.schema import SCHEMA, VERSION
from evonas.testing.failpoints import failpoint
from evonas.trial import Fidelity, Lineage, Objective, Outcome, Proposal, Trial, TrialState

TRIAL_COLUMNS = "id, genome, epochs, repeat, operator, parents, generation, resume_from, twin_of, state, metrics"
CONTENT_COLUMNS = (
    "id, genome, digest, epochs, repeat, operator, parents, generation, resume_from, twin_of, state, value, metrics,"
    " told, told_before"
)


@dataclass(frozen=True)
class Attempt:
    """One try at a trial, as recorded."""

    trial: int
    number: int
    session: int
    state: str
    started: float
    ended: float | None
    epochs: int
    seconds: float | None
    history: Mapping[str, list[float | None]]
    message: str
    details: Mapping[str, Any]


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """What was written by evonas cannot be read as evonas's: somebody else, or a failing disk, wrote there."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, UserError) as error:
        raise InvalidRecord(f"the record {path} is damaged: {type(error).__name__}: {error}") from error


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


@contextlib.contextmanager
def _translated(path: Path, doing: str = "written") -> Iterator[None]:
    """SQLite's errors in evonas's words; `doing` is what cannot be done with the record."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise RunHeld(f"the record {path} is locked by another process: {text}. Try again.") from error
        if "full" in text or "readonly" in text or "disk I/O" in text or "unable to open" in text:
            raise DiskFailure(
                f"the record {path} cannot be {doing}: {text}. Nothing that was committed is lost."
            ) from error
        raise InvalidRecord(f"the record {path} cannot be used: {text}") from error
    except sqlite3.DatabaseError as error:
        raise InvalidRecord(f"the record {path} is damaged: {error}") from error


class RecordReader:
    """Reads a record, also while a run is writing it.

    Sees what is committed, never half a transaction.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UserError(f"there is no run at {path.parent}: {path.name} is missing. `evonas list` shows the runs.")
        with _translated(path, "read"):
            self._connection = _open_to_read(path)
        self._check_version()

    def _check_version(self) -> None:
        try:
            version = self.meta("schema")
        except (InvalidRecord, KeyError) as error:
            self.close()
            raise InvalidRecord(f"{self.path} is not an evonas record, or it is damaged: {error}") from error
        except EvonasError:
            self.close()
            raise
        if version > VERSION:
            self.close()
            raise InvalidRecord(
                f"{self.path} was written by a newer evonas: its schema is {version}, this one reads up to {VERSION}."
            )

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _translated(self.path, "read"):
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
            return [_trial(row, objective) for row in rows]

    def waiting(self) -> list[int]:
        """The trials whose outcome is not known."""
        return [row[0] for row in self._rows("select id from trial where state = ? order by id", (TrialState.WAITING,))]

    def told(self) -> int:
        """How many trials the strategy has been told."""
        return int(self._rows("select count(*) from trial where told")[0][0])

    def told_order(self) -> list[int]:
        """The trials that the strategy has been told, in the order of the telling."""
        return [row[0] for row in self._rows("select id from trial where told > 0 order by told, id")]

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

    def attempts(self, trial: int | None = None) -> list[Attempt]:
        """The attempts at one trial, or at all, in order."""
        columns = "trial, number, session, state, started, ended, epochs, seconds, history, message, details"
        rows = self._rows(
            f"select {columns} from attempt where ? is null or trial = ? order by trial, number", (trial, trial)
        )
        with decoding(self.path):
            return [
                Attempt(*(json.loads(value) if at in (8, 10) else value for at, value in enumerate(row)))
                for row in rows
            ]

    def files(self, trial: int | None = None) -> dict[str, str]:
        """Path -> sha256 of the files that this trial's worker wrote, or of all files."""
        return dict(
            self._rows("select path, sha256 from file where ? is null or trial = ? order by path", (trial, trial))
        )

    def events(self) -> list[tuple[float, str, Any]]:
        rows = self._rows("select at, kind, detail from event order by id")
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


class Record(RecordReader):
    """The writer.

    Exactly one a run at any time: the run's lock sees to that.
        Args:
            clock: gives the time for the columns that are times; they are no part of the content.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(path)
        self.close()
        self._clock = clock
        with _translated(path):
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute("pragma foreign_keys = on")
        failpoint("record.opened")
        with self._transaction():
            self.session = int(self.meta("session")) + 1
            self._put("session", self.session)
            self._connection.execute("update attempt set state = 'abandoned' where state = 'running'")
            self._event("opened", {"session": self.session})
        failpoint("record.session")

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, Any], files: Mapping[str, str]) -> None:
        """Make a new record, whole or not at all.

        Args:
            meta: what never changes in this run: config, space, interface, ...
            files: path -> sha256, of the files that the run starts from.
        """
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        with _translated(path):
            connection = sqlite3.connect(temporary, isolation_level=None)
            try:
                connection.executescript(SCHEMA)
                connection.execute("begin")
                everything = {**meta, "schema": VERSION, "session": 0, "sealed": False}
                connection.executemany("insert into meta values (?, ?)", [(k, _dump(v)) for k, v in everything.items()])
                connection.executemany("insert into file values (?, ?, null)", list(files.items()))
                connection.execute("commit")
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
    def _transaction(self) -> Iterator[None]:
        with _translated(self.path):
            self._connection.execute("begin immediate")
            try:
                yield
                failpoint("record.before_commit")
                self._connection.execute("commit")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("rollback")
                raise
        failpoint("record.after_commit")

    def _put(self, key: str, value: Any) -> None:
        self._connection.execute(
            "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value", (key, _dump(value))
        )

    def _event(self, kind: str, detail: Any) -> None:
        self._connection.execute(
            "insert into event (at, kind, detail) values (?, ?, ?)", (self._clock(), kind, _dump(detail))
        )

    def put_meta(self, key: str, value: Any) -> None:
        with self._transaction():
            self._put(key, value)

    def event(self, kind: str, detail: Any) -> None:
        """Note something for the reader; no part of the content."""
        with self._transaction():
            self._event(kind, detail)

    def commit_step(self, told: Sequence[Trial], asked: Sequence[Trial], state: Mapping[str, Any], before: int) -> None:
        """What the strategy was told and then asked, and its state after it, in one transaction.

        Args:
            before: how many trials had been told when `asked` were asked, `told` included.
        """
        with self._transaction():
            for place, trial in enumerate(told, before - len(told) + 1):
                self._settle(trial)
                self._connection.execute("update trial set told = ? where id = ?", (place, trial.id))
                failpoint("record.told")
            for trial in asked:
                self._connection.execute(
                    f"insert into trial ({CONTENT_COLUMNS}) values ({','.join('?' * 15)})", _row(trial, before)
                )
                failpoint("record.asked")
            self._put("strategy", dict(state))
            failpoint("record.strategy")

    def start_attempt(self, trial: int) -> int:
        """The number of the attempt that starts now."""
        with self._transaction():
            number = int(self._rows("select count(*) from attempt where trial = ?", (trial,))[0][0])
            self._connection.execute(
                "insert into attempt (trial, number, session, state, started) values (?, ?, ?, 'running', ?)",
                (trial, number, self.session, self._clock()),
            )
        return number

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        """What came of an attempt.

        Args:
            trial: as it is after this outcome.
            final: whether the outcome is the trial's too; otherwise the trial goes on waiting, for another attempt.
        """
        with self._transaction():
            measured = (outcome.epochs, outcome.seconds, _dump(dict(outcome.history)))
            said = (outcome.message, _dump(dict(outcome.details)))
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
            (trial.state, value, _dump(dict(trial.metrics)), trial.id),
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
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute("pragma wal_checkpoint(truncate)")
            self._connection.execute("pragma journal_mode = delete")
        failpoint("record.folded")
        self.put_meta("sealed", True)
        failpoint("record.sealed")


def _open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write.

    A record that was not sealed cannot be opened from a read-only folder in the usual way; where no log lies beside it,
    it is whole and cannot change.
    """
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)
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


def _row(trial: Trial, told_before: int) -> tuple[Any, ...]:
    """A new trial as a row; columns as in CONTENT_COLUMNS."""
    proposal = trial.proposal
    return (
        *(trial.id, _dump(trial.genome.to_dict()), trial.genome.digest, proposal.fidelity.epochs, proposal.repeat),
        *(trial.lineage.operator, _dump(list(trial.lineage.parents)), trial.lineage.generation, proposal.resume_from),
        *(trial.twin_of, trial.state, None, "{}", 0, told_before),
    )


def _trial(row: tuple[Any, ...], objective: Objective) -> Trial:
    """A row with TRIAL_COLUMNS as a trial."""
    id, genome, epochs, repeat, operator, parents, generation, resume_from, twin_of, state, metrics = row
    lineage = Lineage(operator, tuple(json.loads(parents)), generation)
    proposal = Proposal(Genome.from_dict(json.loads(genome)), Fidelity(epochs), lineage, repeat, resume_from)
    return settled(Trial(id, proposal, twin_of), TrialState(state), json.loads(metrics), objective)


def settled(trial: Trial, state: TrialState, metrics: Mapping[str, float], objective: Objective) -> Trial:
    """The trial with its outcome; the one way to a fitness, live and from the record alike."""
    fitness = objective.fitness(metrics) if state is TrialState.OK else None
    return Trial(trial.id, trial.proposal, trial.twin_of, state, metrics, fitness)
