"""A session: one driver at work on one run.

It holds the lock, the record and the pool, and lets go of all three.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from evonas.errors import UserError
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.runtime.checked_strategy import checked
from evonas.runtime.code_guard import check_code, check_imported, check_process
from evonas.runtime.code_record import Sources, known_code, recorded_code
from evonas.runtime.config.recorded_config import opened_for_jobs, opened_strategy
from evonas.runtime.config.recorded_run import read_inputs
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.data_guard import check_source, restore_arrays
from evonas.runtime.evaluators import check_file, ends_of
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.reserve import Reserve
from evonas.runtime.loop.stopping import StopRequest
from evonas.runtime.loop.storage import Storage
from evonas.runtime.plugins import check_plugins, checked_plugins
from evonas.runtime.pools import PoolFactory, make_setup, open_pool
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.record.open_record import end_seconds
from evonas.runtime.record.reader import where_runs_are
from evonas.runtime.record.record import Record
from evonas.runtime.versions import changes_in_words, other_versions
from evonas.search.strategies.founded import founded
from evonas.search.strategy import Strategy
from evonas.streams import hold_descriptors


def make_strategy(
    config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome], file: Path
) -> Strategy:
    """The strategy that a config names, before the first ask.

    Args:
        file: the config's file.

    Raises:
        InvalidConfig: it is of a plugin that cannot be used.
    """
    settings = founded(checked(opened_strategy(config, file), file))
    return settings.make(config.search_problem(space, seeds))


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
        self, root: Path, pool_factory: PoolFactory = open_pool, stop: StopRequest | None = None
    ) -> None:
        self.layout = Layout(root)
        if not self.layout.record.is_file():
            raise UserError(f"there is no run at {root}. {where_runs_are(root)}")
        self.stop = stop or StopRequest()
        self._pool_factory = pool_factory
        self._pool: Pool | None = None
        self.reserve: Reserve | None = None
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
        inputs = read_inputs(self.record)
        self.inputs = inputs
        self.space = inputs.space
        self.seeds = inputs.seeds
        self.config_file = inputs.config_file
        self.config = opened_for_jobs(inputs.config, inputs.config_file)
        self.objective = self.config.to_objective()
        self.storage = Storage(self.layout.root, self.config.storage.keep_best)

    @property
    def interface(self) -> Interface:
        """The two ends of every network.

        Raises:
            UserError: the run has no networks.
        """
        return ends_of(self.inputs.interface, self.config)

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
        changed = other_versions(self.inputs.versions, self.config)
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
        """Check the source of the data, or the evaluator's file; notes for the user."""
        if config.data is not None:
            return check_source(self.record, config, self.config_file, self.space)
        check_file(config, self.inputs.fingerprint, self.layout.root, overrides)
        return []

    def setup(self) -> Setup:
        """What every worker of this run is told."""
        return make_setup(
            self.config,
            self.space,
            self.inputs.interface,
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
            if self._pool.is_simulated:
                self._pool.restore(self.record.latest_end(), self.record.begun())
                # From now on the record's times are those of the virtual clock.
                self.record.use_clock(self._pool.clock)
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
        self.storage = Storage(
            self.layout.root,
            config.storage.keep_best,
            strategy.continues_trials,
            config.evaluator.has_networks,
        )
        pool = self.pool
        self.reserve = self._reserve()
        rules = Rules(
            self.objective,
            config.seed,
            self._limits(),
            in_order=config.deterministic,
            incumbent_of=partial(incumbent_for, self.record, config),
        )
        surroundings = Surroundings(
            observers=observers,
            stop=self.stop,
            clock=pool.clock,
            spent=self._spent(began),
            guard=DiskGuard(self.storage, config.storage.free_mb, teller(observers)),
            reserve=self.reserve,
            check_place=self.record.check_place,
            refusal_of=partial(check_imported, self.record, self.config_file, self.check_plugins),
        )
        engine = Engine(strategy, self.record, pool, self.storage, rules, surroundings)
        # From here on, also what follows the search is paid from the budget.
        self.record.count_seconds(lambda: engine.seconds)
        return engine

    def _limits(self) -> RunLimits:
        config = self.config
        return RunLimits(
            trials=config.budget.trials,
            look_ahead=config.look_ahead,
            twins_in_a_row=config.max_twins_in_a_row,
            failures_in_a_row=config.max_failures_in_a_row,
            epochs=config.budget.epochs,
            seconds=config.budget.time,
            gives_back=self.record.gives_back,
        )

    def _spent(self, began: float | None) -> float:
        """Seconds of the budget that are spent by now."""
        # A virtual clock continues where the record ends, so it has the earlier sessions' seconds.
        if self.pool.is_simulated:
            return self.pool.clock()
        spent = self.record.worked_seconds()
        if began is not None:
            spent += time.monotonic() - began
        return spent

    def _reserve(self) -> Reserve | None:
        """Measures how long the end of the run will take; None if nothing is kept for it."""
        # Without networks nothing is exported.
        is_kept = self.config.evaluator.has_networks and not self.pool.is_simulated
        if self.config.budget.time is None or not is_kept:
            return None
        ended = end_seconds(self.record)
        config = self.config
        return Reserve(
            self.pool.clock,
            ended,
            self.pool.capacity,
            config.folds,
            config.members_of_ensemble,
            config.seconds_of_neighbours,
            config.budget.time,
            config.trainings_of_finalists,
        )

    @property
    def members_of_ensemble(self) -> int:
        """Number of trials whose networks may be in the ensemble, in the time that there is."""
        return self.config.members_of_ensemble if self.reserve is None else self.reserve.members

    def close(self) -> None:
        """End the workers, close the record and let go of the lock."""
        self._exit.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
