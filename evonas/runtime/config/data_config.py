"""The section `data` of a config: what networks are trained and judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt

from evonas.data.arrays import Arrays
from evonas.data.prepared import DataSettings
from evonas.data.sources import SHIPPED, SOURCES, Npz, Source
from evonas.data.splits import SPLITS, Parts, Samples, Shares, Split
from evonas.errors import did_you_mean
from evonas.learning.tasks import TASKS
from evonas.memory import Memory
from evonas.runtime.config.families import AsWritten, Families, name_of
from evonas.runtime.config.plugin_members import as_written
from evonas.settings import Check, Settings, path_problem
from evonas.words import listed, shown

SECTION = "data"

DATA_FAMILIES: Families = {Source: SOURCES, Split: SPLITS}

Fraction = Annotated[float, Gt(0), Lt(1)]


def _data_set_problem(name: str | None) -> str:
    """Why this is no shipped data set; empty if it is one, or if none is named."""
    if name is None or name in SHIPPED:
        return ""
    known = sorted(SHIPPED)
    allowed = f"Allowed: {', '.join(known)}; an .npz file goes under `path`."
    hint = did_you_mean(name, known)
    return f"unknown data set. {allowed} Received: {shown(name)}.{hint}"


def _task_problem(name: str | None) -> str:
    """Why this is no task; empty if it is one, or if none is named."""
    if name is None or name in TASKS:
        return ""
    allowed = " or ".join(TASKS)
    return f"must be {allowed}, or null. Received: {shown(name)}.{did_you_mean(name, list(TASKS))}"


@dataclass(frozen=True)
class DataConfig(Settings):
    """The section `data`: what networks are trained and judged on.

    Attributes:
        name: name of a shipped data set, short for `source: NAME`. Exactly one of `name`, `path`
            and `source` is given.
        path: path of an `.npz` file, short for `source: {npz: {path: ...}}`. The file has `x`, `y`
            and perhaps `x_val`, `y_val`, `x_test`, `y_test`. In a config's file it is relative to
            that file.
        source: where samples come from, by name or as `package.module:Name`.
        task: `classification` or `regression`; null to guess from the targets.
        split: how samples are split, by name or as `package.module:Name`. null for `stratified`,
            and for `random` if the targets are quantities.
        split_seed: seed of the split alone. Runs with another `seed` have the same test data.
        validation: fraction of all samples that fitness is measured on. It has no effect if the
            source gives `x_val`.
        test: fraction of all samples that only the winner is measured on. It has no effect if the
            source gives `x_test`.
    """

    name: Annotated[str | None, Check(_data_set_problem)] = None
    path: Annotated[str | None, Check(path_problem)] = None
    source: Source | None = None
    task: Annotated[str | None, Check(_task_problem)] = None
    split: Split | None = None
    split_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    validation: Fraction = 0.2
    test: Fraction = 0.2

    def problems(self) -> dict[str, str]:
        found = {}
        ways = {"name": self.name, "path": self.path, "source": self.source}
        given = [key for key, value in ways.items() if value is not None]
        if len(given) != 1:
            received = listed(given) or "none of them"
            found["name"] = f"exactly one of name, path and source is needed. Received: {received}."
        if self.validation + self.test >= 1:
            found["validation"] = (
                "validation and test must leave samples to train on: below 1 together. "
                f"Received: {self.validation} and {self.test}."
            )
        return found

    def any_source(self) -> Source:
        """Where samples come from, whichever word has named it."""
        if self.name is not None:
            return SHIPPED[self.name]()
        if self.path is not None:
            return Npz(self.path)
        assert self.source is not None, "exactly one of them is given"
        return self.source

    @property
    def origin(self) -> str:
        """The source as the user knows it: a path or a name."""
        source = self.any_source()
        if isinstance(source, Npz):
            return source.path
        return name_of(source, DATA_FAMILIES) or ""

    def placed(self, folder: Path) -> DataConfig:
        """The same with absolute paths.

        Args:
            folder: folder of the config's file.
        """
        placed = self.any_source().placed(folder)
        # Whoever writes `path` finds `path` in the record.
        if self.path is not None and isinstance(placed, Npz):
            return replace(self, path=placed.path)
        return self if self.source is None else replace(self, source=placed)

    def settings(self, kind: str) -> DataSettings:
        """What `prepare` needs; the kind of input comes from the space."""
        shares = Shares(self.split_seed, self.validation, self.test)
        return DataSettings(kind, self.any_source(), self.task, shares, self.split)


@dataclass(frozen=True)
class SourceAsWritten(AsWritten, Source):
    """A source of a plugin in a recorded config. `opened_data` of `recorded_config.py` makes it."""

    def read(self, memory: Memory) -> Arrays:
        raise AssertionError(f"the source {self.name} was not opened")

    def mark(self) -> Mapping[str, str]:
        raise AssertionError(f"the source {self.name} was not opened")


@dataclass(frozen=True)
class SplitAsWritten(AsWritten, Split):
    """A split of a plugin in a recorded config."""

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        raise AssertionError(f"the split {self.name} was not opened")


def as_written_data(data: Any) -> Any:
    """The plain data of the section, with what plugins have in it kept as it is."""
    if not isinstance(data, dict):
        return data
    kept = dict(data)
    kinds: dict[str, type[AsWritten]] = {"source": SourceAsWritten, "split": SplitAsWritten}
    for key, kind in kinds.items():
        if key in data:
            kept[key] = as_written(data[key], kind)
    return kept
