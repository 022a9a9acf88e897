"""Reading a run's config with everything that it names, and reporting all issues at once.

The config's file, the overrides of the command line, the search space and the seed genomes are
checked together, so that a user can fix everything in one go. Nothing is trained, no data are read.
"""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from evonas.data.prepared import DataSettings
from evonas.errors import InvalidConfig, InvalidInput, InvalidYaml, Issue, UserError
from evonas.evaluate.contract.evaluator import Evaluator
from evonas.evaluate.contract.importing import is_there
from evonas.evaluate.contract.pool import PoolSettings
from evonas.evaluate.local.plugin_check import no_module
from evonas.files import expanded, why_no_file
from evonas.genome import Genome, SearchSpace, library, load_space, strict_yaml
from evonas.genome.strict_yaml import Document, KeyPath, key_text, short
from evonas.invocation import command
from evonas.model.space_check import check_space
from evonas.runtime.config import evaluator_config, pool_config
from evonas.runtime.config.data_config import DataConfig
from evonas.runtime.config.evaluator_config import file_keys, kind_of, with_file
from evonas.runtime.config.limits_config import SECONDS_IN, too_long
from evonas.runtime.config.plugin_members import PluginMembers, is_member_name, misspelt
from evonas.runtime.config.run_config import FAMILIES, RunConfig, parse, plugin_problem
from evonas.runtime.config.settings import FAILED, AsWritten, Builder, received_file
from evonas.runtime.config.strategy_config import (
    SECTION,
    layers,
    misfits,
)
from evonas.runtime.config.wanted_seeds import find_seeds, strategies_in
from evonas.search.registry import STRATEGIES
from evonas.search.strategy import StrategySettings
from evonas.settings import Settings, path_problem
from evonas.words import counted, shown

M = TypeVar("M", bound=Settings)

OVERRIDE = "--set"
PATHS = (("data", "path"), ("data", "source", "npz", "path"), *file_keys())
"""The keys that name a file."""


@dataclass(frozen=True)
class LoadedConfig:
    """A config that can be run, and what it names.

    Attributes:
        config: the config with every default; a path to data is absolute.
        file: path of the config's file.
        space: the search space.
        seeds: name -> seed genome.
        warnings: sentences for the user; the run can start all the same.
    """

    config: RunConfig
    file: Path
    space: SearchSpace
    seeds: Mapping[str, Genome]
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The config with overrides and defaults as canonical JSON, which a file may hold, too."""
        return self.config.canonical()

    def space_issue(self, key: KeyPath, message: str) -> Issue:
        """An issue at a key of the search space, with its file and line."""
        path = library.find("spaces", self.config.space, self.file.parent)
        document = strict_yaml.load(self.space.text, str(path))
        return document.problem(key, message)

    def data_settings(self) -> DataSettings:
        """What `evonas.data.prepared.prepare` needs; only for a config with `data`."""
        data = self.config.data
        assert data is not None
        kind = self.space.input
        assert kind is not None
        return data.settings(kind)


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Attributes:
        loaded: the config; None if there are issues.
        problems: issues that keep the run from starting, except those of the data.
    """

    loaded: LoadedConfig | None
    problems: tuple[Issue, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """The config's warnings; empty if there are issues."""
        if self.loaded is None:
            return ()
        return self.loaded.warnings


def load_config(path_or_name: str | Path, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Read a config.

    Args:
        path_or_name: path, or name of a shipped config.
        overrides: texts of the form `key.path=value`; the value is read as YAML.

    Raises:
        UserError: there is no such config.
        InvalidConfig: all issues of the config, of its space and of its seed genomes.
    """
    checked = check(path_or_name, overrides)
    if checked.loaded is None:
        raise InvalidConfig(checked.problems)
    return checked.loaded


def check(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Checked:
    """The config, or everything that is wrong with it; data are not read.

    Raises:
        UserError: there is no such config.
    """
    file = library.find("configs", str(path_or_name), None)
    try:
        source = _Source(strict_yaml.load_file(file), overrides)
    except InvalidYaml as error:
        return Checked(None, error.problems)
    # Each step goes on after issues of the steps before, so that all are reported together.
    members = members_of(_listed_plugins(source.data), file)
    config, problems = _parse(source, file, members)
    problems += _missing_files(source, file)
    space, space_problems = _space(source, file, members)
    seeds, seed_problems = find_seeds(space, source, file)
    problems = [one for one in problems if not _is_of_misspelt_plugin(one, source, file)]
    problems += space_problems
    problems += seed_problems
    if config is not None and space is not None and not problems:
        problems += _misfits(config, space, seeds, source)
    if config is None or space is None or problems:
        # Plugins are imported only for a config that is right so far.
        problems += _missing_plugins(source, file)
        return Checked(None, _in_order(problems))
    notes = tuple(warnings(config, space))
    loaded = LoadedConfig(config, file, space, seeds, notes)
    return Checked(loaded, ())


def _is_of_misspelt_plugin(issue: Issue, source: _Source, file: Path) -> bool:
    """Whether it blames a function whose module is not listed, where the list is misspelt.

    `_missing_plugins` tells of the list.
    """
    if not issue.key.startswith(f"{evaluator_config.SECTION}."):
        return False
    function = source.data
    for word in issue.key.split("."):
        function = function.get(word) if isinstance(function, dict) else None
    if not is_member_name(function):
        return False
    module = str(function).partition(":")[0]
    plugins = _listed_plugins(source.data)
    return module not in plugins and bool(misspelt(module, plugins, str(file.absolute().parent)))


def overridden(config: RunConfig, overrides: Sequence[str]) -> tuple[RunConfig | None, list[Issue]]:
    """A config from the record with overrides, or None, and all that is wrong.

    Paths are left as they are, because those in the record are absolute.
    """
    document = Document(config.to_json(), "the recorded config")
    source = _Source(document, overrides)
    builder = Builder(FAMILIES)
    changed = parse(builder, source.data)
    problems = source.problems + source.placed(builder)
    if changed is not None:
        # Not those that an older evonas has recorded.
        known = _too_long(config)
        new = {key: words for key, words in _too_long(changed).items() if key not in known}
        problems += [source.problem(key, words) for key, words in new.items()]
    if problems:
        return None, problems
    return changed, []


def _too_long(config: RunConfig) -> dict[KeyPath, str]:
    """What is wrong with times in a config that nobody can wait for, by their keys."""
    limits = config.limits
    times: list[tuple[KeyPath, str, float | None]] = [
        (("limits", "seconds"), "seconds", limits.seconds),
        (("limits", "stalled_seconds"), "seconds", limits.stalled_seconds),
    ]
    times += [(("budget", unit), unit, amount) for unit, amount in config.budget.times.items()]
    return {key: words for key, unit, amount in times if (words := too_long(unit, amount))}


def members_of(plugins: Sequence[str], file: Path) -> PluginMembers:
    """What these plugins may have of a strategy.

    Args:
        file: the config's file.
    """
    return PluginMembers(plugins, str(file.absolute().parent))


def opened_strategy(config: RunConfig, file: Path) -> StrategySettings:
    """The strategy of a recorded config, for those who ask it; this may import plugins.

    Args:
        file: the config's file.

    Raises:
        InvalidConfig: a plugin cannot be imported, or has no such strategy now.
    """
    return _member(config.strategy, StrategySettings, SECTION, config, file)


def opened_for_jobs(config: RunConfig, file: Path) -> RunConfig:
    """A recorded config whose pool and evaluator can be asked; this may import plugins.

    Args and errors as for `opened_strategy`.
    """
    pool = _member(config.pool, PoolSettings, pool_config.SECTION, config, file)
    evaluator = _member(config.evaluator, Evaluator, evaluator_config.SECTION, config, file)
    return dataclasses.replace(config, pool=pool, evaluator=evaluator)


def opened_data(config: RunConfig, file: Path) -> DataConfig:
    """The data of a recorded config, for those who read them; this may import plugins.

    Args:
        file: the config's file.

    Raises:
        InvalidConfig: a plugin cannot be imported, or has no such source or split now.
    """
    found: DataConfig = _built(DataConfig, config.to_json()["data"], ("data",), config, file)
    return found


def _member(member: M, family: type[Settings], section: str, config: RunConfig, file: Path) -> M:
    """The member of a family under this section; see `opened_strategy`."""
    if not isinstance(member, AsWritten):
        return member
    found: M = _built(family, {member.name: member.written}, (section,), config, file)
    return found


def _built(hint: Any, data: Any, path: KeyPath, config: RunConfig, file: Path) -> Any:
    """A section of a recorded config with the classes of plugins; see `opened_strategy`."""
    builder = Builder(FAMILIES, members_of(config.plugins, file).find)
    built = builder.build(hint, data, path)
    if built is not FAILED:
        return built
    raise InvalidConfig(
        [Issue(issue.message, key_text(issue.path), str(file)) for issue in builder.issues]
    )


def warnings(config: RunConfig, space: SearchSpace) -> list[str]:
    """What is allowed and probably not meant."""
    found = []
    longest = space.greatest("training", "epochs")
    full = config.training.epochs
    if longest is not None and longest > full:
        found.append(
            f"training.epochs ({full}) cuts short the gene epochs, which goes up to {longest:g}."
        )
    found += _look_ahead_warnings(config.look_ahead, config.pool.workers)
    trials = config.budget.trials
    for innermost in layers(config.strategy)[-1:]:
        population = innermost.settings.first_generation()
        if trials is not None and population is not None and population > trials:
            found.append(
                f"the population ({population:,}) is larger than the budget"
                f" ({counted(trials, 'trial')}): {innermost.name} ends within its first"
                " generation."
            )
    return found


def _look_ahead_warnings(ahead: int, workers: int) -> list[str]:
    """Whether some workers will have to wait, because too few trials are asked ahead."""
    if ahead < workers:
        idle = workers - ahead
        never = f"{idle} of them will never work"
        return [f"look_ahead ({ahead}) is below the {workers} workers: {never}."]
    if workers > 1 and ahead < 2 * workers:
        return [
            f"look_ahead ({ahead}) is below twice the {workers} workers: they will wait for the "
            f"slowest; at least {2 * workers} keeps them busier."
        ]
    return []


def _in_order(problems: Sequence[Issue]) -> tuple[Issue, ...]:
    """Each issue once, file by file, from top to bottom."""
    # Dicts keep the order of the first appearance, and `sorted` keeps it within a line.
    files = list(dict.fromkeys(problem.file for problem in problems))
    unique = dict.fromkeys(problems)

    def place(problem: Issue) -> tuple[int, int]:
        file = files.index(problem.file)
        return file, problem.line

    return tuple(sorted(unique, key=place))


class _Source:
    """A config's file with its overrides: plain data, and the place of every key.

    Attributes:
        data: the file's plain data, with the overrides.
        problems: issues of the overrides themselves.
    """

    def __init__(self, document: Document, overrides: Sequence[str]) -> None:
        # A copy: overrides change it, and the document must stay what the file says.
        self.data: Any = copy.deepcopy(document.data)
        self.problems: list[Issue] = []
        self._document = document
        self._overridden: dict[KeyPath, str] = {}
        for text in overrides:
            self._override(text)

    def problem(self, path: KeyPath, message: str) -> Issue:
        """An issue at a key: of the override that set it, or of the file."""
        # The longest path first: the innermost override is the one that counts.
        for end in range(len(path), 0, -1):
            text = self._overridden.get(path[:end])
            if text is not None:
                place = _place_of(text)
                return Issue(message, key_text(path), place)
        return self._document.problem(path, message)

    def placed(self, builder: Builder) -> list[Issue]:
        """The builder's issues, each at its place."""
        found = []
        for issue in builder.issues:
            problem = self.problem(issue.path, issue.message)
            found.append(problem)
        return found

    def _override(self, text: str) -> None:
        """Apply one override, or note what is wrong with it."""
        name, equals, value = text.partition("=")
        path = tuple(name.strip().split("."))
        place = _place_of(text)
        if not equals or not all(path):
            message = "must have the form key.path=value, such as budget.trials=20."
            self.problems.append(Issue(message, file=place))
            return
        try:
            new = strict_yaml.load(value, place).data
        except InvalidYaml as error:
            # A line within the override says nothing: it has one.
            self.problems += [dataclasses.replace(problem, line=0) for problem in error.problems]
            return
        # Data of another form are reported as an issue of the file.
        if isinstance(self.data, dict):
            self._set(path, new, text)

    def _set(self, path: tuple[str, ...], new: Any, text: str) -> None:
        """Put a value at this path, with all mappings that are missing on the way."""
        node = self.data
        for i, key in enumerate(path[:-1]):
            here = path[: i + 1]
            following = path[i + 1]
            if key not in node:
                self._overridden[here] = text
            inside = _opened(node.get(key), following)
            node[key] = inside
            if not isinstance(inside, dict):
                message = (
                    f"has no keys, so that {short(following)!r} cannot be set in it. "
                    f"It is {shown(inside)}."
                )
                issue = Issue(message, key_text(here), _place_of(text))
                self.problems.append(issue)
                return
            node = inside
        if path[0] == "budget" and path[-1] in SECONDS_IN and new is not None:
            # A new limit on time takes the place of the old one, whatever its unit.
            for unit in SECONDS_IN:
                node.pop(unit, None)
        node[path[-1]] = new
        self._overridden[path] = text


def _place_of(override: str) -> str:
    """An override as the place of an issue, where a file would stand."""
    return f"{OVERRIDE} {short(override)}"


def _opened(value: Any, key: str) -> Any:
    """What an override of `key` goes into: the value, with short forms written out."""
    if value is None:
        return {}
    # `strategy: random` is short for `strategy: {random: {}}`.
    if value == key:
        return {key: {}}
    return value


def _parse(
    source: _Source, file: Path, members: PluginMembers
) -> tuple[RunConfig | None, list[Issue]]:
    """The config, with its name and with absolute paths; None if it has issues of its own."""
    data = source.data
    if not isinstance(data, dict):
        needed = "a config is a mapping that has at least space, budget, and data or evaluator"
        received = received_file(data)
        problem = source.problem((), f"{needed}. Received: {received}.")
        return None, [*source.problems, problem]
    if "strategies" in data:
        compare = command("compare", file)
        message = f"this is an experiment, which compares strategies; to run it:  {compare}"
        problem = source.problem(("strategies",), message)
        return None, [*source.problems, problem]
    if "network" in data and "budget" not in data:
        look = command("space", file)
        message = f"this is a search space, which a config names. To look at it:  {look}"
        return None, [*source.problems, source.problem(("network",), message)]
    builder = Builder(FAMILIES, members.find)
    # The file's name is the default of `run`; what the file says is stronger.
    config = parse(builder, {"run": file.stem, **data})
    problems = source.problems + source.placed(builder)
    if config is None:
        return None, problems
    problems += [source.problem(key, words) for key, words in _too_long(config).items()]
    return _with_absolute_paths(config, file), problems


def _with_absolute_paths(config: RunConfig, file: Path) -> RunConfig:
    """The config with absolute paths to data and tables."""
    data = None if config.data is None else config.data.placed(file.parent)
    evaluator = with_file(config.evaluator, partial(_absolute, file))
    return dataclasses.replace(config, data=data, evaluator=evaluator)


def _absolute(file: Path, path: str) -> str:
    """A path from the config's file, made absolute."""
    # Unlike `Path.resolve`, this does not raise for links that go round in a circle.
    return os.path.realpath(file.parent / expanded(path))


def _missing_files(source: _Source, file: Path) -> list[Issue]:
    """Data and tables that are not there, also of a config with other issues."""
    found = []
    for key in PATHS:
        path = source.data
        for word in key:
            path = path.get(word) if isinstance(path, dict) else None
        # The builder refuses what cannot be a path.
        if not isinstance(path, str) or path_problem(path):
            continue
        absolute = _absolute(file, path)
        if wrong := why_no_file(Path(absolute)):
            message = f"{wrong}. Received: {short(absolute, 200)}"
            found.append(source.problem(key, message))
    return found


def _missing_plugins(source: _Source, file: Path) -> list[Issue]:
    """Plugins that no process will find; none is imported."""
    folder = str(file.absolute().parent)
    found = []
    for module in _listed_plugins(source.data):
        # The builder refuses what cannot be the name of a module.
        if not plugin_problem(module) and not is_there(module, folder):
            found.append(source.problem(("plugins",), no_module(module, folder)))
    return found


def _space(
    source: _Source, file: Path, members: PluginMembers
) -> tuple[SearchSpace | None, list[Issue]]:
    """The search space, also of a config with other issues, and what is wrong with it.

    If the config names no space, this reports nothing, because the builder does.
    """
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
    problems: list[Issue] = []
    kind = kind_of(source.data.get("evaluator"), members.find)
    # A space without an input describes no networks, and then none is built.
    if kind.has_networks or space.input is not None:
        problems += check_space(space, _listed_plugins(source.data), str(path))
    strategy = _strategy_that_sets_epochs(source.data, members)
    if strategy and space.has_parameter("training", "epochs"):
        message = (
            f"epochs cannot be a gene under the strategy {strategy}, "
            "which says how long a network is trained."
        )
        key = ("settings", "training", "ops", "training", "epochs")
        document = strict_yaml.load(space.text, str(path))
        problems.append(document.problem(key, message))
    return space, problems


def _listed_plugins(data: Any) -> list[str]:
    """The plugins of a config that may have issues; entries that are no words are left out."""
    listed = data.get("plugins") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        return []
    return [module for module in listed if isinstance(module, str)]


def _misfits(
    config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome], source: _Source
) -> list[Issue]:
    """The settings of the strategy that do not fit this space and this budget."""
    problem = config.search_problem(space, seeds)
    found = []
    for path, message in misfits(config.strategy, problem).items():
        found.append(source.problem(path, message))
    return found


def _strategy_that_sets_epochs(data: Any, members: PluginMembers) -> str:
    """The name of the first strategy that decides itself how long each trial is trained.

    It is the config's strategy or one inside it. Empty if there is none.
    """
    for strategy in strategies_in(data):
        kind = STRATEGIES.get(strategy.name) or members.find(StrategySettings, strategy.name)
        # A sentence about a plugin has been told where the config was parsed.
        if kind is None or isinstance(kind, str):
            continue
        # The class is of the family that was asked for.
        if cast(type[StrategySettings], kind).sets_epochs:
            return strategy.name
    return ""
