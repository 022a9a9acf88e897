"""Reading a run's config with everything that it names, and reporting all issues at once.

The config's file, the overrides of the command line, the search space and the seed genomes are
checked together, so that a user can fix everything in one go. Nothing is trained, no data are read.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from evonas.data.prepared import DataSettings
from evonas.data.reading import ReadAhead
from evonas.errors import InvalidConfig, InvalidInput, InvalidYaml, Issue, UserError
from evonas.evaluate.contract.importing import is_there
from evonas.evaluate.local.plugin_check import no_module
from evonas.files import expanded, is_folder, why_no_file
from evonas.genome import Genome, SearchSpace, library, load_space, strict_yaml
from evonas.genome.strict_yaml import KeyPath, short
from evonas.invocation import command
from evonas.model.space_check import check_space
from evonas.runtime.config import evaluator_config
from evonas.runtime.config.auto_space import AUTO
from evonas.runtime.config.chosen_by_data import Chosen, leave_space_to_data, with_space
from evonas.runtime.config.config_source import ConfigSource
from evonas.runtime.config.config_warnings import warnings
from evonas.runtime.config.evaluator_config import file_keys, kind_of, with_file
from evonas.runtime.config.left_out import Followed, completed, with_look_ahead
from evonas.runtime.config.plugin_members import PluginMembers, is_member_name, misspelt
from evonas.runtime.config.recorded_config import members_of, times_too_long
from evonas.runtime.config.run_config import FAMILIES, RunConfig, parse, plugin_problem
from evonas.runtime.config.settings import Builder, received_file
from evonas.runtime.config.space_founders import Founders, founders_of, settled
from evonas.runtime.config.strategy_config import (
    misfits,
)
from evonas.runtime.config.wanted_seeds import find_seeds, strategies_in
from evonas.search.registry import STRATEGIES
from evonas.search.strategy import StrategySettings
from evonas.settings import path_problem

PATHS = (
    ("data", "path"),
    ("data", "test_path"),
    ("data", "source", "npz", "path"),
    ("data", "source", "table", "path"),
    ("data", "source", "table", "test_path"),
    *file_keys(),
)
"""The keys that name a file."""

FOLDERS = (("data", "path"),)
"""Those that may name a folder as well."""


@dataclass(frozen=True)
class LoadedConfig:
    """A config that can be run, and what it names.

    Attributes:
        config: the config with every default; a path to data is absolute.
        file: path of the config's file.
        space: the search space.
        seeds: name -> seed genome.
        warnings: sentences for the user; the run can start all the same.
        founders: names of the seeds that came in by themselves, because the space has them.
        chosen: why the data have chosen the space, in one sentence; empty if the config names it.
        followed: what the config leaves out and its budget or its data decide, a sentence each.
        ahead: the data, if they were read to choose the space. Whoever prepares them takes them.
    """

    config: RunConfig
    file: Path
    space: SearchSpace
    seeds: Mapping[str, Genome]
    warnings: tuple[str, ...] = ()
    founders: tuple[str, ...] = ()
    chosen: str = ""
    followed: tuple[str, ...] = ()
    ahead: ReadAhead | None = field(default=None, compare=False, repr=False)

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
        return data.settings(kind, self.ahead)


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


def load_config(
    path_or_name: str | Path,
    overrides: Sequence[str] = (),
    founders: int | None = None,
    is_compared: bool = False,
) -> LoadedConfig:
    """Read a config.

    Args:
        path_or_name: path, or name of a shipped config.
        overrides: texts of the form `key.path=value`; the value is read as YAML.
        founders: the most founders of the space that come in by themselves; None for as many as
            the strategy has places for.
        is_compared: whether it is a run of an experiment. Then nothing follows from the budget:
            strategies are compared as they are, with trainings of one length.

    Raises:
        UserError: there is no such config.
        InvalidConfig: all issues of the config, of its space and of its seed genomes.
    """
    checked = check(path_or_name, overrides, founders, is_compared)
    if checked.loaded is None:
        raise InvalidConfig(checked.problems)
    return checked.loaded


def check(
    path_or_name: str | Path,
    overrides: Sequence[str] = (),
    founders: int | None = None,
    is_compared: bool = False,
) -> Checked:
    """The config, or everything that is wrong with it; data are read for `space: auto` only.

    Args:
        founders, is_compared: see `load_config`.

    Raises:
        UserError: there is no such config.
    """
    file = library.find("configs", str(path_or_name), None)
    try:
        source = ConfigSource(strict_yaml.load_file(file), overrides)
    except InvalidYaml as error:
        return Checked(None, error.problems)
    # Each step goes on after issues of the steps before, so that all are reported together.
    leave_space_to_data(source.data)
    members = members_of(_listed_plugins(source.data), file)
    config, problems = _parse(source, file, members)
    problems += _missing_files(source, file)
    by_data: Chosen | None = None
    if config is not None and config.space == AUTO and not problems:
        by_data = with_space(config, source)
        config = by_data.config
        problems = list(by_data.problems)
    space, space_problems = _space(source, file, members)
    seeds, seed_problems = find_seeds(space, source, file)
    problems = [one for one in problems if not _is_of_misspelt_plugin(one, source, file)]
    problems += space_problems
    problems += seed_problems
    came = Founders()
    followed: tuple[Followed, ...] = ()
    if config is not None and space is not None and not problems:
        if not is_compared:
            samples = None if by_data is None else by_data.samples
            config, followed = completed(config, source.data, space, samples)
        config, look_ahead = with_look_ahead(config, source.data)
        followed += look_ahead
        if founders != 0:
            came = founders_of(space, config.strategy, config.budget.trials, founders)
        names = tuple(came.genomes)
        config = dataclasses.replace(config, strategy=settled(config.strategy, names))
        seeds |= came.genomes
        problems += _misfits(config, space, seeds, source)
    if config is None or space is None or problems:
        # Plugins are imported only for a config that is right so far.
        problems += _missing_plugins(source, file)
        return Checked(None, _in_order(problems))
    chosen = "" if by_data is None else by_data.why
    # The runs of an experiment are loaded together: their arrays would fill the memory.
    ahead = None if by_data is None or is_compared else by_data.ahead
    notes = [chosen] if chosen else []
    notes += [one.sentence for one in followed if not one.is_usual]
    notes += [*came.left_out, *warnings(config, space)]
    sentences = tuple(one.sentence for one in followed)
    names = tuple(came.genomes)
    loaded = LoadedConfig(config, file, space, seeds, tuple(notes), names, chosen, sentences, ahead)
    return Checked(loaded, ())


def _is_of_misspelt_plugin(issue: Issue, source: ConfigSource, file: Path) -> bool:
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


def _in_order(problems: Sequence[Issue]) -> tuple[Issue, ...]:
    """Each issue once, file by file, from top to bottom."""
    # Dicts keep the order of the first appearance, and `sorted` keeps it within a line.
    files = list(dict.fromkeys(problem.file for problem in problems))
    unique = dict.fromkeys(problems)

    def place(problem: Issue) -> tuple[int, int]:
        file = files.index(problem.file)
        return file, problem.line

    return tuple(sorted(unique, key=place))


def _parse(
    source: ConfigSource, file: Path, members: PluginMembers
) -> tuple[RunConfig | None, list[Issue]]:
    """The config, with its name and with absolute paths; None if it has issues of its own."""
    data = source.data
    if not isinstance(data, dict):
        needed = "a config is a mapping that has at least budget, and data or evaluator"
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
    problems += [source.problem(key, words) for key, words in times_too_long(config).items()]
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


def _missing_files(source: ConfigSource, file: Path) -> list[Issue]:
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
        wrong = why_no_file(Path(absolute))
        if wrong and not (key in FOLDERS and is_folder(Path(absolute))):
            message = f"{wrong}. Received: {short(absolute, 200)}"
            found.append(source.problem(key, message))
    return found


def _missing_plugins(source: ConfigSource, file: Path) -> list[Issue]:
    """Plugins that no process will find; none is imported."""
    folder = str(file.absolute().parent)
    found = []
    for module in _listed_plugins(source.data):
        # The builder refuses what cannot be the name of a module.
        if not plugin_problem(module) and not is_there(module, folder):
            found.append(source.problem(("plugins",), no_module(module, folder)))
    return found


def _space(
    source: ConfigSource, file: Path, members: PluginMembers
) -> tuple[SearchSpace | None, list[Issue]]:
    """The search space, also of a config with other issues, and what is wrong with it.

    If the config names no space, this reports nothing, because the builder does.
    """
    name = source.data.get("space") if isinstance(source.data, dict) else None
    # Without good data, nothing can be chosen.
    if not isinstance(name, str) or name == AUTO:
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
    config: RunConfig, space: SearchSpace, seeds: Mapping[str, Genome], source: ConfigSource
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
