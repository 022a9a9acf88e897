"""A run whose genomes are judged by a table or by a function: what is checked before it begins, and its clock."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from evonas.errors import InvalidConfig, InvalidData, Issue, UserError, did_you_mean
from evonas.evaluate.known.table import Table, load_table
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.files import sha256_of
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.evaluator_config import EvaluatorConfig, PythonConfig, TableConfig
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.record import Record
from evonas.search.registry import STRATEGIES


def described(evaluator: EvaluatorConfig) -> dict[str, dict[str, Any]]:
    """An evaluator as a worker is told of it."""
    if isinstance(evaluator, TableConfig):
        return {"table": {"path": evaluator.path}}
    assert isinstance(evaluator, PythonConfig)
    return {"python": {"function": evaluator.function, "arguments": dict(evaluator.arguments)}}


def named_functions(config: RunConfig) -> list[str]:
    """The functions that a config names as its evaluator; what is wrong with them, the check of the plugins tells."""
    return [config.evaluator.function] if isinstance(config.evaluator, PythonConfig) else []


def check_evaluator(loaded: LoadedConfig) -> dict[str, Any]:
    """Checks what the config alone cannot tell.

    Returns:
        what the record keeps of it: `counts` (of a table's genomes) and the `fingerprint` of a table's file.

    Raises:
        InvalidData: the table is no table of this space.
        InvalidConfig: the table lacks the objective or a fidelity.
    """
    evaluator = loaded.config.evaluator
    if not isinstance(evaluator, TableConfig):
        return {"counts": {}, "fingerprint": ""}
    table = load_table(evaluator.path, loaded.space)
    if problems := _misfits(loaded.config, table):
        raise InvalidConfig(
            [Issue(message, key, str(loaded.file)) for key, message in problems.items()]
        )
    return {"counts": {"genomes": len(table)}, "fingerprint": sha256_of(Path(evaluator.path))}


def _misfits(config: RunConfig, table: Table) -> dict[str, str]:
    """What a config asks of a table that it does not have, by key."""
    fidelities = ", ".join(map(str, table.fidelities))
    full = config.training.epochs
    if full not in table.metrics:
        return {
            "training.epochs": f"must be a fidelity of the table: {fidelities}. Received: {full}."
        }
    found = {}
    name, settings = config.strategy_parts()
    asked = {full}
    if STRATEGIES[name].sets_epochs and hasattr(settings, "fidelities"):
        asked |= set(settings.fidelities(full))
    for epochs in sorted(asked - set(table.fidelities)):
        key = f"strategy.{name}"
        found[key] = f"trains for {epochs} epochs among others; the table knows {fidelities}."
    wanted = itertools.product(config.metrics(), sorted(asked & set(table.fidelities)))
    for name, epochs in wanted:
        if name not in table.metrics[epochs]:
            listed = ", ".join(
                metric for metric in table.metrics[epochs] if not metric.startswith("test_")
            )
            hint = did_you_mean(name, table.metrics[epochs])
            message = f"the table has no such metric after {epochs} epochs. Allowed: {listed}. Received: {name}.{hint}"
            found[_key_of(config, name)] = message
    if config.budget.seconds is not None and not table.is_timed:
        found["budget.seconds"] = "the table has no seconds (columns seconds@EPOCHS) to spend."
    return found


def _key_of(config: RunConfig, metric: str) -> str:
    """Where a config names this metric."""
    for place, one in enumerate(config.objectives or (config.objective,)):
        key = f"objectives[{place}]" if config.objectives else "objective"
        if metric in one.weighted or (metric == one.name and not one.weighted):
            return f"{key}.weighted.{metric}" if one.weighted else f"{key}.name"
    return f"constraints.{metric}"


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
        raise InvalidData(Issue(f"the run's table {what}", file=str(path)))


def restore_clock(pool: SimulatedPool, record: Record) -> None:
    """Set a virtual clock to where the record ends; the record keeps its times from here on."""
    pool.restore(record.latest_end(), record.begun())
    record.use_clock(lambda: pool.now)


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
