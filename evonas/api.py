"""Evonas from Python: run a search, go on with one, look at what came of it."""

from __future__ import annotations

import collections
import itertools
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.data.prepared import Prepared
from evonas.errors import EvonasError, NothingFeasible, RunHeld, UserError
from evonas.export.bundle import (
    check_target,
    copy_winner,
    export_best,
    export_trial,
    is_intact,
    with_card,
)
from evonas.export.card import write_card
from evonas.export.retraining import Tell, check_weights
from evonas.files import sha256_of, write_text_whole
from evonas.genome import parse_space
from evonas.insight.climb import climb_svg
from evonas.insight.front import hypervolumes, pareto_front, summary_of_front
from evonas.insight.front_picture import front_svg
from evonas.insight.genealogy import genealogy
from evonas.insight.summary import incumbent, summarize
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig, load_config
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config_change import apply, change_config
from evonas.runtime.evaluators import ends_of
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.stopping import StopRequest, stop_on_signals
from evonas.runtime.record.layout import Layout, Lock, is_held
from evonas.runtime.record.reader import RecordReader, decoding
from evonas.runtime.record.rows import Attempt
from evonas.runtime.session import PoolFactory, Session, create_run, local_pool
from evonas.trial import Objective, Trial

if TYPE_CHECKING:
    import keras
    import networkx as nx

DEFAULT_RUNS = Path("runs")


@dataclass(frozen=True)
class RecordedTrial(Trial):
    """A trial of a run on the disk: what every trial has, and its model."""

    run: Run = field(kw_only=True, repr=False, compare=False)

    def model(self) -> keras.Model:
        """The trained Keras model: takes raw samples (n, *shape).

        Imports Keras.

        Raises:
            UserError: the trial did not succeed, or the run has no networks.
            InvalidRecord: its weights are not kept, or damaged; `Run.export` trains it again.
        """
        from evonas.evaluate.local.worker import load_model

        self.run.interface  # noqa: B018 - which a run without networks refuses
        if self.fitness is None:
            raise UserError(f"trial {self.id} has no model: it is `{self.state}`")
        return load_model(
            self.run.space,
            self.genome,
            self.run.interface,
            self.run.weights(self),
            tuple(self.run.config.plugins),
        )

    def message(self) -> str:
        """What its last attempt said; empty for a success."""
        if self.fitness is not None:
            return ""
        attempts = self.attempts()
        return attempts[-1].message if attempts else ""

    def attempts(self) -> list[Attempt]:
        """The tries at this trial; a twin has none, it took another's outcome."""
        with RecordReader(self.run.layout.record) as record:
            return record.attempts(self.id)


class Run:
    """A run as its record is at this moment; load it again to see more of a run that goes on.

    Attributes:
        objectives: all of them; `objective` is the first, by which the winner is the best.
        trials: all, by id.
        result: the card of the exported winner; None before the end.
    """

    def __init__(self, directory: Path) -> None:
        self.layout = Layout(directory)
        with RecordReader(self.layout.record) as record:
            record.verify()
            with decoding(self.layout.record):
                self.config = RunConfig.from_json(record.meta("config"))
                self._interface = (
                    Interface.from_json(ends) if (ends := record.meta("interface")) else None
                )
                self.space = parse_space(record.meta("space"), "the recorded space")
            self.objectives: Sequence[Objective] = self.config.to_objectives()
            self.objective: Objective = self.objectives[0]
            self.is_finished = bool(record.meta("sealed"))
            has_result = self.is_finished and record.has_meta("result")
            self.result: Mapping[str, Any] | None = record.meta("result") if has_result else None
            self._files = record.files()
            self.trials = [
                RecordedTrial(
                    **{item.name: getattr(trial, item.name) for item in fields(trial)}, run=self
                )
                for trial in record.trials(self.objective)
            ]

    @property
    def directory(self) -> Path:
        return self.layout.root

    @property
    def has_networks(self) -> bool:
        """Whether Keras trained networks; otherwise a table or a function judged the genomes."""
        return self._interface is not None

    @property
    def interface(self) -> Interface:
        """The two ends of every network.

        Raises:
            UserError: the run has no networks.
        """
        return ends_of(self._interface, self.config)

    @property
    def name(self) -> str:
        return self.config.run

    @property
    def is_going_on(self) -> bool:
        """Whether a process is working on it right now."""
        return is_held(self.layout)

    @property
    def best(self) -> RecordedTrial | None:
        """The trial with the best fitness, of equal ones the oldest; None where none has succeeded."""
        best = incumbent(self.trials)
        return None if best is None else self.trials[best.id]

    def front(self) -> list[RecordedTrial]:
        """The trials that no other one beats in every objective, the best by the first objective first.

        With one objective, that is the winner alone. What violates a constraint is not among them.
        """
        return [self.trials[trial.id] for trial in pareto_front(self.trials, self.objectives)]

    def hypervolume(self) -> list[float]:
        """After each trial, the share that those until then dominate, of the box between the best and the worst values
        that the run has seen. To compare runs, measure them in one box: `evonas.insight.front.hypervolumes`."""
        return hypervolumes(self.trials, self.objectives)

    def weights(self, trial: Trial) -> Path:
        """Where this trial's weights are.

        Raises:
            InvalidRecord: they are missing, or not what the record says.
        """
        return check_weights(self.directory, self._files, trial)

    def trial(self, id: int) -> RecordedTrial:
        """
        Raises:
            UserError: there is no such trial.
        """
        if not 0 <= id < len(self.trials):
            raise UserError(
                f"there is no trial {id} in {self.directory}; they are numbered 0 to {len(self.trials) - 1}"
            )
        return self.trials[id]

    def genealogy(self) -> nx.DiGraph[int]:
        """The family tree as a graph: every node a trial with its own fitness, every edge parent -> child with its
        changes."""
        return genealogy(self.trials, self.objective)

    def summary(self) -> dict[str, Any]:
        """The run in plain numbers."""
        return {
            "run": self.name,
            "directory": str(self.directory),
            "finished": self.is_finished,
            "objective": self.objective.name,
            "budget": self.config.budget.trials,
            "budgets": self.config.budget.given,
            **summarize(self.trials, self.objective),
            **(summary_of_front(self.trials, self.objectives) if len(self.objectives) > 1 else {}),
            "result": self.result,
        }

    def export(
        self,
        target: str | Path,
        trial: int | None = None,
        *,
        observers: Sequence[Observer] = (),
        pool_factory: PoolFactory = local_pool,
    ) -> Mapping[str, Any]:
        """Write a trial's model (the winner's, if none is named) to `target`, its card beside it; returns the card.

        A trial whose weights are not kept, or are damaged, is trained again first; the observers are told so.

        Raises:
            UserError: the run has no networks, there is no such trial, it did not succeed, or the target is not a
                `.keras` path.
            RunHeld: the run is going on.
        """
        ends_of(self._interface, self.config)
        chosen = self.best if trial is None else self.trial(trial)
        if chosen is None:
            raise UserError(
                f"no trial of {self.directory} has succeeded yet, so there is nothing to export"
            )
        target = check_target(chosen, Path(target), self.directory)
        if (
            self.result is not None
            and self.result["trial"] == chosen.id
            and is_intact(self.layout.model, self.result)
        ):
            return copy_winner(self.layout.model, self.result, target).card
        with Session(self.directory, pool_factory) as session:
            try:
                return export_trial(session, chosen, target, teller(observers)).card
            finally:
                if self.is_finished:
                    session.record.seal()

    def __repr__(self) -> str:
        state = "finished" if self.is_finished else "unfinished"
        return f"<Run {self.name!r} at {self.directory}: {len(self.trials)} trials, {state}>"


def run(
    config: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: str | Path = DEFAULT_RUNS,
    observers: Sequence[Observer] = (),
) -> Run:
    """Search, from a config to an exported model.

    Args:
        config: a path, or the name of a shipped config.
        overrides: `key.path=value`, as `evonas run --set` takes them.
        runs: the folder in which the run's own directory is made.

    Raises:
        InvalidConfig, InvalidSpace, InvalidData: before any training.
        NothingFeasible, RepeatedFailures, Stopped: see `evonas.errors`.
    """
    directory, _ = create(load_config(config, overrides), Path(runs))
    return work(directory, observers)


def resume(
    directory: str | Path, *, overrides: Sequence[str] = (), observers: Sequence[Observer] = ()
) -> Run:
    """Go on with a run, wherever it was stopped or killed; a finished one is left as it is.

    Args:
        overrides: `key.path=value`, as `evonas resume --set` takes them; a greater budget continues a finished run.

    Raises:
        UserError: there is no run.
        InvalidConfig: an override is wrong, or must not change in a run that exists.
        InvalidData: the data have changed since the run began.
        RunHeld: another process is working on it.
    """
    return work(Path(directory), observers, overrides=overrides)


def load(directory: str | Path) -> Run:
    """Look at a run, also while it is going on.

    Raises:
        UserError: there is no run.
        InvalidRecord: its record is damaged, or of a newer evonas.
    """
    return Run(Path(directory))


def create(loaded: LoadedConfig, runs: Path) -> tuple[Path, Prepared]:
    """Make the directory of a new run: `runs/NAME`, or `runs/NAME-2` and so on where that is taken.

    A directory is claimed before anything is written, so two runs that start at once get one each; where the data are
    refused, it goes again.
    """
    for number in itertools.count(1):
        directory = runs / (loaded.config.run if number == 1 else f"{loaded.config.run}-{number}")
        is_new = not directory.exists()
        try:
            with Lock(Layout(directory)):
                if not Layout(
                    directory
                ).record.exists():  # perhaps begun and cut off: it is begun again
                    return directory, create_run(loaded, directory)
        except RunHeld:
            continue
        except EvonasError:
            if is_new:
                shutil.rmtree(directory, ignore_errors=True)
            raise
    raise AssertionError("unreachable")


def work(
    directory: Path,
    observers: Sequence[Observer] = (),
    pool_factory: PoolFactory = local_pool,
    overrides: Sequence[str] = (),
) -> Run:
    """One session on a run: search to the end of the budget, export the winner, draw the genealogy, seal the
    record."""
    if (
        Layout(directory).record.is_file()
        and (done := load(directory))
        and not _is_unfinished(done, overrides)
    ):
        return _successful(done)
    stop = StopRequest()
    with stop_on_signals(stop), Session(directory, pool_factory, stop) as session:
        config_change = change_config(session.record, overrides)
        goes_on = bool(config_change.changes) or not session.record.meta("sealed")
        for note in session.notes(goes_on) + apply(session, config_change):
            for observer in observers:
                observer.on_note(note)
        engine = session.engine(observers)
        engine.run()
        _conclude(session, engine, teller(observers))
    return _successful(load(directory))


def _is_unfinished(run: Run, overrides: Sequence[str]) -> bool:
    """Whether a session has anything to do: trials, or files that are missing or damaged.

    Raises:
        InvalidConfig: an override is refused.
    """
    with RecordReader(run.layout.record) as record:
        if change_config(record, overrides).changes or not run.is_finished:
            return True
        files = record.files()
    made = (run.layout.model, run.layout.card, run.layout.climb, run.layout.front)
    whole = all(
        path.is_file() and sha256_of(path) == files[path.name]
        for path in made
        if path.name in files
    )
    return not whole or run.layout.log_of_record.exists()


def _conclude(session: Session, engine: Engine, tell: Tell) -> None:
    """What is made of a search that is over, and is made again where it is missing or damaged."""
    layout = session.layout
    if engine.incumbent is not None:
        is_made = _has_result(session, engine.incumbent)
        if session.config.evaluator is not None:
            if not is_made:
                write_card(session, engine.incumbent)
        elif is_made:
            with_card(layout.model, session.record.meta("result"))
        else:
            export_best(session, engine.incumbent, tell)
    pictures = {layout.climb: climb_svg(engine.trials, session.objective, title=session.config.run)}
    if session.config.objectives:
        pictures[layout.front] = front_svg(
            engine.trials, session.config.to_objectives(), title=session.config.run
        )
    for path, text in pictures.items():
        write_text_whole(path, text)
    session.record.note_files({path.name: sha256_of(path) for path in pictures})
    session.record.seal()


def _successful(run: Run) -> Run:
    """A finished run, if it has found anything.

    Raises:
        NothingFeasible: it has not; the message says how the trials ended, and what the last one of each kind said.
    """
    if run.best is not None:
        return run
    counts = collections.Counter(str(trial.state) for trial in run.trials)
    ended = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    said = {trial.state: trial.message() for trial in run.trials if trial.twin_of is None}
    last = "".join(f"\n    {state}: {message}" for state, message in said.items())
    hint = "`infeasible` ones are beyond the config's limits, `diverged` ones often have too large a learning rate"
    raise NothingFeasible(
        f"no trial succeeded; of {len(run.trials)}: {ended}. The last of each kind:{last}\n{hint}."
    )


def _has_result(session: Session, best: Trial) -> bool:
    """Whether the winner was exported by an earlier session that was killed just after."""
    if not session.record.has_meta("result"):
        return False
    result = session.record.meta("result")
    if session.config.evaluator is not None:
        return bool(result["trial"] == best.id) and session.layout.card.is_file()
    return bool(result["trial"] == best.id) and is_intact(session.layout.model, result)
