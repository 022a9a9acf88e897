"""A session: one driver at work on one run. It holds the lock, the record and the pool, and lets go of all three."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from evonas.errors import InvalidConfig, InvalidData, InvalidRecord, Problem, UserError
from evonas.evaluate.data import Prepared, prepare
from evonas.evaluate.devices import inventory, slots
from evonas.evaluate.inline import InlinePool
from evonas.evaluate.launcher import start_launcher
from evonas.evaluate.local import LocalPool
from evonas.evaluate.pool import Pool
from evonas.evaluate.protocol import Setup
from evonas.files import sha256_of
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.model.interface import Interface
from evonas.runtime.config import LocalConfig, RunConfig
from evonas.runtime.config_file import LoadedConfig
from evonas.runtime.engine import Engine, Limits, checkpoint_path
from evonas.runtime.layout import Layout, Lock
from evonas.runtime.observer import Observer
from evonas.runtime.record import Record
from evonas.runtime.stopping import StopRequest
from evonas.search.registry import STRATEGIES
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Fidelity, Outcome, Trial


class Sweeper(Observer):
    """Deletes a training's checkpoint when its outcome is recorded: it was for going on after a crash.

    Args:
        keep: for strategies that continue finished trainings.
    """

    def __init__(self, root: Path, keep: bool) -> None:
        self._root, self._keep = root, keep

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        if final and not self._keep:
            (self._root / checkpoint_path(trial.id)).unlink(missing_ok=True)


PoolFactory = Callable[[RunConfig, Setup, Path], Pool]

WORKER = "evonas.evaluate.worker:serve"


def create_run(loaded: LoadedConfig, root: Path) -> Prepared:
    """Make a run's directory: the data, split and written, and a record that holds everything a session needs.

    Raises:
        InvalidData: the data cannot be used; nothing is left of the run but its directory.
        InvalidConfig: the objective is not measured for the task that the data turn out to be.
        DiskFailure: the directory is not writable.
    """
    layout = Layout(root)
    prepared = prepare(loaded.data_settings(), root)
    if wrong := loaded.config.objective.problem(prepared.interface.task):
        raise InvalidConfig(Problem(wrong, "objective", str(loaded.file)))
    seeds = {name: genome.to_dict() for name, genome in loaded.seeds.items()}
    meta = {
        "config": loaded.config.to_json(),
        "config_file": str(loaded.file),
        "space": loaded.space.text,
        "seeds": seeds,
        "interface": prepared.interface.to_json(),
        "counts": dict(prepared.counts),
        "fingerprint": prepared.fingerprint,
        "data_files": dict(prepared.files),
        "versions": versions(),
    }
    Record.create(layout.record, meta, prepared.files)
    return prepared


def versions() -> dict[str, str]:
    """What a result depends on; TensorFlow's and Keras's versions are read without importing them."""
    names = ("evonas", "tensorflow", "keras", "numpy", "deap")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def make_strategy(config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome]) -> Strategy:
    """The strategy that a config names, before the first ask."""
    fidelity = Fidelity(config.training.epochs)
    problem = SearchProblem(space, config.objective.to_objective(), fidelity, config.seed, seeds)
    kind, settings = config.strategy_parts()
    return STRATEGIES[kind](problem, settings)


def local_pool(config: RunConfig, setup: Setup, root: Path) -> Pool:
    """The pool that a config names."""
    if not isinstance(config.pool, LocalConfig):
        return InlinePool(setup)
    places = slots(config.pool.workers, config.pool.devices, inventory(), threads=config.pool.threads)
    launcher = partial(start_launcher, WORKER, preload=("tensorflow", "keras"))
    return LocalPool(setup, places, launcher, Layout(root).logs, time_limit=config.limits.seconds)


class Session:
    """Opens a run that exists, new or not; a context manager.

    Args:
        root: the run's directory.
        pool_factory: makes the pool, when the first task needs it.
        stop: where signals are noted.

    Raises:
        UserError: there is no run.
        RunHeld: another process holds it.
        InvalidRecord: the record is damaged.
        InvalidData: the data on disk are damaged, and their source has changed.
    """

    def __init__(self, root: Path, pool_factory: PoolFactory = local_pool, stop: StopRequest | None = None) -> None:
        self.layout = Layout(root)
        if not self.layout.record.is_file():
            raise UserError(f"there is no run at {root}. `evonas list` shows the runs.")
        self.stop = stop or StopRequest()
        self._pool_factory = pool_factory
        self._pool: Pool | None = None
        with ExitStack() as stack:
            stack.callback(Lock(self.layout).release)
            self.record = Record(self.layout.record)
            stack.callback(self.record.close)
            self._read()
            self._check_data()
            self._exit = stack.pop_all()

    def _read(self) -> None:
        try:
            self.config = RunConfig.from_json(self.record.meta("config"))
            self.space = parse_space(self.record.meta("space"), f"{self.layout.record} (space)")
            self.interface = Interface.from_json(self.record.meta("interface"))
            self.seeds = {name: Genome.from_dict(data) for name, data in self.record.meta("seeds").items()}
        except KeyError as error:
            raise InvalidRecord(
                f"{self.layout.record} lacks the entry {error}: it is damaged or was made by hand"
            ) from error
        self.objective = self.config.objective.to_objective()

    def _check_data(self) -> None:
        """Damaged or missing arrays are made again from their source, if that is still the same."""
        files: Mapping[str, str] = self.record.meta("data_files")
        if all(
            (self.layout.root / path).is_file() and sha256_of(self.layout.root / path) == sha
            for path, sha in files.items()
        ):
            return
        prepared = prepare(self.config.data.settings(self.space.input), self.layout.root)
        if prepared.fingerprint != self.record.meta("fingerprint"):
            message = "the run's arrays are damaged, and their source is not what it was when the run began"
            raise InvalidData(Problem(message, file=str(self.config.data.path or self.config.data.name)))
        self.record.event("data restored", {})

    def setup(self) -> Setup:
        """What every worker of this run is told."""
        limits = self.config.limits
        bounds = {"parameters": limits.parameters, "flops": limits.flops}
        threads = self.config.pool.threads if isinstance(self.config.pool, LocalConfig) else 1
        return Setup(
            directory=str(self.layout.root.resolve()),
            seed=self.config.seed,
            space=self.space.text,
            interface=self.interface.to_json(),
            objective={"name": self.objective.name, "direction": self.objective.direction},
            patience=self.config.training.patience,
            limits={name: bound for name, bound in bounds.items() if bound is not None},
            plugins=tuple(self.config.plugins),
            threads=threads,
        )

    @property
    def pool(self) -> Pool:
        """Started at first use; closed with the session."""
        if self._pool is None:
            self._pool = self._pool_factory(self.config, self.setup(), self.layout.root)
            self._exit.callback(self._pool.close)
        return self._pool

    def strategy(self) -> Strategy:
        """The strategy as it was before the first ask; the engine brings it to where the record is."""
        return make_strategy(self.config, self.space, self.seeds)

    def engine(self, observers: Sequence[Observer] = ()) -> Engine:
        config, strategy = self.config, self.strategy()
        limits = Limits(
            config.budget.trials, config.look_ahead, config.max_twins_in_a_row, config.max_failures_in_a_row
        )
        return Engine(
            strategy,
            self.record,
            self.pool,
            limits,
            self.objective,
            config.seed,
            observers=[Sweeper(self.layout.root, keep=strategy.continues_trials), *observers],
            stop=self.stop,
        )

    def close(self) -> None:
        self._exit.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
