"""A config from the record: with overrides, or with what its plugins have."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from evonas.errors import InvalidConfig, Issue
from evonas.evaluate.contract.evaluator import Evaluator
from evonas.evaluate.contract.pool import PoolSettings
from evonas.genome.strict_yaml import Document, KeyPath, key_text
from evonas.runtime.config import evaluator_config, pool_config
from evonas.runtime.config.config_source import ConfigSource
from evonas.runtime.config.data_config import DataConfig
from evonas.runtime.config.families import AsWritten
from evonas.runtime.config.limits_config import too_long
from evonas.runtime.config.plugin_members import PluginMembers
from evonas.runtime.config.run_config import FAMILIES, RunConfig, parse
from evonas.runtime.config.settings import FAILED, Builder
from evonas.runtime.config.strategy_config import (
    SECTION,
)
from evonas.search.strategy import StrategySettings
from evonas.settings import Settings

M = TypeVar("M", bound=Settings)


def overridden(config: RunConfig, overrides: Sequence[str]) -> tuple[RunConfig | None, list[Issue]]:
    """A config from the record with overrides, or None, and all that is wrong.

    Paths are left as they are, because those in the record are absolute.
    """
    document = Document(config.to_json(), "the recorded config")
    source = ConfigSource(document, overrides)
    builder = Builder(FAMILIES)
    changed = parse(builder, source.data)
    problems = source.problems + source.placed(builder)
    if changed is not None:
        # Not those that an older evonas has recorded.
        known = times_too_long(config)
        new = {key: words for key, words in times_too_long(changed).items() if key not in known}
        problems += [source.problem(key, words) for key, words in new.items()]
    if problems:
        return None, problems
    return changed, []


def times_too_long(config: RunConfig) -> dict[KeyPath, str]:
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
