"""The run's config: everything that decides a run, as one tree of frozen values.

A config is read from a YAML file once, by `evonas.runtime.config.config_file`. From then on it is
in the record, where a resume reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Ge

from evonas.data.sources import PythonFunction
from evonas.errors import InvalidRecord
from evonas.evaluate.contract.evaluator import Evaluator
from evonas.evaluate.contract.pool import PoolSettings
from evonas.evaluate.evaluators import registry as evaluators
from evonas.evaluate.pools import registry as pools
from evonas.genome import Genome, SearchSpace
from evonas.learning.metrics import is_own
from evonas.runtime.config.data_config import DATA_FAMILIES, DataConfig, as_written_data
from evonas.runtime.config.evaluator_config import EvaluatorAsWritten, kind_of, setting
from evonas.runtime.config.families import AsWritten, Families, dump, name_of
from evonas.runtime.config.head import unreadable
from evonas.runtime.config.limits_config import (
    BudgetConfig,
    EnsembleConfig,
    FinalistsConfig,
    LimitsConfig,
    NeighboursConfig,
    StorageConfig,
)
from evonas.runtime.config.metric_names import of_epochs, own_metrics, task_problem
from evonas.runtime.config.objective_config import (
    ConstraintConfig,
    ObjectiveConfig,
    compared_by,
    expanded,
    issues,
    to_objectives,
)
from evonas.runtime.config.plugin_members import as_written, not_listed
from evonas.runtime.config.pool_config import PoolAsWritten
from evonas.runtime.config.settings import Builder, Count
from evonas.runtime.config.space_founders import settled
from evonas.runtime.config.strategy_config import (
    SECTION,
    StrategyAsWritten,
    founder_problems,
    number_problems,
    objective_problems,
    that_sets_epochs,
    with_meant_guide,
)
from evonas.runtime.config.training_config import STOPS, StopConfig, TrainingConfig
from evonas.search.registry import NAMES
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.settings import Check, Settings
from evonas.trial import Fidelity, Objective
from evonas.words import LETTERS, shown

_RUN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")


def run_name_problem(name: str) -> str:
    """What is wrong with the name of a run's folder; empty if nothing is."""
    if _RUN_NAME.fullmatch(name):
        return ""
    allowed = (
        f"{LETTERS}, digits, `.`, `_` and `-`, at most 64, "
        "with a letter or digit first and no `.` at the end"
    )
    hint = "The key `run` sets it; without that, it is the file's name."
    return f"must be a safe folder name: {allowed}. {hint} Received: {shown(name)}."


def plugin_problem(name: str) -> str:
    """Why this cannot be the name of a module; empty if it can."""
    parts = name.split(".")
    if all(part.isidentifier() for part in parts):
        return ""
    return f"must be the name of a Python module, such as `my_ops.layers`. Received: {shown(name)}."


FAMILIES: Families = {
    **NAMES,
    **DATA_FAMILIES,
    PoolSettings: pools.POOLS,
    Evaluator: evaluators.EVALUATORS,
    StopConfig: STOPS,
}


AS_WRITTEN: Mapping[str, type[AsWritten]] = {
    "strategy": StrategyAsWritten,
    "pool": PoolAsWritten,
    "evaluator": EvaluatorAsWritten,
}
"""The sections whose member may be of a plugin, and what keeps it as it is written."""


@dataclass(frozen=True)
class RunConfig(Settings):
    """Everything that decides a run.

    Attributes:
        space: search space: a shipped name, or a path relative to the config's file; `auto` for
            the shipped one that suits the data, which is also meant if the key is left out.
        budget: what the run may spend.
        data: what Keras trains networks on; exactly one of `data` and `evaluator` is given.
        evaluator: what judges genomes instead of trainings by Keras: a table of known results, or a
            function.
        run: name of the run's folder.
        seed: seed of everything random except the split; 0 is a seed like any other.
        objective: metric or weighted sum that is optimised; the first one of several objectives.
        objectives: all objectives, if there are several.
        constraints: metric -> bounds. A trial beyond its bounds counts as worse than any trial that
            satisfies all constraints.
        metrics: metrics that are measured and recorded, too, and decide nothing.
        strategy: the search strategy with its settings.
        training: how long a network is trained.
        limits: what a network may be, and how long a trial may take.
        pool: where trials are trained.
        storage: what is kept on the disk beside the record.
        finalists: the best trials, which are trained again at the end, and whose new scores choose
            the winner; null to take the one with the best recorded score.
        ensemble: the mean of the best networks, which is taken home beside the winner; null for
            none.
        neighbours: scikit-learn's models, which are scored beside the winner; null for none.
        deterministic: whether the strategy is told in the order of proposals, so that the same seed
            gives the same run. Otherwise it is told on arrival, which keeps workers busier. In the
            simulated pool the order of arrival repeats itself, and so does the run.
        look_ahead: number of proposals that may be asked and not yet told. Results depend on it. So
            it is derived from the number of workers only where a seed cannot give the same run
            anyway: with a guide and a budget of time (`left_out.py`).
        max_twins_in_a_row: number of duplicates in a row that end the run: the space is exhausted.
        max_failures_in_a_row: number of failed trials of one cause in a row that stop the run.
        plugins: modules of what is named `package.module:name` (ops, the evaluator's function, a
            strategy and its parts, a source, a split); no other module is imported.
    """

    space: str
    budget: BudgetConfig
    data: DataConfig | None = None
    evaluator: Evaluator = evaluators.DEFAULT
    run: Annotated[str, Check(run_name_problem)] = "run"
    seed: Annotated[int, Ge(0)] = 0
    objective: ObjectiveConfig = field(default_factory=lambda: ObjectiveConfig("val_loss", "min"))
    objectives: tuple[ObjectiveConfig, ...] = ()
    constraints: Mapping[str, ConstraintConfig] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    strategy: StrategySettings = field(default_factory=EvolutionSettings)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    pool: PoolSettings = pools.DEFAULT
    storage: StorageConfig = field(default_factory=StorageConfig)
    finalists: FinalistsConfig | None = None
    ensemble: EnsembleConfig | None = field(default_factory=EnsembleConfig)
    neighbours: NeighboursConfig | None = field(default_factory=NeighboursConfig)
    deterministic: bool = True
    look_ahead: Count = 16
    max_twins_in_a_row: Count = 100
    max_failures_in_a_row: Count = 20
    plugins: tuple[Annotated[str, Check(plugin_problem)], ...] = ()

    def problems(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.data is not None:
            found |= self.task_problems(self.data.task)
            found |= self._function_problems(self.data)
        found |= self._metric_problems()
        found |= self._evaluator_problems()
        if wrong := number_problems(self.strategy, len(self.objectives)):
            found[SECTION] = wrong
        found |= self._stop_problems()
        found |= self._recipe_problems()
        return found

    def _function_problems(self, data: DataConfig) -> dict[str, str]:
        """Why the function that gives the data may not be called, by key."""
        source = data.source
        function = source.function if isinstance(source, PythonFunction) else data.python
        if function is None:
            return {}
        wrong = not_listed(function.partition(":")[0], self.plugins)
        key = "python" if data.python is not None else "source.python.function"
        return {f"data.{key}": wrong} if wrong else {}

    def task_problems(self, task: str | None) -> dict[str, str]:
        """What does not fit this task, by key: metrics that it has not, a loss of another one.

        Args:
            task: None if the task is not known yet; then all that fits any task is allowed.
        """
        key = "objectives" if self.objectives else "objective"
        names: list[str] = []
        for one in self._all_objectives:
            objective = one.to_objective()
            names += objective.metrics
        found = {key: task_problem(tuple(names), task)}
        for place, name in enumerate(self.metrics):
            found[f"metrics[{place}]"] = task_problem((name,), task)
        for name in self.constraints:
            found[f"constraints.{name}"] = task_problem((name,), task)
        for key, wrong in self.training.task_problems(task).items():
            found[f"training.{key}"] = wrong
        return {key: wrong for key, wrong in found.items() if wrong}

    def _metric_problems(self) -> dict[str, str]:
        """The user's own metrics whose modules are not among the plugins, by key."""
        found = {}
        for name, function in functions_of_metrics(self).items():
            module, _, _ = function.partition(":")
            if wrong := not_listed(module, self.plugins):
                found[key_of_metric(self, name)] = wrong
        return found

    def _evaluator_problems(self) -> dict[str, str]:
        """What does not fit between the evaluator, the pool and the plugins."""
        if wrong := self.evaluator.pool_problem(self.pool.is_simulated):
            return {"pool": wrong}
        call = self.evaluator.call
        if call is None:
            return {}
        module, _, _ = call.function.partition(":")
        wrong = not_listed(module, self.plugins)
        return {setting(self.evaluator, "function"): wrong} if wrong else {}

    def _stop_problems(self) -> dict[str, str]:
        """Why no training can be stopped under this evaluator, objective or strategy."""
        if self.training.stop is None:
            return {}
        if not self.evaluator.tells_epochs:
            message = (
                "stops trainings by Keras at one of their epochs; "
                "a table or a function has none. Leave it out."
            )
            return {"training.stop": message}
        # A learning curve predicts one metric, and says nothing of others or of bounds.
        has_more = bool(self.objectives or self.constraints or self.objective.weighted)
        name = self.objective.name
        if has_more or not (name in of_epochs() or is_own(name)):
            message = (
                "follows one metric of every epoch, without constraints or others. Leave it out."
            )
            return {"training.stop": message}
        if strategy := that_sets_epochs(self.strategy):
            message = (
                f"cannot be used under the strategy {strategy}, which says itself how long a"
                " network is trained, and compares trainings of one length. Leave it out, or choose"
                " another strategy."
            )
            return {"training.stop": message}
        return {}

    def _recipe_problems(self) -> dict[str, str]:
        """What the recipe of trainings may not have: modules that are not listed, or any of it."""
        recipe = self.training.recipe
        if not self.evaluator.tells_epochs:
            message = "is for trainings by Keras, and this evaluator has none. Leave it out."
            return {f"training.{key}": message for key in recipe.to_json()}
        found = {}
        for key, function in recipe.functions.items():
            # Folds are trained in turns, and such code trains one network from start to end.
            if recipe.is_by_fit and key != "loss" and self.folds is not None:
                found[f"training.{key}"] = (
                    "cannot be used beside data.folds: the folds are trained in turns, epoch by"
                    " epoch. Leave one of both out."
                )
                continue
            module, _, _ = function.partition(":")
            if wrong := not_listed(module, self.plugins):
                found[f"training.{key}"] = wrong
        return found

    @property
    def _all_objectives(self) -> tuple[ObjectiveConfig, ...]:
        """The objectives, also if there is only one."""
        if self.objectives:
            return self.objectives
        return (self.objective,)

    def to_objective(self) -> Objective:
        """The first objective, under all constraints. Trials are compared by it in one number."""
        return self.to_objectives()[0]

    def to_objectives(self) -> tuple[Objective, ...]:
        """All objectives; the first one carries the constraints."""
        return to_objectives(self._all_objectives, self.constraints)

    def needed_metrics(self) -> tuple[str, ...]:
        """All metrics that objectives and constraints need, each once."""
        names: list[str] = []
        for one in self.to_objectives():
            names += one.metrics
        # A dict keeps the order, which a set would lose.
        return tuple(dict.fromkeys(names))

    def epoch_objective(self) -> Objective:
        """The objective by which a training keeps its best epoch."""
        metrics = self.needed_metrics()
        if not self.evaluator.measures:
            return Objective(metrics[0], self.objective.direction)
        return compared_by(metrics, self._all_objectives, self.constraints)

    @property
    def strategy_name(self) -> str:
        """The name by which the config has its strategy."""
        return name_of(self.strategy, FAMILIES) or ""

    def search_problem(self, space: SearchSpace, seeds: Mapping[str, Genome]) -> SearchProblem:
        """What the strategy is given."""
        objectives = self.to_objectives()
        return SearchProblem(
            space,
            objectives[0],
            Fidelity(self.training.epochs),
            self.seed,
            seeds,
            self.budget.trials,
            objectives,
        )

    @property
    def folds(self) -> int | None:
        """Number of folds of the data; None without folds."""
        return None if self.data is None else self.data.folds

    @property
    def chosen_again(self) -> FinalistsConfig | None:
        """The trainings that choose the winner at the end; None if its recorded score does.

        With several objectives no network is the best.
        """
        has_one = self.evaluator.has_networks and not self.objectives
        return self.finalists if has_one else None

    @property
    def trainings_of_finalists(self) -> int:
        """The number of these trainings; 0 without them."""
        wanted = self.chosen_again
        return 0 if wanted is None else wanted.count * wanted.trainings

    @property
    def members_of_ensemble(self) -> int:
        """Number of trials whose networks may be in the ensemble; 0 for a run that makes none.

        With several objectives no network is the best, and so there is no best mean of them.
        """
        has_one = self.evaluator.has_networks and not self.objectives
        return self.ensemble.members if has_one and self.ensemble is not None else 0

    @property
    def seconds_of_neighbours(self) -> float | None:
        """Seconds that the neighbours may take at the end; None if there are none."""
        if self.neighbours is None or not self.evaluator.has_networks:
            return None
        return self.neighbours.within(self.budget.time)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data with every default written out, in the form of a config's file."""
        data: dict[str, Any] = dump(self, FAMILIES)
        # It has no name: a config names what takes its place.
        if self.evaluator == evaluators.DEFAULT:
            data["evaluator"] = None
        return data

    def canonical(self) -> str:
        """`to_json` as text: equal for equal configs."""
        data = self.to_json()
        return json.dumps(data, indent=2, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunConfig:
        """The config that `to_json` was called on; no plugin is imported.

        Raises:
            InvalidRecord: the data are no such config, or one of another version of evonas.
        """
        builder = Builder(FAMILIES)
        config = parse(builder, dict(data))
        if config is None:
            raise InvalidRecord(unreadable(builder))
        # Founders that a record does not name were none: an older evonas had no others.
        return replace(config, strategy=settled(config.strategy))


def functions_of_metrics(config: RunConfig) -> dict[str, str]:
    """The user's own metrics: name in the record -> `package.module:function`."""
    if not config.evaluator.measures:
        return {}
    return own_metrics([*config.needed_metrics(), *config.metrics])


def key_of_metric(config: RunConfig, metric: str) -> str:
    """The key under which a config names this metric."""
    for place, one in enumerate(config.objectives or (config.objective,)):
        key = f"objectives[{place}]" if config.objectives else "objective"
        if metric in one.weighted:
            return f"{key}.weighted.{metric}"
        # The name of a weighted sum is no metric.
        if metric == one.name and not one.weighted:
            return f"{key}.name"
    if metric in config.constraints:
        return f"constraints.{metric}"
    return f"metrics[{config.metrics.index(metric)}]"


def parse(builder: Builder, data: Mapping[str, Any]) -> RunConfig | None:
    """The config in plain data; None if the builder has noted issues.

    A builder that finds no plugins leaves what a plugin has in the config as it is written.
    """
    builder.root = RunConfig
    kind = kind_of(data.get("evaluator"), builder.find)
    data = expanded(data, kind.measures)
    if data.get("evaluator") is None:
        data.pop("evaluator", None)
    if SECTION in data:
        data[SECTION] = with_meant_guide(data[SECTION])
    if builder.find is None:
        for section, written in AS_WRITTEN.items():
            if section in data:
                data[section] = as_written(data[section], written)
        if "data" in data:
            data["data"] = as_written_data(data["data"])
    builder.issues += issues(data, kind.measures)
    # Where only a simulated pool can be meant, nobody has to write it.
    if kind.is_replayed and "pool" not in data:
        data["pool"] = {"simulated": {}}
    config = builder.build(RunConfig, data)
    if isinstance(config, RunConfig):
        wrong = objective_problems(config.strategy, config.to_objective())
        wrong |= founder_problems(config.strategy)
        for path, message in wrong.items():
            builder.refuse(path, message)
    has_data = data.get("data") is not None
    if kind.needs_data is not None and kind.needs_data != has_data:
        place = "is missing" if kind.needs_data else "cannot stand beside evaluator"
        message = (
            "there must be exactly one of data, which Keras trains on, "
            "and evaluator, which is a table or a function"
        )
        builder.refuse(("data",), f"{place}: {message}.")
    # A config that was built counts for nothing if issues were noted beside it.
    if builder.issues or not isinstance(config, RunConfig):
        return None
    return config
