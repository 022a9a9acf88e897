"""The section `data` of a config: what networks are trained and judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt

from evonas.data.arrays import Arrays
from evonas.data.folding import FOLDABLE, folds_of
from evonas.data.prepared import DataSettings
from evonas.data.reading import ReadAhead
from evonas.data.sources import (
    SHIPPED,
    SOURCES,
    ByPath,
    KerasSet,
    Pixels,
    PythonFunction,
    Source,
    Table,
    channels_problem,
    size_problem,
)
from evonas.data.sources.keras_set import FILES as KERAS_SETS
from evonas.data.sources.keras_set import PREFIX
from evonas.data.sources.path_source import PathSource
from evonas.data.sources.python_function import function_problem
from evonas.data.splits import SPLITS, Parts, Samples, Shares, Split
from evonas.data.splits.chronological import Chronological
from evonas.data.splits.grouped import Grouped
from evonas.data.tables.endings import is_table
from evonas.data.tables.schema import Kind
from evonas.data.windows import Horizon
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.learning.tasks import TASKS
from evonas.memory import Memory
from evonas.runtime.config.families import AsWritten, Families, name_of
from evonas.runtime.config.plugin_members import as_written
from evonas.settings import Check, Settings, path_problem
from evonas.words import listed, shown

SECTION = "data"
FORECASTING = "forecasting"

OF_TABLES = ("columns", "text", "gaps", "sample_weight", "sequence", "order")
OF_PICTURES = ("size", "channels")
"""The keys that say something of what lies at `path`, beside `target`."""

DATA_FAMILIES: Families = {Source: SOURCES, Split: SPLITS}

Fraction = Annotated[float, Gt(0), Lt(1)]

_NO_COLUMNS = "names no column: this source has an array of that kind, without a name of its own."

DEFAULT_SHARE = 0.2
"""The share of the validation and of the test, if a config does not say it."""


def shipped_data_sets() -> list[str]:
    """The names that `data: {name: ...}` may have."""
    return [*sorted(SHIPPED), *(f"{PREFIX}{one}" for one in KERAS_SETS)]


def _data_set_problem(name: str | None) -> str:
    """Why this is no shipped data set; empty if it is one, or if none is named."""
    known = shipped_data_sets()
    if name is None or name in known:
        return ""
    allowed = f"Allowed: {', '.join(known)}; a file or a folder goes under `path`."
    hint = did_you_mean(name, known)
    return f"unknown data set. {allowed} Received: {shown(name)}.{hint}"


def _task_problem(name: str | None) -> str:
    """Why this is no task; empty if it is one, or if none is named."""
    if name is None or name in TASKS:
        return ""
    allowed = ", ".join(TASKS)
    return f"must be {allowed} or null. Received: {shown(name)}.{did_you_mean(name, list(TASKS))}"


@dataclass(frozen=True)
class DataConfig(Settings):
    """The section `data`: what networks are trained and judged on.

    Attributes:
        name: name of a shipped data set, short for `source: NAME`, or one of Keras's, such as
            `keras/mnist`. Exactly one of `name`, `path`, `python` and `source` is given.
        path: path of a file or folder. What is there is found by its content: `evonas check` says
            it. In a config's file it is relative to that file.
        python: function that gives the data, as `package.module:function`. Its module is among the
            plugins. It is called in a process of its own.
        source: where samples come from, by name or as `package.module:Name`.
        target: name of the column to be predicted, or a list of names; or name of the file beside
            `path` that holds the targets.
        columns: what columns of a table hold, where it is not to be inferred: number, category,
            boolean, date, text or ignore.
        text: column of a table that alone is the input, for spaces that take texts.
        gaps: words in a table that mean that a value is missing, beside the usual ones.
        sample_weight: column of a table that tells what a row counts, a number of at least 0.
        sequence: column of ids in a long table, a row a step: the rows of one id are a sequence.
        order: column by which the steps of a sequence are sorted; null for the order of the rows.
        test_path: path of another table with the same columns as the one at `path`, which is the
            test part. In a config's file it is relative to that file.
        size: height and width to which pictures are resized; null to keep those of one size, and to
            choose for those of different sizes.
        channels: channels of pictures: 1 grey, 3 colour, 4 colour and opacity; null for what they
            have.
        task: `classification`, `multilabel`, `regression` or `forecasting`; null to guess one of
            the first three from the targets.
        split: how samples are split, by name or as `package.module:Name`. null for `stratified`,
            and for `random` if the targets are quantities.
        group: name of the column that says what samples have in common, short for `split: grouped`.
            Of an `.npz` file it is the array `groups`.
        time: name of the column that says when each sample was taken, short for
            `split: chronological`. Of an `.npz` file it is the array `time`.
        folds: number of parts that take turns at validation. Fitness is then the mean over them,
            and the winner is trained again on all of them. null for one part for validation.
        split_seed: seed of the split alone. Runs with another `seed` have the same test data.
        validation: fraction of all samples that fitness is measured on. It has no effect if the
            source gives `x_val`. With `folds`, it is 1 / folds.
        test: fraction of all samples that only the winner is measured on. It has no effect if the
            source gives `x_test`.
        window: number of rows of the past that a forecast sees. Only for `task: forecasting`.
        steps: number of rows that it forecasts; null for 1. Only for `task: forecasting`.
    """

    name: Annotated[str | None, Check(_data_set_problem)] = None
    path: Annotated[str | None, Check(path_problem)] = None
    python: Annotated[str | None, Check(function_problem)] = None
    source: Source | None = None
    target: str | tuple[str, ...] | None = None
    columns: Mapping[str, Kind] | None = None
    text: str | None = None
    gaps: tuple[str, ...] | None = None
    sample_weight: str | None = None
    sequence: str | None = None
    order: str | None = None
    test_path: Annotated[str | None, Check(path_problem)] = None
    size: Annotated[tuple[Pixels, ...] | None, Check(size_problem)] = None
    channels: Annotated[int | None, Check(channels_problem)] = None
    task: Annotated[str | None, Check(_task_problem)] = None
    split: Split | None = None
    group: str | None = None
    time: str | None = None
    folds: Annotated[int, Ge(2)] | None = None
    split_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    validation: Fraction = DEFAULT_SHARE
    test: Fraction = DEFAULT_SHARE
    window: Annotated[int, Ge(1)] | None = None
    steps: Annotated[int, Ge(1)] | None = None

    def problems(self) -> dict[str, str]:
        found = {}
        ways = {
            "name": self.name,
            "path": self.path,
            "python": self.python,
            "source": self.source,
        }
        given = [key for key, value in ways.items() if value is not None]
        if len(given) != 1:
            received = listed(given) or "none of them"
            wanted = "exactly one of name, path, python and source is needed"
            found["name"] = f"{wanted}. Received: {received}."
        else:
            found |= self._split_problems()
        for key, value in self._told().items():
            is_of_table = self.path is not None and is_table(self.path)
            if key in OF_TABLES and not is_of_table and self.python is None:
                found[key] = (
                    "has an effect beside the `path` of a table (.csv, .tsv, .parquet) and beside"
                    f" `python` only.{self._array_for(key)} Received: {shown(value)}."
                )
                continue
            is_npz = self.path is not None and self.path.endswith(".npz")
            if key == "target" and (is_npz or not (self.path or self.python)):
                found[key] = (
                    "has an effect beside the `path` of a table (.csv, .tsv, .parquet), of .npy or"
                    " idx files or of pictures with a table of labels, and beside `python`."
                    f" Received: {shown(value)}."
                )
            elif key in OF_PICTURES and self.path is None:
                found[key] = f"has an effect beside `path` only. Received: {shown(value)}."
            elif key in OF_PICTURES and self.path is not None and is_table(self.path):
                message = "has an effect on pictures only, and `path` names a table."
                found[key] = f"{message} Received: {shown(value)}."
        if self.test_path is not None and not (self.path is not None and is_table(self.path)):
            found["test_path"] = (
                "has an effect beside the `path` of a table (.csv, .tsv, .parquet) only. An .npz"
                " file has the arrays `x_test` and `y_test` for a test part, and a folder of"
                f" classes has the folders `train` and `test`. Received: {shown(self.test_path)}."
            )
        if self.validation + self.test >= 1:
            found["validation"] = (
                "validation and test must leave samples to train on: below 1 together. "
                f"Received: {self.validation} and {self.test}."
            )
        return found | self._horizon_problems()

    def _array_for(self, key: str) -> str:
        """The array of an .npz file that says what a key of tables says; empty if there is none."""
        array = {"sample_weight": "sample_weight", "sequence": "lengths"}.get(key)
        if array is None or self.path is None or not self.path.endswith(".npz"):
            return ""
        return f" An .npz file has the array `{array}` for it."

    def _horizon_problems(self) -> dict[str, str]:
        """What is wrong with the keys of a forecast."""
        if self.task == FORECASTING:
            if self.window is None:
                return {"window": "is missing: how many rows of the past a forecast sees."}
            if self.sequence is not None:
                message = "a forecast is of one table in order of time. Leave it out."
                return {"sequence": f"{message} Received: {shown(self.sequence)}."}
            if self.folds is not None:
                message = "a forecast is split in order of time, and folds are drawn. Leave it out."
                return {"folds": f"{message} Received: {self.folds}."}
            return {}
        given = {"window": self.window, "steps": self.steps}
        return {
            key: f"is for `task: {FORECASTING}` only. Received: {value}."
            for key, value in given.items()
            if value is not None
        }

    def _split_problems(self) -> dict[str, str]:
        """What is wrong between the keys that say how samples are split."""
        found = {}
        if self.group is not None and self.time is not None:
            found["time"] = (
                "cannot stand beside `group`: samples are split by groups or in the order of time."
                f" Received: group {shown(self.group)} and time {shown(self.time)}."
            )
        split = self.split
        for key, array, reader in (
            ("group", "groups", "grouped"),
            ("time", "time", "chronological"),
        ):
            name = getattr(self, key)
            if name is None:
                continue
            # What a split of a plugin reads is not known from a record.
            is_known = split is not None and not isinstance(split, AsWritten)
            if is_known and split is not None and array not in (*split.needs, *split.takes):
                found[key] = (
                    "would not be read, because the split does not use it. Allowed:"
                    f" `{key}` without `split`, or `split: {reader}`."
                    f" Received: `split: {self._split_name}`."
                )
            # What lies at another path is known when it is read.
            elif self.path is None or self.path.endswith(".npz"):
                only = {"group": None, "time": None, key: name}
                if self.any_source().naming(**only) is None:
                    found[key] = f"{_NO_COLUMNS} Allowed: {array}. Received: {shown(name)}."
        if self.folds is not None:
            found |= self._fold_problems()
        return found

    def _fold_problems(self) -> dict[str, str]:
        """What folds cannot stand beside."""
        allowed = "Allowed: `split` random, stratified or grouped, `group`, or none of them."
        if self.time is not None:
            message = f"are drawn, and `time` draws nothing: the past comes first. {allowed}"
            return {"folds": f"{message} Received: `time: {shown(self.time)}`."}
        if self.split is not None and not isinstance(self.split, FOLDABLE):
            message = f"cannot be drawn by this split. {allowed}"
            return {"folds": f"{message} Received: `split: {self._split_name}`."}
        if self.validation != DEFAULT_SHARE:
            message = "has no effect beside `folds`: each fold has a share of 1 / folds."
            return {"validation": f"{message} Received: {self.validation} and {self.folds} folds."}
        return {}

    @property
    def _split_name(self) -> str:
        """The name of the split; empty without one."""
        if self.split is None:
            return ""
        return name_of(self.split, DATA_FAMILIES) or ""

    def any_split(self) -> Split | None:
        """How samples are split, whichever word has said it; None if none has."""
        if self.group is not None and self.split is None:
            return Grouped()
        if self.time is not None and self.split is None:
            return Chronological()
        return self.split

    def default_folds(self, arrays: Arrays) -> int | None:
        """How many folds these arrays get where `space: auto` chooses; None for no folds."""
        return folds_of(arrays, self.any_split(), self.task, self._shares)

    @property
    def _shares(self) -> Shares:
        return Shares(self.split_seed, self.validation, self.test)

    def any_source(self) -> Source:
        """Where samples come from, whichever word has named it."""
        if self.name is not None and self.name.startswith(PREFIX):
            return KerasSet(self.name.removeprefix(PREFIX))
        if self.name is not None:
            return SHIPPED[self.name]()
        if self.path is not None and is_table(self.path):
            return Table(self.path, **self._told(), test_path=self.test_path)
        if self.path is not None:
            return ByPath(self.path, self._told())
        if self.python is not None:
            return PythonFunction(self.python, "", **self._told())
        assert self.source is not None, "exactly one of them is given"
        return self.source

    def _told(self) -> dict[str, Any]:
        """What the config says of the file or folder at `path`."""
        keys = ("target", *OF_TABLES, *OF_PICTURES)
        values = {key: getattr(self, key) for key in keys}
        return {key: value for key, value in values.items() if value is not None}

    @property
    def origin(self) -> str:
        """The source as the user knows it: a path or a name."""
        source = self.any_source()
        if isinstance(source, ByPath | PathSource):
            return source.path
        if isinstance(source, PythonFunction):
            return source.function
        return self.name or name_of(source, DATA_FAMILIES) or ""

    def placed(self, folder: Path) -> DataConfig:
        """The same with absolute paths.

        Args:
            folder: folder of the config's file.
        """
        placed = self.any_source().placed(folder)
        # Whoever writes `path` finds `path` in the record.
        if self.path is not None and isinstance(placed, ByPath | PathSource):
            test_path = placed.test_path if isinstance(placed, Table) else None
            return replace(self, path=placed.path, test_path=test_path)
        # The folder of the module must be in the record, too.
        if self.python is not None:
            moved: dict[str, Any] = dict.fromkeys(("python", "target", *OF_TABLES))
            return replace(self, **moved, source=placed)
        return self if self.source is None else replace(self, source=placed)

    def settings(self, kind: str, ahead: ReadAhead | None = None) -> DataSettings:
        """What `prepare` needs; the kind of input comes from the space.

        Args:
            ahead: what the source has given already; None if it was not read yet.

        Raises:
            InvalidData: `group` or `time` names a column, and the source has none.
        """
        horizon = None if self.window is None else Horizon(self.window, self.steps or 1)
        return DataSettings(
            kind,
            self.named_source(),
            self.task,
            self._shares,
            self.any_split(),
            self.folds,
            horizon,
            ahead,
        )

    def named_source(self) -> Source:
        """The source, which knows the columns that the split reads.

        Raises:
            InvalidData: `group` or `time` names a column, and the source has none.
        """
        source = self.any_source().naming(self.group, self.time)
        if source is None:
            key, name = ("group", self.group) if self.group else ("time", self.time)
            message = f"{_NO_COLUMNS} Received: {shown(name)}."
            raise InvalidData(Issue(message, f"{SECTION}.{key}", self.origin))
        return source


@dataclass(frozen=True)
class SourceAsWritten(AsWritten, Source):
    """A source of a plugin in a recorded config. `opened_data` of `recorded_config.py` makes it."""

    def read(self, memory: Memory) -> Arrays:
        raise AssertionError(f"the source {self.name} was not opened")

    def mark(self) -> Mapping[str, str]:
        raise AssertionError(f"the source {self.name} was not opened")

    def naming(self, group: str | None, time: str | None) -> Source:
        # Nothing is known of its columns here. They were checked when it was recorded.
        return self


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
