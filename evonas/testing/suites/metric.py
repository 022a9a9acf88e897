"""What every metric of predictions promises; `evonas.learning.metrics.Metric` says it in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evonas.learning.formulas import Array
from evonas.learning.metrics import Metric
from evonas.learning.tasks import TASKS
from evonas.testing.suites.suite import Suite

SAMPLES = 60


class MetricSuite(Suite):
    """The suite of a metric.

    Class attributes:
        members: metrics, by name.
        task: word of the learning task whose predictions they score.
        outputs: number of columns of the predictions: classes, or one quantity.
    """

    members: ClassVar[Mapping[str, Metric]]
    task: ClassVar[str] = "classification"
    outputs: ClassVar[int] = 3

    def test_its_direction_and_bounds_are_known(self, member: Metric) -> None:
        low, high = member.bounds
        assert low < high
        assert member.direction in ("min", "max")
        assert member.unit != "share" or member.bounds == (0.0, 1.0)
        assert not member.by_clock, "a clock measures no predictions"

    def test_a_score_is_a_number_within_the_bounds(self, member: Metric) -> None:
        for seed in range(5):
            targets, predictions = self._made(seed)
            score = self._score(member, targets, predictions)
            assert isinstance(score, float)
            assert member.bounds[0] <= score <= member.bounds[1]
            # Networks compute in 32 bits.
            narrow = self._score(member, targets, predictions.astype(np.float32))
            assert math.isclose(score, narrow, rel_tol=1e-4, abs_tol=1e-4)

    def test_the_same_predictions_score_the_same_and_are_left_alone(self, member: Metric) -> None:
        targets, predictions = self._made(0)
        given = targets.copy(), predictions.copy()
        score = self._score(member, targets, predictions)
        assert self._score(member, targets, predictions) == score
        assert np.array_equal(targets, given[0])
        assert np.array_equal(predictions, given[1])

    def test_the_order_of_the_samples_makes_no_difference(self, member: Metric) -> None:
        targets, predictions = self._made(1)
        order = np.random.default_rng(0).permutation(len(targets))
        score = self._score(member, targets, predictions)
        other = self._score(member, targets[order], predictions[order])
        assert math.isclose(score, other, rel_tol=1e-9, abs_tol=1e-12)

    def test_what_is_right_is_better_than_what_is_drawn(self, member: Metric) -> None:
        targets, predictions = self._made(2)
        drawn = self._score(member, targets, predictions)
        right = self._score(member, targets, self._right(targets))
        assert right > drawn if member.direction == "max" else right < drawn

    def _made(self, seed: int) -> tuple[Array, Array]:
        """Targets as a worker has them, and predictions that know nothing of them."""
        rng = np.random.default_rng(seed)
        targets = TASKS[self.task].examples(rng, SAMPLES, self.outputs)
        drawn: Array = rng.normal(size=(SAMPLES, self.outputs))
        if not TASKS[self.task].are_quantities:
            weights = np.exp(drawn)
            drawn = weights / weights.sum(axis=1, keepdims=True)
        return targets, drawn

    def _right(self, targets: Array) -> Array:
        """The predictions of a network that knows all targets."""
        if TASKS[self.task].are_quantities:
            return targets.reshape(len(targets), self.outputs).astype(np.float64)
        right: Array = np.eye(self.outputs)[targets]
        return right

    def _score(self, member: Metric, targets: Array, predictions: Array) -> float:
        assert member.score is not None, "it has no score: it is of the network itself"
        score: float = member.score(targets, predictions)
        return score
