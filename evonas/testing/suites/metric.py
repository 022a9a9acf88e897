"""What every metric of predictions promises; `evonas.learning.metrics.Metric` says it in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evonas.learning.formulas import Array
from evonas.learning.metrics import Metric, Score
from evonas.learning.tasks import TASKS
from evonas.testing.suites.suite import Suite
from evonas.trial import Direction

SAMPLES = 60


class MetricSuite(Suite):
    """The suite of a metric.

    Class attributes:
        members: metrics, or functions of one's own, by name.
        direction: the better direction of functions; a metric has its own.
        task: word of the learning task whose predictions they score.
        outputs: number of columns of the predictions: classes, labels or quantities.
    """

    members: ClassVar[Mapping[str, Metric | Score]]
    direction: ClassVar[Direction] = "max"
    task: ClassVar[str] = "classification"
    outputs: ClassVar[int] = 3

    def test_its_direction_and_bounds_are_known(self, member: Metric | Score) -> None:
        metric = self._metric(member)
        low, high = metric.bounds
        assert low < high
        assert metric.direction in ("min", "max")
        assert metric.unit != "share" or metric.bounds == (0.0, 1.0)
        assert not metric.by_clock, "a clock measures no predictions"

    def test_a_score_is_a_number_within_the_bounds(self, member: Metric | Score) -> None:
        for seed in range(5):
            targets, predictions = self._made(seed)
            score = self._score(member, targets, predictions)
            low, high = self._metric(member).bounds
            assert low <= score <= high
            # Networks compute in 32 bits.
            narrow = self._score(member, targets, predictions.astype(np.float32))
            assert math.isclose(score, narrow, rel_tol=1e-4, abs_tol=1e-4)

    def test_the_same_predictions_score_the_same_and_are_left_alone(
        self, member: Metric | Score
    ) -> None:
        targets, predictions = self._made(0)
        given = targets.copy(), predictions.copy()
        score = self._score(member, targets, predictions)
        assert self._score(member, targets, predictions) == score
        assert np.array_equal(targets, given[0])
        assert np.array_equal(predictions, given[1])

    def test_the_order_of_the_samples_makes_no_difference(self, member: Metric | Score) -> None:
        targets, predictions = self._made(1)
        order = np.random.default_rng(0).permutation(len(targets))
        score = self._score(member, targets, predictions)
        other = self._score(member, targets[order], predictions[order])
        assert math.isclose(score, other, rel_tol=1e-9, abs_tol=1e-12)

    def test_what_is_right_is_better_than_what_is_drawn(self, member: Metric | Score) -> None:
        targets, predictions = self._made(2)
        drawn = self._score(member, targets, predictions)
        right = self._score(member, targets, self._right(targets))
        is_greater = self._metric(member).direction == "max"
        assert right > drawn if is_greater else right < drawn

    def _made(self, seed: int) -> tuple[Array, Array]:
        """Targets as a worker has them, and predictions that know nothing of them."""
        rng = np.random.default_rng(seed)
        targets = TASKS[self.task].examples(rng, SAMPLES, self.outputs)
        drawn: Array = rng.normal(size=(SAMPLES, self.outputs))
        if not TASKS[self.task].are_quantities:
            weights = np.exp(drawn)
            # The probabilities of labels do not exclude each other.
            rest = 1.0 if targets.ndim == 2 else weights.sum(axis=1, keepdims=True) - weights
            drawn = weights / (weights + rest)
        return targets, drawn

    def _right(self, targets: Array) -> Array:
        """The predictions of a network that knows all targets."""
        if TASKS[self.task].are_quantities or targets.ndim == 2:
            return targets.reshape(len(targets), self.outputs).astype(np.float64)
        right: Array = np.eye(self.outputs)[targets]
        return right

    def _metric(self, member: Metric | Score) -> Metric:
        if isinstance(member, Metric):
            return member
        return Metric("own", self.direction, score=member)

    def _score(self, member: Metric | Score, targets: Array, predictions: Array) -> float:
        formula = self._metric(member).score
        assert formula is not None, "it has no score: it is of the network itself"
        return float(formula(targets, predictions))
