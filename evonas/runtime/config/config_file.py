"""Reading a run's config with everything that it names, and telling every problem at once.

The config's file, the overrides of the command line, the search space and the seed genomes are checked together, so
that a user mends all of them in one go. Nothing is trained, and no data are read.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.data.prepared import DataSettings
from evonas.errors import InvalidConfig, InvalidInput, InvalidYaml, Issue, UserError
from evonas.genome import Genome, SearchSpace, library, load_space, strict_yaml
from evonas.genome.strict_yaml import Document, KeyPath, key_text, printable
from evonas.model.space_check import check_space
from evonas.runtime.config.evaluator_config import EvaluatorConfig, TableConfig
from evonas.runtime.config.run_config import FAMILIES, RunConfig, parse
from evonas.runtime.config.settings import Builder, shown
from evonas.runtime.config.wanted_seeds import find_seeds, strategies_in
from evonas.search.registry import STRATEGIES

OVERRIDE = "--set"


@dataclass(frozen=True)
class LoadedConfig:
    """A config that can be run, and what it names.

    Attributes:
        config: with every default; a path to data is absolute.
        file: that it was read from.
        space: its search space.
        seeds: its seed genomes, by name.
        warnings: sentences for the user; none of them keeps the run from starting.
    """

    config: RunConfig
    file: Path
    space: SearchSpace
    seeds: Mapping[str, Genome]
    warnings: tuple[str, ...] = ()

    @property
    def evaluator(self) -> EvaluatorConfig | None:
        """What judges genomes instead of Keras; None where Keras does."""
        return self.config.evaluator

    @property
    def text(self) -> str:
        """The config after overrides, with every default: canonical JSON, which a config's file may hold, too."""
        return self.config.canonical()

    def data_settings(self) -> DataSettings:
        """What `evonas.data.prepared.prepare` needs; for a config with `data` only."""
        assert self.config.data is not None
        assert self.space.input is not None
        return self.config.data.settings(self.space.input)


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Attributes:
        loaded: None where there are problems.
        problems: all that keeps the run from starting, but for those of the data.
    """

    loaded: LoadedConfig | None
    problems: tuple[Issue, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.loaded.warnings if self.loaded else ()


def load_config(path_or_name: str | Path, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Read a config.

    Args:
        path_or_name: a path, or the name of a shipped config.
        overrides: `key.path=value` each; the value is read as YAML.

    Raises:
        UserError: there is no such config.
        InvalidConfig: all problems of the config, of its space and of its seed genomes.
    """
    checked = check(path_or_name, overrides)
    if checked.loaded is None:
        raise InvalidConfig(checked.problems)
    return checked.loaded


def check(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Checked:
    """Everything that is wrong with a config, or the config; data are not read.

    Raises:
        UserError: there is no such config.
    """
    file = library.find("configs", str(path_or_name), None)
    try:
        source = _Source(strict_yaml.load_file(file), overrides)
    except InvalidYaml as error:
        return Checked(None, error.problems)
    config, problems = _parse(source, file)
    space, space_problems = _space(source, file)
    seeds, seed_problems = find_seeds(space, source, file)
    problems += space_problems + seed_problems
    if config is not None and space is not None and not problems:
        problems += _misfits(config, space, seeds, source)
    if config is None or space is None or problems:
        return Checked(None, _in_order(problems))
    return Checked(LoadedConfig(config, file, space, seeds, tuple(warnings(config, space))), ())


def overridden(config: RunConfig, overrides: Sequence[str]) -> tuple[RunConfig | None, list[Issue]]:
    """A config that was read before, with overrides, or all that is wrong with them; paths are left as they are."""
    source = _Source(Document(config.to_json(), "the recorded config"), overrides)
    builder = Builder(FAMILIES)
    changed = parse(builder, source.data)
    problems = source.problems + [
        source.problem(issue.path, issue.message) for issue in builder.issues
    ]
    return (None if problems else changed), problems


def warnings(config: RunConfig, space: SearchSpace) -> list[str]:
    """What is allowed and probably not meant."""
    found = []
    longest, full = space.greatest("training", "epochs"), config.training.epochs
    if longest is not None and longest > full:
        found.append(
            f"training.epochs ({full}) cuts short the gene epochs, which goes up to {longest:g}."
        )
    workers, ahead, trials = config.pool.workers, config.look_ahead, config.budget.trials
    if ahead < workers:
        found.append(
            f"look_ahead ({ahead}) is below the {workers} workers: {workers - ahead} of them will never work."
        )
    elif workers > 1 and ahead < 2 * workers:
        advice = f"at least {2 * workers} keeps them busier"
        found.append(
            f"look_ahead ({ahead}) is below twice the {workers} workers: they will wait for the slowest; {advice}."
        )
    population = (
        getattr(config.strategy.innermost.settings, "population", None) or 0
    )  # null: the strategy knows
    if trials is not None and population > trials:
        size = f"the population ({population}) is larger than the budget ({trials} trials)"
        found.append(f"{size}: {config.strategy.innermost.name} ends within its first generation.")
    return found


def _in_order(problems: Sequence[Issue]) -> tuple[Issue, ...]:
    """Each problem once, file by file, from top to bottom."""
    files = list(dict.fromkeys(problem.file for problem in problems))
    return tuple(
        sorted(
            dict.fromkeys(problems), key=lambda problem: (files.index(problem.file), problem.line)
        )
    )


class _Source:
    """A config's file with overrides applied: plain data, and the place of every key."""

    def __init__(self, document: Document, overrides: Sequence[str]) -> None:
        self.data: Any = copy.deepcopy(document.data)
        self.problems: list[Issue] = []
        self._document = document
        self._overridden: dict[KeyPath, str] = {}
        for text in overrides:
            self._override(text)

    def problem(self, path: KeyPath, message: str) -> Issue:
        """A problem at a key: of the file, or of the override that set it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._overridden:
                return Issue(
                    message, key_text(path), f"{OVERRIDE} {printable(self._overridden[path[:end]])}"
                )
        return self._document.problem(path, message)

    def _override(self, text: str) -> None:
        name, equals, value = text.partition("=")
        path = tuple(name.strip().split("."))
        place = f"{OVERRIDE} {printable(text)}"
        if not equals or not all(path):
            self.problems.append(
                Issue("must have the form key.path=value, such as budget.trials=20.", file=place)
            )
            return
        try:
            new = strict_yaml.load(value, place).data
        except InvalidYaml as error:
            self.problems += [dataclasses.replace(problem, line=0) for problem in error.problems]
            return
        if not isinstance(self.data, dict):
            return  # that is reported as a problem of the file
        node = self.data
        for i, key in enumerate(path[:-1]):
            if key not in node:
                self._overridden[path[: i + 1]] = text
            node[key] = _opened(node.get(key), path[i + 1])
            if not isinstance(node[key], dict):
                message = f"has no keys, so that {path[i + 1]!r} cannot be set in it. It is {shown(node[key])}."
                self.problems.append(Issue(message, key_text(path[: i + 1]), place))
                return
            node = node[key]
        node[path[-1]] = new
        self._overridden[path] = text


def _opened(value: Any, key: str) -> Any:
    """What an override may go into: `random` is short for `{random: {}}`, and nothing for an empty mapping."""
    if value is None:
        return {}
    return {key: {}} if value == key else value


def _parse(source: _Source, file: Path) -> tuple[RunConfig | None, list[Issue]]:
    """The config, with its name and the data's path filled in."""
    if not isinstance(source.data, dict):
        needed = "a config is a mapping that has at least space, budget, and data or evaluator"
        return None, [
            *source.problems,
            source.problem((), f"{needed}. Received: {shown(source.data)}."),
        ]
    if "strategies" in source.data:
        message = "this is an experiment, which compares strategies; to run it:  evonas compare"
        return None, [*source.problems, source.problem(("strategies",), f"{message} {file}")]
    builder = Builder(FAMILIES)
    config = parse(builder, {"run": file.stem, **source.data})
    problems = source.problems + [
        source.problem(issue.path, issue.message) for issue in builder.issues
    ]
    if config is None:
        return None, problems
    data, evaluator = config.data, config.evaluator
    if data is not None and data.path is not None:
        data = dataclasses.replace(
            data, path=_found(source, file, ("data", "path"), data.path, problems)
        )
    if isinstance(evaluator, TableConfig):
        key = ("evaluator", "table", "path")
        evaluator = dataclasses.replace(
            evaluator, path=_found(source, file, key, evaluator.path, problems)
        )
    return dataclasses.replace(config, data=data, evaluator=evaluator), problems


def _found(source: _Source, file: Path, key: KeyPath, path: str, problems: list[Issue]) -> str:
    """A path that the config's file names, made absolute."""
    absolute = (file.parent / path).resolve()
    if not absolute.is_file():
        problems.append(source.problem(key, f"there is no such file. Received: {absolute}"))
    return str(absolute)


def _space(source: _Source, file: Path) -> tuple[SearchSpace | None, list[Issue]]:
    """The search space, also of a config with other problems; without problems if it is not named at all."""
    name = source.data.get("space") if isinstance(source.data, dict) else None
    if not isinstance(name, str):
        return None, []
    try:
        path = library.find("spaces", name, file.parent)
        space = load_space(path)
    except InvalidInput as error:
        return None, list(error.problems)
    except UserError as error:
        return None, [source.problem(("space",), str(error))]
    listed = source.data.get("plugins")
    plugins = (
        [module for module in listed if isinstance(module, str)] if isinstance(listed, list) else []
    )
    is_for_evaluator = space.input is None and source.data.get("evaluator") is not None
    problems = [] if is_for_evaluator else check_space(space, plugins, str(path))
    strategy = _strategy_that_sets_epochs(source.data)
    if strategy and space.has_parameter("training", "epochs"):
        message = f"epochs cannot be a gene under the strategy {strategy}, which says how long a network is trained."
        key = ("settings", "training", "ops", "training", "epochs")
        problems.append(strict_yaml.load(space.text, str(path)).problem(key, message))
    return space, problems


def _misfits(
    config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome], source: _Source
) -> list[Issue]:
    """What of the strategy's settings does not fit this space and this budget."""
    found = config.strategy.misfits(config.search_problem(space, seeds), "strategy")
    return [source.problem(tuple(key.split(".")), message) for key, message in found.items()]


def _strategy_that_sets_epochs(data: Any) -> str:
    """The name of the config's strategy, or of one that it wraps, that decides itself how long each trial is trained;
    else empty."""
    kinds = {strategy.name: STRATEGIES.get(strategy.name) for strategy in strategies_in(data)}
    return next((name for name, kind in kinds.items() if kind is not None and kind.sets_epochs), "")
