"""A bundle: one network in every form, each of them checked, with all that a stranger needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from evonas.errors import EvonasError, UserError
from evonas.export.bundle import cannot_be, card_for, rebuild, weights_for
from evonas.export.card import card_beside, references_of, write_card
from evonas.export.card_page import card_page
from evonas.export.manifest import damaged, write_manifest
from evonas.export.retraining import Tell, Weights, leave
from evonas.export.target import Target, bring, find_form, not_installed
from evonas.files import delete, failure, files_within, flush, flush_directory, temporary_beside
from evonas.genome.seed_file import as_seed
from evonas.model.formats import FORMATS, ExportFormat
from evonas.model.formats.export_format import CannotCarry
from evonas.runtime.config.plain_yaml import as_yaml
from evonas.runtime.config.readable_copy import write_copy
from evonas.runtime.session import Session
from evonas.trial import Outcome, Trial, TrialState
from evonas.words import listed

CARD_PAGE = "MODEL_CARD.md"
LABELS = "labels.txt"
REQUIREMENTS = "requirements.txt"
SIGNATURE = "signature.json"


@dataclass(frozen=True)
class Wanted:
    """The forms of a bundle.

    Attributes:
        forms: formats by name, in the order in which they are written.
        left_out: why others are not among them, by name.
        is_asked: whether the user has named them. Then each must be written.
    """

    forms: Mapping[str, ExportFormat]
    left_out: Mapping[str, str]
    is_asked: bool


def wanted_forms(names: Sequence[str]) -> Wanted:
    """The forms of these names; without any, all whose libraries are installed.

    Raises:
        UserError: there is no such form, or its libraries are missing.
    """
    if names:
        forms = {name: find_form(name, (), "") for name in dict.fromkeys(names)}
        for name, form in forms.items():
            if not form.bundled_as:
                raise UserError(f"the format {name} is in no bundle; export it by --format")
        return Wanted(forms, {}, is_asked=True)
    found: dict[str, ExportFormat] = {}
    left_out = {}
    for name, kind in FORMATS.items():
        form = kind()
        if form.missing():
            left_out[name] = not_installed(form)
        else:
            found[name] = form
    return Wanted(found, left_out, is_asked=False)


def check_folder(trial: Trial, folder: Path, root: Path) -> None:
    """Check that a trial of the run at `root` can be bundled in a folder.

    Raises:
        UserError: the trial did not succeed; or something is in the place of the folder, or it lies
            in the run's own directory, or nowhere.
    """
    if trial.state is not TrialState.OK:
        raise UserError(f"trial {trial.id} has no model to export: it is `{trial.state}`")
    if not folder.parent.is_dir():
        raise UserError(f"there is no folder {folder.parent} to export to")
    if folder.resolve().is_relative_to(root.resolve()):
        raise UserError(
            f"{folder} is in the run's own directory, whose files are the record's;"
            " name a folder outside of it"
        )
    if folder.is_symlink() or (folder.exists() and not _is_empty(folder)):
        raise UserError(
            f"{folder} is there already, and a bundle is a new folder. Name another one, or delete"
            " it first."
        )


def export_bundle(
    session: Session,
    trial: Trial,
    folder: Path,
    wanted: Wanted,
    tell: Tell,
    result: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Write a trial's network in all of these forms, whole or not at all.

    Args:
        folder: a folder that `check_folder` has seen.
        result: card of the winner, if the trial is the winner.

    Returns:
        the card, with the forms under `forms` and the others under `left_out`.

    Raises:
        EvonasError: a form does not predict or score what the record says; its message names it.
        UserError: a form that was asked for cannot hold the network.
    """
    weights = weights_for(session, trial, tell)
    temporary = temporary_beside(folder)
    try:
        temporary.mkdir()
        card = _forms(session, trial, weights, temporary, wanted)
        if result is not None:
            # It is the very model that was tested.
            card["metrics"] = {**result["metrics"], **card["metrics"]}
            card |= references_of(result)
        _texts(session, trial, temporary, card)
        write_manifest(temporary)
        if broken := damaged(temporary):
            raise EvonasError(f"the bundle was damaged while it was written: {listed(broken)}")
        flush(temporary)
        with suppress(FileNotFoundError):
            folder.rmdir()
        temporary.replace(folder)
        flush_directory(folder.parent)
    except OSError as error:
        raise failure(error, f"{folder} cannot be written") from error
    finally:
        with suppress(OSError):
            delete(temporary)
    leave(session, trial, weights)
    return card


def _forms(
    session: Session, trial: Trial, weights: Weights, folder: Path, wanted: Wanted
) -> dict[str, Any]:
    """Write the forms one after another; the card of the first, with a row for each."""
    rows: dict[str, Any] = {}
    left_out = dict(wanted.left_out)
    card: dict[str, Any] = {}
    # A worker writes within the run's directory only; so first there, then to the folder.
    scratch = session.layout.root / "exports"
    for name, form in wanted.forms.items():
        made = Target(scratch / f"{trial.id:05d}{form.ending}", name, form)
        try:
            outcome = rebuild(session, trial, weights, made, {}, is_measured=True)
            target = Target(folder / form.bundled_as, name, form)
            bring(made.path, target)
            own = card_for(session, trial, weights, outcome, made)
        except CannotCarry as error:
            if wanted.is_asked:
                raise cannot_be(trial, made, error) from error
            left_out[name] = str(error)
            continue
        finally:
            delete(made.path)
        rows[name] = _row(form, target.path, own, outcome)
        if not card:
            more = outcome.details.more
            kept = {key: more[key] for key in ("signature", "intervals") if key in more}
            card = {**own, **kept}
    if not rows:
        raise UserError(f"trial {trial.id} cannot be exported in any form: {_reasons(left_out)}")
    return {**card, "forms": rows, "left_out": left_out}


def _row(
    form: ExportFormat, path: Path, card: Mapping[str, Any], outcome: Outcome
) -> dict[str, Any]:
    """What the card says of a form."""
    more = outcome.details.more
    files = [path] if path.is_file() else [path / name for name in files_within(path)]
    return {
        "path": path.name,
        "bytes": sum(file.stat().st_size for file in files),
        "sha256": card["sha256"],
        "latency_ms": more.get("latency_ms"),
        "difference": more.get("difference"),
        "tolerance": form.tolerance,
        "metrics": more.get("form_metrics") or {},
        "loaded_by": card.get("loaded_by"),
    }


def _texts(session: Session, trial: Trial, folder: Path, card: dict[str, Any]) -> None:
    """Write what comes with the forms."""
    seed = as_seed(session.space, trial.genome)
    head = f"# Trial {trial.id} of the run {session.config.run}. It can begin another search:\n"
    how = "# strategy: {evolution: {founders: [./genome.yaml]}}\n"
    _write(folder / "genome.yaml", head + how + as_yaml(seed))
    write_copy(session.config, session.config_file, folder / "run.yaml")
    versions = _versions(card)
    _write(folder / REQUIREMENTS, "".join(f"{name}=={one}\n" for name, one in versions.items()))
    if card["classes"]:
        _write(folder / LABELS, "".join(f"{label}\n" for label in card["classes"]))
    takes = {**(card.get("signature") or {}), "classes": card["classes"]}
    _write(folder / SIGNATURE, json.dumps(takes, indent=2) + "\n")
    model = folder / next(iter(card["forms"].values()))["path"]
    write_card(card_beside(model), card)
    _write(folder / CARD_PAGE, card_page(card, session.inputs.versions))


def _versions(card: Mapping[str, Any]) -> dict[str, str]:
    """What another machine installs to load every form, with versions."""
    packages = {"numpy": None}
    for name in card["forms"]:
        packages |= dict.fromkeys(FORMATS[name].packages)
    # The worker's own, if it has told them.
    told = card.get("versions") or {}
    return {name: told.get(name) or metadata.version(name) for name in sorted(packages)}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _reasons(left_out: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in left_out.items())


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
