"""A first config for somebody's data: what is there, what suits it, and what it will take.

Each value is written out with its reason beside it, so that the file explains itself.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from evonas.data.prepared import Prepared
from evonas.errors import InvalidConfig
from evonas.evaluate.local.limit_check import is_within
from evonas.memory import Memory
from evonas.processors import processors
from evonas.runtime.config.config_file import LoadedConfig, load_config
from evonas.runtime.config.left_out import FEWEST_TRIALS, founders_for
from evonas.runtime.config.plain_yaml import as_yaml, in_line
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.expectation import (
    Expectation,
    expected,
    rounded_up,
    seconds_for,
    times_in_words,
)
from evonas.runtime.planning import ends_of, laid_out, probe_some
from evonas.runtime.pools import PoolFactory, open_pool
from evonas.runtime.probe import Probe
from evonas.runtime.survey import NAMES, Survey, survey
from evonas.search.strategies.guided import GuidedSettings
from evonas.words import counted, listed, size

MINUTES = 10
"""The budget that is written, if it does for a search."""
MEASURED = 60
"""Networks that are measured for the limits."""
MOST_WORKERS = 8
"""Workers that are written at most: more are a choice of the user's."""
WORKER = 2**30
"""Bytes that a worker with TensorFlow and a small network may need."""
COPIES = 16
"""Bytes of memory for a parameter: weight, gradient and two moments of the optimizer, 4 each."""
WIDTH = 100


@dataclass(frozen=True)
class FirstConfig:
    """A config that can be written.

    Attributes:
        text: the file, with comments.
        notes: what was found, a sentence each.
        expected: what the run will take; None if nothing was trained.
    """

    text: str
    notes: Sequence[str]
    expected: Expectation | None


def first_config(
    data: Mapping[str, Any],
    file: Path,
    shown_data: Mapping[str, Any],
    with_trainings: bool = True,
    pool_factory: PoolFactory = open_pool,
) -> FirstConfig:
    """Look at data, and write a config for them.

    Args:
        data: the section `data`, with an absolute path.
        file: where the config is going to be.
        shown_data: the same section as the config has it.
        with_trainings: whether networks are trained, to say what the budget is worth.

    Raises:
        InvalidConfig, InvalidData: the data cannot be used.
    """
    workers = workers_of(processors(), Memory().free().bytes)
    budget: dict[str, float] = {"minutes": MINUTES}
    draft = {"data": dict(data), "budget": budget, "pool": {"local": {"workers": workers}}}
    loaded = _loaded(draft)
    with laid_out(loaded) as (root, prepared, seconds):
        interface = ends_of(prepared)
        seen = survey(loaded, interface, MEASURED)
        limits = limits_of(seen, Memory().free().bytes, workers)
        draft["limits"] = limits
        loaded = _loaded(draft)
        seen = replace(seen, limits=limits)
        probed = None
        found = None
        if with_trainings:
            probed = probe_some(loaded, root, interface, seen, seconds, pool_factory)
        if probed is not None:
            found = expected(loaded.config, probed)
            if found.trainings < FEWEST_TRIALS:
                budget["minutes"] = minutes_for(loaded.config, probed)
                loaded = _loaded(draft)
                found = expected(loaded.config, probed)
    text = _text(file, shown_data, loaded, prepared, seen, probed, found)
    return FirstConfig(text, (*loaded.warnings, *prepared.notes), found)


def workers_of(processors: int, memory: int) -> int:
    """Workers that a machine has room for.

    Args:
        processors: number of processors that this process may use.
        memory: bytes of free memory.
    """
    return max(1, min(processors, memory // WORKER, MOST_WORKERS))


def limits_of(seen: Survey, memory: int, workers: int) -> dict[str, int]:
    """Limits that let through nine of ten random networks and all founders, if memory allows."""
    found = {}
    for name in NAMES:
        spread = seen.spread(name)
        if not spread:
            continue
        seeds = [one[name] for one in seen.seeds if one is not None]
        found[name] = rounded_up(max(spread[3], *seeds, 1))
    if "parameters" in found:
        found["parameters"] = min(found["parameters"], memory // workers // COPIES)
    return found


def minutes_for(config: RunConfig, probed: Probe) -> int:
    """Minutes that do for the fewest trainings that are a search."""
    seconds = seconds_for(probed, FEWEST_TRIALS)
    # A little more than that: the trainings of a search differ from those that were tried.
    return math.ceil(1.1 * seconds / 60)


def _loaded(draft: Mapping[str, Any]) -> LoadedConfig:
    """A draft, read like any config.

    Raises:
        InvalidConfig: the data cannot be used so. The draft is not named: nobody can open it.
    """
    with tempfile.TemporaryDirectory(prefix="evonas-init-") as folder:
        path = Path(folder) / "draft.yaml"
        path.write_text(as_yaml(draft), encoding="utf-8")
        try:
            return load_config(path)
        except InvalidConfig as error:
            issues = [
                replace(one, file="", line=0) if one.file == str(path) else one
                for one in error.problems
            ]
            raise InvalidConfig(issues) from error


def _text(
    file: Path,
    data: Mapping[str, Any],
    loaded: LoadedConfig,
    prepared: Prepared,
    seen: Survey,
    probed: Probe | None,
    found: Expectation | None,
) -> str:
    """The file, line by line."""
    config = loaded.config
    training = config.training
    interface = prepared.interface
    assert config.data is not None
    assert interface is not None
    reason, _, about_folds = loaded.chosen.partition("; ")
    section = {**data, "task": interface.task}
    task = prepared.guess or "as the data say"
    counts = [f"{count:,} for {part}" for part, count in prepared.counts.items()]
    if config.folds is not None:
        section["folds"] = config.folds
    size_reason = f"for about {counted(found.trainings, 'training')}" if found else "as usual"
    initial = GuidedSettings.initial
    if found is not None:
        initial = founders_for(found.trainings)
    lines = [
        "# Written by `evonas init`. Every value may be changed; what is left out has a default.",
        f"# What is wrong with it:  evonas check {quote(file.name)}",
        f"# What it will take:      evonas plan {quote(file.name)}",
        f"# The search:             evonas run {quote(file.name)}",
        "",
        *_remark(reason),
        in_line({"space": config.space}),
        "",
        *_remark(f"task: {task}"),
        *_remark(f"samples: {listed(counts)}" + (f"; {about_folds}" if about_folds else "")),
        f"data: {{{in_line(section)}}}",
        "",
        *_remark(f"{initial} founders {size_reason}; the first are good genomes of the space"),
        f"strategy: {{evolution: {{initial: {initial}}}}}",
        "",
        *_remark(_about_epochs(loaded)),
        f"training: {{epochs: {training.epochs}, patience: {training.patience}}}",
        "",
        *_remark(_about_budget(config.budget.minutes or 0, probed, found)),
        in_line({"budget": {"minutes": int(config.budget.minutes or 0)}}),
        "",
        *_remark(_about_limits(seen)),
        in_line({"limits": config.limits.of_size()}),
        "",
        *_remark(
            f"processes that train at once, on {counted(processors(), 'processor')} with"
            f" {size(Memory().free().bytes)} of free memory"
        ),
        in_line({"pool": {"local": {"workers": config.pool.workers}}}),
    ]
    return "\n".join(lines) + "\n"


def _about_epochs(loaded: LoadedConfig) -> str:
    """Why trainings are as long as they are."""
    training = loaded.config.training
    why = [one for one in loaded.followed if one.startswith("training.epochs")]
    reason = why[0].partition(", ")[2] if why else "as usual"
    return (
        f"{training.epochs} epochs at most, {reason}; less after {training.patience} without gain"
    )


def _about_budget(minutes: float, probed: Probe | None, found: Expectation | None) -> str:
    if probed is None or found is None:
        return "nothing was tried; `evonas plan` says how many trainings that is"
    words = f"time for about {counted(found.trainings, 'training')}: of those that were tried,"
    words += f" {probed.in_words()}, with {counted(probed.workers, 'worker')}"
    if minutes > MINUTES:
        words += f"; in {MINUTES} minutes there would be too few for a search"
    return f"{words}, and {times_in_words(probed.start + probed.end)} go to start and export"


def _about_limits(seen: Survey) -> str:
    """How many networks are within the limits, counted."""
    drawn = f"{seen.valid} of {counted(len(seen.sizes), 'random network')}"
    founders = sum(is_within(size, seen.limits) for size in seen.seeds)
    of_founders = f", and {founders} of {counted(len(seen.seeds), 'founder')}" if seen.seeds else ""
    return f"within these limits are {drawn}{of_founders}"


def _remark(words: str) -> list[str]:
    """A comment, in lines that are not too long."""
    import textwrap

    # A line break in a name would end the comment.
    plain = " ".join(words.split())
    return textwrap.wrap(
        plain,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
