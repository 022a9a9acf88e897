"""Reading an experiment: one run config, several strategies and seeds, the same budget for all.

An experiment's file names a run config and says what differs. All its runs are loaded and checked
before the first one begins.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge

from evonas.errors import InvalidConfig, InvalidInput, Issue, UserError
from evonas.genome import library, strict_yaml
from evonas.genome.strict_yaml import Document, short
from evonas.invocation import command
from evonas.runtime.config.config_file import LoadedConfig, load_config
from evonas.runtime.config.config_source import OVERRIDE
from evonas.runtime.config.plugin_members import as_written
from evonas.runtime.config.run_config import FAMILIES, run_name_problem
from evonas.runtime.config.settings import Builder, received_file
from evonas.runtime.config.strategy_config import StrategyAsWritten
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import SPACE, StrategySettings
from evonas.settings import Check, Settings
from evonas.words import shown


def _labels_problem(labels: Mapping[str, Any]) -> str:
    """What is wrong with the labels of an experiment's strategies; empty if nothing is."""
    if len(labels) < 2:
        received = short(", ".join(labels)) or "none"
        return f"must name at least two strategies to compare. Received: {received}."
    # A label begins the folder names of its runs, so that it must be a safe name, too.
    wrong = [run_name_problem(label) for label in labels]
    return "".join(wrong)[:400]


def _seeds_problem(seeds: Sequence[int]) -> str:
    """What is wrong with the seeds of an experiment; empty if nothing is."""
    if not seeds or len(set(seeds)) < len(seeds):
        received = shown(list(seeds))
        return f"must be a list of different seeds, at least one. Received: {received}."
    return ""


@dataclass(frozen=True)
class ExperimentConfig(Settings):
    """An experiment as its file describes it.

    Attributes:
        config: run config that all runs share: a shipped name, or a path relative to the
            experiment's file.
        strategies: label -> strategy as in a run config. The label is the strategy's name in the
            figure and in the folders of its runs.
        experiment: name of the folder that holds the runs.
        seeds: seeds of the runs; each strategy runs once with each seed.
        changes: what differs from the config in all runs: `training.epochs: 9`,
            `budget: {epochs: 300}`.
        reference: label that all others are compared with; null for `random` if it is there, or
            for the first label otherwise.
        target: value of the objective, or hypervolume, that is to be reached; null for the final
            mean of the reference.
        fresh: number of trainings of each winner with fresh seeds, which tell luck from quality.
        founders: `none`, or `space` for the founders of the search space, the same for each
            strategy. A strategy that names founders of its own has these.
    """

    config: str
    strategies: Annotated[Mapping[str, StrategySettings], Check(_labels_problem)]
    experiment: Annotated[str, Check(run_name_problem)] = "experiment"
    seeds: Annotated[tuple[Annotated[int, Ge(0)], ...], Check(_seeds_problem)] = (0, 1, 2)
    changes: Mapping[str, Any] = field(default_factory=dict)
    reference: str | None = None
    target: float | None = None
    fresh: Annotated[int, Ge(0)] = 3
    founders: Literal["none", "space"] = "none"

    def problems(self) -> dict[str, str]:
        if self.reference is None or self.reference in self.strategies:
            return {}
        allowed = ", ".join(self.strategies)
        message = f"must be one of the strategies' labels. Allowed: {allowed}."
        return {"reference": f"{message} Received: {short(self.reference)}."}

    @property
    def compared_with(self) -> str:
        """The label of the reference."""
        if self.reference:
            return self.reference
        if "random" in self.strategies:
            return "random"
        return next(iter(self.strategies))


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment that can be run.

    Attributes:
        config: the experiment with every default.
        file: path of its file.
        runs: label -> seed -> config of the run.
    """

    config: ExperimentConfig
    file: Path
    runs: Mapping[str, Mapping[int, LoadedConfig]]

    @property
    def any_run(self) -> LoadedConfig:
        """The first run, for what all runs share."""
        first_label = next(iter(self.runs))
        by_seed = self.runs[first_label]
        first_seed = next(iter(by_seed))
        return by_seed[first_seed]


def is_experiment(data: Any) -> bool:
    """Whether the plain data of a file in `configs/` are an experiment's, not a run's."""
    if not isinstance(data, dict):
        return False
    return "strategies" in data


def is_experiment_file(path_or_name: str | Path) -> bool:
    """Whether this is an experiment's file; False if it cannot be read."""
    # The caller goes on to `load_config`, which says why a file cannot be read.
    try:
        file = library.find("configs", str(path_or_name), None)
        document = strict_yaml.load_file(file)
    except UserError:
        return False
    return is_experiment(document.data)


def load_experiment(path_or_name: str | Path, overrides: Sequence[str] = ()) -> LoadedExperiment:
    """Read an experiment and the configs of all its runs.

    Args:
        path_or_name: path, or name of a shipped experiment.
        overrides: `key.path=value` for every run's config. An override is stronger than the same
            key under `changes`.

    Raises:
        UserError: there is no such file.
        InvalidConfig: all issues of the experiment, or of the first run that has any.
    """
    file = library.find("configs", str(path_or_name), None)
    document = strict_yaml.load_file(file)
    config = _experiment(document, file)
    base = _base(config, file, document)
    founders = 0
    if config.founders == SPACE:
        founders = _shared_founders(config, base, document, overrides)
    runs: dict[str, dict[int, LoadedConfig]] = {}
    for label in config.strategies:
        runs[label] = {}
        for seed in config.seeds:
            runs[label][seed] = _run(base, document, label, seed, overrides, founders)
    loaded = LoadedExperiment(config, file, runs)
    target = config.target
    has_front = bool(loaded.any_run.config.objectives)
    if has_front and target is not None and not 0 <= target <= 1:
        message = (
            "runs with several objectives are compared by hypervolume, from 0 to 1."
            f" Received: {target:g}."
        )
        raise InvalidConfig(document.problem(("target",), message))
    return loaded


def _experiment(document: Document, file: Path) -> ExperimentConfig:
    """The experiment in a file, without its runs.

    Raises:
        InvalidConfig: all issues of the experiment's own keys.
    """
    data = document.data
    if not is_experiment(data):
        message = "an experiment is a mapping that has at least config and strategies."
        hint = ""
        if isinstance(data, dict) and "space" in data:
            hint = f" This is a run's config. To run it:  {command('run', file)}"
        raise InvalidConfig(
            document.problem((), f"{message} Received: {received_file(data)}.{hint}")
        )
    builder = Builder(FAMILIES)
    data = dict(data)
    # The config says which plugins there are. So these strategies are checked with their runs.
    if isinstance(data["strategies"], dict):
        named = {}
        for label, value in data["strategies"].items():
            named[label] = as_written(value, StrategyAsWritten)
        data["strategies"] = named
    # The file's name is the default of `experiment`; what the file says is stronger.
    config = builder.build(ExperimentConfig, {"experiment": file.stem, **data})
    if not isinstance(config, ExperimentConfig):
        raise InvalidConfig(
            [document.problem(issue.path, issue.message) for issue in builder.issues]
        )
    return config


def _base(config: ExperimentConfig, file: Path, document: Document) -> Path:
    """The file of the run config that all runs share.

    Raises:
        InvalidConfig: there is none.
    """
    try:
        return library.find("configs", config.config, file)
    except UserError as error:
        raise InvalidConfig(document.problem(("config",), str(error))) from error


def _shared_founders(
    config: ExperimentConfig, base: Path, document: Document, overrides: Sequence[str]
) -> int:
    """The number of the space's founders that every strategy has a place for.

    Raises:
        InvalidConfig: as `_run`; or a strategy takes no founders.
    """
    counts = []
    for label in config.strategies:
        loaded = _run(base, document, label, config.seeds[0], overrides, None)
        strategy = loaded.config.strategy
        if any(
            isinstance(one, SeededSettings) or one.founder_names for one in strategy.with_inner()
        ):
            counts += [len(loaded.founders)] if loaded.founders else []
            continue
        message = (
            f"the strategy {label} takes no founders, or the space has none for it, and all"
            " strategies must begin alike. Allowed: none; or founders in each strategy's settings."
        )
        raise InvalidConfig(document.problem(("founders",), message))
    return min(counts, default=0)


def _run(
    base: Path,
    document: Document,
    label: str,
    seed: int,
    overrides: Sequence[str],
    founders: int | None,
) -> LoadedConfig:
    """The config of one run.

    Args:
        founders: see `load_config`.

    Raises:
        InvalidConfig: all issues; those of the experiment's changes at their places in its file.
    """
    own = {
        **document.data.get("changes", {}),
        "strategy": document.data["strategies"][label],
        "seed": seed,
        "run": f"{label}-{seed}",
    }
    changes = []
    for key, value in own.items():
        # JSON is YAML, so that an override can hold any value.
        text = json.dumps(value, ensure_ascii=False)
        changes.append(f"{key}={text}")
    try:
        return load_config(base, [*changes, *overrides], founders, is_compared=True)
    except InvalidInput as error:
        raise InvalidConfig(
            [_placed(problem, document, label, changes) for problem in error.problems]
        ) from error


def _placed(problem: Issue, document: Document, label: str, changes: Sequence[str]) -> Issue:
    """The issue at its key in the experiment's file, if a change of the experiment made it."""
    # An issue of an override has the override's text as its file.
    made = problem.file.removeprefix(f"{OVERRIDE} ")
    if made == problem.file or made not in changes:
        return problem
    key = made.partition("=")[0]
    path = ("strategies", label) if key == "strategy" else ("changes", key)
    placed = document.problem(path, problem.message)
    if not problem.key:
        return placed
    return dataclasses.replace(placed, key=f"{placed.key} ({problem.key})")
