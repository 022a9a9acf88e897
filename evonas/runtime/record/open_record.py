"""What can be asked of an open record, by a reader and by the writer alike."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from evonas.errors import InvalidRecord, UserError
from evonas.genome import Genome
from evonas.runtime.record import checksum
from evonas.runtime.record.news import Event, Mark, News
from evonas.runtime.record.opening import translated
from evonas.runtime.record.past import LastAsk
from evonas.runtime.record.rows import (
    ATTEMPT_COLUMNS,
    BRIEF_COLUMNS,
    CONTENT_COLUMNS,
    TRIAL_COLUMNS,
    TRIALS,
    attempt_of,
    decode_genome,
    trial_of,
)
from evonas.trial import Attempt, Brief, Direction, Objective, Trial, TrialState

GIVES_BACK = "gives back infeasible"
"""Key in `meta` of a run whose budget does not count infeasible proposals.

A run of an older evonas has none, and keeps its rule: each of them is a trial like any other.
"""
LAST_ASK = "last ask"
"""Key in `meta` of the place to which a run goes back when its budget is given something back."""
END = "end"
"""Key of how long the last end of the run took: `seconds`, and the `reserve` that was kept."""
TIME_OVER = "time over"
"""Key of the budget in seconds that was found to be spent, with what is kept for the end."""
STOPPED = "stopped by failures"
"""The event of a run that was stopped by failures in a row."""
WORKED = "worked"
"""Key in `meta` of the seconds that all sessions have worked."""


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Errors of decoding a row, as damage: another program or a failing disk wrote there.

    Raises:
        InvalidRecord: what is recorded is not what evonas writes.
    """
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, UserError) as error:
        kind = type(error).__name__
        raise InvalidRecord(f"the record {path} is damaged: {kind}: {error}") from error


class OpenRecord(ABC):
    """A record that is open. It shows what is committed, never half a transaction.

    Attributes:
        path: path of the record.
        version: version of the schema that the file had when it was opened.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, version: int) -> None:
        self.path = path
        self.version = version
        self._connection = connection

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def verify(self) -> None:
        """Have SQLite check its pages and indices, and compare all rows with their checksum.

        Raises:
            InvalidRecord: something has changed that evonas did not write.
        """
        with self._one_moment():
            words = self._damage()
        if words != "ok":
            # SQLite begins with a heading, and says what is wrong in the last line.
            last = words.splitlines()[-1]
            raise InvalidRecord(
                f"the record {self.path} is damaged: {last}. "
                "Put a copy in its place, or begin a new run."
            )

    def _damage(self) -> str:
        """What is wrong with the record, in words; `ok` if nothing is."""
        row = self._connection.execute("pragma integrity_check(1)").fetchone()
        words: str = row[0]
        if words != "ok":
            return words
        try:
            recorded = self.meta(checksum.KEY)
        except KeyError:
            return "its checksum is missing"
        if recorded != checksum.total(self._connection):
            return "its content is not what was written"
        return words

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query gives."""
        with translated(self.path, "read"):
            found = self._connection.execute(query, values)
            return found.fetchall()

    def _value(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The value of a query that gives a single one."""
        rows = self._rows(query, values)
        return rows[0][0]

    def meta(self, key: str) -> Any:
        """A value that was put under this key.

        Raises:
            KeyError: there is none.
        """
        rows = self._rows("select value from meta where key = ?", (key,))
        if not rows:
            raise KeyError(key)
        text = rows[0][0]
        with decoding(self.path):
            return json.loads(text)

    def has_meta(self, key: str) -> bool:
        """Whether a value was put under this key."""
        rows = self._rows("select 1 from meta where key = ?", (key,))
        return bool(rows)

    def trials(self, objective: Objective, decoded: bool = True) -> list[Trial]:
        """All trials, by id; their fitness follows from the metrics by this objective.

        Args:
            decoded: whether all genomes are decoded now. Otherwise each is decoded when it is first
                used, for those who only look at a run.

        Raises:
            InvalidRecord: a trial is damaged. A genome may raise it later if it is not decoded now.
        """
        query = f"select {TRIAL_COLUMNS} from {TRIALS} order by id"
        # Whoever works on a run must not meet a damaged genome in the middle. And an audit compares
        # what the genomes are, whatever digest stands beside them.
        decode = partial(_genome, self.path)
        read = decode if decoded else partial(Genome.stored, decode=decode)
        trials: list[Trial] = []
        with translated(self.path, "read"), decoding(self.path):
            # Row by row: all texts at once would take as much memory again.
            for row in self._connection.execute(query):
                # Ids are places, from 0: a trial is looked up by its place in this list.
                if row[0] != len(trials):
                    raise InvalidRecord(f"the record {self.path} is damaged: trials are missing")
                trials.append(trial_of(row, objective, read))
        return trials

    def count(self, *states: TrialState) -> int:
        """The number of trials in one of these states, in any if none is given; no duplicates."""
        query = "select count(*) from trial where twin_of is null"
        if states:
            places = ", ".join("?" for _ in states)
            query += f" and state in ({places})"
        return int(self._value(query, states))

    @property
    def gives_back(self) -> bool:
        """Whether infeasible proposals are given back to the budget."""
        return self.has_meta(GIVES_BACK) and bool(self.meta(GIVES_BACK))

    def last_ask(self) -> LastAsk | None:
        """How many trials had been told at the last ask, and the strategy's state after it.

        None if it was not noted: then no budget has kept the strategy from asking since.
        """
        if not self.has_meta(LAST_ASK):
            return None
        noted = self.meta(LAST_ASK)
        # What was noted before a later ask is out of date.
        if noted["trials"] != self._value("select count(*) from trial"):
            return None
        return noted["told"], noted["strategy"]

    def told_order(self) -> list[int]:
        """The ids of the trials that the strategy has been told, in the order of the telling."""
        rows = self._rows("select id from trial where told > 0 order by told")
        return [trial for (trial,) in rows]

    def worked_seconds(self) -> float:
        """How long the sessions have worked, in total, by the clock of the budget.

        A record of an evonas that did not keep them has only times of the clock on the wall, which
        may have jumped. There, a session counts from the start of its first attempt to the end of
        its last one, but not more than its workers have measured.
        """
        if self.has_meta(WORKED):
            with decoding(self.path):
                return float(self.meta(WORKED))
        # An attempt without an end was abandoned: the session worked at least until its start.
        times = "max(max(coalesce(ended, started)), max(started)) - min(started)"
        rows = self._rows(f"select {times}, total(seconds) from attempt group by session")
        total = sum(min(span, measured) for span, measured in rows)
        return float(total)

    def latest_end(self) -> float:
        """When the latest of the attempts ended; 0 if none has."""
        latest = self._value("select coalesce(max(ended), 0) from attempt")
        return float(latest)

    def begun(self) -> dict[int, float]:
        """When the first attempt started, for each waiting trial that was in a worker already."""
        query = (
            "select trial, min(started) from attempt join trial on id = trial"
            " where trial.state = ? group by trial"
        )
        rows = self._rows(query, (TrialState.WAITING,))
        return dict(rows)

    def told_before(self) -> list[int]:
        """For each trial, by id, how many trials had been told when it was asked."""
        rows = self._rows("select told_before from trial order by id")
        return [int(count) for (count,) in rows]

    def best_known(self, trial: int, direction: Direction) -> float | None:
        """The best value of the trials that had been told when this one was asked.

        Returns:
            the value; None if none of those trials was `ok`.
        """
        told = "told between 1 and (select told_before from trial where id = ?)"
        # A direction is the name of SQLite's function: min or max.
        best: float | None = self._value(
            f"select {direction}(value) from trial where {told}", (trial,)
        )
        return best

    def attempts(self, trial: int | None = None) -> list[Attempt]:
        """The attempts at one trial, or at all trials, in order."""
        where = ""
        values: tuple[int, ...] = ()
        # Two queries: a condition such as `? is null or trial = ?` would scan the whole table.
        if trial is not None:
            where = "where trial = ?"
            values = (trial,)
        query = f"select {ATTEMPT_COLUMNS} from attempt {where} order by trial, number"
        rows = self._rows(query, values)
        with decoding(self.path):
            return [attempt_of(row) for row in rows]

    def briefs(self) -> list[Brief]:
        """All attempts in order, without their histories and details."""
        rows = self._rows(f"select {BRIEF_COLUMNS} from attempt order by trial, number")
        return [Brief(*row) for row in rows]

    def files(self, trial: int | None = None) -> dict[str, str]:
        """Path -> sha256 of the files that this trial's worker wrote, or of all files."""
        query = "select path, sha256 from file where ? is null or trial = ? order by path"
        rows = self._rows(query, (trial, trial))
        return dict(rows)

    def events(self, since: int = 0) -> list[Event]:
        """What happened, in order, without the first `since` events."""
        query = "select at, kind, detail from event where id > ? order by id"
        rows = self._rows(query, (since,))
        with decoding(self.path):
            return [(at, kind, json.loads(detail)) for at, kind, detail in rows]

    def news(self, since: Mark, objective: Objective) -> News | None:
        """What is new since a mark; None if nothing is. For those who follow a run.

        It reads the rows that are new or that could still change, and verifies nothing: `verify`
        does that when a record is opened. Genomes are decoded when they are first used.

        Args:
            since: mark of the news before; `Mark()` for everything.
            objective: objective by which the trials have their fitness.
        """
        with self._one_moment():
            now: str = self.meta(checksum.KEY)
            if now == since.checksum:
                return None
            known = json.dumps(list(since.open))
            query = (
                f"select {TRIAL_COLUMNS} from {TRIALS}"
                " where id >= ? or id in (select value from json_each(?)) order by id"
            )
            rows = self._rows(query, (since.trials, known))
            looked_at = json.dumps([row[0] for row in rows])
            attempts = self._rows(
                f"select {ATTEMPT_COLUMNS} from attempt"
                " where trial in (select value from json_each(?)) order by trial, number",
                (looked_at,),
            )
            events = self.events(since.events)
            count = int(self._value("select count(*) from trial"))
        read = partial(Genome.stored, decode=partial(_genome, self.path))
        changed = []
        is_open = {}
        with decoding(self.path):
            tries = [attempt_of(row) for row in attempts]
            for row in rows:
                trial = trial_of(row, objective, read)
                waits = not trial.state.is_final
                if waits or trial.is_interrupted:
                    is_open[trial.id] = waits
                if is_open.get(trial.id) is None or is_open[trial.id] != since.open.get(trial.id):
                    changed.append(trial)
        mark = Mark(now, count, is_open, since.events + len(events))
        return News(mark, changed, tries, events)

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """All that is read within it is of one state, even if the writer goes on."""
        with translated(self.path, "read"):
            self._connection.execute("begin")
            try:
                yield
            finally:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("rollback")

    def content(self) -> list[tuple[Any, ...]]:
        """The table of trials.

        It is the same for the same config and seed, whatever happened on the way.
        """
        query = f"select {CONTENT_COLUMNS} from trial order by id"
        return self._rows(query)


def end_seconds(record: OpenRecord) -> float:
    """Seconds that the last end of this run took: the export, the pictures; 0 if it had none."""
    if not record.has_meta(END):
        return 0.0
    return float(record.meta(END)["seconds"])


def _genome(path: Path, text: str, digest: str = "") -> Genome:
    """The genome of a text in the record at `path`, whatever digest stands beside it."""
    with decoding(path):
        return decode_genome(text)
