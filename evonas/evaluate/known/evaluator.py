"""Evaluators besides Keras, in the place of a worker's training: a table of known results, or a user's function."""

from __future__ import annotations

import importlib
import inspect
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evonas.errors import UserError, did_you_mean
from evonas.evaluate.contract.protocol import Job, OnEpoch, RunJob, Setup
from evonas.evaluate.known.table import SECONDS, Table, load_table
from evonas.genome import Genome, Value, parse_space
from evonas.trial import Outcome, TrialState

TEST = "test_"
"""Metrics of the test data are kept from the search, in the outcome's details, until the winner's card is written."""

Function = Callable[..., Any]


def open_evaluator(setup: Setup, is_simulated: bool = False) -> RunJob:
    """What `setup.evaluator` names.

    Args:
        is_simulated: whether seconds are those of a virtual clock.

    Raises:
        InvalidData: the table is no table.
        UserError: the function cannot be imported.
    """
    assert setup.evaluator is not None
    ((kind, settings),) = setup.evaluator.items()
    if kind == "table":
        return TableEvaluator(
            load_table(settings["path"], parse_space(setup.space, "the recorded space"))
        )
    return FunctionEvaluator(
        import_function(settings["function"]), settings["arguments"], is_simulated
    )


def import_function(name: str) -> Function:
    """The function `package.module:name`. Whether the module may be imported is the caller's to know.

    Raises:
        UserError: there is no such module or function, or importing it fails.
    """
    module, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module)
    except Exception as error:  # code of the user's, which may do anything
        raise UserError(
            f"the evaluator's module {module} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    function = getattr(found, attribute, None)
    if not callable(function):
        hint = did_you_mean(attribute, [item for item in vars(found) if not item.startswith("_")])
        raise UserError(f"the evaluator's module {module} has no function {attribute!r}.{hint}")
    checked: Function = function
    return checked


@dataclass(frozen=True)
class TableEvaluator:
    """Looks a genome up. Seconds are those of the table; in one without seconds, an epoch counts as one."""

    table: Table

    def __call__(self, setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
        table, epochs = self.table, job.epochs
        if epochs not in table.metrics:
            known = ", ".join(map(str, table.fidelities))
            return Outcome(
                TrialState.ERROR,
                message=f"the table knows {known} epochs, and {epochs} were asked for",
            )
        row = table.row(Genome.from_dict(job.genome))
        if row is None:
            return Outcome(TrialState.INFEASIBLE, message="the table has no such genome")
        seconds = table.seconds(row, epochs)
        spent = table.seconds(row, job.trained) if job.trained in table.metrics else None
        cost = (
            float(epochs - job.trained) if seconds is None else max(0.0, seconds - (spent or 0.0))
        )
        return judged(table.values(row, epochs), setup, job, cost, TrialState.INFEASIBLE)


class FunctionEvaluator:
    """Calls a function: `function(genome, epochs=..., seed=..., **arguments) -> {metric: number}`.

    `epochs` and `seed` are given where the function takes them. It is called anew for each fidelity: where a trial goes
    on from a shorter one, the difference of their `seconds` is what it costs. Where it tells no seconds, the clock on
    the wall does; on the virtual clock of the simulated pool an epoch counts as one.
    """

    def __init__(
        self, function: Function, arguments: Mapping[str, Value], is_simulated: bool
    ) -> None:
        self._function, self._arguments, self._is_simulated = (
            function,
            dict(arguments),
            is_simulated,
        )
        parameters = inspect.signature(function).parameters
        takes_all = any(
            parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()
        )
        self._takes = [name for name in ("epochs", "seed") if takes_all or name in parameters]

    def __call__(self, setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
        start = time.monotonic()
        found = self._call(job, job.epochs)
        elapsed = (
            float(job.epochs - job.trained) if self._is_simulated else time.monotonic() - start
        )
        seconds = found.pop(SECONDS, None)
        if seconds is None:
            return judged(found, setup, job, elapsed)
        spent = self._call(job, job.trained).get(SECONDS, 0.0) if job.trained else 0.0
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(
                f"the function's seconds must be a number of at least 0. Received: {seconds}"
            )
        return judged(found, setup, job, max(0.0, seconds - spent))

    def _call(self, job: Job, epochs: int) -> dict[str, float]:
        given: dict[str, Any] = {"epochs": epochs, "seed": job.seed}
        passed = {name: given[name] for name in self._takes}
        found = self._function(Genome.from_dict(job.genome), **passed, **self._arguments)
        if not isinstance(found, Mapping):
            raise TypeError(
                f"the function must return a mapping from metrics to numbers. Received: {found!r:.80}"
            )
        return {str(name): float(value) for name, value in found.items()}


def judged(
    found: Mapping[str, float],
    setup: Setup,
    job: Job,
    seconds: float,
    missing: TrialState = TrialState.ERROR,
) -> Outcome:
    """Measurements as an outcome: beyond a limit, without an objective, diverged, or ok.

    Args:
        missing: the state where one that the search needs is not among them.
    """
    names = dict.fromkeys([setup.objective["name"], *setup.needed])
    for size, bound in setup.limits.items():
        if found.get(size, 0.0) > bound:
            return Outcome(
                TrialState.INFEASIBLE,
                message=f"{size}: {found[size]:.0f}, more than the limit of {bound}",
            )
    if absent := [name for name in names if name not in found]:
        message = f"there is no {absent[0]} among the metrics: {', '.join(found) or 'none'}"
        return Outcome(missing, epochs=job.epochs, seconds=seconds, message=message)
    finite = {key: value for key, value in found.items() if math.isfinite(value)}
    metrics = {key: value for key, value in finite.items() if not key.startswith(TEST)}
    if infinite := [name for name in names if name not in finite]:
        message = f"{infinite[0]} was {found[infinite[0]]}"
        return Outcome(TrialState.DIVERGED, metrics, job.epochs, seconds, message=message)
    test = {key: value for key, value in finite.items() if key.startswith(TEST)}
    return Outcome(
        TrialState.OK, metrics, job.epochs, seconds, details={"test": test} if test else {}
    )
