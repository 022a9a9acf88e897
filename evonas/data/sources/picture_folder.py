"""Which pictures a folder holds, and the label of each. No picture is opened here."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evonas.errors import Issue, did_you_mean
from evonas.files import leads_out
from evonas.words import counted, excerpt, listed

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
"""The endings of files that are pictures, in small letters."""

PARTS = {
    "train": "x",
    "training": "x",
    "val": "x_val",
    "valid": "x_val",
    "validation": "x_val",
    "test": "x_test",
    "testing": "x_test",
}
"""Folders that say which part their pictures are for -> what evonas calls its samples."""

TABLES = (".csv", ".tsv")

NO_PICTURES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
"""What file managers leave behind. Names that begin with a dot are hidden as well."""

MOST_NAMED = 3
"""The most files that a note names."""


@dataclass(frozen=True)
class Picture:
    """A file and its label."""

    path: Path
    label: str


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Attributes:
        parts: `x`, `x_val`, `x_test` -> pictures in natural order: `img2` before `img10`.
        are_classes: whether labels are names of folders. Those of a table may be numbers.
        notes: what was inferred or left out, a sentence each.
        issues: what is wrong.
    """

    parts: dict[str, list[Picture]]
    are_classes: bool = True
    notes: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def holds_pictures(folder: Path) -> bool:
    """Whether there is a picture in a folder or below."""
    names = (name for _, _, files in os.walk(folder) for name in files)
    return any(is_picture(name) for name in names)


def look(folder: Path, target: str | None) -> Found:
    """Find the pictures of a folder and their labels.

    Args:
        target: column of labels in the table beside the pictures, if there is a table; None for the
            only column that is left.

    Raises:
        OSError: a folder cannot be read.
    """
    entries = _visible(folder)
    folders = [path for path in entries if path.is_dir()]
    tables = [path for path in entries if path.suffix.lower() in TABLES and path.is_file()]
    if tables:
        return _from_table(folder, tables, target)
    if target is not None:
        message = (
            "names a column of a table, and there is none beside the pictures. Each subfolder is a"
            f" class. Received: {target}."
        )
        return Found({}, issues=[Issue(message, "data.target")])
    parts = {PARTS.get(path.name.lower(), "") for path in folders}
    if "x" in parts and "" not in parts:
        return _parts(folder, folders)
    return _classes(folder, "x")


def all_below(path: Path) -> Found:
    """A picture, or all pictures in a folder and below, whatever their classes are."""
    issues: list[Issue] = []
    paths = [path] if path.is_file() else _below(path, issues, [])
    return Found({"x": [Picture(path, "") for path in paths]}, issues=issues)


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts `img2` before `img10`."""
    pieces = re.split(r"(\d+)", name, flags=re.ASCII)
    # Every second piece is a number.
    words: list[str | int] = [int(one) if i % 2 else one.lower() for i, one in enumerate(pieces)]
    return words, name


def is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in NO_PICTURES


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder, in natural order, without hidden files."""
    there = [path for path in folder.iterdir() if not _is_hidden(path.name)]
    return sorted(there, key=lambda path: natural(path.name))


def _parts(folder: Path, folders: Sequence[Path]) -> Found:
    """A folder a part, each with a folder a class."""
    found = Found({})
    for path in folders:
        key = PARTS[path.name.lower()]
        if key in found.parts:
            message = f"is a second folder for {key}. Allowed: one for each part."
            found.issues.append(Issue(message, file=str(path)))
            continue
        one = _classes(path, key)
        found.parts.update(one.parts)
        found.notes.extend(one.notes)
        found.issues.extend(one.issues)
    names = listed([path.name for path in folders])
    found.notes.insert(0, f"data: the parts are given, by the folders {names}.")
    return found


def _classes(folder: Path, key: str) -> Found:
    """A folder a class."""
    found = Found({key: []})
    others: list[Path] = []
    loose: list[Path] = []
    for path in _visible(folder):
        if not path.is_dir():
            (loose if is_picture(path.name) else others).append(path)
            continue
        pictures = _below(path, found.issues, others)
        if not pictures:
            message = (
                "is a class without a picture. Delete it, or put pictures into it. Pictures end in"
                f" {listed(ENDINGS)}."
            )
            found.issues.append(Issue(message, file=str(path)))
        found.parts[key] += [Picture(one, path.name) for one in pictures]
    if loose:
        what = "lies" if len(loose) == 1 else "lie"
        message = (
            f"{counted(len(loose), 'picture')} {what} outside of the folders of classes, and so"
            f" have no label: {_names(loose)}. Allowed: a subfolder a class, or a .csv with the"
            " columns path and label beside the pictures."
        )
        found.issues.append(Issue(message, file=str(folder)))
    if others:
        found.notes.append(_not_read(others))
    return found


def _below(folder: Path, issues: list[Issue], others: list[Path]) -> list[Path]:
    """All pictures of a folder and of those within, in natural order."""
    pictures = []
    for path in _visible(folder):
        if path.is_dir():
            # A link may lead back to a folder above.
            if path.is_symlink():
                message = "is a link to a folder. Put the pictures themselves there."
                issues.append(Issue(message, file=str(path)))
            else:
                pictures += _below(path, issues, others)
        elif not path.exists():
            issues.append(Issue("is a link to nothing.", file=str(path)))
        elif not path.is_file():
            # To open a pipe would wait for ever.
            issues.append(Issue("is no regular file. Move it away.", file=str(path)))
        elif is_picture(path.name):
            pictures.append(path)
        else:
            others.append(path)
    return pictures


def _names(paths: Sequence[Path]) -> str:
    """The first of some files, in words."""
    names = [path.name for path in paths[:MOST_NAMED]]
    more = len(paths) - len(names)
    if more:
        names.append(f"{more:,} more")
    return listed(names)


def _not_read(others: Sequence[Path]) -> str:
    endings = listed(ENDINGS)
    what = counted(len(others), "file is", "files are")
    return f"data: {what} not read, because pictures end in {endings}: {_names(others)}."


def _from_table(folder: Path, tables: Sequence[Path], target: str | None) -> Found:
    """Pictures that a table names, with their labels."""
    if len(tables) > 1:
        message = f"holds {len(tables)} tables: {_names(tables)}. Allowed: one, beside pictures."
        return Found({}, issues=[Issue(message, file=str(folder))])
    (table,) = tables
    try:
        rows = _rows(table)
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        return Found({}, issues=[Issue(f"cannot be read as a table: {error}.", file=str(table))])
    if len(rows) < 2 or len(rows[0]) < 2:
        message = "must have a first row of names, and columns of paths and labels below it."
        return Found({}, issues=[Issue(message, file=str(table))])
    names, *cells = rows
    paths = _column_of_paths(folder, names, cells)
    if paths is None:
        message = (
            f"no column holds the paths of pictures in {folder}. Columns: {', '.join(names)}. The"
            f" first row: {excerpt(', '.join(cells[0]))}."
        )
        return Found({}, issues=[Issue(message, file=str(table))])
    label = _column_of_labels(names, paths, target, table)
    if isinstance(label, Issue):
        return Found({}, issues=[label])
    found = _labelled(folder, table, cells, (paths, label))
    what = f"labels from the column {names[label]} of {table.name}, paths from {names[paths]}"
    found.notes.insert(0, f"data: {what}.")
    return found


def _rows(table: Path) -> list[list[str]]:
    """The cells of a table; lines without any are left out."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        sample = file.readline()
        file.seek(0)
        # Excel writes semicolons where the comma is for decimals.
        separator = max("\t;,", key=sample.count)
        return [row for row in csv.reader(file, delimiter=separator, strict=True) if row]


def _file_of(folder: Path, cell: str) -> Path | None:
    """The picture that a cell names, also without its ending; None if there is none."""
    # An empty cell would name the folder, and an absolute path may be of another machine.
    if not cell.strip() or "\0" in cell:
        return None
    for ending in ("", *ENDINGS):
        path = folder / f"{cell.strip()}{ending}"
        if path.is_file():
            return path
    return None


def _column_of_paths(folder: Path, names: Sequence[str], cells: list[list[str]]) -> int | None:
    """The number of the column whose first cells name pictures; None if there is none."""
    for number in range(len(names)):
        # The very first picture may be missing, which is told later.
        for row in cells[:10]:
            if number < len(row) and _file_of(folder, row[number]) is not None:
                return number
    return None


def _column_of_labels(
    names: Sequence[str], paths: int, target: str | None, table: Path
) -> int | Issue:
    others = [name for number, name in enumerate(names) if number != paths]
    if target is not None:
        if target in others:
            return list(names).index(target)
        hint = did_you_mean(target, others)
        message = f"is no column of {table}. Allowed: {', '.join(others)}. Received: {target}."
        return Issue(f"{message}{hint}", "data.target")
    if len(others) > 1:
        message = f"which column holds the labels? Allowed: {', '.join(others)}. Received: none."
        return Issue(message, "data.target")
    return list(names).index(others[0])


def _labelled(folder: Path, table: Path, cells: list[list[str]], columns: tuple[int, int]) -> Found:
    """The pictures in the rows of a table."""
    pictures: list[Picture] = []
    issues = []
    seen: dict[Path, int] = {}
    for number, row in enumerate(cells, start=2):
        cell, label = (row[column] if column < len(row) else "" for column in columns)
        path = _file_of(folder, cell)
        if path is None:
            message = f"there is no such picture. Received: {excerpt(cell)}."
            issues.append(Issue(message, file=str(table), line=number))
        elif leads_out(path, folder):
            message = (
                "must be a path within the folder of this table, also where it is a link."
                f" Received: {excerpt(cell)}."
            )
            issues.append(Issue(message, file=str(table), line=number))
        elif not label.strip():
            issues.append(Issue("has no label.", file=str(table), line=number))
        elif path in seen:
            message = f"is the same picture as in line {seen[path]}: {excerpt(cell)}."
            issues.append(Issue(message, file=str(table), line=number))
        else:
            seen[path] = number
            pictures.append(Picture(path, label.strip()))
    beside = [
        Path(root, name)
        for root, _, files in os.walk(folder)
        for name in files
        if is_picture(name) and Path(root, name) not in seen
    ]
    notes = []
    if beside and not issues:
        what = counted(len(beside), "picture is", "pictures are")
        notes.append(f"data: {what} not in the table and so not used: {_names(sorted(beside))}.")
    return Found({"x": pictures}, False, notes, issues)
