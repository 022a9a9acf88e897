"""The files that evonas ships: search spaces, seed genomes and run configs, found by name.

In an installed package they are inside the package; in a checkout they lie beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import evonas.errors
from evonas.errors import UserError, did_you_mean
from evonas.files import expanded, is_file, is_folder
from evonas.genome.strict_yaml import short
from evonas.invocation import command

Kind = Literal["spaces", "seeds", "configs"]

_PACKAGE = Path(evonas.errors.__file__).resolve().parent
_IN_PACKAGE: Mapping[Kind, str] = {
    "spaces": "_genomes/spaces",
    "seeds": "_genomes/seeds",
    "configs": "_configs",
}
_IN_CHECKOUT: Mapping[Kind, str] = {
    "spaces": "genomes/spaces",
    "seeds": "genomes/seeds",
    "configs": "configs",
}
_WORDS: Mapping[Kind, str] = {
    "spaces": "search space",
    "seeds": "seed genome",
    "configs": "config",
}


def folders(kind: Kind) -> tuple[Path, ...]:
    """Where shipped files of a kind may lie; the first that has a name wins."""
    root = _PACKAGE.parent
    return (
        _PACKAGE / _IN_PACKAGE[kind],
        root / _IN_CHECKOUT[kind],
    )


def names(kind: Kind) -> tuple[str, ...]:
    """The names of all shipped files of a kind, in alphabetical order."""
    # A set, because both folders may have a file of one name.
    found = set()
    for folder in folders(kind):
        for file in folder.glob("*.yaml"):
            found.add(file.stem)
    return tuple(sorted(found))


def find(kind: Kind, name_or_path: str, relative_to: Path | None = None) -> Path:
    """The file that somebody means.

    Args:
        kind: kind of file.
        name_or_path: a shipped name, such as `convnet`; or a path, which contains `/` or ends
            with `.yaml`.
        relative_to: the file that names it, or that file's folder. A relative path starts in this
            folder. None means the current folder.

    Raises:
        UserError: no such file, or no such name; the shipped names are listed.
    """
    if kind == "configs":
        _refuse_data(name_or_path)
    is_path = "/" in name_or_path or name_or_path in (".", "..")
    if is_path or name_or_path.endswith((".yaml", ".yml")):
        return _by_path(kind, name_or_path, relative_to)
    shipped = names(kind)
    if name_or_path in shipped:
        for folder in folders(kind):
            file = folder / f"{name_or_path}.yaml"
            if file.is_file():
                return file
    # Only now: a folder may have a shipped name.
    if relative_to is None and is_folder(Path(name_or_path)):
        return _by_path(kind, name_or_path, None)
    hint = did_you_mean(name_or_path, shipped)
    if shipped:
        listed = f"Shipped: {', '.join(shipped)}; or give a path that ends with .yaml."
    else:
        listed = "None is shipped."
    raise UserError(f"No shipped {_WORDS[kind]} {short(name_or_path)!r}.{hint} {listed}")


def _refuse_data(path: str) -> None:
    """Refuse a file of data where a config is expected; other files have words of their own.

    Raises:
        UserError: it is one.
    """
    endings = (".npz", ".npy", ".csv", ".tsv", ".parquet")
    if not path.removesuffix(".gz").endswith(endings) or not is_file(expanded(path)):
        return
    shown = short(path, 200)
    raise UserError(
        f"{shown} is data, and a config is a file of YAML that names them:"
        f" `data: {{path: {shown}}}` and a budget. To have one written:  {command('init', path)}"
    )


def _by_path(kind: Kind, name_or_path: str, relative_to: Path | None) -> Path:
    """The file at a path.

    Raises:
        UserError: there is no such file.
    """
    if relative_to is None:
        start = Path()
    elif relative_to.is_dir():
        start = relative_to
    else:
        start = relative_to.parent
    path = start / expanded(name_or_path)
    if is_file(path):
        return path
    if is_folder(path):
        # A dot at the beginning of a sentence is not seen.
        folder = path.resolve() if path.name in ("", "..") else path
        raise UserError(
            f"{short(str(folder), 200)} is a folder, and a {_WORDS[kind]} is a file of YAML."
        )
    raise UserError(
        f"No {_WORDS[kind]} at {short(str(path), 200)}."
        f" Give a path, relative to {start.resolve()}, or a shipped name."
    )
