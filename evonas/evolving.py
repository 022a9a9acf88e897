"""`evonas.evolve`: a search for arrays or a frame, from Python.

What is given becomes a config and files in the run's folder. From there on it is a run like any
other: every command works on it, and another process can continue it.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.door import refuse_other_types
from evonas.data.handing import Handed, gathered
from evonas.data.sources.given import Given, lay_down
from evonas.errors import (
    EvonasError,
    InvalidConfig,
    InvalidInput,
    InvalidRecord,
    Issue,
    NothingFeasible,
    RunHeld,
    Stopped,
    UserError,
)
from evonas.files import (
    expanded,
    failure,
    sha256_of_tree,
    temporary_beside,
    write_text_whole,
)
from evonas.genome import strict_yaml
from evonas.genome.strict_yaml import Document
from evonas.invocation import command
from evonas.lifecycle import claimed, fill, work
from evonas.runtime.config.auto_space import AUTO
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.config_source import ConfigSource, of_the_argument
from evonas.runtime.config.plain_yaml import as_yaml
from evonas.runtime.config.run_config import run_name_problem
from evonas.runtime.config_change import change_config
from evonas.runtime.data_guard import SOURCE
from evonas.runtime.finding import DEFAULT_RUNS
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.pools import PoolFactory, early_workers, open_pool
from evonas.runtime.record.layout import GIVEN, ORDER, Layout
from evonas.runtime.record.reader import RecordReader
from evonas.telling import choice
from evonas.view import Run, load
from evonas.words import listed, number, shown

DEFAULT_NAME = "evolved"
DEFAULT_MINUTES = 10.0
"""Minutes of a search whose budget is not given."""

PLACE = "data.source.given.path"
"""The key that says where the data lie: a run may have been moved with them."""

ABSENT = object()
"""In the place of a setting that is not there. null is another: no folds, not those by default."""

ARGUMENTS: Mapping[str, str] = {
    "run": "name",
    "budget.minutes": "minutes",
    "budget.trials": "trials",
    "data.task": "task",
    "data.folds": "folds",
    "data.target": "target",
    "data.columns": "columns",
    "data.source.given.target": "target",
    "data.source.given.columns": "columns",
    "x_val": "validation_data",
    "y_val": "validation_data",
}
"""Key of a config, or name of an array -> the argument that it comes from, if they differ."""


@dataclass(frozen=True)
class Order:
    """What `evolve` is asked for beside the data.

    Attributes:
        name: name of the run's folder; None for the first free one.
        runs: folder of that folder.
        settings: the config as plain data, without the data and the name.
        overrides: `key.path=value`, as `evonas run --set` takes them.
    """

    name: str | None
    runs: Path
    settings: Mapping[str, Any]
    overrides: Sequence[str] = ()

    def config(self, folder: Path, handed: Handed) -> dict[str, Any]:
        """The config of a run in this folder, as plain data.

        Raises:
            InvalidConfig: an override is wrong.
        """
        given = {"path": str((folder / GIVEN).absolute()), **handed.settings}
        data: dict[str, Any] = {"source": {"given": given}, **self.settings["data"]}
        if "groups" in handed.arrays or "group" in handed.settings:
            data["split"] = "grouped"
        plain = {"run": folder.name, **self.settings, "data": data}
        source = ConfigSource(Document(plain, "evonas.evolve"), self.overrides)
        if source.problems:
            raise InvalidConfig(source.problems)
        found: dict[str, Any] = source.data
        if _at(found, PLACE) != given["path"]:
            message = f"`{PLACE}` is where the given data lie, and cannot be set."
            raise InvalidConfig(Issue(message, "overrides"))
        return found


def evolve(
    x: Any,
    y: Any = None,
    *,
    target: str | Sequence[str] | None = None,
    validation_data: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    columns: Mapping[str, str] | None = None,
    task: str | None = None,
    space: str | Path = AUTO,
    minutes: float | None = None,
    trials: int | None = None,
    folds: int | None = None,
    seed: int = 0,
    name: str | None = None,
    runs: str | Path = DEFAULT_RUNS,
    overrides: Sequence[str] = (),
    progress: bool = True,
    observers: Sequence[Observer] = (),
) -> Run:
    """Search a network for arrays or a frame.

    The run gets a folder, in which the data are kept once. Everything works on it that works on
    other runs, such as `evonas show runs/NAME` in a shell. Ctrl-C, or the interrupt of a notebook,
    finishes the trainings that run. The same call with the same `name` then goes on; it also does
    with more `minutes` or `trials`, and gives a finished run back as it is.

    Args:
        x: samples: an array (n, ...), a list of arrays of different lengths, texts, a frame of
            pandas, polars or pyarrow, or a dict of columns.
        y: targets (n,) or (n, targets); None if a column of `x` is the target.
        target: name of that column, or names; None for one called target, class, label or y.
        validation_data: samples and targets that fitness is measured on, as a pair (x, y), or as a
            frame if the target is a column; None to split them off.
        sample_weight: (n,), what each sample counts, or the name of a column.
        groups: (n,), what samples have in common, or the name of a column. Those of one group stay
            in one part.
        columns: what columns of a frame hold, where it is not to be inferred: number, category,
            boolean, date, text or ignore.
        task: `classification`, `multilabel` or `regression`; None to guess it from the targets.
        space: name or path of a search space; `auto` for the one that suits the data.
        minutes: time for the whole search. Without `trials`, it is 10 by default.
        trials: number of networks to train.
        folds: number of parts that take turns at validation; None to let the data decide.
        seed: seed of everything random but the split.
        name: name of the run's folder; None for `evolved`, `evolved-2` and so on.
        runs: folder in which the run's folder is made.
        overrides: further settings of a config, `key.path=value`, as `evonas run --set` takes them.
        progress: whether it is told how the search goes on: in one output of a notebook, in a
            line on a terminal, in plain lines elsewhere.
        observers: told what happens while the search goes on.

    Raises:
        InvalidData, InvalidConfig: an argument cannot be used; before any training.
        UserError: there is another run of this name.
        NothingFeasible, RepeatedFailures, Stopped: see `evonas.errors`.
    """
    began = time.monotonic()
    refuse_other_types(name, runs, overrides, target, columns)
    if minutes is None and trials is None:
        minutes = DEFAULT_MINUTES
    settings = {
        "seed": _plain("seed", seed),
        "space": _space_anywhere(space),
        "budget": _given(minutes=minutes, trials=trials),
        "data": _given(task=task, folds=folds),
    }
    if name is not None and (wrong := run_name_problem(str(name))):
        message = wrong.replace(" The key `run` sets it; without that, it is the file's name.", "")
        raise InvalidConfig(Issue(message, "name"))
    order = Order(name, expanded(runs), settings, tuple(overrides))
    handed = gathered(
        x,
        y,
        target=target,
        validation_data=validation_data,
        sample_weight=sample_weight,
        groups=groups,
        columns=columns,
    )
    told = choice.observers() if progress else ()
    return searched(order, handed, (*told, *observers), began)


def searched(
    order: Order,
    handed: Handed,
    observers: Sequence[Observer] = (),
    began: float | None = None,
    pool_factory: PoolFactory | None = None,
) -> Run:
    """The run of this order: begun, continued, or left as it is if it is finished.

    Args:
        began: `time.monotonic()` when the call began.
        pool_factory: makes the pool of the run; None for that of its config.

    Raises:
        as `evolve`.
    """
    began = time.monotonic() if began is None else began
    if order.name is not None:
        directory = order.runs / order.name
        if Layout(directory).record.is_file():
            with _about_arguments():
                overrides = _more(order, handed, directory)
            if not overrides and load(directory).is_finished:
                teller(observers)(
                    f"{directory} is finished, and this is its result; more minutes or trials"
                    " continue it, and another name begins another run"
                )
            with _going_on(directory):
                pools = pool_factory or open_pool
                return _told(work(directory, observers, pools, overrides, began=began), observers)
    with ExitStack() as stack:
        # The folder goes again if anything is refused, also by a Ctrl-C.
        with claimed(order.runs, order.name or DEFAULT_NAME, order.name is not None) as directory:
            with _about_arguments(directory):
                _lay_down(handed, directory / GIVEN)
                config = order.config(directory, handed)
                write_text_whole(directory / ORDER, as_yaml(config))
                loaded = load_config(directory / ORDER)
                if pool_factory is None:
                    pool_factory = stack.enter_context(early_workers(loaded.config))
                prepared = fill(loaded, directory)
        with _going_on(directory):
            tell = teller(observers)
            tell(f"the run is {directory}, with a budget of {loaded.config.budget}")
            for note in (*loaded.warnings, *prepared.notes):
                tell(note)
            run = work(directory, observers, pool_factory, is_new=True, began=began)
            return _told(run, observers)


def _told(run: Run, observers: Sequence[Observer]) -> Run:
    """The run, after its observers were told what came of it and where that lies."""
    metrics: Mapping[str, float] = (run.result or {}).get("metrics", {})
    # Fitness as the search has measured it comes first, and what nobody has searched for last.
    names = [run.objective.name, *(one for one in metrics if one.startswith("test_"))]
    scores = [f"{one} {number(metrics[one])}" for one in names if one in metrics]
    model = run.artefacts.get("model")
    if run.best is not None and scores and model is not None:
        words = f"finished: trial {run.best.id} has {listed(scores)}; the model is {model}"
        teller(observers)(words)
    return run


def _plain(argument: str, value: Any) -> str | int | float | None:
    """A word or a number as a config has it; NumPy has numbers of its own.

    Raises:
        InvalidConfig: it is something else.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | int | float):
        return value
    message = f"must be a word or a number. Received: {shown(value)}."
    raise InvalidConfig(Issue(message, argument))


def _given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not None, as a config has them."""
    plain = {argument: _plain(argument, value) for argument, value in arguments.items()}
    return {argument: value for argument, value in plain.items() if value is not None}


def _space_anywhere(space: str | Path) -> str:
    """A path made absolute, from the working directory; a name as it is."""
    word = str(space)
    if isinstance(space, Path) or "/" in word or word.endswith((".yaml", ".yml")):
        return str(expanded(space).absolute())
    return word


def _lay_down(handed: Handed, folder: Path) -> None:
    """Write what was given into a new folder.

    Raises:
        DiskFailure: the disk is full.
    """
    temporary = temporary_beside(folder)
    try:
        lay_down(temporary, handed.arrays, handed.table, handed.validation)
        # It is of a call that was cut off before its record was written.
        if Given.reads(folder):
            shutil.rmtree(folder)
        temporary.rename(folder)
    except OSError as error:
        raise failure(error, f"{folder} cannot be written") from error


def _more(order: Order, handed: Handed, directory: Path) -> list[str]:
    """What a call changes that names a run which exists: overrides of its budget.

    Raises:
        UserError: the run was begun with something else.
        InvalidConfig: the new budget is none.
    """
    path = directory / ORDER
    other = "Choose another name, or delete its folder."
    if not path.is_file():
        raise UserError(
            f"name: {directory} is a run that was begun in another way. Choose another name; to go"
            f" on with that run:  evonas.resume({str(directory)!r})"
        )
    before: dict[str, Any] = strict_yaml.load_file(path).data
    now = order.config(directory, handed)
    differing = _differing(before, now)
    # Only a greater budget makes a longer run of the same one.
    wrong = [key for key in differing if not key.startswith("budget.") and key != PLACE]
    if wrong:
        told = listed([_change(key, differing[key]) for key in wrong])
        raise UserError(f"name: {directory} is a run with other arguments: {told}. {other}")
    with tempfile.TemporaryDirectory(dir=order.runs, prefix=".evonas-") as scratch:
        _lay_down(handed, Path(scratch) / GIVEN)
        mark = {"sha256": sha256_of_tree(Path(scratch) / GIVEN)}
    with RecordReader(Layout(directory).record) as record:
        if record.meta(SOURCE) != mark:
            raise UserError(f"name: {directory} is a run with other data. {other}")
        changes = {key: new for key, (_, new) in differing.items() if key != PLACE}
        overrides = []
        for key, new in changes.items():
            overrides.append(f"{key}={json.dumps(None if new is ABSENT else new)}")
        # What is refused is not written down.
        if overrides:
            change_config(record, overrides)
    if differing:
        # From now on, this is what the run was asked for.
        write_text_whole(path, as_yaml(now))
    return overrides


def _differing(before: Any, now: Any, key: str = "") -> dict[str, tuple[Any, Any]]:
    """What differs between two configs, as pairs by key."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return {} if before == now else {key: (before, now)}
    found: dict[str, tuple[Any, Any]] = {}
    for name in (*before, *(one for one in now if one not in before)):
        inner = f"{key}.{name}" if key else name
        found |= _differing(before.get(name, ABSENT), now.get(name, ABSENT), inner)
    return found


def _at(config: Any, key: str) -> Any:
    """The value of a setting; None if there is none."""
    for name in key.split("."):
        config = config.get(name) if isinstance(config, dict) else None
    return config


def _change(key: str, values: tuple[Any, Any]) -> str:
    before, now = values
    was = "not given" if before is ABSENT else shown(before)
    is_now = "not given" if now is ABSENT else shown(now)
    return f"{_argument(key)} was {was} and is {is_now}"


@contextmanager
def _about_arguments(directory: Path | None = None) -> Iterator[None]:
    """Errors name the arguments: the user has written no config.

    Args:
        directory: folder that is deleted, so that no place in it is told; None if it stays.
    """
    try:
        yield
    except InvalidInput as error:
        issues = [_of_argument(one, directory) for one in error.problems]
        raise type(error)(issues) from None


def _argument(key: str) -> str:
    """The argument that a key of the config comes from; the key itself if there is none."""
    for known, argument in ARGUMENTS.items():
        if key == known or key.startswith(f"{known}."):
            return argument + key.removeprefix(known)
    return key


def _of_argument(issue: Issue, directory: Path | None) -> Issue:
    key = _argument(issue.key)
    told = of_the_argument(issue)
    # One argument is named, and not the override that is made of it.
    is_told = told != issue and key != issue.key
    if directory is not None and issue.file:
        is_told |= Path(issue.file).resolve().is_relative_to(directory.resolve())
    if is_told:
        return dataclasses.replace(told, key=key, file="", line=0)
    return dataclasses.replace(told, key=key)


@contextmanager
def _going_on(directory: Path) -> Iterator[None]:
    """What ends the work on a run says how to go on, if that alone would help."""
    again = f"To go on, make the same call with name={directory.name!r}; to look at what there is:"
    look = f"{again}  evonas.load({str(directory)!r})"
    try:
        yield
    # It came before the session, or after it.
    except KeyboardInterrupt:
        error = Stopped("stopped; nothing is lost.")
        error.add_note(look)
        raise error from None
    except RunHeld as error:
        error.add_note(f"Wait until it ends. To look at the run:  evonas.load({str(directory)!r})")
        raise
    except NothingFeasible as error:
        error.add_note(
            f"From here, make the same call with name={directory.name!r} and a greater budget."
        )
        raise
    except (UserError, InvalidRecord):
        raise
    except EvonasError as error:
        error.add_note(look)
        in_shell = command("resume", directory)
        error.add_note(f"In a shell:  {in_shell}")
        raise
