"""The seed genomes that a config's strategies want: from files, and from earlier runs.

They are read once, when the config is; from then on they live in the run's record, which depends on no other folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evonas.errors import EvonasError, InvalidGenome, InvalidInput, Issue, UserError
from evonas.genome import Genome, SearchSpace, library, load_genome, validate
from evonas.genome.strict_yaml import KeyPath
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.search.strategies.seeded import SeededSettings, earlier_name
from evonas.trial import Trial, rank


class Source(Protocol):
    """A config's plain data, and where its keys are."""

    data: Any

    def problem(self, path: KeyPath, message: str) -> Issue:
        """A problem at a key."""


@dataclass(frozen=True)
class Written:
    """A strategy as a config has it, before it is checked.

    Attributes:
        path: of its settings' keys.
    """

    name: str
    settings: Mapping[str, Any]
    path: KeyPath


def strategies_in(data: Any) -> list[Written]:
    """The config's strategy, then the ones that it wraps, the outer first; also of a config with problems."""
    found: list[Written] = []
    path: KeyPath = ("strategy",)
    named = data.get("strategy") if isinstance(data, dict) else None
    while isinstance(named, dict | str):
        choice = {named: None} if isinstance(named, str) else named
        name, settings = next(iter(choice.items()), (None, None))
        if not isinstance(name, str):
            break
        inside = settings if isinstance(settings, dict) else {}
        found.append(Written(name, inside, (*path, name)))
        named, path = inside.get("inner"), (*path, name, "inner")
    return found


def find_seeds(
    space: SearchSpace | None, source: Source, file: Path
) -> tuple[dict[str, Genome], list[Issue]]:
    """The seeds by the names that the strategies call them, and what is wrong with them.

    Args:
        space: None where it is not known, for its file has problems.
        file: the config's; relative paths start from its folder.
    """
    seeds: dict[str, Genome] = {}
    problems: list[Issue] = []
    for strategy in strategies_in(source.data):
        for key, name in _names(strategy):
            try:
                path = library.find("seeds", name, file.parent)
                if space is not None:
                    seeds[name] = load_genome(path, space)
            except InvalidInput as error:
                problems += error.problems
            except UserError as error:
                problems.append(source.problem(key, str(error)))
        run, count = (
            strategy.settings.get("run"),
            strategy.settings.get("count", SeededSettings.count),
        )
        if (
            strategy.name == "seeded"
            and isinstance(run, str)
            and isinstance(count, int)
            and space is not None
        ):
            try:
                seeds |= _best_of(file.parent / Path(run).expanduser(), run, count, space)
            except EvonasError as error:
                problems.append(source.problem((*strategy.path, "run"), str(error)))
    return seeds, problems


def _names(strategy: Written) -> list[tuple[KeyPath, str]]:
    """The names of seed genomes in a strategy's settings, with their keys."""
    found: list[tuple[KeyPath, str]] = []
    for key in ("seeds", "genomes"):
        listed = strategy.settings.get(key)
        for i, name in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(name, str):
                found.append(((*strategy.path, key, i), name))
    return found


def _best_of(root: Path, name: str, count: int, space: SearchSpace) -> dict[str, Genome]:
    """The best genomes of a run by its own objective, as far as it has come.

    Raises:
        UserError: there is no run, none of its trials succeeded, or one of these genomes is none of this space.
    """
    with RecordReader(Layout(root).record) as record:
        objective = RunConfig.from_json(record.meta("config")).to_objective()
        trials = record.trials(objective)
        is_same = record.meta("space") == space.text
    first: dict[str, Trial] = {}
    for trial in sorted(trials, key=rank):
        if trial.fitness is not None:
            first.setdefault(trial.genome.digest, trial)
    best = list(first.values())[:count]
    if not best:
        raise UserError(
            f"no trial of the run at {root} has succeeded, so that there is nothing to begin with."
        )
    for trial in best if not is_same else ():
        try:
            validate(space, trial.genome)
        except InvalidGenome as error:
            searched = f"the run at {root} has searched another space, and its trial {trial.id} is no genome of"
            raise UserError(f"{searched} {space.name}: {error.problems[0].message}") from error
    return {earlier_name(name, place): trial.genome for place, trial in enumerate(best, 1)}
