"""A session: one driver at work on one run.

It holds the lock, the record and the pool, and lets go of all three.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from evonas.data.prepared import Prepared, about_guess, prepare
from evonas.errors import InvalidConfig, Issue, UserError
from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.contract.raised import quoted
from evonas.evaluate.known.evaluator import open_evaluator
from evonas.evaluate.local.devices import DeviceShare, device_shares, inventory
from evonas.evaluate.local.launching import EarlyLauncher, start_launcher
from evonas.evaluate.local.limit_check import Measured
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.local.plugin_check import Plugins
from evonas.evaluate.pools.inline import InlinePool
from evonas.evaluate.pools.local import LocalPool
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.learning.interface import Interface
from evonas.memory import MIB
from evonas.runtime.code_guard import (
    CODE,
    CODE_FILES,
    CODE_RULE,
    RULE,
    Sources,
    check_code,
    check_imported,
    check_plugins,
    check_process,
    checked_plugins,
    known_code,
    look_at_plugins,
    plugin_folder,
    recorded_code,
    try_networks,
    wrong_calls,
)
from evonas.runtime.config.config_file import LoadedConfig, opened
from evonas.runtime.config.pool_config import LocalConfig, SimulatedConfig
from evonas.runtime.config.run_config import FAMILIES, RunConfig
from evonas.runtime.config.settings import dump
from evonas.runtime.config.strategy_config import SECTION, counts_infeasible
from evonas.runtime.data_guard import SOURCE, check_source, restore_arrays, source_mark
from evonas.runtime.evaluators import (
    check_evaluator,
    check_table,
    described,
    ends_of,
    restore_clock,
)
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.reserve import Reserve
from evonas.runtime.loop.stopping import StopRequest
from evonas.runtime.loop.storage import Storage
from evonas.runtime.openings import NOTED
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.record.open_record import GIVES_BACK, decoding, end_seconds
from evonas.runtime.record.reader import where_runs_are
from evonas.runtime.record.record import Record
from evonas.runtime.versions import changes_in_words, other_versions, versions
from evonas.search.strategy import Strategy
from evonas.streams import hold_descriptors
from evonas.trial import LINEAGES

PoolFactory = Callable[[RunConfig, Setup, Path], Pool]

WORKER = "evonas.evaluate.local.worker:serve"
PRELOAD = ("tensorflow", "keras")
"""The fork server imports them once for all workers: each of them then starts at once."""
FUNCTION_WORKER = "evonas.evaluate.known.function_worker:serve"


@dataclass(frozen=True)
class Checked:
    """What the checks before a run have found.

    Attributes:
        prepared: the data, or what is known of a table.
        plugins: what was found of the plugins.
        measured: how random networks stand against the limits; None if nobody knows.
    """

    prepared: Prepared
    plugins: Plugins
    measured: Measured | None = None


def prepare_run(loaded: LoadedConfig, root: Path, every_op: bool = False) -> Checked:
    """Check everything that the config alone cannot tell, and write the data.

    That is: the devices, the plugins, the data, the objective for the task of the data, and whether
    the ops work.

    Args:
        every_op: whether the ops of evonas are tried, too, besides those of plugins, and random
            networks are compared with the limits.

    Raises:
        NoWorker: a device that the config names is missing.
        InvalidData: the data cannot be used.
        InvalidConfig: a plugin cannot be imported or lacks an op, an op fails, the objective is
            not measured for the task that the data turn out to be, or no network that was compared
            with the limits is within them.
        DiskFailure: the directory is not writable.
    """
    # These checks come before the data, which may be large and take long to read.
    if isinstance(loaded.config.pool, LocalConfig):
        _shares(loaded.config.pool)
    plugins = look_at_plugins(loaded.config, loaded.space, loaded.file)
    wrong = wrong_calls(loaded, plugins)
    # Without networks, nothing more can be found.
    if wrong and loaded.config.evaluator is not None:
        raise InvalidConfig(wrong)
    prepared = _prepare_data(loaded, root)
    measured = None
    if prepared.interface is not None:
        failing, measured = try_networks(loaded, prepared.interface, plugins, every_op)
        wrong += failing
    if every_op and measured is not None and measured.is_hopeless:
        key = f"limits.{measured.hardest}"
        wrong.append(Issue(measured.refusal(), key, str(loaded.file)))
    if wrong:
        raise InvalidConfig(wrong)
    return Checked(prepared, plugins, measured)


def _prepare_data(loaded: LoadedConfig, root: Path) -> Prepared:
    """Write the data, or check the table; see `prepare_run`."""
    if loaded.config.evaluator is not None:
        return Prepared(None, files={}, guess="", **check_evaluator(loaded))
    prepared = prepare(loaded.data_settings(), root)
    assert prepared.interface is not None
    if wrong := loaded.config.task_problems(prepared.interface.task):
        file = str(loaded.file)
        issues = [Issue(message, key, file) for key, message in wrong.items()]
        raise InvalidConfig(issues + about_guess(prepared.guess))
    return prepared


def create_run(loaded: LoadedConfig, root: Path, gives_back: bool | None = None) -> Prepared:
    """Fill a run's directory: the data, split and written, and a record.

    The record holds everything that a session needs: the config file may change or go.

    Args:
        gives_back: whether infeasible proposals are given back to the budget; None: as the strategy
            says.

    Raises:
        as `prepare_run`; there is no record then.
    """
    checked = prepare_run(loaded, root)
    prepared = checked.prepared
    # No refusal: a few random networks cannot show that there is none within the limits.
    if checked.measured is not None and checked.measured.is_hopeless:
        notes = (*prepared.notes, f"limits: {checked.measured.refusal()}")
        prepared = replace(prepared, notes=notes)
    interface = prepared.interface
    data = loaded.config.data
    if gives_back is None:
        gives_back = not counts_infeasible(loaded.config.strategy)
    meta = {
        "config": loaded.config.to_json(),
        # Absolute: a later session may start in another folder.
        "config_file": str(loaded.file.absolute()),
        "space": loaded.space.text,
        "seeds": {name: genome.to_dict() for name, genome in loaded.seeds.items()},
        "interface": None if interface is None else interface.to_json(),
        "counts": dict(prepared.counts),
        "fingerprint": prepared.fingerprint,
        SOURCE: {} if data is None else source_mark(data),
        "data_files": dict(prepared.files),
        "versions": versions(),
        CODE: dict(checked.plugins.sources),
        CODE_FILES: dict(checked.plugins.files),
        CODE_RULE: RULE,
        NOTED: True,
        "lineages": LINEAGES,
        GIVES_BACK: gives_back,
    }
    # The record comes last. A directory without one is a run that was cut off, and is begun again.
    Record.create(Layout(root).record, meta, prepared.files)
    return prepared


def make_strategy(
    config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome], file: Path
) -> Strategy:
    """The strategy that a config names, before the first ask.

    Args:
        file: the config's file.

    Raises:
        InvalidConfig: it is of a plugin that cannot be used.
    """
    problem = config.search_problem(space, seeds)
    made: Any = opened(config, file).make(problem)
    # A plugin may return anything.
    if not isinstance(made, Strategy):
        name = config.strategy_name
        message = f"{name} must make a Strategy. Received: {quoted(made)}."
        raise InvalidConfig(Issue(message, f"{SECTION}.{name}", str(file)))
    return made


def make_setup(
    config: RunConfig,
    space: SearchSpace,
    interface: Interface | None,
    root: Path,
    config_file: Path,
    code: Sources | None = None,
) -> Setup:
    """What every worker of a run in this directory is told.

    Args:
        code: what identifies the code of the plugins; only a search is guarded by it.
    """
    objective = config.epoch_objective()
    stop = config.training.stop
    evaluator = config.evaluator
    return Setup(
        directory=str(root.resolve()),
        seed=config.seed,
        space=space.text,
        interface={} if interface is None else interface.by_digest(),
        objective={"name": objective.name, "direction": objective.direction},
        needed=config.needed_metrics(),
        metrics=config.metrics,
        patience=config.training.patience,
        stop=None if stop is None else dump(stop, FAMILIES),
        epochs=config.training.epochs,
        limits=config.limits.of_size(),
        plugins=tuple(config.plugins),
        plugin_folder=plugin_folder(config, config_file),
        code=dict(code or {}),
        threads=config.pool.threads if isinstance(config.pool, LocalConfig) else 1,
        evaluator=None if evaluator is None else described(evaluator),
    )


@contextmanager
def early_workers(config: RunConfig) -> Iterator[PoolFactory]:
    """Begins with what workers need, while the caller prepares a run: they import for seconds.

    Yields:
        the pool factory for that run. What nobody has used by the end is ended.
    """
    if not isinstance(config.pool, LocalConfig) or config.evaluator is not None:
        yield local_pool
        return
    hold_descriptors()
    early = EarlyLauncher(WORKER, PRELOAD)
    try:
        yield partial(local_pool, early=early)
    finally:
        early.close()


def local_pool(
    config: RunConfig, setup: Setup, root: Path, early: EarlyLauncher | None = None
) -> Pool:
    """The pool that a config names.

    Args:
        early: makes the launcher of workers that train by Keras; None to begin it at the first job.
    """
    if not isinstance(config.pool, LocalConfig):
        return _pool_in_driver(config, setup)
    if config.evaluator is None:
        launcher = early or partial(start_launcher, WORKER, preload=PRELOAD)
        opening = "importing TensorFlow"
    else:
        launcher = partial(start_launcher, FUNCTION_WORKER, preload=())
        opening = ""
    return LocalPool(
        setup,
        _shares(config.pool),
        launcher,
        Layout(root).logs,
        time_limit=config.limits.seconds,
        stalled_limit=config.limits.stalled_seconds,
        memory_limits=_memory_limits(config.pool),
        opening=opening,
    )


def _pool_in_driver(config: RunConfig, setup: Setup) -> Pool:
    """The pool that a config names, if it has no processes."""
    # Before the evaluator is opened, which imports the plugins into this process.
    imports = Imports(setup.plugins, setup.code)
    if isinstance(config.pool, SimulatedConfig):
        judge = open_evaluator(setup, is_simulated=True)
        return SimulatedPool(setup, config.pool.workers, judge, imports)
    if config.evaluator is None:
        return InlinePool(setup, None, imports)
    return InlinePool(setup, open_evaluator(setup), imports)


def _memory_limits(pool: LocalConfig) -> MemoryLimits:
    """The memory limits of a pool, in bytes; the config has them in MiB."""
    growth = None
    if pool.recycle_mb is not None:
        growth = pool.recycle_mb * MIB
    worker = None
    if pool.memory_mb is not None:
        worker = pool.memory_mb * MIB
    return MemoryLimits(growth, worker, pool.free_memory_mb * MIB)


def _shares(pool: LocalConfig) -> list[DeviceShare]:
    """The devices of each worker.

    Raises:
        NoWorker: a device that the config names is missing.
    """
    return device_shares(pool.workers, pool.devices, inventory(), threads=pool.threads)


class Session:
    """Opens a run that exists, new or not; a context manager.

    Args:
        root: directory of the run.
        pool_factory: makes the pool, when the first job needs it.
        stop: notes the signals.

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
            raise UserError(f"there is no run at {root}. {where_runs_are(root)}")
        self.stop = stop or StopRequest()
        self._pool_factory = pool_factory
        self._pool: Pool | None = None
        # Files stay open from here on, and none of them may be what a library prints to.
        hold_descriptors()
        # If a later step fails, the stack lets go of what the earlier ones hold. At the end it
        # closes the pool first, then the record, and the lock last.
        with ExitStack() as stack:
            stack.callback(Lock(self.layout).release)
            self.record = Record(self.layout.record)
            stack.callback(self.record.close)
            self.read()
            if self.config.data is not None:
                restore_arrays(self.record, self.config, self.config_file, self.space)
            self._exit = stack.pop_all()

    def read(self) -> None:
        """Read config, space and seeds from the record; again after the config was changed."""
        with decoding(self.layout.record):
            self.config = RunConfig.from_json(self.record.meta("config"))
            self.space = parse_space(self.record.meta("space"), "the recorded space")
            ends = self.record.meta("interface")
            self._interface = None if ends is None else Interface.from_json(ends)
            seeds = self.record.meta("seeds")
            self.seeds = {name: Genome.from_dict(data) for name, data in seeds.items()}
            self.config_file = Path(self.record.meta("config_file"))
        self.objective = self.config.to_objective()
        self.storage = Storage(self.layout.root, self.config.storage.keep_best)

    @property
    def interface(self) -> Interface:
        """The two ends of every network.

        Raises:
            UserError: the run has no networks.
        """
        return ends_of(self._interface, self.config)

    def notes(
        self,
        goes_on: bool,
        config: RunConfig,
        is_new: bool = False,
        accept_changed_code: bool = False,
        overrides: Sequence[str] = (),
    ) -> list[str]:
        """What the user should know before the session begins.

        Args:
            goes_on: whether there may be trainings; then the source of the data and the code of the
                plugins must be what they were.
            config: config of this session, perhaps with changes.
            is_new: whether the run was created just now, so that its plugins were checked.
            accept_changed_code: whether the run goes on with changed code.
            overrides: what made this config of the recorded one, for the commands in messages.

        Raises:
            InvalidConfig: a plugin cannot be used, or its code has changed.
            InvalidData: the source has changed.
            UserError: this process has the plugins as they were before a change.
        """
        found = []
        if is_new:
            check_process(config, recorded_code(self.record))
        else:
            plugins = checked_plugins(self.config, self.space, self.config_file)
            if goes_on:
                file = self.config_file
                accept = accept_changed_code
                found += check_code(self.record, config, plugins, file, accept, overrides)
        if goes_on:
            found += self._source_notes(config, overrides)
        changed = other_versions(self.record.meta("versions"), self.config)
        found += changes_in_words(changed)
        if self.record.backup is not None:
            found.append(
                f"the record was of an older evonas; it is as it was in {self.record.backup}"
            )
        return found

    def check_plugins(self) -> Sources:
        """Check that the plugins can be used; returns what identifies their code.

        Raises:
            InvalidConfig: they cannot.
        """
        return check_plugins(self.config, self.space, self.config_file)

    def _source_notes(self, config: RunConfig, overrides: Sequence[str]) -> list[str]:
        """Check the source of the data, or the table; notes for the user."""
        if config.data is not None:
            return check_source(self.record, config, self.config_file, self.space)
        fingerprint = self.record.meta("fingerprint")
        check_table(config, fingerprint, self.layout.root, overrides)
        return []

    def setup(self) -> Setup:
        """What every worker of this run is told."""
        return make_setup(
            self.config,
            self.space,
            self._interface,
            self.layout.root,
            self.config_file,
            known_code(self.record),
        )

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
        """The strategy before the first ask; the engine brings it to where the record is."""
        return make_strategy(self.config, self.space, self.seeds, self.config_file)

    def engine(self, observers: Sequence[Observer] = (), began: float | None = None) -> Engine:
        """The loop of this session, with everything that it is given.

        Args:
            began: `time.monotonic()` when the work on this session began: what came before the
                search spends the budget in seconds, too. None if nothing came before it.
        """
        config = self.config
        strategy = self.strategy()
        has_files = config.evaluator is None
        self.storage = Storage(
            self.layout.root, config.storage.keep_best, strategy.continues_trials, has_files
        )
        limits = RunLimits(
            trials=config.budget.trials,
            look_ahead=config.look_ahead,
            twins_in_a_row=config.max_twins_in_a_row,
            failures_in_a_row=config.max_failures_in_a_row,
            epochs=config.budget.epochs,
            seconds=config.budget.time,
            gives_back=self.record.gives_back,
        )
        pool = self.pool
        # A virtual clock continues where the record ends, so it has the earlier sessions' seconds.
        spent = pool.now if isinstance(pool, SimulatedPool) else self.record.worked_seconds()
        reserve = None
        if not pool.is_simulated:
            if began is not None:
                spent += time.monotonic() - began
            # Without networks nothing is exported.
            if config.budget.time is not None and config.evaluator is None:
                reserve = Reserve(pool.clock, end_seconds(self.record), pool.capacity)
        rules = Rules(
            self.objective,
            config.seed,
            limits,
            in_order=config.deterministic,
            incumbent_of=partial(incumbent_for, self.record, config),
        )
        surroundings = Surroundings(
            observers=observers,
            stop=self.stop,
            clock=pool.clock,
            spent=spent,
            guard=DiskGuard(self.storage, config.storage.free_mb, teller(observers)),
            reserve=reserve,
            check_place=self.record.check_place,
            refusal_of=partial(check_imported, self.record, self.config_file, self.check_plugins),
        )
        engine = Engine(strategy, self.record, pool, self.storage, rules, surroundings)
        # From here on, also what follows the search is paid from the budget.
        self.record.count_seconds(lambda: engine.seconds)
        return engine

    def close(self) -> None:
        """End the workers, close the record and let go of the lock."""
        self._exit.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
