"""The ensemble beside the winner: which trials may be in it, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.export.card import write_card
from evonas.files import is_whole, sha256_of
from evonas.runtime.loop.jobs import weights_path
from evonas.runtime.session import Session
from evonas.trial import Trial, TrialState, rank

ENSEMBLE = "ensemble.keras"
"""Name of the model in the run's folder."""

ENSEMBLE_CARD = "ensemble.json"
"""Name of its card."""

OF_THE_WINNER = frozenset(
    (
        "digest",
        "genome",
        "generation",
        "operator",
        "parents",
        "training",
        "history",
        "targets",
        "unscored",
        "accumulation_steps",
        "cut_short",
        "ensemble",
        "finalists",
    )
)
"""What a winner's card tells of its own network and training."""


def candidates(session: Session, trials: Sequence[Trial]) -> list[Trial]:
    """The trials whose networks may be in the ensemble, the best first; none without an ensemble.

    They are different trainings that have succeeded, and whose weights are kept.

    Args:
        trials: all trials, by id.
    """
    most = session.members_of_ensemble
    # One alone is an ensemble only with folds, and then it is dear.
    if most < 2:
        return []
    files = session.record.files()
    own = [one for one in trials if one.twin_of is None and one.state is TrialState.OK]
    found: list[Trial] = []
    for trial in sorted((one for one in own if one.fitness is not None), key=rank):
        name = weights_path(trial.id)
        if name in files and is_whole(session.layout.root / name, files[name]):
            found.append(trial)
        if len(found) == most:
            break
    return found


def members_of(trials: Sequence[Trial]) -> list[Mapping[str, Any]]:
    """The same for a job, see `ExportJob.members`."""
    return [
        {"trial": one.id, "genome": one.genome.to_dict(), "weights": weights_path(one.id)}
        for one in trials
    ]


def told(
    session: Session, found: Mapping[str, Any] | None, trials: Sequence[Trial]
) -> dict[str, Any] | None:
    """What the winner's card tells of the ensemble; None if none is wanted.

    Args:
        found: what the export says of it, if it has made one.
        trials: the trials whose networks might have been in it.
    """
    if not session.config.members_of_ensemble:
        return None
    if not trials:
        why = "there are not two networks, or no time for them in the budget"
        return {"candidates": [], "left_out": why}
    own = dict(found or {"left_out": "its export did not succeed"})
    own.pop("layers", None)
    own.pop("reload_difference", None)
    return {"candidates": [one.id for one in trials], **own}


def forget(session: Session) -> None:
    """Delete the files of an ensemble that an earlier end of the run has made."""
    # Under other names than the record's, a file is the user's.
    gone = [name for name in (ENSEMBLE, ENSEMBLE_CARD) if name in session.record.files()]
    for name in gone:
        (session.layout.root / name).unlink(missing_ok=True)
    session.record.note_files({}, gone=gone)


def note_card(session: Session, winner: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write the card of the ensemble, and note both of its files in the record.

    Args:
        winner: the winner's card.
        about: what the export says of the ensemble.
    """
    root = session.layout.root
    shared = {name: value for name, value in winner.items() if name not in OF_THE_WINNER}
    path: Path = root / ENSEMBLE_CARD
    sha256 = sha256_of(root / ENSEMBLE)
    write_card(path, {**shared, **about, "format": "keras", "sha256": sha256})
    session.record.note_files({ENSEMBLE: sha256, path.name: sha256_of(path)})
