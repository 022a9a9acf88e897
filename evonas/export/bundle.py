"""Exports a trial: its model, verified, and a card beside it with what it is and what it scored."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas.data.prepared import FILES
from evonas.errors import DiskFailure, EvonasError, UserError
from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import ACCUMULATION, ExportJob, Setup
from evonas.export import description
from evonas.export.card import (
    DAYS,
    REFERENCES,
    TAKES,
    dates_of,
    note_result,
    references_of,
    write_card,
)
from evonas.export.ensemble import ENSEMBLE, candidates, forget, members_of, note_card, told
from evonas.export.finalists import FINALISTS
from evonas.export.refitting import refitted
from evonas.export.retraining import Tell, Weights, leave, run_job, weights_of
from evonas.export.target import Target, about, bring
from evonas.files import delete, files_within, sha256_of_tree
from evonas.learning.metrics import VALIDATION
from evonas.model.formats.export_format import CannotCarry
from evonas.randomness import training_seed
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.pools import PoolFactory
from evonas.runtime.session import Session
from evonas.trial import CUT_SHORT, Cause, Outcome, Trial, TrialState
from evonas.words import excerpt

TOLERANCE = 1e-6
"""Greatest difference between the recorded and the rebuilt model's scores.

It covers the rounding of sums, and nothing else.
"""


def export_best(
    session: Session,
    trial: Trial,
    tell: Tell,
    path: Path,
    finalists: Sequence[Mapping[str, Any]] = (),
) -> Mapping[str, Any]:
    """The winner's export at the end of a run, which opens the test data and notes it.

    If its weights are gone, it is trained again. With folds, it is trained on all data but those of
    the test.

    Args:
        path: path of the `.keras` file, in the run's folder.
        finalists: what the card tells of the trials that it was chosen from; may be empty.

    Returns:
        the card, which is now the run's result.

    Raises:
        EvonasError: the rebuilt model does not score what the record says.
        DiskFailure: there is no space for it; nothing is lost.
    """
    target = Target(path)
    x, y = FILES["test"]
    weights = weights_for(session, trial, tell)
    among = candidates(session, session.record.trials(session.objective))
    outcome = rebuild(session, trial, weights, target, {"x": x, "y": y}, among)
    card = card_for(session, trial, weights, outcome, target)
    if finalists:
        card[FINALISTS] = list(finalists)
    about_ensemble = outcome.details.more.get("ensemble")
    if (found := told(session, about_ensemble, among)) is not None:
        card["ensemble"] = found
    # Before the winner's: a session that is killed in between exports both again.
    if about_ensemble and "left_out" not in about_ensemble:
        note_card(session, card, about_ensemble)
    else:
        forget(session)
    note_result(session, card, target.card, path)
    return card


def copy_winner(model: Path, card: Mapping[str, Any], target: Target) -> Mapping[str, Any]:
    """Copy the winner's exported model, and its card, to a path of the user's choice.

    Nothing of the run is opened, and no code is imported: the file is the one that was verified.
    """
    bring(model, target)
    write_card(target.card, card)
    return card


def export_trial(
    session: Session,
    trial: Trial,
    target: Target,
    tell: Tell,
    result: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Export any successful trial to a path of the user's choice.

    The test data stay closed: only the winner is tested. If the trial's weights are gone, it is
    trained again. They are not kept then, unless it is one of the best.

    Args:
        target: a target that `check_target` has seen.
        result: card of the winner, if the trial is the winner: the scores of its test are told
            again.

    Returns:
        the card.

    Raises:
        EvonasError: the rebuilt model does not score what the record says, or cannot be written in
            this format; a UserError if the format is one of a plugin.
    """
    # A worker writes within the run's directory only; so first there, then to the target.
    folder = session.layout.root / "exports"
    made = replace(target, path=folder / f"{trial.id:05d}{target.form.ending}")
    weights = weights_for(session, trial, tell)
    try:
        outcome = rebuild(session, trial, weights, made, {})
        card = card_for(session, trial, weights, outcome, made)
        if result is not None:
            # It is the very model that was tested: its scores on validation data are the same.
            card["metrics"] = {**result["metrics"], **card["metrics"]}
            card |= references_of(result)
        bring(made.path, target)
    except CannotCarry as error:
        raise cannot_be(trial, target, error) from error
    finally:
        delete(made.path)
    leave(session, trial, weights)
    write_card(target.card, card)
    return card


def cannot_be(trial: Trial, target: Target, why: CannotCarry) -> UserError:
    """What is told of a format that was asked for and cannot hold the model."""
    return UserError(f"trial {trial.id} cannot be exported as {target.name}: {why}")


def with_plugins(factory: PoolFactory, plugins: tuple[str, ...], folder: str) -> PoolFactory:
    """A maker of pools whose workers may import these modules, too.

    Args:
        folder: folder in which they may lie.
    """

    def make(config: RunConfig, setup: Setup, root: Path) -> Pool:
        known = dict.fromkeys([*setup.plugins, *plugins])
        return factory(config, replace(setup, plugins=tuple(known), plugin_folder=folder), root)

    return make


def cut_short_after(trial: Trial) -> int | None:
    """The number of epochs after which a deadline has ended the training; None for a whole one."""
    if not trial.is_cut_short:
        return None
    return int(trial.metrics[CUT_SHORT])


def weights_for(session: Session, trial: Trial, tell: Tell) -> Weights:
    """The weights that are exported."""
    of_trial = weights_of if session.config.folds is None else refitted
    return of_trial(session, trial, tell)


def rebuild(
    session: Session,
    trial: Trial,
    weights: Weights,
    target: Target,
    arrays: Mapping[str, str],
    among: Sequence[Trial] = (),
    is_measured: bool = False,
) -> Outcome:
    """Run the export job in a worker, and compare its scores with those of the training.

    Args:
        arrays: files of the test data; empty to leave them closed.
        among: trials whose networks may be in an ensemble.
        is_measured: see `ExportJob`.

    Raises:
        CannotCarry: the format cannot hold this model, or a format of a plugin has failed.
        EvonasError: the model cannot be written, or is another one.
    """
    root = session.layout.root
    seed = training_seed(session.config.seed, trial.genome.digest, trial.proposal.repeat)
    job = ExportJob(
        trial=trial.id,
        attempt=0,
        session=session.record.session,
        genome=trial.genome,
        seed=seed,
        epochs=trial.proposal.fidelity.epochs,
        weights=weights.path.relative_to(root).as_posix(),
        model=target.path.relative_to(root).as_posix(),
        format=target.name,
        arrays=arrays,
        cut_after=cut_short_after(trial),
        is_measured=is_measured,
        # They stand beside the winner's test, so there are none without it.
        neighbours=session.config.seconds_of_neighbours if arrays else None,
    )
    outcome = _with_ensemble(session, job, among) if among else run_job(session, job)
    if outcome.details.cause is Cause.FORMAT:
        raise CannotCarry(excerpt(outcome.message))
    if outcome.state is not TrialState.OK:
        raise EvonasError(
            f"the model of trial {trial.id} could not be rebuilt and written as {target.name}"
            f" ({outcome.state}): {excerpt(outcome.message)}"
        )
    # With folds there are no validation data left that the model has not seen.
    if session.config.folds is not None:
        return outcome
    for name in ("val_loss", f"val_{session.interface.metric}"):
        ours = weights.metrics.get(name)
        theirs = outcome.metrics.get(name)
        if not _is_close(ours, theirs):
            raise EvonasError(
                f"the rebuilt model of trial {trial.id} is another one: its {name} is {theirs},"
                f" the record says {ours}"
            )
    return outcome


def _with_ensemble(session: Session, job: ExportJob, among: Sequence[Trial]) -> Outcome:
    """Run an export job that makes an ensemble, too; without one if that does not succeed."""
    limits = session.config.ensemble
    assert limits is not None
    both = replace(
        job, ensemble=ENSEMBLE, members=members_of(among), most_parameters=limits.parameters
    )
    # Several networks at once may need more memory, time or space than there is. Without them, a
    # full disk also has more to delete: the weights that are read here.
    with suppress(DiskFailure):
        outcome = run_job(session, both)
        if outcome.state is TrialState.OK:
            return outcome
    return run_job(session, job)


def _is_close(ours: float | None, theirs: float | None) -> bool:
    """Whether both scores are there, and equal but for rounding."""
    if ours is None or theirs is None:
        return False
    return math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def card_for(
    session: Session, trial: Trial, weights: Weights, outcome: Outcome, target: Target
) -> dict[str, Any]:
    """What there is to know about an exported model."""
    interface = session.interface
    details = outcome.details.more
    form = target.form
    trained = description.training(session, trial, weights.metrics)
    loss = session.config.training.loss
    smoothing = trained["training"].get("label_smoothing") or 0.0
    card = {
        "run": session.config.run,
        "trial": trial.id,
        "task": interface.task,
        "input_shape": list(interface.input.shape),
        "classes": list(interface.classes),
        "metrics": _scores(session, trial, outcome),
        "baseline": details.get("baseline"),
        **{name: details[name] for name in REFERENCES[1:] if name in details},
        "unscored": details.get("unscored") or {},
        "parameters": details.get("parameters"),
        "flops": details.get("flops"),
        ACCUMULATION: int(trial.metrics.get(ACCUMULATION, 1)),
        CUT_SHORT: cut_short_after(trial),
        **trained,
        "layers": details.get("layers"),
        "compiled": description.compiled(interface, loss, smoothing) if form.is_compiled else None,
        "data": description.data(session),
        **description.origin(session, trial),
        "reload_difference": details.get("reload_difference"),
        # What `evonas predict` needs, also where the run is gone.
        TAKES: json.loads(json.dumps(interface.to_json())),
        "versions": details.get("versions"),
        "format": target.name,
        "sha256": sha256_of_tree(target.path),
    }
    if form.is_folder:
        # Together they give the sha256 above: that of this list, as `sha256sum` prints it.
        card["files"] = files_within(target.path)
    if dates := dates_of(card):
        card["dates"] = dict.fromkeys(dates, DAYS)
    return {**card, **about(target, details.get("versions") or {}, card)}


def _scores(session: Session, trial: Trial, outcome: Outcome) -> dict[str, float]:
    """The scores of an exported model; with folds, those on validation data are their means."""
    scores = dict(outcome.metrics)
    if session.config.folds is None:
        return scores
    means = {name: value for name, value in trial.metrics.items() if name.startswith(VALIDATION)}
    return {**means, **scores}
