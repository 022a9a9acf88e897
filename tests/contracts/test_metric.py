"""Every metric of predictions keeps the contract."""

from __future__ import annotations

from collections.abc import Iterable

from evonas.learning.metrics import Metric
from evonas.learning.tasks import TASKS
from evonas.testing import MetricSuite

OF_QUANTITIES = TASKS["regression"].metrics
OF_CLASSES = TASKS["classification"].metrics


def named(metrics: Iterable[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


class TestOfThreeClasses(MetricSuite):
    members = named(OF_CLASSES)


class TestOfTwoClasses(MetricSuite):
    members = named(OF_CLASSES)
    outputs = 2


def right_minus_wrong(targets, predictions):
    """A function of a user's own."""
    return 2 * (predictions.argmax(axis=1) == targets).mean() - 1


class TestOfOnesOwn(MetricSuite):
    members = {"right minus wrong": right_minus_wrong}


class TestOfQuantities(MetricSuite):
    members = named(OF_QUANTITIES)
    task = "regression"
    outputs = 1


class TestOfSeveralQuantities(MetricSuite):
    members = named(OF_QUANTITIES)
    task = "regression"


class TestOfLabels(MetricSuite):
    members = named(TASKS["multilabel"].metrics)
    task = "multilabel"
