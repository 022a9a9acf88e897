"""Types of arguments, checked once, before anything is made of them. One sentence each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.errors import InvalidData, Issue
from evonas.words import counted, excerpt


def refuse_other_types(
    name: Any = None, runs: Any = "", overrides: Any = (), target: Any = None, columns: Any = None
) -> None:
    """Raises InvalidData if an argument of `evonas.evolve` is of another type than it says."""
    issues = []
    for argument, value, fits, wanted in (
        ("name", name, name is None or isinstance(name, str), "must be a word"),
        ("runs", runs, isinstance(runs, str | Path), "must be the path of a folder"),
        ("overrides", overrides, _are_words(overrides), "must be a list of words `key.path=value`"),
        (
            "target",
            target,
            target is None or isinstance(target, str) or (_are_words(target) and len(target) > 0),
            "must be the name of a column, or a list of at least one name",
        ),
        (
            "columns",
            columns,
            columns is None or (isinstance(columns, Mapping) and _are_words([*columns])),
            "must be a dict of the name of a column -> what it holds",
        ),
    ):
        if not fits:
            issues.append(Issue(f"{wanted}. Received: {excerpt(repr(value))}.", argument))
    if issues:
        raise InvalidData(issues)


def _are_words(value: Any) -> bool:
    """Whether these are several words. One word is none of them: its letters would be."""
    if isinstance(value, str | Mapping) or not isinstance(value, Collection):
        return False
    if isinstance(value, np.ndarray) and not value.ndim:
        return False
    return all(isinstance(one, str) for one in value)


def refuse_masks(**arguments: Any) -> None:
    """Raises InvalidData if something is masked: what is kept has no mask, so it would come back.

    Args:
        arguments: arrays, columns by name, or lists of arrays, by argument.
    """
    for argument, value in arguments.items():
        parts: Iterable[tuple[Any, Any]] = [(None, value)]
        if isinstance(value, Mapping):
            parts = value.items()
        elif isinstance(value, list | tuple):
            parts = enumerate(value)
        for place, part in parts:
            if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
                where = argument if place is None else f"{argument}[{place!r}]"
                masked = counted(int(np.ma.getmaskarray(part).sum()), "masked value")
                message = (
                    f"holds {masked}, and a mask is not kept. Fill them, as by .filled(), or drop"
                    " their rows."
                )
                raise InvalidData(Issue(message, where))
