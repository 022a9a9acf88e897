"""The run's config: everything that decides a run, as one tree of frozen values.

A config is read from a YAML file once, by `evonas.runtime.config_file`; from then on it lives in the record, and a
resume reads it there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from evonas.errors import InvalidRecord, did_you_mean
from evonas.evaluate.data import DataSettings
from evonas.evaluate.data_sources import SOURCES
from evonas.genome import Genome, SearchSpace
from evonas.model.interface import InputKind, TaskKind
from evonas.runtime.settings import FAILED, Builder, Check, Families, dump, shown
from evonas.search.evolution import EvolutionSettings
from evonas.search.named import StrategyConfig
from evonas.search.registry import PARTS, STRATEGIES
from evonas.search.strategy import SearchProblem
from evonas.trial import Direction, Fidelity, Objective

Count = Annotated[int, Ge(1)]
Few = Annotated[int, Ge(1), Le(1024)]
Fraction = Annotated[float, Gt(0), Lt(1)]

METRICS: Mapping[str, tuple[Direction, TaskKind | None]] = {
    "val_loss": ("min", None),
    "val_accuracy": ("max", "classification"),
    "val_mean_absolute_error": ("min", "regression"),
}
"""What evonas measures on validation data: the better direction, and the task that it needs; None for any."""

_RUN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")


def run_name_problem(name: str) -> str:
    """What is wrong with the name of a run's folder; empty where nothing is."""
    if _RUN_NAME.fullmatch(name):
        return ""
    allowed = "letters, digits, `.`, `_` and `-`, at most 64, with a letter or digit first and no `.` at the end"
    hint = "The key `run` sets it; without that, it is the file's name."
    return f"must be a safe folder name: {allowed}. {hint} Received: {shown(name)}."


def _plugin_problem(name: str) -> str:
    if all(part.isidentifier() for part in name.split(".")):
        return ""
    return f"must be the name of a Python module, such as `my_ops.layers`. Received: {shown(name)}."


def _path_problem(path: str | None) -> str:
    if path is None or ("\0" not in path and len(path) < 4096):
        return ""
    return f"must be a path of less than 4096 characters, without NUL. Received: {shown(path)}."


def _data_set_problem(name: str | None) -> str:
    if name is None or name in SOURCES:
        return ""
    known = sorted(SOURCES)
    allowed = f"Allowed: {', '.join(known)}; an .npz file goes under `path`."
    return f"unknown data set. {allowed} Received: {shown(name)}.{did_you_mean(name, known)}"


@dataclass(frozen=True)
class DataConfig:
    """Attributes:
    name: of a shipped data set; exactly one of `name` and `path` is given.
    path: of an `.npz` file with `x`, `y` and perhaps `x_test`, `y_test`. In a config's file, relative to that file.
    task: `classification` or `regression`; null to guess from the targets.
    split_seed: of the split alone: runs with other seeds face the same test data.
    validation: the fraction of all samples that fitness is measured on.
    test: the fraction of all samples that only the winner is measured on; without effect where there is `x_test`.
    """

    name: Annotated[str | None, Check(_data_set_problem)] = None
    path: Annotated[str | None, Check(_path_problem)] = None
    task: TaskKind | None = None
    split_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    validation: Fraction = 0.2
    test: Fraction = 0.2

    def problems(self) -> dict[str, str]:
        found = {}
        if (self.name is None) == (self.path is None):
            received = "neither" if self.name is None else "both"
            found["name"] = f"exactly one of name and path is needed. Received: {received}."
        if self.validation + self.test >= 1:
            total = f"{self.validation} and {self.test}"
            found["validation"] = (
                f"validation and test must leave samples to train on: below 1 together. Received: {total}."
            )
        return found

    def settings(self, kind: InputKind) -> DataSettings:
        """What `prepare` needs; the kind of input comes from the space."""
        path = None if self.path is None else Path(self.path)
        return DataSettings(kind, self.name, path, self.task, self.split_seed, self.validation, self.test)


@dataclass(frozen=True)
class ObjectiveConfig:
    """A metric, and whether less or more of it is better. A file may write the bare name."""

    name: str
    direction: Direction

    def to_objective(self) -> Objective:
        return Objective(self.name, self.direction)

    def problems(self) -> dict[str, str]:
        if self.name not in METRICS:
            hint = did_you_mean(self.name, list(METRICS))
            allowed = f"Allowed: {', '.join(METRICS)}."
            return {"name": f"is not measured by evonas. {allowed} Received: {shown(self.name)}.{hint}"}
        direction, _ = METRICS[self.name]
        if self.direction != direction:
            return {"direction": f"the direction of {self.name} is {direction}. Received: {self.direction}."}
        return {}

    def problem(self, task: TaskKind | None) -> str:
        """Why this cannot be optimised under this task, None where it is not known yet; empty where it can."""
        _, needed = METRICS[self.name]
        if task is None or needed in (None, task):
            return ""
        return f"{self.name} is measured for {needed} only; the task is {task}."


@dataclass(frozen=True)
class TrainingConfig:
    """Attributes:
    epochs: of a full training, at most.
    patience: epochs without improvement of the objective after which a training ends; null to train all epochs.
    """

    epochs: Count = 12
    patience: Count | None = 4


@dataclass(frozen=True)
class BudgetConfig:
    """Attributes:
    trials: to be trained; twins cost nothing.
    """

    trials: Count


@dataclass(frozen=True)
class LimitsConfig:
    """Attributes:
    parameters: a network with more weights is infeasible, before any training.
    flops: the same for operations per sample.
    seconds: a trial that takes longer is ended; null for no limit.
    stalled_seconds: a trial that finishes neither an epoch nor 1,000 batches for so long is ended; null for no limit.
    """

    parameters: Count | None = None
    flops: Count | None = None
    seconds: Annotated[float, Gt(0)] | None = None
    stalled_seconds: Annotated[float, Gt(0)] | None = 1800.0


@dataclass(frozen=True)
class StorageConfig:
    """What a run keeps on the disk beside its record.

    Attributes:
        keep_best: trials that keep their weights, the best ones, whether or not they are in the living population. What
            is not kept is trained again if it is asked for.
        free_mb: below so much free space, in MB of 1,000,000 bytes, no trial is started; 0 for no watch.
    """

    keep_best: Count = 10
    free_mb: Annotated[int, Ge(0)] = 500


class PoolConfig:
    """Where trials are trained; written by name, `local: {workers: 2}`."""

    workers: int
    """How many trials can run at once."""


@dataclass(frozen=True)
class LocalConfig(PoolConfig):
    """Processes on this machine.

    Attributes:
        workers: processes, each training one network at a time.
        devices: `auto` for the GPUs that there are, else the CPU; `cpu`; or a list of GPU numbers.
        threads: of each worker; part of the result, so never derived from the number of workers.
        recycle_mb: MiB by which a worker's memory may grow; after more, a fresh one takes the next trial. Null: any.
        memory_mb: MiB that a worker may take, with its child processes; one that takes more is ended. Null: any.
        free_memory_mb: MiB that stay free on this machine, or in the cgroup (container) that evonas runs in: with less,
            the largest worker is ended, before the system ends something else. 0: none.
    """

    workers: Few = 2
    devices: Literal["auto", "cpu"] | tuple[Annotated[int, Ge(0)], ...] = "auto"
    threads: Few = 1
    recycle_mb: Count | None = 1024
    memory_mb: Count | None = None
    free_memory_mb: Annotated[int, Ge(0)] = 512

    def problems(self) -> dict[str, str]:
        if self.devices == ():
            return {"devices": "must name at least one GPU; for none, write `devices: cpu`. Received: []."}
        if isinstance(self.devices, tuple) and len(set(self.devices)) < len(self.devices):
            return {"devices": f"names a GPU twice. Received: {shown(list(self.devices))}."}
        return {}


@dataclass(frozen=True)
class InlineConfig(PoolConfig):
    """The driver trains in its own process, one network at a time: for tests and debugging."""

    workers: int = field(default=1, init=False)


FAMILIES: Families = {
    **PARTS,
    StrategyConfig: {name: strategy.Settings for name, strategy in STRATEGIES.items()},
    PoolConfig: {"local": LocalConfig, "inline": InlineConfig},
}


@dataclass(frozen=True)
class RunConfig:
    """Attributes:
    space: a shipped name, or a path relative to the config's file.
    run: the name of the run's folder.
    seed: of everything random but the split; 0 is a seed like any other.
    objective: the metric that is optimised.
    plugins: modules that ops named `package.module:function` may come from; no other is imported.
    look_ahead: proposals asked and not yet told, at most; part of the result, so never derived from the workers.
    max_twins_in_a_row: as many proposals of known genomes end the run: the space is exhausted.
    max_failures_in_a_row: as many failed trials of one cause stop the run.
    """

    space: str
    data: DataConfig
    budget: BudgetConfig
    run: Annotated[str, Check(run_name_problem)] = "run"
    seed: Annotated[int, Ge(0)] = 0
    objective: ObjectiveConfig = ObjectiveConfig("val_loss", "min")
    strategy: StrategyConfig = field(default_factory=lambda: StrategyConfig("evolution", EvolutionSettings()))
    training: TrainingConfig = field(default_factory=TrainingConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    pool: PoolConfig = field(default_factory=LocalConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    look_ahead: Count = 16
    max_twins_in_a_row: Count = 100
    max_failures_in_a_row: Count = 20
    plugins: tuple[Annotated[str, Check(_plugin_problem)], ...] = ()

    def problems(self) -> dict[str, str]:
        """What is wrong between the parts of a config, by key."""
        wrong = self.objective.problem(self.data.task)
        found = {"objective": wrong} if wrong else {}
        return found | self.strategy.objective_problems(self.objective.to_objective(), "strategy")

    def strategy_parts(self) -> tuple[str, Any]:
        """The strategy's name in the registry, and its settings."""
        return self.strategy.name, self.strategy.settings

    def search_problem(self, space: SearchSpace, seeds: Mapping[str, Genome]) -> SearchProblem:
        """What the strategy is given."""
        objective, fidelity = self.objective.to_objective(), Fidelity(self.training.epochs)
        return SearchProblem(space, objective, fidelity, self.seed, seeds, self.budget.trials)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data with every default written out, in the form of a config's file."""
        data: dict[str, Any] = dump(self, FAMILIES)
        return data

    def canonical(self) -> str:
        """`to_json` as text: equal for equal configs."""
        return json.dumps(self.to_json(), indent=2, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunConfig:
        """The config that `to_json` was called on.

        Raises:
            InvalidRecord: the data are not such a config, or one of another version of evonas.
        """
        builder = Builder(FAMILIES)
        config = parse(builder, dict(data))
        if not isinstance(config, RunConfig):
            issue = builder.issues[0]
            place = ".".join(map(str, issue.path))
            raise InvalidRecord(f"the config in the record cannot be read: {place}: {issue.message}")
        return config


def parse(builder: Builder, data: Mapping[str, Any]) -> RunConfig | None:
    """The config in plain data; None where the builder has noted issues."""
    data = dict(data)
    if "objective" in data:
        data["objective"] = _expanded(data["objective"])
    config = builder.build(RunConfig, data)
    return None if config is FAILED else config


def _expanded(objective: Any) -> Any:
    """`val_loss` is short for `{name: val_loss}`, and a known metric needs no direction."""
    named = {"name": objective} if isinstance(objective, str) else objective
    if isinstance(named, dict) and "direction" not in named:
        known = METRICS.get(named["name"]) if isinstance(named.get("name"), str) else None
        return {**named, "direction": known[0] if known else "min"}
    return named
