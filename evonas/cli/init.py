"""`evonas init`: a first config for data of yours, with a reason beside each value."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from evonas.cli.options import JsonOption, NoProbeOption
from evonas.files import expanded
from evonas.invocation import command as command_line

NAME = "init"


def command(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A file or folder of yours, or the name of a shipped data set, such as `wine`.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="COLUMN", help="The column to be predicted. Repeatable."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", parser=expanded, help="Where the config goes."
        ),
    ] = None,
    no_probe: NoProbeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at data, and write a config for them: task, search space, limits, a budget, each with
    its reason.

    Up to sixteen networks are trained first, for a minute, to say what the budget is worth. No file
    is overwritten.
    """
    from evonas.cli.console import complain, console, print_json, say
    from evonas.runtime.first_config import first_config

    there = os.path.lexists(expanded(data))
    file = output or Path(f"{_stem(data)}.yaml")
    _refuse_taken(file)
    if not there:
        _refuse_unknown(data)
    section: dict[str, Any] = {"path": str(expanded(data).absolute())} if there else {"name": data}
    shown = dict(section)
    if there:
        shown["path"] = _from(file.absolute().parent, expanded(data).absolute())
    if target:
        section["target"] = target[0] if len(target) == 1 else target
        shown["target"] = section["target"]
    if not as_json:
        probing = "" if no_probe else ", and training a few networks; this takes a minute or more"
        complain(f"note: looking at the data{probing}")
    with _naming_the_option(data, has_target=bool(target)):
        found = first_config(section, file, shown, with_trainings=not no_probe)
    _write(file, found.text)
    if as_json:
        import dataclasses

        took = None if found.expected is None else dataclasses.asdict(found.expected)
        print_json({"file": str(file), "notes": list(found.notes), "expected": took})
        return
    out = console()
    for note in found.notes:
        say(out, f"note: {note}")
    say(out, f"Written: {file}. Every value in it has its reason beside it.")
    for words in ("check", "plan", "run"):
        say(out, f"  {command_line(words, file)}")


@contextmanager
def _naming_the_option(data: str, has_target: bool) -> Iterator[None]:
    """Whoever is asked for a target is told how it is given here: there is no config yet."""
    from evonas.errors import InvalidInput

    try:
        yield
    except InvalidInput as error:
        if not has_target and any(issue.key == "data.target" for issue in error.problems):
            error.add_note(f"Here that is:  {command_line('init', data, '--target', 'COLUMN')}")
        raise


def _stem(data: str) -> str:
    """The name of a config for these data: letters, digits and what else a run's name may have."""
    name = Path(data).name if Path(data).name not in ("", ".", "..") else Path(data).resolve().name
    stem = name.partition(".")[0] or "data"
    return "".join(one if one.isascii() and (one.isalnum() or one in "_-") else "-" for one in stem)


def _from(folder: Path, path: Path) -> str:
    """The path from a folder, if the data lie within it or beside it; otherwise as it is."""
    relative = os.path.relpath(path, folder)
    return str(path) if relative.startswith("../..") else relative


def _refuse_unknown(data: str) -> None:
    """Raises UserError if this, which is no path, is no name of a shipped data set either."""
    from evonas.errors import UserError, did_you_mean
    from evonas.runtime.config.data_config import shipped_data_sets
    from evonas.words import shown

    known = shipped_data_sets()
    if data in known:
        return
    folder = expanded(data).parent
    there = folder.iterdir() if folder.is_dir() else ()
    beside = [str(Path(data).parent / one.name) for one in there]
    hint = did_you_mean(data, [*beside, *known])
    raise UserError(
        f"no such file, folder or shipped data set: {shown(data)}.{hint}"
        f" Shipped are {', '.join(known)}."
    )


def _refuse_taken(file: Path) -> None:
    """Raises UserError if a file of this name is there."""
    from evonas.errors import UserError

    if os.path.lexists(file):
        raise UserError(f"{file} is there already. Give another name:  -o FILE")


def _write(file: Path, text: str) -> None:
    """Write a new file.

    Raises:
        UserError: somebody has made it meanwhile.
        DiskFailure: it cannot be written.
    """
    from evonas.files import failure

    try:
        # "x": the file is made here and now, or it is an error.
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        _refuse_taken(file)
    except OSError as error:
        raise failure(error, f"{file} cannot be written") from error
