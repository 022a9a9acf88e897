"""A function of the user's own: it is called with a genome, and returns metrics."""

from __future__ import annotations

import importlib
import inspect
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from evonas.errors import UserError, did_you_mean
from evonas.evaluate.contract.evaluator import Call, Evaluator, silent
from evonas.evaluate.contract.import_watch import import_plugins, importing
from evonas.evaluate.contract.protocol import Alive, Job, OnEpoch, RunJob, Setup
from evonas.evaluate.contract.raised import message_of, quoted
from evonas.evaluate.evaluators.judging import judged, training
from evonas.genome import Value
from evonas.randomness import seeded_generators
from evonas.settings import Check
from evonas.streams import kept_streams
from evonas.trial import Outcome
from evonas.words import LETTERS, excerpt, shown

SECONDS = "seconds"
"""The metric that is the cost of a job."""
MOST_METRICS = 1000
"""Metrics that a function may return."""
LONGEST_NAME = 200
"""Characters of a metric's name."""

Function = Callable[..., Any]

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def _function_problem(name: str) -> str:
    """Why this is no `package.module:function`; empty if it is."""
    if _NAME.fullmatch(name):
        return ""
    return (
        "must be package.module:function, such as `my_problem:evaluate`, in names of"
        f" {LETTERS}, digits and _. Received: {shown(name)}."
    )


@dataclass(frozen=True)
class FunctionEvaluator(Evaluator):
    """A function of the user's own.

    It is called with the genome. The keywords `epochs` and `seed` are passed if it takes them.
    It returns a mapping from metrics to numbers; `seconds` in it is the cost of the training.

    Attributes:
        function: name as `package.module:function`; the module must be among the `plugins`.
        arguments: further keyword arguments, the same at every call.
    """

    function: Annotated[str, Check(_function_problem)]
    arguments: Mapping[str, Value] = field(default_factory=dict)

    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        import_plugins(setup.plugins, setup.plugin_folder)
        return FunctionCall(import_function(self.function), self.arguments, is_simulated)

    @property
    def in_words(self) -> str:
        return f"the function {self.function}"

    @property
    def call(self) -> Call:
        return Call(self.function, 1, tuple(self.arguments), offered=("epochs", "seed"))

    def length(self, epochs: str, is_set: bool) -> str:
        # Most functions have no epochs. A strategy that sets them needs one that has.
        return super().length(epochs, is_set) if is_set else ""


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


class FunctionCall:
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
        trained = training(job).trained
        start = time.monotonic()
        found = self._call(job, job.epochs)
        # Read at once: what follows may call the function again, which is not to be paid for.
        measured = time.monotonic() - start
        seconds = found.pop(SECONDS, None)
        if seconds is None:
            virtual = float(job.epochs - trained)
            cost = virtual if self._is_simulated else measured
            return judged(found, setup, cost, self._epochs(job))
        # The function judges a genome anew for each fidelity, and knows of no earlier trial. So a
        # trial that continues another one costs the difference of the two.
        spent = 0.0
        if trained:
            spent = self._call(job, trained).get(SECONDS, 0.0)
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(
                f"the function's seconds must be a number of at least 0. Received: {seconds}"
            )
        return judged(found, setup, max(0.0, seconds - spent), self._epochs(job))

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
        # A function that draws from the global generators gives the same in every pool, whatever
        # was called before it.
        with kept_streams(), seeded_generators(job.seed):
            found = self._function(job.genome, **passed, **self._arguments)
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
