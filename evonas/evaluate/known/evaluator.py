"""Evaluators in place of a worker's training: a table of known results, or a user's function."""

from __future__ import annotations

import importlib
import inspect
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evonas.errors import UserError, did_you_mean
from evonas.evaluate.contract.imports import import_plugins, importing
from evonas.evaluate.contract.protocol import Job, OnEpoch, RunJob, Setup
from evonas.evaluate.contract.raised import message_of, quoted
from evonas.evaluate.known.table import SECONDS, Table, load_table
from evonas.genome import Genome, Value, parse_space
from evonas.randomness import seeded_generators
from evonas.streams import kept_streams
from evonas.trial import Details, Outcome, TrialState
from evonas.words import excerpt

TEST = "test_"
"""Prefix of metrics of the test data. They are kept from the search, in the outcome's details,
until the winner's card is written."""

MOST_METRICS = 1000
"""Metrics that a function may return."""
LONGEST_NAME = 200
"""Characters of a metric's name."""

Function = Callable[..., Any]


def open_evaluator(setup: Setup, is_simulated: bool = False) -> RunJob:
    """The evaluator that `setup.evaluator` names.

    Args:
        is_simulated: whether seconds are those of a virtual clock.

    Raises:
        InvalidData: the file of the table is no table.
        UserError: the function cannot be imported.
    """
    assert setup.evaluator is not None
    ((kind, settings),) = setup.evaluator.items()
    if kind == "table":
        space = parse_space(setup.space, "the recorded space")
        table = load_table(settings["path"], space)
        return TableEvaluator(table)
    import_plugins(setup.plugins, setup.plugin_folder)
    function = import_function(settings["function"])
    return FunctionEvaluator(function, settings["arguments"], is_simulated)


def import_function(name: str) -> Function:
    """The function `package.module:name`. The caller decides whether the module may be imported.

    Raises:
        UserError: there is no such module or function, or importing it fails.
    """
    module, _, attribute = name.partition(":")
    try:
        with importing([module]):
            found = importlib.import_module(module)
    # The module is the user's code, and may raise anything. It may also call `sys.exit`.
    except (Exception, SystemExit) as error:
        why = excerpt(message_of(error))
        raise UserError(f"the evaluator's module {module} cannot be imported: {why}") from error
    function = getattr(found, attribute, None)
    if not callable(function):
        public = [item for item in vars(found) if not item.startswith("_")]
        hint = did_you_mean(attribute, public)
        raise UserError(f"the evaluator's module {module} has no function {attribute!r}.{hint}")
    checked: Function = function
    return checked


@dataclass(frozen=True)
class TableEvaluator:
    """Looks a genome up in a table.

    Seconds are those of the table. In a table without seconds, an epoch counts as one second.
    """

    table: Table

    def __call__(self, setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
        table = self.table
        epochs = job.epochs
        if epochs not in table.metrics:
            known = ", ".join(map(str, table.fidelities))
            message = f"the table has results at epochs {known} only. Received: {epochs}."
            return Outcome(TrialState.ERROR, message=message)
        row = table.row(Genome.from_dict(job.genome))
        if row is None:
            return Outcome(TrialState.INFEASIBLE, message="the table has no such genome")
        found = table.values(row, epochs)
        cost = self._cost(row, job)
        # A metric that was not measured counts like a genome that the table does not have.
        return judged(found, setup, job, cost, epochs, missing=TrialState.INFEASIBLE)

    def _cost(self, row: int, job: Job) -> float:
        """Seconds of the job. A trial that continues another one pays only the difference."""
        seconds = self.table.seconds(row, job.epochs)
        if seconds is None:
            return float(job.epochs - job.trained)
        # 0 epochs are no fidelity, so that a trial from the start pays everything.
        spent = 0.0
        if job.trained in self.table.metrics:
            spent = self.table.seconds(row, job.trained) or 0.0
        return max(0.0, seconds - spent)


class FunctionEvaluator:
    """Calls a function: `function(genome, epochs=..., seed=..., **arguments) -> {metric: number}`.

    `epochs` and `seed` are given only if the function takes them. One that does not take `epochs`
    has none, and so have its outcomes. If the function returns no
    `seconds`, the clock on the wall measures them. On the virtual clock of the simulated pool an
    epoch then counts as one second.
    """

    def __init__(
        self, function: Function, arguments: Mapping[str, Value], is_simulated: bool
    ) -> None:
        self._function = function
        self._arguments = dict(arguments)
        self._is_simulated = is_simulated
        parameters = inspect.signature(function).parameters
        kinds = [parameter.kind for parameter in parameters.values()]
        takes_all = inspect.Parameter.VAR_KEYWORD in kinds
        self._takes: list[str] = []
        for name in ("epochs", "seed"):
            if takes_all or name in parameters:
                self._takes.append(name)

    def __call__(self, setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
        start = time.monotonic()
        found = self._call(job, job.epochs)
        # Read at once: what follows may call the function again, which is not to be paid for.
        measured = time.monotonic() - start
        seconds = found.pop(SECONDS, None)
        if seconds is None:
            virtual = float(job.epochs - job.trained)
            cost = virtual if self._is_simulated else measured
            return judged(found, setup, job, cost, self._epochs(job))
        # The function judges a genome anew for each fidelity, and knows of no earlier trial. So a
        # trial that continues another one costs the difference of the two.
        spent = 0.0
        if job.trained:
            spent = self._call(job, job.trained).get(SECONDS, 0.0)
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(
                f"the function's seconds must be a number of at least 0. Received: {seconds}"
            )
        cost = max(0.0, seconds - spent)
        return judged(found, setup, job, cost, self._epochs(job))

    def _epochs(self, job: Job) -> int:
        """The epochs that the function was asked for; 0 if it does not take them."""
        return job.epochs if "epochs" in self._takes else 0

    def _call(self, job: Job, epochs: int) -> dict[str, float]:
        """The metrics that the function returns for this number of epochs."""
        given: dict[str, Any] = {
            "epochs": epochs,
            "seed": job.seed,
        }
        passed = {name: given[name] for name in self._takes}
        genome = Genome.from_dict(job.genome)
        # A function that draws from the global generators gives the same in every pool, whatever
        # was called before it.
        with kept_streams(), seeded_generators(job.seed):
            found = self._function(genome, **passed, **self._arguments)
            if not isinstance(found, Mapping):
                raise TypeError(
                    "the function must return a mapping from metrics to numbers. "
                    f"Received: {quoted(found)}"
                )
            return _numbers(found)


def _numbers(found: Mapping[Any, Any]) -> dict[str, float]:
    """What a function has returned, as numbers by name.

    Raises:
        TypeError: a metric is no number.
        ValueError: a name cannot be recorded, or there are too many.
    """
    if len(found) > MOST_METRICS:
        raise ValueError(
            f"the function must return at most {MOST_METRICS:,} metrics. Received: {len(found):,}"
        )
    metrics = {}
    for key, value in found.items():
        name = str(key)
        # A lone surrogate is half a character, which no file can hold.
        is_half = any("\ud800" <= character <= "\udfff" for character in name)
        if is_half or len(name) > LONGEST_NAME:
            raise ValueError(
                f"a metric's name must be text of at most {LONGEST_NAME} characters."
                f" Received: {quoted(name)}"
            )
        # A function may return NumPy's numbers, which JSON does not take.
        try:
            metrics[name] = float(value)
        # The value is of the user's code, and may raise anything.
        except Exception as error:
            raise TypeError(
                f"the metric {quoted(name)} must be a number. Received: {quoted(value)}"
            ) from error
    return metrics


def _where_named(name: str, setup: Setup) -> str:
    """A sentence that says which key of the config names a metric."""
    key = "`objective.name`"
    # A run with more metrics may have several objectives, sums and constraints.
    if len(setup.needed) > 1:
        key = "an objective or a constraint"
    return f"The config names it under {key}."


def judged(
    found: Mapping[str, float],
    setup: Setup,
    job: Job,
    seconds: float,
    epochs: int,
    missing: TrialState = TrialState.ERROR,
) -> Outcome:
    """Measurements as an outcome: beyond a limit, without an objective, diverged, or ok.

    Args:
        epochs: those after which it was measured; 0 if there are none.
        missing: state of the outcome if a metric that the search needs was not measured.
    """
    for size, bound in setup.limits.items():
        if found.get(size, 0.0) > bound:
            message = f"{size}: {found[size]:,.0f}, more than the limit of {bound:,}"
            return Outcome(TrialState.INFEASIBLE, message=message)
    # A dict keeps the order and drops an objective that is needed twice.
    names = dict.fromkeys([setup.objective["name"], *setup.needed])
    for name in names:
        if name not in found:
            hint = did_you_mean(name, [one for one in found if not one.startswith(TEST)])
            message = (
                f"there is no {name} among the metrics: {', '.join(found) or 'none'}."
                f" {_where_named(name, setup)}{hint}"
            )
            return Outcome(missing, epochs=epochs, seconds=seconds, message=message)
    metrics: dict[str, float] = {}
    test: dict[str, float] = {}
    for name, value in found.items():
        # Numbers that are not finite do not survive a pipe.
        if math.isfinite(value):
            group = test if name.startswith(TEST) else metrics
            group[name] = value
    for name in names:
        if not math.isfinite(found[name]):
            message = f"{name} was {found[name]}"
            return Outcome(TrialState.DIVERGED, metrics, epochs, seconds, message=message)
    details = Details(test=test)
    return Outcome(TrialState.OK, metrics, epochs, seconds, details=details)
