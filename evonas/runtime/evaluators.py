"""A run whose genomes are judged by a table or by a function: what is checked before it begins, and its pool."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from evonas.errors import InvalidConfig, InvalidData, Problem, UserError, did_you_mean
from evonas.evaluate.evaluator import import_function, open_evaluator
from evonas.evaluate.inline import InlinePool
from evonas.evaluate.launcher import start_launcher
from evonas.evaluate.local import LocalPool
from evonas.evaluate.pool import Pool
from evonas.evaluate.protocol import Setup
from evonas.evaluate.simulated import SimulatedPool
from evonas.evaluate.table import Table, load_table
from evonas.files import sha256_of
from evonas.model.interface import Interface
from evonas.runtime.config import LocalConfig, RunConfig, SimulatedConfig
from evonas.runtime.config_file import LoadedConfig
from evonas.runtime.evaluator_config import EvaluatorConfig, PythonConfig, TableConfig
from evonas.runtime.layout import Layout
from evonas.runtime.places import places
from evonas.runtime.record import Record
from evonas.search.registry import STRATEGIES

WORKER = "evonas.evaluate.function_worker"


def described(evaluator: EvaluatorConfig) -> dict[str, dict[str, Any]]:
    """An evaluator as a worker is told of it."""
    if isinstance(evaluator, TableConfig):
        return {"table": {"path": evaluator.path}}
    assert isinstance(evaluator, PythonConfig)
    return {"python": {"function": evaluator.function, "arguments": dict(evaluator.arguments)}}


def check_evaluator(loaded: LoadedConfig) -> dict[str, Any]:
    """Checks what the config alone cannot tell; a function is imported only where it will run in this process.

    Returns:
        what the record keeps of it: `counts` (of a table's genomes) and the `fingerprint` of a table's file.

    Raises:
        InvalidData: the table is no table of this space.
        InvalidConfig: the table lacks the objective or a fidelity; there is no such function.
    """
    evaluator = loaded.config.evaluator
    if isinstance(evaluator, TableConfig):
        table = load_table(evaluator.path, loaded.space)
        if problems := _misfits(loaded.config, table):
            raise InvalidConfig([Problem(message, key, str(loaded.file)) for key, message in problems.items()])
        return {"counts": {"genomes": len(table)}, "fingerprint": sha256_of(Path(evaluator.path))}
    assert isinstance(evaluator, PythonConfig)
    try:
        if not isinstance(loaded.config.pool, LocalConfig):
            import_function(evaluator.function)
        elif importlib.util.find_spec(evaluator.module.partition(".")[0]) is None:
            raise UserError(f"there is no module {evaluator.module}; its folder must be in PYTHONPATH")
    except UserError as error:
        raise InvalidConfig(Problem(str(error), "evaluator.python.function", str(loaded.file))) from error
    return {"counts": {}, "fingerprint": ""}


def _misfits(config: RunConfig, table: Table) -> dict[str, str]:
    """What a config asks of a table that it does not have, by key."""
    fidelities = ", ".join(map(str, table.fidelities))
    full = config.training.epochs
    if full not in table.metrics:
        return {"training.epochs": f"must be a fidelity of the table: {fidelities}. Received: {full}."}
    found = {}
    name, settings = config.strategy_parts()
    asked = {full}
    if STRATEGIES[name].sets_epochs and hasattr(settings, "fidelities"):
        asked |= set(settings.fidelities(full))
    for epochs in sorted(asked - set(table.fidelities)):
        key = f"strategy.{name}"
        found[key] = f"trains for {epochs} epochs among others; the table knows {fidelities}."
    objective = config.objective.name
    for epochs in sorted(asked & set(table.fidelities)):
        if objective not in table.metrics[epochs]:
            listed = ", ".join(metric for metric in table.metrics[epochs] if not metric.startswith("test_"))
            hint = did_you_mean(objective, table.metrics[epochs])
            message = (
                f"the table has no such metric after {epochs} epochs. Allowed: {listed}. Received: {objective}.{hint}"
            )
            found["objective.name"] = message
    if config.budget.seconds is not None and not table.is_timed:
        found["budget.seconds"] = "the table has no seconds (columns seconds@EPOCHS) to spend."
    return found


def check_table(config: RunConfig, fingerprint: str) -> None:
    """Whether the table of a run is still the one that it began with.

    Raises:
        InvalidData: it is gone, or another one.
    """
    if not isinstance(config.evaluator, TableConfig):
        return
    path = Path(config.evaluator.path)
    if not path.is_file() or sha256_of(path) != fingerprint:
        what = "is another one than when the run began" if path.is_file() else "is missing"
        raise InvalidData(Problem(f"the run's table {what}", file=str(path)))


def evaluator_pool(config: RunConfig, setup: Setup, root: Path) -> Pool:
    """The pool of a run with an evaluator besides Keras."""
    if isinstance(config.pool, LocalConfig):
        launcher = partial(start_launcher, f"{WORKER}:serve", preload=(WORKER,))
        return LocalPool(setup, places(config.pool), launcher, Layout(root).logs, time_limit=config.limits.seconds)
    if isinstance(config.pool, SimulatedConfig):
        return SimulatedPool(setup, config.pool.workers, open_evaluator(setup, is_simulated=True))
    return InlinePool(setup, open_evaluator(setup))


def restore(pool: SimulatedPool, record: Record) -> None:
    """Set a virtual clock to where the record ends; the record keeps its times from here on."""
    pool.restore(record.latest_end(), record.begun())
    record.use_clock(lambda: pool.now)


def setup_changes(config: RunConfig) -> Mapping[str, Any]:
    """What such a run's workers are told besides what all are told."""
    return {} if config.evaluator is None else {"evaluator": described(config.evaluator)}


def ends_of(interface: Interface | None, config: RunConfig) -> Interface:
    """The interface of a run's networks.

    Raises:
        UserError: the run was judged by an evaluator and has no networks.
    """
    if interface is None:
        raise UserError(
            f"the run {config.run} has no networks: its genomes were judged by {judge(config)}, not by Keras"
        )
    return interface


def judge(config: RunConfig) -> str:
    """What judges the genomes, in words."""
    match config.evaluator:
        case TableConfig(path=path):
            return f"the table {path}"
        case PythonConfig(function=function):
            return f"the function {function}"
        case _:
            return "trainings by Keras"
