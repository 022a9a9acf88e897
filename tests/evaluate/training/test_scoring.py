"""Metrics of the user's own: what they are given, and what becomes of what they return."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.errors import UserError
from evonas.evaluate.training.scoring import MetricFailed, asked_metrics, own_metric
from evonas.testing.jobs import make_setup

MODULE = """
import random
import numpy as np

def margin(targets, predictions):
    return np.float32(predictions[np.arange(len(targets)), targets].mean())

def undefined(targets, predictions):
    return np.nan

def drawn(targets, predictions):
    return random.random() + np.random.random()

def writes(targets, predictions):
    predictions[0] = 0

def raises(targets, predictions):
    raise ValueError("not today")

def leaves(targets, predictions):
    raise SystemExit(3)

def word(targets, predictions):
    return "7"

def several(targets, predictions):
    return predictions[0]

def nothing(targets, predictions):
    pass
"""
Y = np.array([0, 1, 1])
PREDICTIONS = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]], np.float32)


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_metrics.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_metrics", raising=False)


def score(function: str) -> Any:
    metric = own_metric(f"own_metrics:{function}", ["own_metrics"], seed=3)
    assert metric.score is not None
    return metric.score(Y, PREDICTIONS)


def test_a_function_of_the_users_is_a_metric() -> None:
    assert score("margin") == pytest.approx((0.5 + 0.75 + 0.0) / 3)
    assert np.isnan(score("undefined"))
    assert score("drawn") == score("drawn")
    assert PREDICTIONS.flags.writeable


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("raises", "has raised ValueError: not today"),
        ("leaves", "has raised SystemExit: 3"),
        ("writes", "has raised ValueError: assignment destination is read-only"),
        ("word", "must return a number. Received: '7'"),
        ("several", "must return a number. Received: array("),
        ("nothing", "must return a number. Received: None"),
    ],
)
def test_what_fails_names_the_metric(function: str, words: str) -> None:
    with pytest.raises(MetricFailed) as caught:
        score(function)
    assert str(caught.value).startswith(f"the metric own_metrics:{function} ")
    assert words in str(caught.value)


def test_only_listed_modules_are_imported() -> None:
    with pytest.raises(UserError, match="'own_metrics' is not among the plugins"):
        own_metric("own_metrics:margin", [], seed=0)
    assert "own_metrics" not in sys.modules
    with pytest.raises(UserError, match="has no function 'margins'"):
        own_metric("own_metrics:margins", ["own_metrics"], seed=0)


def test_a_run_measures_the_standard_metrics_and_those_that_it_names(tmp_path: Path) -> None:
    setup = make_setup(
        tmp_path,
        needed=("parameters", "val_auc", "val_loss"),
        metrics=("val_own_metrics:margin", "val_auc", "latency_ms"),
        plugins=("own_metrics",),
    )
    names = [metric.name for metric in asked_metrics(setup)]
    assert names == ["loss", "accuracy", "auc", "own_metrics:margin"]
