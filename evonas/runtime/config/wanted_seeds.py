"""The seed genomes that a config's strategies want: from files, and from earlier runs.

They are read once, together with the config. From then on they are in the run's record, so that
a run depends on no other folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evonas.errors import EvonasError, InvalidGenome, InvalidInput, Issue, UserError
from evonas.files import expanded, is_file
from evonas.genome import Genome, SearchSpace, library, load_genome, validate
from evonas.genome.strict_yaml import KeyPath, short
from evonas.runtime.config.recorded_run import read_run
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.search.strategies.seeded import SeededSettings, earlier_name
from evonas.search.strategy import SEED_KEYS
from evonas.trial import Trial, rank


class Source(Protocol):
    """A config's plain data, and the places of its keys."""

    data: Any

    def problem(self, path: KeyPath, message: str) -> Issue:
        """An issue at a key."""


@dataclass(frozen=True)
class Written:
    """A strategy as a config has it, before it is checked.

    Attributes:
        name: name of the strategy.
        settings: plain data under the name.
        path: key path of the settings.
    """

    name: str
    settings: Mapping[str, Any]
    path: KeyPath


def strategies_in(data: Any) -> list[Written]:
    """The config's strategy, then the strategies inside it, the outer one first.

    The data may have issues: the list ends at the first strategy that cannot be read.
    """
    found: list[Written] = []
    path: KeyPath = ("strategy",)
    named = data.get("strategy") if isinstance(data, dict) else None
    while isinstance(named, dict | str):
        choice = {named: None} if isinstance(named, str) else named
        name, settings = next(iter(choice.items()), (None, None))
        if not isinstance(name, str):
            break
        path = (*path, name)
        inside = settings if isinstance(settings, dict) else {}
        found.append(Written(name, inside, path))
        named = inside.get("inner")
        path = (*path, "inner")
    return found


def find_seeds(
    space: SearchSpace | None, source: Source, file: Path
) -> tuple[dict[str, Genome], list[Issue]]:
    """The seed genomes by the names that the strategies give them, and what is wrong with them.

    Args:
        space: None if the file of the space has issues; then no genome is read.
        source: the config's plain data, with its overrides.
        file: path of the config's file; relative paths start from its folder.
    """
    seeds: dict[str, Genome] = {}
    problems: list[Issue] = []
    for strategy in strategies_in(source.data):
        for key, name in _names(strategy):
            # Without a space, the files are still looked for: a missing one is reported at once.
            try:
                path = library.find("seeds", name, file.parent)
                if space is not None:
                    seeds[name] = load_genome(path, space)
            except InvalidInput as error:
                problems += error.problems
            except UserError as error:
                problems.append(source.problem(key, str(error)))
        if space is None or strategy.name != "seeded":
            continue
        try:
            seeds |= _earlier_seeds(strategy, file, space)
        except EvonasError as error:
            problems.append(source.problem((*strategy.path, "run"), str(error)))
    return seeds, problems


def _names(strategy: Written) -> list[tuple[KeyPath, str]]:
    """The names of seed genomes in a strategy's settings, with their keys."""
    found: list[tuple[KeyPath, str]] = []
    for key in SEED_KEYS:
        listed = strategy.settings.get(key)
        if not isinstance(listed, list):
            continue
        for i, name in enumerate(listed):
            if isinstance(name, str):
                found.append(((*strategy.path, key, i), name))
    return found


def _earlier_seeds(strategy: Written, file: Path, space: SearchSpace) -> dict[str, Genome]:
    """The seeds that the strategy `seeded` takes from an earlier run; empty if it names no run.

    Raises:
        EvonasError: the run cannot be read, or has no seed for this space.
    """
    run = strategy.settings.get("run")
    count = strategy.settings.get("count", SeededSettings.count)
    # Settings of a wrong type are left to the builder, which reports them.
    if not isinstance(run, str) or not isinstance(count, int):
        return {}
    root = file.parent / expanded(run)
    if not is_file(Layout(root).record):
        raise UserError(f"there is no run at {short(str(root), 200)}.")
    return _best_of(root, run, count, space)


def _best_of(root: Path, name: str, count: int, space: SearchSpace) -> dict[str, Genome]:
    """The best genomes of a run by its own objective; the run need not be finished.

    Args:
        name: the run as the config names it, from which the seeds get their names.
        count: number of genomes, at most.

    Raises:
        UserError: there is no run, no trial succeeded, or a genome does not fit the space.
    """
    with RecordReader(Layout(root).record) as record:
        recorded = read_run(record)
    # Duplicates and repeats have the same genome: only its best trial counts.
    first: dict[str, Trial] = {}
    for trial in sorted(recorded.trials, key=rank):
        if trial.fitness is not None:
            first.setdefault(trial.genome.digest, trial)
    best = list(first.values())[:count]
    if not best:
        raise UserError(
            f"no trial of the run at {root} has succeeded, so that there is nothing to begin with."
        )
    if recorded.inputs.space_text != space.text:
        _check_fit(best, space, root)
    return {earlier_name(name, place): trial.genome for place, trial in enumerate(best, 1)}


def _check_fit(trials: list[Trial], space: SearchSpace, root: Path) -> None:
    """Check that genomes of a run in another space fit this one.

    Raises:
        UserError: one of them does not.
    """
    for trial in trials:
        try:
            validate(space, trial.genome)
        except InvalidGenome as error:
            raise UserError(
                f"the run at {root} has searched another space, and its trial {trial.id} is no"
                f" genome of {space.name}: {error.problems[0].message}"
            ) from error
