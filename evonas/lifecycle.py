"""The life of a run: it is created, worked on in one session or several, and concluded."""

from __future__ import annotations

import collections
import itertools
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from evonas.data.prepared import Prepared
from evonas.errors import NothingFeasible, RunHeld, UserError
from evonas.export.artefacts import Conclusion, are_whole, conclude
from evonas.export.finalists import chosen
from evonas.export.made import sorted_out
from evonas.invocation import command
from evonas.runtime.code_record import edited_meanwhile
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.readable_copy import write_copy
from evonas.runtime.config_change import apply, change_config
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.few_trainings import FewTrainings
from evonas.runtime.loop.observer import Observer, sheltered, teller
from evonas.runtime.loop.stopping import StopRequest, Urgency, stop_on_signals
from evonas.runtime.pools import PoolFactory, open_pool
from evonas.runtime.preparation import create_run
from evonas.runtime.record.layout import LOCK, Layout, Lock
from evonas.runtime.record.open_record import END
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.session import Session
from evonas.trial import Trial, TrialState
from evonas.view import Run, load
from evonas.words import counted, excerpt, listed, span

MOST_REASONS = 3
"""Reasons for infeasible trials that are told, the most frequent first."""


def create(
    loaded: LoadedConfig, runs: Path, gives_back: bool | None = None
) -> tuple[Path, Prepared]:
    """Make the directory of a new run: `runs/NAME`, or `runs/NAME-2` and so on if that is taken.

    If the data are refused, the new directory is deleted again.

    Args:
        gives_back: whether infeasible proposals are given back to the budget; None: as the strategy
            says.

    Returns:
        the directory, and the prepared data.
    """
    with claimed(runs, loaded.config.run) as directory:
        return directory, fill(loaded, directory, gives_back)


def fill(loaded: LoadedConfig, directory: Path, gives_back: bool | None = None) -> Prepared:
    """Prepare the data and begin the record of a run, in a directory that is claimed."""
    prepared = create_run(loaded, directory, gives_back)
    write_copy(loaded.config, loaded.file, Layout(directory).config)
    return prepared


@contextmanager
def claimed(runs: Path, name: str, is_only: bool = False) -> Iterator[Path]:
    """A directory for a new run, which nobody else gets meanwhile.

    What comes out of the body deletes again what was made here: files, the directory, and the
    folder of runs.

    Args:
        name: name of the directory; `NAME-2` and so on if that is taken. A folder with files of
            others is taken, too: it is no run whose start was cut off.
        is_only: whether it must be this very name.

    Raises:
        UserError: it must, and is taken.
        RunHeld: it must, and another process holds it.
    """
    for number in itertools.count(1):
        directory = runs / (name if number == 1 else f"{name}-{number}")
        with ExitStack() as stack:
            # What fails, also a Ctrl-C, leaves no directory without a record.
            missing = [one for one in (directory, *directory.parents) if not one.exists()]
            stack.push(partial(_leave_no_folder, missing))
            before = _names_in(directory)
            try:
                # The lock comes before anything is written: two runs that start at the same moment
                # then get a directory each.
                stack.enter_context(Lock(Layout(directory)))
            except RunHeld:
                if is_only:
                    raise
                continue
            # Only now is nobody else at work there: what came meanwhile is of another process.
            others = _names_in(directory) - {LOCK}
            stack.push(partial(_leave_no_file, directory, before & {LOCK} | others))
            # A directory without a record was cut off at its start: it is begun again.
            if Layout(directory).record.exists():
                taken = f"there is a run at {directory} already."
            elif strange := sorted_out(directory, directory)[1]:
                taken = (
                    f"name: {directory} is no run. Allowed: a folder that is new or empty."
                    f" There is {excerpt(listed(strange))}. Choose another name."
                )
            else:
                yield directory
                return
            if is_only:
                raise UserError(taken)
    raise AssertionError("unreachable")


def _names_in(directory: Path) -> frozenset[str]:
    """What is in a directory; nothing if there is none."""
    return frozenset(one.name for one in directory.iterdir()) if directory.is_dir() else frozenset()


def _leave_no_file(
    directory: Path, before: Collection[str], kind: type[BaseException] | None, *_: object
) -> None:
    """Delete what is new in a directory if an exception ends the work on it."""
    if kind is None:
        return
    new = _names_in(directory) - set(before)
    # The lock goes last: without it, another process may begin here.
    for name in sorted(new, key=lambda name: name == LOCK):
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _leave_no_folder(missing: Sequence[Path], kind: type[BaseException] | None, *_: object) -> None:
    """Delete folders that were made if an exception ends the work in them.

    Args:
        missing: folders that were not there, the innermost first. One that holds something stays.
    """
    if kind is None:
        return
    for folder in missing:
        with suppress(OSError):
            folder.rmdir()


def work(
    directory: Path,
    observers: Sequence[Observer] = (),
    pool_factory: PoolFactory = open_pool,
    overrides: Sequence[str] = (),
    is_new: bool = False,
    accept_changed_code: bool = False,
    stop: StopRequest | None = None,
    began: float | None = None,
) -> Run:
    """One session: search to the end of the budget, then conclude the run.

    A run that is finished, with all its files whole, is left as it is.

    Args:
        directory: folder of a run.
        observers: told what happens.
        pool_factory: makes the pool that runs the jobs.
        overrides: `key.path=value`; a greater budget continues a finished run.
        is_new: whether `create` has made the run just now, so that its plugins were checked.
        accept_changed_code: whether the run goes on if the code of its plugins has changed.
        stop: notes the signals, if the caller has to know of them, too.
        began: `time.monotonic()` when the command began, of which this session is a part: all of it
            spends the budget in seconds. None: it begins now.
    """
    if began is None:
        began = time.monotonic()
    if Layout(directory).record.is_file():
        done = load(directory)
        if not _is_unfinished(done, overrides):
            return _successful(done)
    observers = sheltered(observers)
    stop = stop or StopRequest()
    with stop_on_signals(stop), Session(directory, pool_factory, stop) as session:
        config_change = change_config(session.record, overrides)
        goes_on = bool(config_change.changes) or not session.record.meta("sealed")
        # The notes of the session are asked for before the change is applied: they refuse data that
        # have changed, and then nothing may have been written.
        notes = session.notes(goes_on, config_change.config, is_new, accept_changed_code, overrides)
        notes += apply(session, config_change)
        write_copy(session.config, session.config_file, session.layout.config)
        for note in notes:
            for observer in observers:
                observer.on_note(note)
        engine = session.engine([*observers, *_watching(session, observers)], began)
        engine.run()
        if engine.gives_no_more:
            teller(observers)(_refused(session, engine))
        if goes_on and (words := edited_meanwhile(session.record)):
            teller(observers)(words)
        _conclude(session, engine, observers)
        if stop.urgency > Urgency.NONE:
            words = f"{stop.by.name} came when the search was over, and the run is finished"
            for observer in observers:
                observer.on_note(words)
    return _successful(load(directory))


def _watching(session: Session, observers: Sequence[Observer]) -> Iterator[Observer]:
    """Observers of evonas's own, which tell what the user can still change."""
    config = session.config
    seconds = config.budget.time
    if seconds is not None and config.evaluator.has_networks and not config.pool.is_simulated:
        yield FewTrainings(seconds, config.pool.workers, config.folds, teller(observers))


def _is_unfinished(run: Run, overrides: Sequence[str]) -> bool:
    """Whether a session has anything to do: trials, or files that are missing or damaged.

    Raises:
        InvalidConfig: an override is refused.
    """
    with RecordReader(run.layout.record) as record:
        if change_config(record, overrides).changes or not run.is_finished:
            return True
        files = record.files()
    layout = run.layout
    if not are_whole(layout.root, files) or not layout.config.is_file():
        return True
    # a log beside a sealed record is left by a session that was killed while it sealed the record
    return layout.log_of_record.exists()


def _refused(session: Session, engine: Engine) -> str:
    """Why no more infeasible trials are given back, and what refuses most of them."""
    own = [trial for trial in engine.trials if trial.twin_of is None]
    infeasible = {trial.id for trial in own if trial.state is TrialState.INFEASIBLE}
    limits = session.config.limits.of_size()
    reasons: collections.Counter[str] = collections.Counter()
    for attempt in session.record.attempts():
        if attempt.trial not in infeasible or attempt.state != TrialState.INFEASIBLE:
            continue
        beyond = [f"limits.{name}" for name in limits if name in attempt.message]
        reasons.update(beyond or [excerpt(attempt.message)])
    most = ", ".join(
        f"{count:,} by {reason}" for reason, count in reasons.most_common(MOST_REASONS)
    )
    proposals = counted(len(own), "proposal was", "proposals were")
    return (
        f"{len(infeasible):,} of {proposals} infeasible, and the budget"
        f" ({session.config.budget}) gives back at most as much as it has."
        f" Refused were {most}"
    )


def _conclude(session: Session, engine: Engine, observers: Sequence[Observer]) -> None:
    """Make the files of the end, and seal the record; what is whole already is kept."""
    started = time.monotonic()
    found = chosen(session, engine.trials, engine.incumbent, _room(session, engine), observers)
    conclude(Conclusion(session, engine.trials, found.winner, observers, found.told))
    end = {"seconds": time.monotonic() - started, "reserve": engine.reserve}
    session.record.put_meta(END, end)
    session.record.seal()


def _room(session: Session, engine: Engine) -> float | None:
    """Seconds of the budget that are left for finalists; None without a budget of time."""
    limit = session.config.budget.time
    if limit is None or session.reserve is None:
        return None
    others = engine.reserve - session.reserve.of_finalists()
    return max(0.0, limit - engine.seconds - max(0.0, others))


def _beyond_limits(run: Run, trials: Sequence[Trial]) -> Iterator[str]:
    """A sentence for each limit that networks are beyond: how far the smallest of them is."""
    for name, limit in run.config.limits.of_size().items():
        found = [
            one.metrics[name]
            for one in trials
            if one.state is TrialState.INFEASIBLE and name in one.metrics
        ]
        beyond = [size for size in found if size > limit]
        if beyond:
            yield (
                f"limits.{name} is {limit:,}, and the smallest of {counted(len(beyond), 'network')}"
                f" beyond it has {min(beyond):,.0f}."
            )


def _successful(run: Run) -> Run:
    """The finished run, if a trial succeeded.

    Raises:
        NothingFeasible: none has. The message says how the trials ended, and gives the last message
            of each kind.
    """
    if run.best is not None:
        return run
    if not run.trials and not run.is_time_over:
        raise NothingFeasible(
            f"no trial succeeded: the strategy {run.config.strategy_name} has proposed nothing"
        )
    more = ""
    if run.is_time_over:
        longer = command("resume", run.directory, "--set", run.with_more_time)
        more = f"\nTo give it more time:  {longer}"
    # A duplicate says nothing of its own, and a trial that was cancelled says nothing at all.
    own = [trial for trial in run.trials if trial.twin_of is None]
    own = [trial for trial in own if trial.state is not TrialState.CANCELLED]
    if not own and run.is_time_over:
        time = span(run.budget.time or 0.0)
        raise NothingFeasible(
            f"no trial succeeded: the time ({time}) was over before any training ended{more}"
        )
    counts = collections.Counter(str(trial.state) for trial in own)
    ended = ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
    attempts = run.briefs()
    said = {}
    for trial in own:
        said[trial.state] = attempts[trial.id][-1].message if trial.id in attempts else ""
    last = "".join(f"\n    {state}: {excerpt(message)}" for state, message in said.items())
    hint = ""
    if TrialState.DIVERGED in said:
        hint = "\nA training often diverges because its learning rate is too large."
    hint += "".join(f"\n{words}" for words in _beyond_limits(run, own))
    trials = run.budget.trials
    if TrialState.INFEASIBLE in said and trials is not None and len(own) - run.given_back >= trials:
        # Other limits alone would change nothing: no trial is left to be asked.
        hint += (
            "\nA resume with other limits needs a greater budget.trials, too:"
            f" {trials:,} of {trials:,} are spent."
        )
    hint += more
    raise NothingFeasible(
        f"no trial succeeded; of {counted(len(own), 'trial')}: {ended}."
        f" The last of each kind:{last}{hint}"
    )
