"""A run on the disk, as Python values: its trials, its winner, its genealogy, its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.errors import EvonasError, UserError
from evonas.files import expanded
from evonas.insight.findings import given_founder
from evonas.insight.front import hypervolumes, pareto_front, summary_of_front
from evonas.insight.summary import count_done, incumbent, summarize
from evonas.runtime.config.recorded_run import read_run
from evonas.runtime.finding import DEFAULT_RUNS, find_run
from evonas.runtime.openings import Opening, openings
from evonas.runtime.record.layout import Layout, is_held
from evonas.runtime.record.open_record import OpenRecord
from evonas.runtime.record.reader import RecordReader
from evonas.trial import Fitness, Lineage, Objective, Proposal, Trial, TrialState
from evonas.words import counted

# Imported where they are used: a run is looked at far more often than it is trained, and these
# take longer to import than a record of some thousand trials takes to read.
if TYPE_CHECKING:
    import keras
    import networkx as nx

    from evonas.genome import Genome, SearchSpace
    from evonas.learning.interface import Interface
    from evonas.runtime.code_record import CodeChange
    from evonas.runtime.config.limits_config import BudgetConfig
    from evonas.runtime.config.run_config import RunConfig
    from evonas.runtime.loop.observer import Observer
    from evonas.runtime.pools import PoolFactory
    from evonas.runtime.session import Session
    from evonas.trial import Attempt, Brief

MINUTE = 60.0
"""Seconds that are offered at least to a run of which nothing was finished."""


@dataclass(frozen=True, repr=False)
class RecordedTrial:
    """A trial of a run on the disk, with its model and the attempts at it.

    It has the attributes of a `Trial`: `id`, `state`, `metrics`, `fitness` and so on.

    Attributes:
        trial: the trial itself, for functions that take one.
    """

    trial: Trial
    run: Run = field(compare=False)

    @property
    def id(self) -> int:
        return self.trial.id

    @property
    def proposal(self) -> Proposal:
        return self.trial.proposal

    @property
    def genome(self) -> Genome:
        return self.trial.genome

    @property
    def lineage(self) -> Lineage:
        return self.trial.lineage

    @property
    def twin_of(self) -> int | None:
        return self.trial.twin_of

    @property
    def state(self) -> TrialState:
        return self.trial.state

    @property
    def metrics(self) -> Mapping[str, float]:
        return self.trial.metrics

    @property
    def fitness(self) -> Fitness | None:
        return self.trial.fitness

    @property
    def is_cut_short(self) -> bool:
        return self.trial.is_cut_short

    def model(self) -> keras.Model:
        """The trained Keras model, compiled. It takes raw samples, as `best.keras` does.

        These are arrays of shape (n, *shape), columns by name, texts, or pictures of any size.
        Imports Keras.

        Raises:
            UserError: the trial did not succeed, or the run has no networks.
            InvalidRecord: its weights are not kept, or damaged; `Run.export` trains it again.
        """
        from evonas.evaluate.contract.importing import add_folder
        from evonas.evaluate.training.export_job import load_model, with_raw_inputs
        from evonas.model.compiling import compile_model

        # asked for first: a run without networks is refused with the name of its judge
        run = self.run
        interface = run.interface
        if self.fitness is None:
            raise UserError(f"trial {self.id} has no model: it is `{self.state}`")
        weights = run.weights(self)
        plugins = tuple(run.config.plugins)
        add_folder(run.plugin_folder)
        model = load_model(run.space, self.genome, interface, weights, plugins)
        if interface.input.encoding:
            model = with_raw_inputs(model, run.space, self.genome, interface, plugins)
        samples = run.counts["train"]
        training = run.config.training
        most, loss = training.epochs, training.loss
        compile_model(model, run.space, self.genome, interface, samples, most, loss)
        return model

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return self.trial._repr_html_()

    def __repr__(self) -> str:
        worth = ""
        if self.fitness is not None:
            worth = f", {self.run.objective.name} {self.fitness.value:.6g}"
        return f"<Trial {self.id} of {self.run.name!r}: {self.state}{worth}>"

    def message(self) -> str:
        """The message of its last attempt; empty for a success."""
        if self.fitness is not None:
            return ""
        attempts = self.attempts()
        return attempts[-1].message if attempts else ""

    def attempts(self) -> list[Attempt]:
        """All attempts at this trial. A duplicate has none: it took another trial's outcome."""
        with RecordReader(self.run.layout.record) as record:
            return record.attempts(self.id)


class Run:
    """A run as its record is at this moment. If the run goes on, load it again to see more of it.

    Attributes:
        layout: paths of the run's files.
        budget: what the run may spend.
        counts: number of samples of each part of the data, or of the genomes of a table.
        objectives: all objectives.
        objective: the first objective, by which the winner is the best.
        is_finished: whether the search has ended and its conclusion is written.
        end: how long the end of the run took, the export with the pictures: `seconds`, and the
            `reserve` of the budget that was kept for it. None before the end.
        seconds: seconds that the sessions have worked so far.
        is_time_over: whether the end of the budget's time has ended the search.
        result: card of the exported winner; None before the end.
        openings: times that the test data were opened.
        are_openings_noted: whether these are all. An older evonas noted none.
        code_changes: changes of the plugins' code that the user has accepted.
        gives_back: whether infeasible trials are given back to the budget.
        trials: all trials, by id. Each genome is decoded when it is first used.
    """

    def __init__(self, directory: Path) -> None:
        self.layout = Layout(directory)
        with RecordReader(self.layout.record) as record:
            record.verify()
            run = read_run(record)
            changes = _code_changes(record, run.inputs.config_json)
        inputs = run.inputs
        self._inputs = inputs
        self._files = run.files
        self.budget: BudgetConfig = inputs.head.budget
        self.counts = inputs.counts
        self.objectives: Sequence[Objective] = inputs.head.to_objectives()
        self.objective: Objective = self.objectives[0]
        self.is_finished = run.is_finished
        self.end = run.end
        self.seconds = run.seconds
        # With another budget there is time again.
        self.is_time_over = run.time_over is not None and run.time_over == self.budget.time
        self.result = run.result
        self.openings: Sequence[Opening] = openings(run.events)
        self.are_openings_noted = run.has_all_openings
        self.code_changes: Sequence[CodeChange] = changes
        self.gives_back = inputs.gives_back
        self.space_choice = inputs.chosen
        self.trials = run.trials

    @property
    def config(self) -> RunConfig:
        """The config that the run was made with.

        Raises:
            InvalidRecord: it is one of another version of evonas.
        """
        return self._inputs.config

    @property
    def space(self) -> SearchSpace:
        """The search space of the run's genomes."""
        return self._inputs.space

    @property
    def fingerprint(self) -> str:
        """What identifies the content of the data, or of the table."""
        return self._inputs.fingerprint

    @property
    def given_back(self) -> int:
        """How many infeasible trials the budget does not count; 0 in a run of an older evonas."""
        if not self.gives_back:
            return 0
        from evonas.runtime.loop.budget import given_back

        infeasible = 0
        for trial in self.trials:
            infeasible += trial.state is TrialState.INFEASIBLE and trial.twin_of is None
        budget = self.budget
        return given_back(infeasible, budget.trials, budget.epochs)

    @property
    def cut_short(self) -> int:
        """How many trainings the end of the time has cut short."""
        return sum(trial.is_cut_short for trial in self.trials if trial.twin_of is None)

    @property
    def cancelled(self) -> int:
        """How many trials the end of the time has kept from being trained."""
        cancelled = TrialState.CANCELLED
        return sum(trial.state is cancelled for trial in self.trials if trial.twin_of is None)

    @property
    def with_more_time(self) -> str:
        """The override that gives a run more time whose time is over."""
        # Where nothing was finished, twice the time may be too little for the start of a worker.
        least = MINUTE if self.best is None else 0.0
        return self.budget.with_more_time(self.seconds, least)

    @property
    def directory(self) -> Path:
        """The run's folder."""
        return self.layout.root

    @property
    def artefacts(self) -> Mapping[str, Path]:
        """The files that the end of the run has made: `model`, `card`, `genealogy`, `front`.

        Those that this run does not have are left out: all of them before its end, and the model of
        a run without networks.
        """
        from evonas.export.artefacts import made

        return made(self.directory, self._files)

    @property
    def has_networks(self) -> bool:
        """Whether Keras trained networks; otherwise a table or a function judged the genomes."""
        return self._inputs.interface_json is not None

    @property
    def interface(self) -> Interface:
        """The input and output of every network of this run.

        Raises:
            UserError: the run has no networks.
        """
        if self._inputs.interface is None:
            from evonas.runtime.evaluators import ends_of

            return ends_of(None, self.config)
        return self._inputs.interface

    @property
    def name(self) -> str:
        """The run's name in its config."""
        return self._inputs.head.run

    @property
    def title(self) -> str:
        """The same, or the name of the folder if it is a further run of this name: `digits-2`."""
        return self.layout.title(self.name)

    @property
    def plugin_folder(self) -> str:
        """The folder in which plugins may lie, besides where Python finds them; may be empty."""
        from evonas.runtime.plugins import plugin_folder

        return plugin_folder(self.config, self._inputs.config_file)

    @property
    def is_going_on(self) -> bool:
        """Whether a process is working on it right now."""
        return is_held(self.layout)

    @property
    def best(self) -> RecordedTrial | None:
        """The winner; before the end, the trial with the best fitness. None before a success.

        Of equal ones the oldest is the best. The end of the run may choose among the best trials by
        further trainings; the recorded result names its choice.
        """
        if self.is_finished and self.result is not None:
            return self.trial(self.result["trial"])
        best = incumbent(self.trials)
        return None if best is None else RecordedTrial(best, self)

    def front(self) -> list[RecordedTrial]:
        """The trials that no other trial beats in every objective, best in the first one first.

        With one objective, this is the winner alone. Trials that violate a constraint are left out.
        """
        front = pareto_front(self.trials, self.objectives)
        return [RecordedTrial(trial, self) for trial in front]

    def hypervolume(self) -> list[float]:
        """The share of the objectives' box that is dominated, after each trial.

        The box lies between the best and the worst values that this run has seen. To compare runs,
        measure all of them in one box: `evonas.insight.front.hypervolumes`.
        """
        return hypervolumes(self.trials, self.objectives)

    def weights(self, trial: Trial | RecordedTrial) -> Path:
        """The file of this trial's weights.

        Raises:
            InvalidRecord: they are missing, or not what the record says.
        """
        from evonas.export.retraining import check_weights

        plain = trial.trial if isinstance(trial, RecordedTrial) else trial
        return check_weights(self.directory, self._files, plain, self.config.folds is not None)

    def trial(self, id: int) -> RecordedTrial:
        """The trial with this number.

        Raises:
            UserError: there is no such trial.
        """
        if not 0 <= id < len(self.trials):
            last = len(self.trials) - 1
            raise UserError(
                f"there is no trial {id} in {self.directory}; they are numbered 0 to {last}"
            )
        return RecordedTrial(self.trials[id], self)

    def attempts(self) -> dict[int, list[Attempt]]:
        """All attempts, by the trial's id; one reading for all trials."""
        found: dict[int, list[Attempt]] = {}
        with RecordReader(self.layout.record) as record:
            for attempt in record.attempts():
                found.setdefault(attempt.trial, []).append(attempt)
        return found

    def briefs(self) -> dict[int, list[Brief]]:
        """The same without histories and details, which take most of the time and the memory."""
        found: dict[int, list[Brief]] = {}
        with RecordReader(self.layout.record) as record:
            for brief in record.briefs():
                found.setdefault(brief.trial, []).append(brief)
        return found

    def genealogy(self) -> nx.DiGraph[int]:
        """The family tree as a graph.

        Each node is a trial with its own fitness, each edge parent -> child with its changes.
        """
        from evonas.insight.genealogy import genealogy

        return genealogy(self.trials, self.objective)

    def summary(self) -> dict[str, Any]:
        """The run in plain numbers."""
        summary = {
            "run": self.name,
            "directory": str(self.directory),
            "finished": self.is_finished,
            "going_on": self.is_going_on,
            "objective": self.objective.name,
            "budget": self.budget.trials,
            "budgets": self.budget.given,
            **summarize(self.trials, self.objective),
        }
        best = self.best
        # Finalists may have chosen another one than the best by the recorded scores.
        if best is not None and best.fitness is not None and best.id != summary["best"]:
            founder = given_founder(self.trials, best.trial) or None
            value = best.fitness.value
            summary |= {"best": best.id, "best_value": value, "given_founder": founder}
        summary["done"] -= self.given_back
        summary["given_back"] = self.given_back
        if len(self.objectives) > 1:
            summary |= summary_of_front(self.trials, self.objectives)
        summary["code_changes"] = [asdict(change) for change in self.code_changes]
        summary["seconds"] = self.seconds
        summary["end"] = self.end
        summary["result"] = self.result
        return summary

    def export(
        self,
        target: str | Path,
        trial: int | None = None,
        *,
        format: str | None = None,
        plugins: Sequence[str] = (),
        observers: Sequence[Observer] = (),
        pool_factory: PoolFactory | None = None,
    ) -> Mapping[str, Any]:
        """Write a trial's model to `target` and its card beside it; returns the card.

        A trial whose weights are not kept, or are damaged, is trained again first. The observers
        are told so. The winner's `.keras` file is copied: it needs no plugin.

        Args:
            target: path of the file or folder, with the ending of the format.
            trial: number of the trial; None for the winner.
            format: `keras`, `saved_model`, `source`, `onnx`, `litert`, `litert_int8`, or
                `package.module:Name` for one of your own; None for `keras`.
            plugins: modules with formats of your own, besides the plugins of the run.
            observers: told what happens.
            pool_factory: makes the pool whose worker builds the model; by default a local one.

        Raises:
            UserError: the run has no networks, there is no such trial or format, the trial did not
                succeed, or the target is no path for this format.
            EvonasError: the model cannot be written in this format.
            RunHeld: the run is going on.
        """
        from evonas.export.artefacts import MODEL
        from evonas.export.bundle import copy_winner, export_trial
        from evonas.export.target import Target, check_target, find_form
        from evonas.files import is_whole
        from evonas.model.formats import DEFAULT

        chosen = self._exported(trial)
        name = format or DEFAULT
        beside = str(self._inputs.config_file.parent)
        listed = self._inputs.config_json.get("plugins") or ()
        form = find_form(name, (*listed, *plugins), beside)
        wanted = Target(expanded(target), name, form)
        check_target(chosen.trial, wanted, self.directory)
        result = self._result_of(chosen)
        if result is not None and name == DEFAULT:
            model = MODEL.within(self.directory)
            if is_whole(model, result["sha256"]):
                return copy_winner(model, result, wanted)

        def export(session: Session, tell: Callable[[str], None]) -> Mapping[str, Any]:
            return export_trial(session, chosen.trial, wanted, tell, result)

        return self._in_session(export, observers, pool_factory, plugins)

    def bundle(
        self,
        folder: str | Path,
        trial: int | None = None,
        *,
        forms: Sequence[str] = (),
        observers: Sequence[Observer] = (),
        pool_factory: PoolFactory | None = None,
    ) -> Mapping[str, Any]:
        """Write a trial's model in every form to a new folder; returns the card.

        Each form is loaded in a process without evonas. It must predict and score what the record
        says; otherwise nothing is written, and the error names the form.

        Args:
            folder: path of the new folder.
            trial: number of the trial; None for the winner.
            forms: names of the forms; without any, all whose libraries are installed and that can
                hold the model.
            observers: told what happens.
            pool_factory: makes the pool whose worker builds the model; by default a local one.

        Raises:
            UserError: the run has no networks, there is no such trial or form, the trial did not
                succeed, the folder is there already, or a form of `forms` cannot hold the model.
            EvonasError: a form is not what the search has trained.
            RunHeld: the run is going on.
        """
        from evonas.export.bundling import check_folder, export_bundle, wanted_forms

        chosen = self._exported(trial)
        wanted = wanted_forms(forms)
        path = expanded(folder)
        check_folder(chosen.trial, path, self.directory)
        result = self._result_of(chosen)

        def export(session: Session, tell: Callable[[str], None]) -> Mapping[str, Any]:
            return export_bundle(session, chosen.trial, path, wanted, tell, result)

        return self._in_session(export, observers, pool_factory)

    def _exported(self, trial: int | None) -> RecordedTrial:
        """The trial that is exported.

        Raises:
            UserError: the run has no networks, or no such trial.
        """
        # Asked for first: a run without networks is refused with the name of its judge.
        _ = self.interface
        chosen = self.best if trial is None else self.trial(trial)
        if chosen is None:
            raise UserError(
                f"no trial of {self.directory} has succeeded yet, so there is nothing to export"
            )
        return chosen

    def _result_of(self, chosen: RecordedTrial) -> Mapping[str, Any] | None:
        """The card of the winner, if the trial is the winner."""
        is_winner = self.result is not None and self.result["trial"] == chosen.id
        return self.result if is_winner else None

    def _in_session(
        self,
        export: Callable[[Session, Callable[[str], None]], Mapping[str, Any]],
        observers: Sequence[Observer],
        pool_factory: PoolFactory | None,
        plugins: Sequence[str] = (),
    ) -> Mapping[str, Any]:
        """What an export gives that needs a worker."""
        from evonas.export.bundle import with_plugins
        from evonas.runtime.code_record import changed_code
        from evonas.runtime.loop.observer import teller
        from evonas.runtime.pools import open_pool
        from evonas.runtime.session import Session

        factory = pool_factory or open_pool
        if plugins:
            factory = with_plugins(factory, tuple(plugins), str(self._inputs.config_file.parent))
        with Session(self.directory, factory) as session:
            tell = teller(observers)
            words = changed_code(session.record, session.check_plugins())
            if words:
                tell(words)
            try:
                return export(session, tell)
            except EvonasError as error:
                # The root class says only that the model could not be made, or is another one.
                if words and type(error) is EvonasError:
                    raise UserError(f"{error} Put the code of the run back: {words}") from error
                raise
            finally:
                # a finished run is sealed again: only a sealed record opens in a read-only folder
                if self.is_finished:
                    session.record.seal()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from evonas.insight.notebook import run_html

        return run_html(self.summary(), self.counts, self._inputs.config_json["space"])

    def __repr__(self) -> str:
        state = "finished" if self.is_finished else "unfinished"
        done = count_done(self.trials) - self.given_back
        return f"<Run {self.name!r} at {self.directory}: {counted(done, 'trial')}, {state}>"


def _code_changes(record: OpenRecord, config: Mapping[str, Any]) -> Sequence[CodeChange]:
    """The changes of code that were accepted. Without plugins there is no code to change."""
    if not config.get("plugins"):
        return ()
    from evonas.runtime.code_record import code_changes

    return code_changes(record)


def load(directory: str | Path, runs: str | Path = DEFAULT_RUNS) -> Run:
    """Look at a run, also while it is going on.

    Args:
        directory: directory of the run, or its name in the folder of runs.
        runs: the folder of runs.

    Raises:
        UserError: there is no run. The message lists those of the folder.
        InvalidRecord: its record is damaged, or of a newer evonas.
    """
    return Run(find_run(str(directory), expanded(runs)))
