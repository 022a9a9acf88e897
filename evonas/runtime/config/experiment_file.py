"""Reading an experiment: one run config, several strategies and seeds, the same budget for all.

An experiment's file names a run config and says what differs. Every run that follows from it is loaded and checked
before the first one begins.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from evonas.errors import InvalidConfig, InvalidInput, Issue, UserError
from evonas.genome import library, strict_yaml
from evonas.genome.strict_yaml import Document
from evonas.runtime.config.config_file import OVERRIDE, LoadedConfig, load_config
from evonas.runtime.config.run_config import FAMILIES, run_name_problem
from evonas.runtime.config.settings import FAILED, Builder, Check, shown
from evonas.search.named import StrategyConfig


def _labels_problem(labels: Mapping[str, Any]) -> str:
    if len(labels) < 2:
        return f"must name at least two strategies to compare. Received: {', '.join(labels) or 'none'}."
    return "".join(run_name_problem(label) for label in labels)[:400]


def _seeds_problem(seeds: Sequence[int]) -> str:
    if not seeds or len(set(seeds)) < len(seeds):
        return f"must be a list of different seeds, at least one. Received: {shown(list(seeds))}."
    return ""


@dataclass(frozen=True)
class ExperimentConfig:
    """Attributes:
    config: the run config that all runs share: a shipped name, or a path relative to the experiment's file.
    strategies: label -> a strategy as in a run config; the label is its name in the figure and in the runs' folders.
    experiment: the name of the folder that the runs go to.
    seeds: each strategy runs once with each.
    changes: what differs from the config in all runs alike: `training.epochs: 9`, `budget: {epochs: 300}`.
    reference: the label that the others are compared with; null for `random` where it is there, else the first.
    target: a value of the objective, or a hypervolume, to be reached; null for the final mean of the reference.
    fresh: trainings of each winner with fresh seeds, to tell luck from quality.
    """

    config: str
    strategies: Annotated[Mapping[str, StrategyConfig], Check(_labels_problem)]
    experiment: Annotated[str, Check(run_name_problem)] = "experiment"
    seeds: Annotated[tuple[Annotated[int, Ge(0)], ...], Check(_seeds_problem)] = (0, 1, 2)
    changes: Mapping[str, Any] = field(default_factory=dict)
    reference: str | None = None
    target: float | None = None
    fresh: Annotated[int, Ge(0)] = 3

    def problems(self) -> dict[str, str]:
        if self.reference is not None and self.reference not in self.strategies:
            allowed = ", ".join(self.strategies)
            return {
                "reference": f"must be one of the strategies' labels. Allowed: {allowed}. Received: {self.reference}."
            }
        return {}

    @property
    def compared_with(self) -> str:
        """The label of the reference."""
        first = "random" if "random" in self.strategies else next(iter(self.strategies))
        return self.reference or first


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment that can be run.

    Attributes:
        config: with every default.
        file: that it was read from.
        runs: label -> seed -> the run's config.
    """

    config: ExperimentConfig
    file: Path
    runs: Mapping[str, Mapping[int, LoadedConfig]]

    @property
    def any_run(self) -> LoadedConfig:
        """One of the runs: what they share is in it."""
        return next(iter(next(iter(self.runs.values())).values()))


def is_experiment(data: Any) -> bool:
    """Whether the plain data of a file in `configs/` are an experiment's rather than a run's."""
    return isinstance(data, dict) and "strategies" in data


def is_experiment_file(path_or_name: str | Path) -> bool:
    """Whether a file is an experiment's; one that cannot be read is not, and `load_config` will tell why."""
    try:
        return is_experiment(
            strict_yaml.load_file(library.find("configs", str(path_or_name), None)).data
        )
    except UserError:
        return False


def load_experiment(path_or_name: str | Path, overrides: Sequence[str] = ()) -> LoadedExperiment:
    """Read an experiment and the configs of all its runs.

    Args:
        path_or_name: a path, or the name of a shipped experiment.
        overrides: `key.path=value`, of every run's config; they win over the experiment's `changes`.

    Raises:
        UserError: there is no such file.
        InvalidConfig: all problems, of the experiment or of the first run that has any.
    """
    file = library.find("configs", str(path_or_name), None)
    document = strict_yaml.load_file(file)
    if not isinstance(document.data, dict) or not is_experiment(document.data):
        message = "an experiment is a mapping that has at least config and strategies."
        hint = (
            " This is a run's config:  evonas run runs it."
            if isinstance(document.data, dict)
            else ""
        )
        raise InvalidConfig(
            document.problem((), f"{message} Received: {shown(document.data)}.{hint}")
        )
    builder = Builder(FAMILIES)
    config = builder.build(ExperimentConfig, {"experiment": file.stem, **document.data})
    if config is FAILED:
        raise InvalidConfig(
            [document.problem(issue.path, issue.message) for issue in builder.issues]
        )
    base = _base(config, file, document)
    runs = {
        label: {seed: _run(base, document, label, seed, overrides) for seed in config.seeds}
        for label in config.strategies
    }
    loaded = LoadedExperiment(config, file, runs)
    if (
        loaded.any_run.config.objectives
        and config.target is not None
        and not 0 <= config.target <= 1
    ):
        message = f"runs with several objectives are compared by hypervolume, from 0 to 1. Received: {config.target:g}."
        raise InvalidConfig(document.problem(("target",), message))
    return loaded


def _base(config: ExperimentConfig, file: Path, document: Document) -> Path:
    try:
        return library.find("configs", config.config, file)
    except UserError as error:
        raise InvalidConfig(document.problem(("config",), str(error))) from error


def _run(
    base: Path, document: Document, label: str, seed: int, overrides: Sequence[str]
) -> LoadedConfig:
    """The config of one run; problems with what the experiment has set are told at their place in its file."""
    own = {
        **document.data.get("changes", {}),
        "strategy": document.data["strategies"][label],
        "seed": seed,
        "run": f"{label}-{seed}",
    }
    changes = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in own.items()]
    try:
        return load_config(base, [*changes, *overrides])
    except InvalidInput as error:
        raise InvalidConfig(
            [_placed(problem, document, label, changes) for problem in error.problems]
        ) from error


def _placed(problem: Issue, document: Document, label: str, changes: Sequence[str]) -> Issue:
    """A problem of a change that the experiment has made, at its key in the experiment's file."""
    made = problem.file.removeprefix(f"{OVERRIDE} ")
    if made == problem.file or made not in changes:
        return problem
    key = made.partition("=")[0]
    path = ("strategies", label) if key == "strategy" else ("changes", key)
    placed = document.problem(path, problem.message)
    return dataclasses.replace(
        placed, key=f"{placed.key} ({problem.key})" if problem.key else placed.key
    )
