"""Runs whose genomes are judged by a table or by a function: their checks, and their clock."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evonas.errors import InvalidConfig, InvalidData, Issue, UserError, did_you_mean
from evonas.evaluate.known.table import Table, load_table
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.files import is_file, sha256_of
from evonas.genome.strict_yaml import short
from evonas.invocation import resuming
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.evaluator_config import EvaluatorConfig, PythonConfig, TableConfig
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.record import Record
from evonas.words import counted

TABLE_PATH = "evaluator.table.path"


def described(evaluator: EvaluatorConfig) -> dict[str, dict[str, Any]]:
    """An evaluator as a worker is told of it: plain JSON."""
    if isinstance(evaluator, TableConfig):
        return {"table": {"path": evaluator.path}}
    assert isinstance(evaluator, PythonConfig)
    settings = {
        "function": evaluator.function,
        "arguments": dict(evaluator.arguments),
    }
    return {"python": settings}


def check_evaluator(loaded: LoadedConfig) -> dict[str, Any]:
    """Checks what the config alone cannot tell.

    Returns:
        What the record keeps of it: `counts` (of a table's genomes) and the `fingerprint` of a
        table's file.

    Raises:
        InvalidData: the table is no table of this space.
        InvalidConfig: the table lacks the objective or a fidelity.
    """
    evaluator = loaded.config.evaluator
    if not isinstance(evaluator, TableConfig):
        return {"counts": {}, "fingerprint": ""}
    table = load_table(evaluator.path, loaded.space)
    issues = []
    for key, message in _misfits(loaded.config, table).items():
        issues.append(Issue(message, key, str(loaded.file)))
    if issues:
        raise InvalidConfig(issues)
    fingerprint = sha256_of(Path(evaluator.path))
    return {"counts": {"genomes": len(table)}, "fingerprint": fingerprint}


def _misfits(config: RunConfig, table: Table) -> dict[str, str]:
    """What a config asks of a table that it does not have, by key."""
    fidelities = ", ".join(map(str, table.fidelities))
    full = config.training.epochs
    if full not in table.metrics:
        message = f"must be a fidelity of the table: {fidelities}. Received: {full}."
        return {"training.epochs": message}
    found = {}
    asked = _asked_epochs(config)
    for epochs in sorted(asked - set(table.fidelities)):
        found[f"strategy.{config.strategy_name}"] = (
            f"trains for {counted(epochs, 'epoch')} among others; the table knows {fidelities}."
        )
    known = sorted(asked & set(table.fidelities))
    for name, epochs in itertools.product(config.needed_metrics(), known):
        if name not in table.metrics[epochs]:
            found[_key_of(config, name)] = _no_such_metric(table, name, epochs)
    for unit in config.budget.times if not table.is_timed else ():
        found[f"budget.{unit}"] = "the table has no seconds (columns seconds@EPOCHS) to spend."
    return found


def _asked_epochs(config: RunConfig) -> set[int]:
    """The fidelities that the strategy may ask for."""
    full = config.training.epochs
    asked = {full}
    for strategy in config.strategy.with_inner():
        asked |= set(strategy.fidelities(full))
    return asked


def _no_such_metric(table: Table, name: str, epochs: int) -> str:
    """A sentence that names the metrics that the table has."""
    metrics = table.metrics[epochs]
    # Metrics of the test data cannot be an objective, so they are not offered.
    listed = ", ".join(metric for metric in metrics if not metric.startswith("test_"))
    hint = did_you_mean(name, metrics)
    return (
        f"the table has no such metric after {counted(epochs, 'epoch')}. Allowed: {listed}."
        f" Received: {short(name)}.{hint}"
    )


def _key_of(config: RunConfig, metric: str) -> str:
    """The key under which a config names this metric."""
    for place, one in enumerate(config.objectives or (config.objective,)):
        key = f"objectives[{place}]" if config.objectives else "objective"
        if metric in one.weighted:
            return f"{key}.weighted.{metric}"
        # The name of a weighted sum is no metric.
        if metric == one.name and not one.weighted:
            return f"{key}.name"
    return f"constraints.{metric}"


def check_table(
    config: RunConfig, fingerprint: str, root: Path, overrides: Sequence[str] = ()
) -> None:
    """Check that the table of a run has the content that it began with, wherever it lies.

    Args:
        fingerprint: sha256 of the table.
        root: directory of the run.
        overrides: what this resume is to change.

    Raises:
        InvalidData: it is gone, or another one.
    """
    if not isinstance(config.evaluator, TableConfig):
        return
    path = Path(config.evaluator.path)
    others = [change for change in overrides if not change.startswith(TABLE_PATH)]
    moved = resuming(root, [*others, f"{TABLE_PATH}=PATH"])
    if not is_file(path):
        message = (
            f"the run's table is missing. Put it back, or say where the same table is now:  {moved}"
        )
        raise InvalidData(Issue(message, TABLE_PATH, str(path)))
    if sha256_of(path) != fingerprint:
        message = (
            "the run's table is another one than when the run began. Put the old one back, or begin"
            f" a new run. If the old one is elsewhere:  {moved}"
        )
        raise InvalidData(Issue(message, TABLE_PATH, str(path)))


def restore_clock(pool: SimulatedPool, record: Record) -> None:
    """Set a virtual clock to where the record ends; from now on the record's times are its own."""
    pool.restore(record.latest_end(), record.begun())
    record.use_clock(lambda: pool.now)


def ends_of(interface: Interface | None, config: RunConfig) -> Interface:
    """The interface of a run's networks.

    Raises:
        UserError: the run was judged by an evaluator and has no networks.
    """
    if interface is None:
        raise UserError(
            f"the run {config.run} has no networks: its genomes were judged by {judge(config)},"
            " not by Keras"
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
