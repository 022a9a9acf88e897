"""A folder with a file for each sample: a class a subfolder, or `labels.csv` beside the files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.raw import Array
from evonas.data.tables.endings import tables_in
from evonas.errors import InvalidData, Issue
from evonas.files import is_file, leads_out, why_no_file
from evonas.words import counted, excerpt, listed

PARTS = {"train": "x", "val": "x_val", "validation": "x_val", "test": "x_test"}
"""Folders that say which part their files are for -> what evonas calls its samples."""

LABELS = "labels.csv"
"""The table beside the files: a first row of names, then a path and a label in each row."""

MOST_ISSUES = 10
"""The most files that are named one by one."""


@dataclass(frozen=True)
class Labelled:
    """A file and its label."""

    path: Path
    label: str


def read_parts(
    folder: Path, ending: str, read: Callable[[Path], Any]
) -> tuple[dict[str, list[Any]], dict[str, Array]]:
    """The samples and the targets of each part that the folder holds.

    Args:
        ending: ending of the files, such as `.txt`, in small letters.
        read: function from a file to its sample, which raises `InvalidData`.

    Returns:
        Samples by `x`, `x_val` and `x_test`, and targets by `y`, `y_val` and `y_test`. Targets are
        words, or numbers if a table gives numbers alone.

    Raises:
        InvalidData: the folder has another form, or files cannot be read; the first ones are named.
    """
    samples: dict[str, list[Any]] = {}
    targets: dict[str, Array] = {}
    issues: list[Issue] = []
    for part, files in _parts(folder, ending).items():
        samples[part] = []
        for file in files:
            try:
                samples[part].append(read(file.path))
            except InvalidData as error:
                issues += error.problems
        labels = np.array([file.label for file in files])
        targets[part.replace("x", "y", 1)] = _numbers(labels, folder)
    if len(issues) > MOST_ISSUES:
        more = counted(len(issues) - MOST_ISSUES, "more file")
        issues[MOST_ISSUES:] = [Issue(f"and {more} that cannot be read.", file=str(folder))]
    if issues:
        raise InvalidData(issues)
    return samples, targets


def read_all(
    folder: Path, ending: str, read: Callable[[Path], Any], but: Collection[str] = ()
) -> tuple[list[Any], list[str]]:
    """All samples in a folder and below, whatever their labels are, and the path of each.

    Args:
        but: names of files that are no samples.

    Raises:
        InvalidData: there are none, or some cannot be read; the first ones are named.
    """
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(ending) and path.name not in but
    ]
    samples = []
    issues: list[Issue] = []
    for path in paths:
        # To open a pipe would wait for ever.
        if not is_file(path):
            issues.append(Issue(f"{why_no_file(path)}.", file=str(path)))
            continue
        try:
            samples.append(read(path))
        except InvalidData as error:
            issues += error.problems
    if not paths:
        issues.append(Issue(f"holds no {ending} file.", file=str(folder)))
    if issues:
        raise InvalidData(issues[:MOST_ISSUES])
    return samples, [path.relative_to(folder).as_posix() for path in paths]


def holds(folder: Path, ending: str) -> bool:
    """Whether a folder, one below it, or one below that holds a file with this ending."""
    patterns = (f"*{ending}", f"*/*{ending}", f"*/*/*{ending}")
    return any(next(folder.glob(pattern), None) is not None for pattern in patterns)


def _numbers(labels: Array, folder: Path) -> Array:
    """Labels as numbers, if they come from a table and all are numbers."""
    if not (folder / LABELS).is_file():
        return labels
    try:
        return labels.astype(np.float64)
    except ValueError:
        return labels


def _parts(folder: Path, ending: str) -> Mapping[str, list[Labelled]]:
    try:
        if (folder / LABELS).is_file():
            return {"x": list(_of_table(folder, ending))}
        folders = [path for path in _visible(folder) if path.is_dir()]
        names = {path.name.lower() for path in folders}
        if "train" in names and names <= set(PARTS):
            return {PARTS[path.name.lower()]: _of_classes(path, ending) for path in folders}
        return {"x": _of_classes(folder, ending)}
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}."
        raise InvalidData(Issue(message, file=str(error.filename or folder))) from error


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without hidden files."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _of_classes(folder: Path, ending: str) -> list[Labelled]:
    """The files of a folder a class."""
    found: list[Labelled] = []
    issues = []
    loose = []
    for path in _visible(folder):
        if not path.is_dir():
            loose.append(path.name)
            continue
        inside = _visible(path)
        wrong = [one.name for one in inside if not _is_sample(one, ending)]
        if wrong:
            message = (
                f"holds what is no {ending} file: {_first(wrong)}. All files of a class are samples"
                " of it: move others away."
            )
            issues.append(Issue(message, file=str(path)))
        elif not inside:
            issues.append(Issue(f"is a class without a {ending} file.", file=str(path)))
        found += [Labelled(one, path.name) for one in inside]
    if loose:
        message = (
            f"has files beside the folders of classes: {_first(loose)}. Allowed: a subfolder a"
            f" class, or {LABELS} with the columns path and label beside the files."
        )
        if not found and (tables := tables_in(folder)):
            message += f" If one table is meant: {tables[0].lower()}{tables[1:]}"
        issues.append(Issue(message, file=str(folder)))
    if issues:
        raise InvalidData(issues)
    return found


def _is_sample(path: Path, ending: str) -> bool:
    """Whether it is a file with this ending: to open a pipe would wait for ever."""
    return path.name.lower().endswith(ending) and is_file(path)


def _first(names: list[str]) -> str:
    more = len(names) - 3
    return listed([*names[:3], f"{more:,} more"] if more > 0 else names)


def _of_table(folder: Path, ending: str) -> Iterator[Labelled]:
    """The files that a table names, with their labels. They lie in its folder or below."""
    table = folder / LABELS
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidData(Issue(f"cannot be read: {error}.", file=str(table))) from error
    issues = []
    found = []
    for line, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != 2:
            message = f"must have a path and a label. Received: {excerpt(','.join(row))}."
            issues.append(Issue(message, file=str(table), line=line))
        elif why := _why_not(row[0], folder, ending):
            message = f"{why}. Received: {excerpt(row[0])}."
            issues.append(Issue(message, file=str(table), line=line))
        else:
            found.append(Labelled(folder / row[0], row[1].strip()))
    if not issues and not found:
        issues.append(Issue("must name files, a row each below the names.", file=str(table)))
    if issues:
        raise InvalidData(issues[:MOST_ISSUES])
    yield from found


def _why_not(name: str, folder: Path, ending: str) -> str:
    """Why what a table names is no sample, in words; empty if it is one."""
    if leads_out(folder / name, folder):
        return "must be a path within the folder of this table, also where it is a link"
    if why := why_no_file(folder / name):
        return why
    return "" if name.lower().endswith(ending) else f"must be a file that ends in {ending}"
