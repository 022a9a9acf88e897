"""The run's config: everything that decides a run, as one tree of frozen values.

A config is read from a YAML file once, by `evonas.runtime.config.config_file`; from then on it lives in the record, and a
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

from evonas.data.prepared import DataSettings
from evonas.data.sources import SOURCES
from evonas.errors import InvalidRecord, did_you_mean
from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import InputKind, TaskKind
from evonas.runtime.config.evaluator_config import (
    BudgetConfig,
    EvaluatorConfig,
    PythonConfig,
    TableConfig,
    path_problem,
)
from evonas.runtime.config.objective_config import (
    EPOCH_METRICS,
    ConstraintConfig,
    ObjectiveConfig,
    expanded,
    issues,
    task_problem,
)
from evonas.runtime.config.settings import FAILED, Builder, Check, Families, dump, shown
from evonas.runtime.config.stop_config import STOPS, StopConfig
from evonas.search.named import StrategyConfig
from evonas.search.registry import PARTS, STRATEGIES
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity, Objective

Count = Annotated[int, Ge(1)]
Few = Annotated[int, Ge(1), Le(1024)]
Fraction = Annotated[float, Gt(0), Lt(1)]

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
    path: Annotated[str | None, Check(path_problem)] = None
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
        return DataSettings(
            kind, self.name, path, self.task, self.split_seed, self.validation, self.test
        )


@dataclass(frozen=True)
class TrainingConfig:
    """Attributes:
    epochs: of a full training, at most.
    patience: epochs without improvement of the objective after which a training ends; null to train all epochs.
    stop: which other trainings end early (docs/early-stopping.md); null for none.
    """

    epochs: Count = 12
    patience: Count | None = 4
    stop: StopConfig | None = None


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
            return {
                "devices": "must name at least one GPU; for none, write `devices: cpu`. Received: []."
            }
        if isinstance(self.devices, tuple) and len(set(self.devices)) < len(self.devices):
            return {"devices": f"names a GPU twice. Received: {shown(list(self.devices))}."}
        return {}


@dataclass(frozen=True)
class InlineConfig(PoolConfig):
    """The driver trains in its own process, one network at a time: for tests and debugging."""

    workers: int = field(default=1, init=False)


@dataclass(frozen=True)
class SimulatedConfig(PoolConfig):
    """For the evaluators `table` and `python`: their seconds are replayed on a virtual clock.

    Attributes:
        workers: as many as the simulation shall have.
    """

    workers: Count = 1


FAMILIES: Families = {
    **PARTS,
    StrategyConfig: {name: strategy.Settings for name, strategy in STRATEGIES.items()},
    PoolConfig: {"local": LocalConfig, "inline": InlineConfig, "simulated": SimulatedConfig},
    EvaluatorConfig: {"table": TableConfig, "python": PythonConfig},
    StopConfig: STOPS,
}


@dataclass(frozen=True)
class RunConfig:
    """Attributes:
    space: a shipped name, or a path relative to the config's file.
    data: what Keras trains networks on; exactly one of `data` and `evaluator` is given.
    evaluator: what judges genomes instead of Keras: a table of known results, or a function.
    run: the name of the run's folder.
    seed: of everything random but the split; 0 is a seed like any other.
    objective: the metric that is optimised, or a weighted sum; of several objectives the first.
    objectives: where there are several, all of them.
    constraints: metric -> bounds. A trial beyond them counts as worse than any that satisfies them all.
    plugins: modules that ops named `package.module:function` may come from; no other is imported.
    deterministic: tell the strategy in the order of proposals, so that the same seed gives the same run; false tells on
        arrival, which keeps workers busier. In the simulated pool arrivals repeat themselves, and so does the run.
    look_ahead: proposals asked and not yet told, at most; part of the result, so never derived from the workers.
    max_twins_in_a_row: as many proposals of known genomes end the run: the space is exhausted.
    max_failures_in_a_row: as many failed trials of one cause stop the run.
    """

    space: str
    budget: BudgetConfig
    data: DataConfig | None = None
    evaluator: EvaluatorConfig | None = None
    run: Annotated[str, Check(run_name_problem)] = "run"
    seed: Annotated[int, Ge(0)] = 0
    objective: ObjectiveConfig = field(default_factory=lambda: ObjectiveConfig("val_loss", "min"))
    objectives: tuple[ObjectiveConfig, ...] = ()
    constraints: Mapping[str, ConstraintConfig] = field(default_factory=dict)
    strategy: StrategyConfig = field(
        default_factory=lambda: StrategyConfig("evolution", EvolutionSettings())
    )
    training: TrainingConfig = field(default_factory=TrainingConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    pool: PoolConfig = field(default_factory=LocalConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    deterministic: bool = True
    look_ahead: Count = 16
    max_twins_in_a_row: Count = 100
    max_failures_in_a_row: Count = 20
    plugins: tuple[Annotated[str, Check(_plugin_problem)], ...] = ()

    def problems(self) -> dict[str, str]:
        """What is wrong between the parts of a config, by key."""
        found = self.task_problems(self.data.task) if self.data is not None else {}
        found |= self._evaluator_problems() | self._strategy_problems() | self._stop_problems()
        return found | self.strategy.objective_problems(self.to_objective(), "strategy")

    def task_problems(self, task: TaskKind | None) -> dict[str, str]:
        """Which metrics are not measured under this task, None where it is not known yet; by key."""
        key = "objectives" if self.objectives else "objective"
        optimised = (one.to_objective() for one in self.objectives or (self.objective,))
        found = {key: task_problem(tuple(name for one in optimised for name in one.metrics), task)}
        found |= {f"constraints.{name}": task_problem((name,), task) for name in self.constraints}
        return {key: wrong for key, wrong in found.items() if wrong}

    def _strategy_problems(self) -> dict[str, str]:
        """Whether the strategy has as many objectives as it needs."""
        layers = self.strategy.layers()
        followers = [strategy.name for strategy in layers if not strategy.kind.takes_several]
        if self.objectives and followers:
            several = f"{followers[0]} follows one objective, and there are {len(self.objectives)}."
            advice = "nsga2 and nsga3 follow several; for one number, write `objective: {weighted: {METRIC: WEIGHT}}`"
            return {
                "strategy": f"{several} {advice}, or keep one objective and bound the others under `constraints`."
            }
        if not self.objectives and layers[-1].kind.needs_several:
            example = "`objectives: [val_loss, parameters]`"
            return {
                "strategy": f"{layers[-1].name} searches a front of several objectives, such as {example}."
            }
        return {}

    def _evaluator_problems(self) -> dict[str, str]:
        """What does not fit between the evaluator, the pool and the plugins."""
        is_simulated = isinstance(self.pool, SimulatedConfig)
        if is_simulated and self.evaluator is None:
            return {
                "pool": "simulated replays an evaluator (table or python); trainings by Keras need a real pool."
            }
        if isinstance(self.evaluator, TableConfig) and not is_simulated:
            return {
                "pool": "a table is replayed by the simulated pool: write `simulated: {workers: 8}`."
            }
        if isinstance(self.evaluator, PythonConfig) and self.evaluator.module not in self.plugins:
            allowed = ", ".join(self.plugins) or "none"
            module = self.evaluator.module
            message = (
                f"the module {module!r} is not among the plugins that may be imported: {allowed}."
            )
            return {"evaluator.python.function": message + did_you_mean(module, self.plugins)}
        return {}

    def to_objective(self) -> Objective:
        """What trials are compared by where one number must do: the first objective, under the constraints."""
        return self.to_objectives()[0]

    def to_objectives(self) -> tuple[Objective, ...]:
        """All of them; the constraints are the first one's."""
        bounds = tuple(bound.to_constraint(metric) for metric, bound in self.constraints.items())
        first, *others = self.objectives or (self.objective,)
        return (first.to_objective(bounds), *(one.to_objective() for one in others))

    def metrics(self) -> tuple[str, ...]:
        """All metrics that objectives and constraints need, each once."""
        return tuple(dict.fromkeys(name for one in self.to_objectives() for name in one.metrics))

    def epoch_objective(self) -> Objective:
        """What a training keeps its best epoch by: the first of those metrics that is measured at every epoch."""
        if self.evaluator is not None:
            return Objective(self.metrics()[0], self.objective.direction)
        name = next((name for name in self.metrics() if name in EPOCH_METRICS), "val_loss")
        return Objective(name, EPOCH_METRICS[name][0])

    def _stop_problems(self) -> dict[str, str]:
        """Why no training can be stopped under this evaluator or this strategy."""
        if self.training.stop is None:
            return {}
        if self.evaluator is not None:
            message = "stops trainings by Keras at one of their epochs; a table or a function has none. Leave it out."
            return {"training.stop": message}
        if (
            self.objectives
            or self.constraints
            or self.objective.weighted
            or self.objective.name not in EPOCH_METRICS
        ):
            return {
                "training.stop": "follows one metric of every epoch, without constraints or others. Leave it out."
            }
        if name := self.strategy.that_sets_epochs:
            message = (
                f"cannot be used under the strategy {name}, which says itself how long a network is trained, and"
                " compares trainings of one length. Leave it out, or choose another strategy."
            )
            return {"training.stop": message}
        return {}

    def strategy_parts(self) -> tuple[str, Any]:
        """The strategy's name in the registry, and its settings."""
        return self.strategy.name, self.strategy.settings

    def search_problem(self, space: SearchSpace, seeds: Mapping[str, Genome]) -> SearchProblem:
        """What the strategy is given."""
        objectives, fidelity = self.to_objectives(), Fidelity(self.training.epochs)
        return SearchProblem(
            space, objectives[0], fidelity, self.seed, seeds, self.budget.trials, objectives
        )

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
            raise InvalidRecord(
                f"the config in the record cannot be read: {place}: {issue.message}"
            )
        return config


def parse(builder: Builder, data: Mapping[str, Any]) -> RunConfig | None:
    """The config in plain data; None where the builder has noted issues."""
    by_keras = data.get("evaluator") is None
    data = expanded(data, by_keras)
    builder.issues += issues(data, by_keras)
    if _is_table(data.get("evaluator")) and "pool" not in data:
        data["pool"] = {"simulated": {}}
    config = builder.build(RunConfig, data)
    if by_keras == (data.get("data") is None):
        place = "is missing" if by_keras else "cannot stand beside evaluator"
        message = "there must be exactly one of data, which Keras trains on, and evaluator, which is a table or a function"
        builder.refuse(("data",), f"{place}: {message}.")
    return None if config is FAILED or builder.issues else config


def _is_table(evaluator: Any) -> bool:
    return isinstance(evaluator, dict) and set(evaluator) == {"table"}
