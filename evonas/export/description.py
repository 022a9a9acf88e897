"""What a card tells beside scores: where a genome is from, how it was trained, what searched it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.data.sources import ByPath
from evonas.data.sources.path_source import PathSource
from evonas.insight.settings import most_epochs, training_settings
from evonas.learning.interface import Interface
from evonas.learning.losses import compiled_loss
from evonas.runtime.session import Session
from evonas.trial import Attempt, Trial, TrialState

MOST_NAMES = 6
"""Names of columns that are listed."""


def origin(session: Session, trial: Trial) -> dict[str, Any]:
    """The genome in full, where it comes from, and the search that found it."""
    config = session.config.to_json()
    lineage = trial.lineage
    return {
        "digest": trial.genome.digest,
        "genome": trial.genome.to_dict(),
        "generation": lineage.generation,
        "operator": lineage.operator,
        "parents": list(lineage.parents),
        "objectives": [one.name for one in session.config.to_objectives()],
        "strategy": config["strategy"],
        "space": {
            "name": session.space.name,
            "decisions": session.space.dimension,
        },
    }


def training(session: Session, trial: Trial, metrics: Mapping[str, float]) -> dict[str, Any]:
    """How a network was trained, and its learning curves.

    Args:
        metrics: scores of the training that has written the weights.
    """
    settings = training_settings(session.space, trial.genome)
    asked = trial.proposal.fidelity.epochs
    best = metrics.get("best_epoch")
    attempt = _attempt_of(session, trial)
    # The gene `epochs` is a wish, which the words below replace.
    settings.pop("epochs", None)
    if recipe := session.config.training.recipe.to_json():
        settings["recipe"] = recipe
    return {
        "training": {
            **settings,
            "epochs": None if attempt is None else attempt.epochs,
            "best_epoch": None if best is None else int(best),
            "most_epochs": most_epochs(session.space, trial.genome, asked),
            "patience": session.config.training.patience,
            "folds": session.config.folds,
            # With folds, the training part is all that is not for the test.
            "samples": session.inputs.counts.get("train"),
            "seconds": None if attempt is None else attempt.seconds,
        },
        "history": {} if attempt is None else dict(attempt.history),
    }


def data(session: Session) -> dict[str, Any]:
    """The data of a run: their source, how many samples each part has, and what they look like."""
    config = session.config.data
    if config is None:
        return {}
    interface = session.interface
    source = config.any_source()
    path = source.path if isinstance(source, ByPath | PathSource) else None
    return {
        "name": config.origin if path is None else None,
        "path": path,
        "task": interface.task,
        "samples": dict(session.inputs.counts),
        "folds": config.folds,
        "shape": list(interface.input.shape),
        "classes": list(interface.classes),
        **_targets(interface),
        "split_seed": config.split_seed,
    }


def compiled(
    interface: Interface, loss: str | None = None, smoothing: float = 0.0
) -> dict[str, Any]:
    """What `evaluate` and `fit` of the exported model take, and what they report.

    Args:
        loss: name of the loss that was trained; None for that of the task.
        smoothing: share by which labels were smoothed.
    """
    head = interface.head
    chosen = compiled_loss(loss, head, interface.loss_weight)
    found = {
        "loss": chosen.loss.name,
        "loss_weight": chosen.weight,
        "metrics": [interface.metric, head.loss_name],
        "y": "the targets as they are in the data" if head.is_scaled else _labels(interface),
    }
    trained = loss or head.loss_name
    if smoothing:
        trained += " of smoothed labels"
    if smoothing or not chosen.is_trained:
        found["trained"] = trained
    if head.is_scaled and interface.outputs > 1:
        found["y"] = f"the targets in their own units, {_columns(interface)}"
        # Keras has no loss with a weight for each column.
        found["is_standardized"] = False
    return found


def _targets(interface: Interface) -> dict[str, Any]:
    """The names of several quantities, and how many steps are forecast."""
    found: dict[str, Any] = {}
    if not interface.classes and interface.outputs > 1:
        found["targets"] = list(interface.output_names)
    if interface.steps:
        found["steps"] = interface.steps
    return found


def _columns(interface: Interface) -> str:
    """The columns of a prediction, in words."""
    names = interface.output_names
    first = ", ".join(names[:MOST_NAMES])
    return f"(samples, {len(names)}): {first}{', ...' if len(names) > MOST_NAMES else ''}"


def _labels(interface: Interface) -> str:
    """How labels are given to `evaluate`, in words."""
    classes = interface.classes
    if interface.task == "multilabel":
        return f"rows of 0 and 1, {_columns(interface)}"
    # `type`, because True and 1.0 are equal to 1 and no class numbers.
    are_numbers = all(type(label) is int for label in classes)
    if are_numbers and classes == tuple(range(len(classes))):
        return f"the labels as they are in the data, 0 to {len(classes) - 1}"
    return "the place of each label in `classes`, from 0: numpy.searchsorted(classes, labels)"


def _attempt_of(session: Session, trial: Trial) -> Attempt | None:
    """The training that has written a trial's weights."""
    # A duplicate has no attempts of its own.
    first = trial.trained_id
    attempts = session.record.attempts(first)
    # A training that was repeated has written them anew, so the last success counts.
    for attempt in reversed(attempts):
        if attempt.state == TrialState.OK:
            return attempt
    return None
