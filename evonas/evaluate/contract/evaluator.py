"""The contract of an evaluator: what judges genomes, in the driver and in a worker.

A new evaluator is one file in `evaluators/` and one line in their registry, or one file of a
plugin. The file has a frozen dataclass, which derives from `Evaluator`, and the function that its
`open` returns.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evonas.evaluate.contract.import_watch import import_plugins
from evonas.evaluate.contract.pool import Worker
from evonas.evaluate.contract.protocol import Alive, RunJob, Setup
from evonas.genome import Genome, SearchSpace
from evonas.settings import Settings

# A worker without networks needs none of what these import.
if TYPE_CHECKING:
    from evonas.data.prepared import DataSettings, Prepared

WORKER = "evonas.evaluate.local.worker:serve"
"""The entry of every worker: it opens the evaluator that its setup names."""


@dataclass(frozen=True)
class Call:
    """How a function of a plugin will be called.

    Attributes:
        function: name as `package.module:function`.
        tensors: number of positional arguments.
        names: names of the keyword arguments.
        offered: names of further ones, which are given if the function takes them.
        given: what the positional arguments are, in words.
    """

    function: str
    tensors: int = 1
    names: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    given: str = "tensors"


@dataclass(frozen=True)
class Question:
    """What a run asks of its evaluator.

    Attributes:
        space: the search space.
        file: the config's file, for issues.
        epochs: epochs of a full training.
        fidelities: all numbers of epochs that a trial may have.
        strategy: key of the strategy, which may ask for them.
        metrics: metrics that the search needs, each with the key that names it.
        times: keys of the budget that are in seconds.
        data: what networks are trained on; None if the config names no data.
    """

    space: SearchSpace
    file: str
    epochs: int
    fidelities: frozenset[int]
    strategy: str
    metrics: Mapping[str, str]
    times: tuple[str, ...] = ()
    data: DataSettings | None = field(default=None)


def silent() -> None:
    """Tells nobody that a job is alive."""


@dataclass(frozen=True)
class Evaluator(Settings, ABC):
    """What judges genomes, as a config writes it: its fields are its settings in the YAML.

    The class attributes and methods say what must be known before a job is done. All but `open` and
    `in_words` have a default.

    Class attributes:
        has_networks: whether a genome becomes a network. Its weights are kept, and it is exported.
        needs_data: whether it judges by the data of the config, or cannot stand beside them; None
            if it does not matter.
        measures: whether evonas measures its metrics, and so knows their names and directions.
        is_replayed: whether it knows all results. A config without a pool means the simulated one.
        tells_epochs: whether a job tells each of its epochs, so that a rule can end it with one.
        libraries: packages that decide its outcomes.
        file: name of the setting that holds the path of its file; empty if it has none. The file
            may lie elsewhere later, but what it holds may not change.
    """

    has_networks: ClassVar[bool] = False
    needs_data: ClassVar[bool | None] = False
    measures: ClassVar[bool] = False
    is_replayed: ClassVar[bool] = False
    tells_epochs: ClassVar[bool] = False
    libraries: ClassVar[frozenset[str]] = frozenset()
    file: ClassVar[str] = ""

    @abstractmethod
    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        """What does the jobs of this run, in the process that calls this.

        Args:
            alive: told again and again within an epoch.
            is_simulated: whether an outcome's seconds are those of a virtual clock.

        Raises:
            InvalidData: its file is not what it should be.
            UserError: code of the user's cannot be imported.
        """

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What judges the genomes, in words: `the table results.csv`."""

    @property
    def worker(self) -> Worker:
        """How worker processes begin."""
        return Worker(WORKER)

    def facts(self) -> Mapping[str, Any]:
        """What a worker that has opened it tells of itself: plain JSON."""
        return {}

    def prepare(self, question: Question, root: Path) -> Prepared:
        """Check what the settings alone cannot tell, and write what jobs need.

        Args:
            root: directory that gets the files.

        Raises:
            InvalidData: data or a file of results cannot be used.
            InvalidConfig: it cannot answer the question.
        """
        from evonas.data.prepared import Prepared

        return Prepared(None, files={}, counts={}, fingerprint="", guess="")

    def pool_problem(self, is_simulated: bool) -> str:
        """Why it cannot do its jobs in such a pool; empty if it can.

        Args:
            is_simulated: whether the pool has a virtual clock.
        """
        return ""

    @property
    def call(self) -> Call | None:
        """How it calls a function of a plugin, which its setting `function` names; or None."""
        return None

    def length(self, epochs: str, is_set: bool) -> str:
        """How long a job may be, in words; empty if it has no length.

        Args:
            epochs: epochs of a full training, in words.
            is_set: whether the strategy decides how long each trial is.
        """
        return f"trials at up to {epochs}"

    def known(self, genome: Genome, space: SearchSpace) -> Mapping[str, Mapping[str, float]]:
        """What else it knows of a genome, for the winner's card: metrics, by epochs."""
        return {}


def described(evaluator: Evaluator) -> dict[str, Any]:
    """What a worker is told of an evaluator, as plain JSON: its class and its settings."""
    kind = type(evaluator)
    return {f"{kind.__module__}:{kind.__qualname__}": dataclasses.asdict(evaluator)}


def evaluator_in(setup: Setup) -> Evaluator:
    """The evaluator that a setup describes; imports its module, and nothing else of evonas."""
    ((name, settings),) = setup.evaluator.items()
    module_name, _, attribute = name.partition(":")
    # The driver has imported it before, and must not import the other plugins.
    if module_name in setup.plugins and module_name not in sys.modules:
        import_plugins(setup.plugins, setup.plugin_folder)
    module = importlib.import_module(module_name)
    evaluator: Evaluator = vars(module)[attribute](**settings)
    return evaluator
