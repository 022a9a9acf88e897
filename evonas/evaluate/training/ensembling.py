"""The ensemble of a run's best networks: chosen on validation data, written as one model.

It is a part of the export of the winner, so that the test data are opened once for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import keras
import numpy as np
import tensorflow as tf

from evonas.data.prepared import FILES, FOLDS, WEIGHTS
from evonas.errors import InvalidRecord
from evonas.evaluate.contract.protocol import ExportJob, Setup
from evonas.evaluate.training.checkpoint import Array, load_weights
from evonas.evaluate.training.gains import gains_over
from evonas.evaluate.training.latency import latency_ms
from evonas.evaluate.training.parts import Part, finite, mapped, predicted, weights_at
from evonas.evaluate.training.scoring import MetricFailed
from evonas.evaluate.training.train_job import space_of
from evonas.genome import Genome
from evonas.learning.interface import Interface
from evonas.learning.metrics import VALIDATION, Metric
from evonas.learning.selection import select
from evonas.model.assembly import build_model
from evonas.model.ensemble import ensemble_model
from evonas.model.size import measure
from evonas.trial import Direction

REPEATS = 31
"""Calls by which a latency is measured."""


@dataclass(frozen=True)
class Ensemble:
    """An ensemble that was chosen.

    Attributes:
        networks: its networks for stored samples, each with how often it counts.
        about: what the card tells of it, as plain JSON.
    """

    networks: Sequence[tuple[keras.Model, int]]
    about: dict[str, Any]


@dataclass(frozen=True)
class _Candidate:
    """A trial whose networks may be members.

    Attributes:
        parameters: number of weights of its network; with folds of the networks of all folds.
        answers: what they answer on validation data, with folds each on its own fold.
    """

    trial: int
    genome: Genome
    weights: Sequence[Sequence[Array]]
    parameters: int
    answers: Array

    def networks(self, setup: Setup, interface: Interface) -> list[keras.Model]:
        """Its network; with folds that of each fold."""
        found = []
        for weights in self.weights:
            model = build_model(space_of(setup), self.genome, interface, setup.plugins)
            model.set_weights(weights)
            found.append(model)
        return found


def chosen(
    setup: Setup, job: ExportJob, interface: Interface, measured: Sequence[Metric]
) -> Ensemble | str:
    """The ensemble that is best on validation data, or why there is none.

    Args:
        measured: metrics of predictions, the first of them the loss.

    Raises:
        InvalidRecord: the weights of a candidate are damaged.
        MetricFailed: a metric of the user's own fails.
    """
    part: Literal["train", "validation"] = "train" if setup.folds else "validation"
    root = Path(setup.directory)
    x_name, y_name = FILES[part]
    x, y = mapped(root / x_name), mapped(root / y_name)
    weights = weights_at(root / WEIGHTS[part])
    metric = _decisive(setup, measured)

    def score(predictions: Array) -> float:
        return float(interface.scores([metric], y, predictions, weights)[metric.name])

    candidates = [_candidate(setup, one, interface, x) for one in job.members]
    sizes = [each.parameters for each in candidates]
    answers = [each.answers for each in candidates]
    # Only its user knows the direction of a metric of his own, and only an objective has one here.
    direction = metric.direction or cast(Direction, setup.objective["direction"])
    best = select(answers, score, direction, sizes, job.most_parameters)
    if best is None:
        return "no network fits within its limit of parameters"
    networks = []
    members = []
    for each, count in zip(candidates, best.counts, strict=True):
        if count:
            networks += [(network, count) for network in each.networks(setup, interface)]
            share = count / sum(best.counts)
            members.append({"trial": each.trial, "share": share, "networks": len(each.weights)})
    if len(networks) < 2:
        return "no mean of several networks is better on validation data than one of them"
    mean: Array = np.average(answers, axis=0, weights=best.counts)
    about = {
        "members": members,
        "chosen_by": f"{VALIDATION}{metric.name}",
        "metrics": finite(VALIDATION, interface.scores(measured, y, mean, weights)),
    }
    return Ensemble(networks, about)


def _decisive(setup: Setup, measured: Sequence[Metric]) -> Metric:
    """The metric that chooses: that of the objective if predictions have it, otherwise the loss."""
    name = setup.objective["name"].removeprefix(VALIDATION)
    return next((one for one in measured if one.name == name), measured[0])


def _candidate(
    setup: Setup, member: Mapping[str, Any], interface: Interface, x: Array
) -> _Candidate:
    root = Path(setup.directory)
    genome = Genome.from_dict(member["genome"])
    folds = setup.folds or 1
    path = root / member["weights"]
    arrays = load_weights(path)
    length = len(arrays) // folds
    weights = [arrays[fold * length : (fold + 1) * length] for fold in range(folds)]
    model = build_model(space_of(setup), genome, interface, setup.plugins)
    shapes = [tuple(one.shape) for one in model.weights]
    for own in weights:
        if [one.shape for one in own] != shapes:
            raise InvalidRecord(f"{path} are the weights of another model.")
    # One network takes the weights of each fold in turn, because each one has a graph to trace.
    answers = _answers(setup, model, weights, x)
    return _Candidate(member["trial"], genome, weights, folds * measure(model).parameters, answers)


def _answers(
    setup: Setup, model: keras.Model, weights: Sequence[Sequence[Array]], x: Array
) -> Array:
    """What a candidate answers on data that its training has not seen."""
    if setup.folds is None:
        model.set_weights(weights[0])
        return predicted(model, x)
    fold_of = mapped(Path(setup.directory) / FOLDS)
    answers: Array = np.empty(0)
    for fold, own in enumerate(weights):
        model.set_weights(own)
        held_out = np.flatnonzero(fold_of == fold)
        found = predicted(model, np.asarray(x[held_out]))
        if not answers.size:
            answers = np.empty((len(x), *found.shape[1:]), found.dtype)
        answers[held_out] = found
    return answers


def judged(
    setup: Setup,
    ensemble: Ensemble,
    winner: keras.Model,
    test: Part,
    interface: Interface,
    measured: Sequence[Metric],
) -> tuple[dict[str, Any], Array]:
    """What the ensemble costs, and what it gains on the test data over the winner.

    Args:
        winner: the winner's network for stored samples.
        test: test data, with the winner's answers.

    Returns:
        more for the card, and the ensemble's answers on the test data.
    """
    model = ensemble_model(ensemble.networks, interface)
    size = measure(model)
    sample = tf.cast(np.asarray(test.x[:1]), tf.float32)
    latency = latency_ms(model, sample, REPEATS)
    of_winner = latency_ms(winner, sample, REPEATS)
    answers = predicted(model, test.x)
    scores: dict[str, float] = {}
    for metric in measured:
        # The ensemble is as good without a score that a function of the user's does not give.
        with suppress(MetricFailed):
            own = interface.scores([metric], test.y, answers, test.weights)
            scores |= finite("test_", own)
    more = {
        "parameters": size.parameters,
        "flops": size.flops,
        "latency_ms": latency,
        "latency_ms_of_winner": of_winner,
        "metrics": scores,
        "gain": gains_over(setup.seed, interface, test, answers),
    }
    return more, answers
