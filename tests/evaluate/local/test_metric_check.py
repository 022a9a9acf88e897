"""Metrics of the user's own are called once before a search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from evonas.data.prepared import FILES
from evonas.evaluate.local import metric_check
from evonas.evaluate.local.metric_check import try_metrics
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface

MODULE = """
import os
import sys
import numpy as np

def fine(targets, predictions):
    assert predictions.dtype == np.float32 and not predictions.flags.writeable
    if predictions.shape == (4, 2):
        assert np.allclose(predictions.sum(axis=1), 1) and set(targets) == {0, 1}
    else:
        assert predictions.shape == (4, 1) and sorted(predictions[:, 0]) == sorted(targets)
    return np.nan

def none(targets, predictions): ...

def leaves(targets, predictions):
    sys.exit(3)

def ends(targets, predictions):
    os._exit(7)
"""


def tried(folder: Path, targets: list[float], task: str, *names: str) -> Mapping[str, str]:
    (folder / "tried_metrics.py").write_text(MODULE)
    path = folder / FILES["validation"][1]
    path.parent.mkdir()
    np.save(path, np.array(targets))
    classes = ("a", "b") if task == "classification" else ()
    interface = Interface(InputSpec("tabular", (2,)), task, classes)
    functions = [f"tried_metrics:{name}" for name in names]
    return try_metrics(functions, interface, folder, ["tried_metrics"], str(folder), seed=3)


def test_each_metric_that_fails_has_its_sentence(tmp_path: Path) -> None:
    names = ("fine", "none", "leaves")
    assert tried(tmp_path, [0, 1, 1, 0], "classification", *names) == {
        "tried_metrics:none": "the metric tried_metrics:none must return a number. Received: None"
        " (called on made-up predictions)",
        "tried_metrics:leaves": "the metric tried_metrics:leaves has raised SystemExit: 3"
        " (called on made-up predictions)",
    }


def test_predictions_of_quantities_are_such_as_the_targets(tmp_path: Path) -> None:
    assert tried(tmp_path, [1.0, 2.0, 8.0, 9.0], "regression", "fine") == {}


def test_a_metric_that_ends_its_process_is_named(tmp_path: Path) -> None:
    words = "calling tried_metrics:ends on made-up predictions ended the process with exit code 7."
    found = tried(tmp_path, [0, 1], "classification", "ends")
    assert found == {"tried_metrics:ends": words}


def test_without_metrics_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_check, "ask_aside", None)
    interface = Interface(InputSpec("tabular", (2,)), "regression", ())
    assert try_metrics([], interface, Path(), [], "", 0) == {}
