"""A session: one driver at work on one run. It holds the lock, the record and the pool, and lets go of all three."""

from __future__ import annotations

import importlib.util
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from evonas.errors import InvalidConfig, InvalidData, Problem, UserError
from evonas.evaluate.data import Prepared, prepare
from evonas.evaluate.inline import InlinePool
from evonas.evaluate.launcher import start_launcher
from evonas.evaluate.local import LocalPool
from evonas.evaluate.pool import Pool
from evonas.evaluate.protocol import Setup
from evonas.evaluate.simulated import SimulatedPool
from evonas.files import sha256_of
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.model.interface import Interface
from evonas.runtime.config import LocalConfig, RunConfig
from evonas.runtime.config_file import LoadedConfig
from evonas.runtime.engine import Engine, Limits, checkpoint_path
from evonas.runtime.evaluators import check_evaluator, check_table, ends_of, evaluator_pool, restore, setup_changes
from evonas.runtime.layout import Layout, Lock
from evonas.runtime.observer import Observer
from evonas.runtime.places import places
from evonas.runtime.progress import Progress
from evonas.runtime.record import Record, decoding
from evonas.runtime.stopping import StopRequest
from evonas.search.registry import STRATEGIES
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Fidelity, Outcome, Trial


class Sweeper(Observer):
    """Deletes a training's checkpoint when its outcome is recorded: it was for going on after a crash.

    Args:
        keep: for strategies that continue finished trainings.
    """

    def __init__(self, record: Record, keep: bool) -> None:
        self._record, self._keep = record, keep

    def on_start(self, progress: Progress) -> None:
        """What the last session did not come to."""
        waiting = {checkpoint_path(trial) for trial in self._record.waiting()}
        root = self._record.path.parent
        for path in sorted(root.glob("checkpoints/*")):
            if not self._keep and path.relative_to(root).as_posix() not in waiting:
                path.unlink(missing_ok=True)

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        if final and not self._keep:
            (self._record.path.parent / checkpoint_path(trial.id)).unlink(missing_ok=True)


PoolFactory = Callable[[RunConfig, Setup, Path], Pool]

WORKER = "evonas.evaluate.worker:serve"


def prepare_data(loaded: LoadedConfig, root: Path) -> Prepared:
    """Check everything that the config alone cannot tell: the devices, the data, and the objective for their task.

    Raises:
        NoWorker: a device that the config names is missing.
        InvalidData: the data cannot be used.
        InvalidConfig: the objective is not measured for the task that the data turn out to be.
        DiskFailure: the directory is not writable.
    """
    if isinstance(loaded.config.pool, LocalConfig):
        places(loaded.config.pool)
    for module in loaded.config.plugins:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            message = f"there is no module {module}. A plugin must be installed, or its folder must be in PYTHONPATH"
            raise InvalidConfig(Problem(message, "plugins", str(loaded.file)))
    if loaded.config.evaluator is not None:
        return Prepared(None, files={}, guess="", **check_evaluator(loaded))
    prepared = prepare(loaded.data_settings(), root)
    assert prepared.interface is not None
    if wrong := loaded.config.objective.problem(prepared.interface.task):
        raise InvalidConfig(Problem(wrong, "objective", str(loaded.file)))
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
    fidelity = Fidelity(config.training.epochs)
    problem = SearchProblem(space, config.objective.to_objective(), fidelity, config.seed, seeds)
    kind, settings = config.strategy_parts()
    return STRATEGIES[kind](problem, settings)


def local_pool(config: RunConfig, setup: Setup, root: Path) -> Pool:
    """The pool that a config names."""
    if config.evaluator is not None:
        return evaluator_pool(config, setup, root)
    if not isinstance(config.pool, LocalConfig):
        return InlinePool(setup)
    launcher = partial(start_launcher, WORKER, preload=("tensorflow", "keras"))
    return LocalPool(setup, places(config.pool), launcher, Layout(root).logs, time_limit=config.limits.seconds)


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
        with decoding(self.layout.record):
            self.config = RunConfig.from_json(self.record.meta("config"))
            self.space = parse_space(self.record.meta("space"), "the recorded space")
            self._interface = Interface.from_json(ends) if (ends := self.record.meta("interface")) else None
            self.seeds = {name: Genome.from_dict(data) for name, data in self.record.meta("seeds").items()}
        self.objective = self.config.objective.to_objective()

    @property
    def interface(self) -> Interface:
        """The two ends of every network.

        Raises:
            UserError: the run has no networks.
        """
        return ends_of(self._interface, self.config)

    def _check_data(self) -> None:
        """Damaged or missing arrays are made again from their source, if that gives the very same."""
        files: Mapping[str, str] = self.record.meta("data_files")
        root = self.layout.root
        check_table(self.config, self.record.meta("fingerprint"))
        damaged = [path for path, sha in files.items() if not (root / path).is_file() or sha256_of(root / path) != sha]
        if not damaged or self.config.data is None or self.space.input is None:
            return
        with tempfile.TemporaryDirectory(dir=root) as scratch:
            again = prepare(self.config.data.settings(self.space.input), Path(scratch))
            if dict(again.files) != dict(files):
                source = str(self.config.data.path or self.config.data.name)
                lost = f"the run's arrays {', '.join(damaged)} are missing or damaged"
                raise InvalidData(Problem(f"{lost}, and their source no longer gives the same", file=source))
            for path in damaged:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(scratch) / path).replace(root / path)
        self.record.event("data restored", damaged)

    @property
    def changed_versions(self) -> dict[str, tuple[str, str]]:
        """What a result depends on and is no longer what it was when the run began: name -> (then, now)."""
        then, now = self.record.meta("versions"), versions()
        return {name: (then[name], now[name]) for name in now if then.get(name) != now[name]}

    def setup(self) -> Setup:
        """What every worker of this run is told."""
        limits = self.config.limits
        bounds = {"parameters": limits.parameters, "flops": limits.flops}
        threads = self.config.pool.threads if isinstance(self.config.pool, LocalConfig) else 1
        return Setup(
            directory=str(self.layout.root.resolve()),
            seed=self.config.seed,
            space=self.space.text,
            interface=self._interface.to_json() if self._interface else {},
            objective={"name": self.objective.name, "direction": self.objective.direction},
            patience=self.config.training.patience,
            epochs=self.config.training.epochs,
            limits={name: bound for name, bound in bounds.items() if bound is not None},
            plugins=tuple(self.config.plugins),
            threads=threads,
            **setup_changes(self.config),
        )

    @property
    def pool(self) -> Pool:
        """Started at first use; closed with the session."""
        if self._pool is None:
            self._pool = self._pool_factory(self.config, self.setup(), self.layout.root)
            self._exit.callback(self._pool.close)
            if isinstance(self._pool, SimulatedPool):
                restore(self._pool, self.record)
        return self._pool

    def strategy(self) -> Strategy:
        """The strategy as it was before the first ask; the engine brings it to where the record is."""
        return make_strategy(self.config, self.space, self.seeds)

    def engine(self, observers: Sequence[Observer] = ()) -> Engine:
        config, strategy = self.config, self.strategy()
        limits = Limits(
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
            observers=[Sweeper(self.record, keep=strategy.continues_trials), *observers],
            stop=self.stop,
            clock=(lambda: pool.now) if isinstance(pool, SimulatedPool) else time.monotonic,
            spent=pool.now if isinstance(pool, SimulatedPool) else self.record.worked_seconds(),
            in_order=config.deterministic,
        )

    def close(self) -> None:
        self._exit.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
