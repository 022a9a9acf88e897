"""What the data choose where a config leaves it to them: the space, and folds for few samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evonas.data.arrays import Arrays
from evonas.data.look import look
from evonas.data.reading import ReadAhead, read
from evonas.errors import InvalidInput, Issue, UserError
from evonas.memory import Memory
from evonas.runtime.config.auto_space import AUTO, choose
from evonas.runtime.config.config_source import ConfigSource
from evonas.runtime.config.data_config import DataConfig
from evonas.runtime.config.run_config import RunConfig

SPLIT_KEYS = frozenset(("split", "group", "time", "folds", "validation"))
"""The keys of `data` by which a config says how validation data are chosen."""


def leave_space_to_data(data: Any) -> None:
    """Without a space, the data choose one; where something else judges, it has to be named."""
    if isinstance(data, dict) and data.get("data") and "evaluator" not in data:
        data.setdefault("space", AUTO)


@dataclass(frozen=True)
class Chosen:
    """What the data have chosen.

    Attributes:
        config: the config with the space; as it was if something is wrong.
        problems: what is wrong.
        why: why it is this space, in one sentence.
        samples: number of samples; None if they could not be read.
        ahead: what was read, so that nobody reads it again; None if nothing was.
    """

    config: RunConfig
    problems: Sequence[Issue] = ()
    why: str = ""
    samples: int | None = None
    ahead: ReadAhead | None = None


def with_space(config: RunConfig, source: ConfigSource) -> Chosen:
    """The config with the space that its data choose."""
    data = config.data
    if data is None:
        message = f"{AUTO} is for `data`, which choose the space; an evaluator needs one by name."
        return Chosen(config, [source.problem(("space",), message)])
    try:
        # As the run will read it: a column that tells the groups is no feature.
        arrays = read(data.named_source(), Memory())
        found = look(arrays)
        if data.window is not None:
            # A forecast makes windows of the rows, whatever these are.
            found = dataclasses.replace(found, kinds=("sequence",), size=data.window)
        name, why = choose(found)
    except InvalidInput as error:
        return Chosen(config, error.problems)
    except UserError as error:
        return Chosen(config, [source.problem(("space",), str(error))])
    # From here on, everything is as if the config had named it.
    source.data["space"] = name
    config = dataclasses.replace(config, space=name)
    folded = config
    if not SPLIT_KEYS & source.data["data"].keys():
        folded = _with_folds(config, data, arrays)
    if folded.folds is not None:
        why += (
            f"; fitness is the mean over {folded.folds} folds, because one part of so few samples"
            " would mostly show luck (`data: {folds: null}` for one part)"
        )
    return Chosen(folded, (), why, found.samples, ReadAhead(arrays))


def _with_folds(config: RunConfig, data: DataConfig, arrays: Arrays) -> RunConfig:
    """The config with folds, if there are few samples and nothing speaks against folds."""
    folds = data.default_folds(arrays)
    if folds is None:
        return config
    folded = dataclasses.replace(config, data=dataclasses.replace(data, folds=folds))
    assert folded.data is not None
    # Some keys cannot stand beside folds, and the user has not asked for folds.
    return config if folded.problems() or folded.data.problems() else folded
