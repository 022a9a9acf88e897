"""Where an export goes, and in which format."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evonas.errors import UserError, did_you_mean
from evonas.evaluate.contract.raised import message_of, quoted
from evonas.export.card import card_beside, is_card
from evonas.files import (
    delete,
    failure,
    flush,
    flush_directory,
    temporary_beside,
    write_whole,
)
from evonas.model.formats import DEFAULT, FORMATS, ExportFormat, KerasFile
from evonas.model.formats.calls import FormatFailed, users_format
from evonas.runtime.config.plugin_members import PluginMembers, is_member_name
from evonas.trial import Trial, TrialState
from evonas.words import excerpt, listed

_ENDING = re.compile(r"(\.\w+)*")
"""What paths of a format may end in. Temporary files have the ending, too, and are swept by it."""


@dataclass(frozen=True)
class Target:
    """Where an export goes, and as what.

    Attributes:
        path: path of the file or folder.
        name: name of the format.
        form: the format.
    """

    path: Path
    name: str = DEFAULT
    form: ExportFormat = field(default_factory=KerasFile)

    @property
    def card(self) -> Path:
        """The path of the card."""
        return card_beside(self.path)


def find_form(name: str, plugins: Sequence[str], folder: str) -> ExportFormat:
    """The format of a name, as the driver finds it.

    Args:
        name: a name in `FORMATS`, or `package.module:Name`.
        plugins: modules that may be imported.
        folder: folder in which they may lie, too.

    Raises:
        UserError: there is no such format, its plugin cannot be used, or its ending is none.
    """
    if name in FORMATS:
        form = FORMATS[name]()
        if form.missing():
            raise UserError(f"the format {name} {not_installed(form)}")
        return form
    if not is_member_name(name):
        hint = did_you_mean(name, tuple(FORMATS))
        raise UserError(
            f"an export format is {', '.join(FORMATS)}, or package.module:Name for one of your own."
            f" Received: {name}.{hint}"
        )
    module, _, _ = name.partition(":")
    if module not in plugins:
        allowed = ", ".join(plugins) or "none"
        raise UserError(
            f"the module {module!r} is not among the plugins that may be imported: {allowed}."
            f" To allow it for this export:  --plugin {module}"
        )
    found = PluginMembers(plugins, folder).find(ExportFormat, name)
    if found is None or isinstance(found, str):
        raise UserError(found or f"{name} is no export format")
    try:
        made = found()
    # It is the user's code, and may raise anything.
    except Exception as error:
        why = excerpt(message_of(error))
        raise UserError(f"{name} cannot be made without arguments: {why}") from error
    assert isinstance(made, ExportFormat)
    ending: Any = made.ending
    if not (isinstance(ending, str) and _ENDING.fullmatch(ending)):
        raise UserError(
            f"the ending of {name} must be a dot with letters, digits or _ after it, such as .npz,"
            f" or empty for any path. Received: {quoted(ending)}."
        )
    return made


def not_installed(form: ExportFormat) -> str:
    """What a format misses, and how to get it."""
    return f"needs {listed(form.missing())}: pip install 'evonas[{form.extra}]'"


def check_target(trial: Trial, target: Target, root: Path) -> None:
    """Check that a trial of the run at `root` can be exported to a target.

    Raises:
        UserError: the trial did not succeed; or the path does not have the format's ending, or its
            folder does not exist; or it is in the run's own directory; or something is in the place
            of a folder to be written; or a file that is no card is in the place of the card.
    """
    path = target.path
    if trial.state is not TrialState.OK:
        raise UserError(f"trial {trial.id} has no model to export: it is `{trial.state}`")
    _check_ending(target)
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to export to")
    if path.resolve().is_relative_to(root.resolve()):
        raise UserError(
            f"{path} is in the run's own directory, whose files are the record's;"
            " name a path outside of it"
        )
    if target.form.is_folder and (path.exists() or path.is_symlink()):
        raise UserError(
            f"{target.name} is a folder, and {path} is there already. Name another path, or delete"
            " it first."
        )
    if target.card.exists() and not is_card(target.card):
        raise UserError(
            f"an export writes a card beside the model, and {target.card} is no card of evonas, but"
            " a file of yours. Name another path, or move the file away."
        )


def _check_ending(target: Target) -> None:
    """Check that a path says what will be there.

    Raises:
        UserError: it has not the ending of its format, or has that of another one.
    """
    name = target.path.name
    ending = target.form.ending
    if not name.endswith(ending) or name == ending:
        others = listed([other for other in FORMATS if other != target.name])
        raise UserError(
            f"an export in the format {target.name} ends in {ending}. Received: {target.path}. The"
            f" format is chosen by its name; besides, there is {others}."
        )
    for other, form in FORMATS.items():
        # `.int8.tflite` ends in `.tflite`, too.
        if form.ending and not ending.endswith(form.ending) and name.endswith(form.ending):
            raise UserError(
                f"the format is {target.name}, and the path ends in {form.ending}, which is the"
                f" format {other}. Received: {target.path}"
            )


def about(target: Target, versions: Mapping[str, str], card: Mapping[str, Any]) -> dict[str, Any]:
    """What the format says of its files, for the card.

    Args:
        versions: versions of the worker that wrote the files, by library.
        card: what the card says already.

    Raises:
        UserError: a format of a plugin has raised, gives no plain JSON, or would replace what the
            card says.
    """
    try:
        with users_format(target.form, "about()"):
            found: Any = target.form.about(versions)
    except FormatFailed as error:
        raise UserError(f"the format {target.name}: {excerpt(str(error))}") from error
    # A plugin may return anything.
    if isinstance(found, Mapping):
        with suppress(TypeError, ValueError, RecursionError):
            told: dict[str, Any] = json.loads(json.dumps(dict(found), allow_nan=False))
            if not (taken := sorted(card.keys() & told.keys())):
                return told
            found = taken
    raise UserError(
        f"about() of the format {target.name} must give plain JSON by names, and none of the names"
        f" that the card has already. Received: {quoted(found)}."
    )


def bring(source: Path, target: Target) -> None:
    """Copy a file or a folder to its target, whole or not at all.

    Raises:
        DiskFailure, UserError: it cannot be written.
    """
    path = target.path
    if not target.form.is_folder:
        with source.open("rb") as file:
            write_whole(path, lambda out: shutil.copyfileobj(file, out))
        return
    temporary = temporary_beside(path)
    try:
        shutil.copytree(source, temporary)
        # The content must be on the disk before the name.
        flush(temporary)
        temporary.replace(path)
        flush_directory(path.parent)
    except OSError as error:
        raise failure(error, f"{path} cannot be written") from error
    finally:
        with suppress(OSError):
            delete(temporary)
