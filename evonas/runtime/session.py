"""A session: one driver at work on one run. It holds the lock, the record and the pool, and lets go of all three."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from evonas.data.prepared import Prepared, prepare
from evonas.errors import InvalidConfig, Issue, UserError
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.known.evaluator import open_evaluator
from evonas.evaluate.local import plugin_check
from evonas.evaluate.local.devices import DeviceShare, device_shares, inventory
from evonas.evaluate.local.launcher import start_launcher
from evonas.evaluate.local.memory import MIB
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.pools.inline import InlinePool
from evonas.evaluate.pools.local import LocalPool
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.run_config import FAMILIES, LocalConfig, RunConfig, SimulatedConfig
from evonas.runtime.config.settings import dump
from evonas.runtime.data_guard import SOURCE, check_source, restore_arrays, source_mark
from evonas.runtime.evaluators import (
    check_evaluator,
    check_table,
    described,
    ends_of,
    named_functions,
    restore_clock,
)
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.stopping import StopRequest
from evonas.runtime.loop.storage import NoStorage, Storage
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.record.reader import decoding
from evonas.runtime.record.record import Record
from evonas.search.registry import STRATEGIES
from evonas.search.strategy import Strategy

PoolFactory = Callable[[RunConfig, Setup, Path], Pool]

WORKER = "evonas.evaluate.local.worker:serve"
FUNCTION_WORKER = "evonas.evaluate.known.function_worker:serve"


def prepare_data(loaded: LoadedConfig, root: Path) -> Prepared:
    """Check everything that the config alone cannot tell: the devices, the data, and the objective for their task.

    Raises:
        NoWorker: a device that the config names is missing.
        InvalidData: the data cannot be used.
        InvalidConfig: a plugin cannot be imported or lacks an op, or the objective is not measured for the task that
            the data turn out to be.
        DiskFailure: the directory is not writable.
    """
    if isinstance(loaded.config.pool, LocalConfig):
        _places(loaded.config.pool)
    ops = [name for section in loaded.space.sections.values() for name in section.ops]
    ops += named_functions(loaded.config)
    if problems := plugin_check.find_problems(loaded.config.plugins, ops):
        raise InvalidConfig(Issue(problem, "plugins", str(loaded.file)) for problem in problems)
    if loaded.config.evaluator is not None:
        return Prepared(None, files={}, guess="", **check_evaluator(loaded))
    prepared = prepare(loaded.data_settings(), root)
    assert prepared.interface is not None
    if wrong := loaded.config.task_problems(prepared.interface.task):
        raise InvalidConfig(Issue(message, key, str(loaded.file)) for key, message in wrong.items())
    return prepared


def create_run(loaded: LoadedConfig, root: Path) -> Prepared:
    """Fill a run's directory: the data, split and written, and a record that holds everything a session needs.

    Raises:
        as `prepare_data`; there is no record then.
    """
    prepared = prepare_data(loaded, root)
    seeds = {name: genome.to_dict() for name, genome in loaded.seeds.items()}
    meta = {
        "config": loaded.config.to_json(),
        "config_file": str(loaded.file),
        "space": loaded.space.text,
        "seeds": seeds,
        "interface": None if prepared.interface is None else prepared.interface.to_json(),
        "counts": dict(prepared.counts),
        "fingerprint": prepared.fingerprint,
        SOURCE: {} if loaded.config.data is None else source_mark(loaded.config.data),
        "data_files": dict(prepared.files),
        "versions": versions(),
    }
    Record.create(Layout(root).record, meta, prepared.files)
    return prepared


def versions() -> dict[str, str]:
    """What a result depends on; TensorFlow's and Keras's versions are read without importing them."""
    names = ("evonas", "tensorflow", "keras", "numpy", "deap")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def make_strategy(config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome]) -> Strategy:
    """The strategy that a config names, before the first ask."""
    kind, settings = config.strategy_parts()
    return STRATEGIES[kind](config.search_problem(space, seeds), settings)


def make_setup(
    config: RunConfig, space: SearchSpace, interface: Interface | None, root: Path
) -> Setup:
    """What every worker of a run in this directory is told."""
    objective = config.epoch_objective()
    bounds = {"parameters": config.limits.parameters, "flops": config.limits.flops}
    return Setup(
        directory=str(root.resolve()),
        seed=config.seed,
        space=space.text,
        interface={} if interface is None else interface.to_json(),
        objective={"name": objective.name, "direction": objective.direction},
        needed=config.metrics(),
        patience=config.training.patience,
        stop=None if config.training.stop is None else dump(config.training.stop, FAMILIES),
        epochs=config.training.epochs,
        limits={name: bound for name, bound in bounds.items() if bound is not None},
        plugins=tuple(config.plugins),
        threads=config.pool.threads if isinstance(config.pool, LocalConfig) else 1,
        evaluator=None if config.evaluator is None else described(config.evaluator),
    )


def local_pool(config: RunConfig, setup: Setup, root: Path) -> Pool:
    """The pool that a config names."""
    if isinstance(config.pool, SimulatedConfig):
        return SimulatedPool(setup, config.pool.workers, open_evaluator(setup, is_simulated=True))
    if not isinstance(config.pool, LocalConfig):
        return InlinePool(setup, None if config.evaluator is None else open_evaluator(setup))
    worker, preload = (
        (WORKER, ("tensorflow", "keras")) if config.evaluator is None else (FUNCTION_WORKER, ())
    )
    launcher = partial(start_launcher, worker, preload=preload)
    return LocalPool(
        setup,
        _places(config.pool),
        launcher,
        Layout(root).logs,
        time_limit=config.limits.seconds,
        stalled_limit=config.limits.stalled_seconds,
        memory_limits=_memory_limits(config.pool),
    )


def _memory_limits(pool: LocalConfig) -> MemoryLimits:
    growth = None if pool.recycle_mb is None else pool.recycle_mb * MIB
    worker = None if pool.memory_mb is None else pool.memory_mb * MIB
    return MemoryLimits(growth, worker, pool.free_memory_mb * MIB)


def _places(pool: LocalConfig) -> list[DeviceShare]:
    return device_shares(pool.workers, pool.devices, inventory(), threads=pool.threads)


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

    def __init__(
        self, root: Path, pool_factory: PoolFactory = local_pool, stop: StopRequest | None = None
    ) -> None:
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
            self.read()
            if self.config.data is not None:
                restore_arrays(self.record, self.config.data, self.space)
            self._exit = stack.pop_all()

    def read(self) -> None:
        """From the record, what this session goes by; again after the config was changed."""
        with decoding(self.layout.record):
            self.config = RunConfig.from_json(self.record.meta("config"))
            self.space = parse_space(self.record.meta("space"), "the recorded space")
            ends = self.record.meta("interface")
            self._interface = None if ends is None else Interface.from_json(ends)
            self.seeds = {
                name: Genome.from_dict(data) for name, data in self.record.meta("seeds").items()
            }
        self.objective = self.config.to_objective()
        self.storage = Storage(self.layout.root, self.config.storage.keep_best)

    @property
    def interface(self) -> Interface:
        """The two ends of every network.

        Raises:
            UserError: the run has no networks.
        """
        return ends_of(self._interface, self.config)

    def notes(self, goes_on: bool) -> list[str]:
        """What the user should know before the session begins.

        Args:
            goes_on: whether there may be trainings; then the source of the data must be what it was.

        Raises:
            InvalidData: it is not.
        """
        found = self._source_notes() if goes_on else []
        for name, (then, now) in self.changed_versions.items():
            found.append(
                f"{name} is {now} now and was {then} when the run began: results may differ"
            )
        if self.record.backup is not None:
            found.append(
                f"the record was of an older evonas; it is as it was in {self.record.backup}"
            )
        return found

    def _source_notes(self) -> list[str]:
        if self.config.data is not None:
            return check_source(self.record, self.config.data, self.space)
        check_table(self.config, self.record.meta("fingerprint"))
        return []

    @property
    def changed_versions(self) -> dict[str, tuple[str, str]]:
        """What a result depends on and is no longer what it was when the run began: name -> (then, now)."""
        then, now = self.record.meta("versions"), versions()
        return {name: (then[name], now[name]) for name in now if then.get(name) != now[name]}

    def setup(self) -> Setup:
        """What every worker of this run is told."""
        return make_setup(self.config, self.space, self._interface, self.layout.root)

    @property
    def pool(self) -> Pool:
        """Started at first use; closed with the session."""
        if self._pool is None:
            self._pool = self._pool_factory(self.config, self.setup(), self.layout.root)
            self._exit.callback(self._pool.close)
            if isinstance(self._pool, SimulatedPool):
                restore_clock(self._pool, self.record)
        return self._pool

    def strategy(self) -> Strategy:
        """The strategy as it was before the first ask; the engine brings it to where the record is."""
        return make_strategy(self.config, self.space, self.seeds)

    def engine(self, observers: Sequence[Observer] = ()) -> Engine:
        config, strategy = self.config, self.strategy()
        kind = Storage if config.evaluator is None else NoStorage
        self.storage = kind(self.layout.root, config.storage.keep_best, strategy.continues_trials)
        limits = RunLimits(
            config.budget.trials,
            config.look_ahead,
            config.max_twins_in_a_row,
            config.max_failures_in_a_row,
            config.budget.epochs,
            config.budget.seconds,
        )
        pool = self.pool
        return Engine(
            strategy,
            self.record,
            pool,
            limits,
            self.objective,
            config.seed,
            observers=observers,
            stop=self.stop,
            storage=self.storage,
            guard=DiskGuard(self.storage, config.storage.free_mb, teller(observers)),
            clock=(lambda: pool.now) if isinstance(pool, SimulatedPool) else time.monotonic,
            spent=pool.now if isinstance(pool, SimulatedPool) else self.record.worked_seconds(),
            in_order=config.deterministic,
            incumbent_of=partial(incumbent_for, self.record, config),
        )

    def close(self) -> None:
        self._exit.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
