"""The section `evaluator` of a config: what judges genomes. Without it, trainings by Keras do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from evonas.evaluate.contract.evaluator import Evaluator, silent
from evonas.evaluate.contract.protocol import Alive, RunJob, Setup
from evonas.evaluate.evaluators.registry import DEFAULT, EVALUATORS
from evonas.genome.strict_yaml import KeyPath, key_text
from evonas.runtime.config.families import AsWritten, Finder, name_of
from evonas.runtime.config.plugin_members import is_member_name

SECTION = "evaluator"


@dataclass(frozen=True)
class EvaluatorAsWritten(AsWritten, Evaluator):
    """An evaluator of a plugin, of which a recorded config has the name and the settings.

    `opened_for_jobs` of `recorded_config.py` makes the evaluator of it, for a session.
    """

    # Nothing is known of it here, so nothing is refused. It was checked when it was recorded.
    needs_data = None
    tells_epochs = True

    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        raise AssertionError(f"the evaluator {self.name} was not opened")

    @property
    def in_words(self) -> str:
        return self.name


def kind_of(written: Any, find: Finder | None) -> type[Evaluator]:
    """The class of an evaluator in a config's plain data, which may be wrong.

    Args:
        written: what stands under the key; None if nothing does.
        find: finds the classes of plugins; None if there are none.
    """
    if written is None:
        return type(DEFAULT)
    if isinstance(written, str):
        written = {written: None}
    name = None
    if isinstance(written, Mapping) and len(written) == 1:
        (name,) = written
    found: Any = EVALUATORS.get(cast(str, name))
    if found is None and is_member_name(name):
        found = EvaluatorAsWritten if find is None else find(Evaluator, cast(str, name))
    # Of one that nobody knows, nothing is known.
    return found if isinstance(found, type) else Evaluator


def setting(evaluator: Evaluator, name: str = "") -> str:
    """The key of one of an evaluator's settings, `evaluator.table.path`; or of all together."""
    path = (SECTION, name_of(evaluator, {Evaluator: EVALUATORS}) or "", name)
    return ".".join(filter(None, path))


def file_keys() -> list[KeyPath]:
    """The keys that hold the path of an evaluator's file, of all evaluators."""
    found: list[KeyPath] = []
    for name, kind in EVALUATORS.items():
        if kind.file:
            found.append((SECTION, name, kind.file))
    return found


def file_key(evaluator: Evaluator) -> str:
    """The key that holds the path of its file; empty if it has none."""
    return setting(evaluator, evaluator.file) if evaluator.file else ""


def file_of(evaluator: Evaluator) -> Path | None:
    """Its file, or None."""
    if not evaluator.file:
        return None
    return Path(dataclasses.asdict(evaluator)[evaluator.file])


def with_file(evaluator: Evaluator, absolute: Callable[[str], str]) -> Evaluator:
    """The evaluator with another path to its file; itself if it has none.

    Args:
        absolute: gives the other path.
    """
    file = file_of(evaluator)
    if file is None:
        return evaluator
    return dataclasses.replace(evaluator, **{evaluator.file: absolute(str(file))})


def is_file_key(key: str) -> bool:
    """Whether this key holds the path of an evaluator's file."""
    return key in [key_text(path) for path in file_keys()]
