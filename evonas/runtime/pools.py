"""The pool of a run, and what its workers are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.genome import SearchSpace
from evonas.learning.interface import Interface
from evonas.runtime.checked_pool import checked_opener
from evonas.runtime.code_record import Sources
from evonas.runtime.config.families import dump
from evonas.runtime.config.run_config import FAMILIES, RunConfig
from evonas.runtime.plugins import plugin_folder

PoolFactory = Callable[[RunConfig, Setup, Path], Pool]
"""Makes the pool of a run in this directory."""


def open_pool(config: RunConfig, setup: Setup, root: Path) -> Pool:
    """The pool that a config names."""
    return checked_opener(config.pool, config.pool.open)(setup, root)


@contextmanager
def early_workers(config: RunConfig) -> Iterator[PoolFactory]:
    """Begins with what workers need, while the caller prepares a run: they import for seconds.

    Yields:
        the pool factory for that run. What nobody has used by the end is ended.
    """
    with config.pool.preparing(config.evaluator.worker) as opener:
        checked = checked_opener(config.pool, opener)
        yield lambda config, setup, root: checked(setup, root)


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
        recipe=config.training.recipe.to_json(),
        epochs=config.training.epochs,
        limits=config.limits.of_size(),
        plugins=tuple(config.plugins),
        plugin_folder=plugin_folder(config, config_file),
        code=dict(code or {}),
        threads=config.pool.threads,
        folds=config.folds,
        evaluator=described(config.evaluator),
        time_limit=config.limits.seconds,
        stalled_limit=config.limits.stalled_seconds,
    )
