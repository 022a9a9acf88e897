"""Exports a trial: the `.keras` file, and a card beside it with what it is and what it scored."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evonas.data.prepared import FILES
from evonas.errors import EvonasError, UserError
from evonas.evaluate.contract.protocol import ACCUMULATION, Job
from evonas.export import description
from evonas.export.keras_needed import keras_needed
from evonas.export.retraining import Tell, Weights, finish, leave, may_retry, weights_of
from evonas.files import sha256_of, write_text_whole, write_whole
from evonas.randomness import training_seed
from evonas.runtime.openings import note_opening
from evonas.runtime.session import Session
from evonas.trial import CUT_SHORT, Outcome, Trial, TrialState
from evonas.words import excerpt

TOLERANCE = 1e-6
"""Greatest difference between the recorded and the rebuilt model's scores.

It covers the rounding of sums, and nothing else.
"""


@dataclass(frozen=True)
class Exported:
    """Where an exported model is, and what it scored.

    Attributes:
        card: content of the `.json` file beside the model.
    """

    model: Path
    card_file: Path
    card: Mapping[str, Any]


def export_best(session: Session, trial: Trial, tell: Tell) -> Exported:
    """The winner's export at the end of a run, which opens the test data and notes it.

    If its weights are gone, it is trained again.

    Raises:
        EvonasError: the rebuilt model does not score what the record says.
        DiskFailure: there is no space for it; nothing is lost.
    """
    layout = session.layout
    x, y = FILES["test"]
    weights = weights_of(session, trial, tell)
    name = layout.model.relative_to(layout.root).as_posix()
    outcome = _rebuild(session, trial, weights, name, {"x": x, "y": y})
    card = _card(session, trial, weights, outcome, layout.model)
    exported = with_card(layout.model, card)
    files = {
        layout.model.name: card["sha256"],
        layout.card.name: sha256_of(layout.card),
    }
    # The files first, then the record: a session that was killed in between exports once more.
    session.record.note_files(files, result=card)
    return exported


def copy_winner(model: Path, card: Mapping[str, Any], target: Path) -> Exported:
    """Copy the winner's exported model, and its card, to a path of the user's choice.

    Nothing of the run is opened.
    """
    _copy(model, target)
    return with_card(target, card)


def export_trial(session: Session, trial: Trial, target: Path, tell: Tell) -> Exported:
    """Export any successful trial to a path of the user's choice.

    The test data stay closed: only the winner is tested. If the trial's weights are gone, it is
    trained again. They are not kept then, unless it is one of the best.

    Args:
        target: a path that `check_target` has given.

    Raises:
        EvonasError: the rebuilt model does not score what the record says.
    """
    # A worker writes within the run's directory only; so first there, then to the target.
    name = f"exports/{trial.id:05d}.keras"
    made = session.layout.root / name
    weights = weights_of(session, trial, tell)
    outcome = _rebuild(session, trial, weights, name, {})
    card = _card(session, trial, weights, outcome, made)
    _copy(made, target)
    made.unlink()
    leave(session, trial, weights)
    return with_card(target, card)


def cut_short_after(trial: Trial) -> int | None:
    """The number of epochs after which a deadline has ended the training; None for a whole one."""
    if not trial.is_cut_short:
        return None
    return int(trial.metrics[CUT_SHORT])


def check_target(trial: Trial, target: Path, root: Path) -> Path:
    """The target, if a trial of the run at `root` can be exported to it.

    Raises:
        UserError: the trial did not succeed; or the target is not a `.keras` path in a folder that
            exists; or it is in the run's own directory; or a file that is no card is in the place
            of its card.
    """
    if trial.state is not TrialState.OK:
        raise UserError(f"trial {trial.id} has no model to export: it is `{trial.state}`")
    if target.suffix != ".keras":
        raise UserError(
            f"an export's path ends in .keras, which is Keras's own format. Received: {target}"
        )
    if not target.parent.is_dir():
        raise UserError(f"there is no folder {target.parent} to export to")
    if target.resolve().is_relative_to(root.resolve()):
        raise UserError(
            f"{target} is in the run's own directory, whose files are the record's;"
            " name a path outside of it"
        )
    card = _card_file(target)
    if card.exists() and not _is_card(card):
        raise UserError(
            f"an export writes a card beside the model, and {card} is no card of evonas, but a file"
            " of yours. Name another path, or move the file away."
        )
    return target


def _card_file(model: Path) -> Path:
    return model.with_suffix(".json")


def _is_card(path: Path) -> bool:
    """Whether this file is a card that evonas has written, and may replace."""
    try:
        card = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(card, dict) and {"trial", "sha256", "metrics"} <= set(card)


def _copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    with source.open("rb") as file:
        write_whole(target, lambda out: shutil.copyfileobj(file, out))


def is_intact(model: Path, card: Mapping[str, Any]) -> bool:
    """Whether this is the very file that the card was written for."""
    if not model.is_file():
        return False
    return bool(sha256_of(model) == card["sha256"])


def with_card(model: Path, card: Mapping[str, Any]) -> Exported:
    """Write the card beside its model."""
    card_file = _card_file(model)
    text = json.dumps(card, indent=2, allow_nan=False)
    write_text_whole(card_file, text + "\n")
    return Exported(model, card_file, card)


def _rebuild(
    session: Session, trial: Trial, weights: Weights, model: str, arrays: Mapping[str, str]
) -> Outcome:
    """Run the export job in a worker, and compare its scores with those of the training."""
    seed = training_seed(session.config.seed, trial.genome.digest, trial.proposal.repeat)
    job = Job(
        kind="export",
        trial=trial.id,
        attempt=0,
        session=session.record.session,
        genome=trial.genome.to_dict(),
        seed=seed,
        epochs=trial.proposal.fidelity.epochs,
        weights=weights.path.relative_to(session.layout.root).as_posix(),
        model=model,
        arrays=arrays,
        cut_after=cut_short_after(trial),
    )
    outcome = run_job(session, job)
    if outcome.state is not TrialState.OK:
        raise EvonasError(
            f"the model of trial {trial.id} could not be rebuilt ({outcome.state}):"
            f" {excerpt(outcome.message)}"
        )
    for name in ("val_loss", f"val_{session.interface.metric}"):
        ours = weights.metrics.get(name)
        theirs = outcome.metrics.get(name)
        if not _is_close(ours, theirs):
            raise EvonasError(
                f"the rebuilt model of trial {trial.id} is another one: its {name} is {theirs},"
                f" the record says {ours}"
            )
    return outcome


def _is_close(ours: float | None, theirs: float | None) -> bool:
    """Whether both scores are there, and equal but for rounding."""
    if ours is None or theirs is None:
        return False
    return math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def run_job(session: Session, job: Job) -> Outcome:
    """The outcome of a job; failures of the machine are tried again, as in a search.

    Raises:
        Stopped: a second Ctrl-C or a SIGTERM came; the next session does the export.
    """
    for count in itertools.count(1):
        note_opening(session.record, job)
        outcome = finish(session, replace(job, attempt=count - 1))
        if not may_retry(session, job, outcome, count):
            return outcome
    raise AssertionError("unreachable")


def _card(
    session: Session, trial: Trial, weights: Weights, outcome: Outcome, model: Path
) -> dict[str, Any]:
    """What there is to know about an exported model."""
    interface = session.interface
    details = outcome.details.more
    return {
        "run": session.config.run,
        "trial": trial.id,
        "task": interface.task,
        "input_shape": list(interface.input.shape),
        "classes": list(interface.classes),
        "metrics": dict(outcome.metrics),
        "baseline": details.get("baseline"),
        "parameters": details.get("parameters"),
        "flops": details.get("flops"),
        ACCUMULATION: int(trial.metrics.get(ACCUMULATION, 1)),
        CUT_SHORT: cut_short_after(trial),
        **description.training(session, trial, weights.metrics),
        "layers": details.get("layers"),
        "compiled": description.compiled(interface),
        "data": description.data(session),
        **description.origin(session, trial),
        "reload_difference": details.get("reload_difference"),
        "keras": keras_needed(details.get("versions")),
        "versions": details.get("versions"),
        "sha256": sha256_of(model),
    }
