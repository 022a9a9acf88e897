"""Honest neighbours: what scikit-learn's models score on the same samples as the winner.

They have scikit-learn's defaults. A linear model and boosted trees stand beside each winner: they
show whether the search was worth it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.encodings import ENCODINGS
from evonas.data.prepared import FILES, WEIGHTS
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.training import neighbour_program
from evonas.evaluate.training.gains import gains_over
from evonas.evaluate.training.neighbour_program import MODELS, REQUEST, TREES
from evonas.evaluate.training.parts import Part, finite
from evonas.learning.interface import Interface

SAID = 500
"""Characters that are kept of what a failed program has said."""


def neighbours(
    setup: Setup, interface: Interface, parts: Mapping[str, Part], seconds: float
) -> dict[str, Any]:
    """What each neighbour scores, and what it takes.

    Args:
        parts: the parts that are scored, by the prefix of their scores, with the winner's answers.
        seconds: time after which the neighbours that are not done are left out.

    Returns:
        For each: `metrics`, `seconds` of the fit, `samples` that were fitted, `latency_ms` of one
        sample, and `gain`, the difference to the winner on the test data. Or `left_out`, and why.
    """
    with tempfile.TemporaryDirectory(prefix="evonas-neighbours-") as scratch:
        folder = Path(scratch)
        request = _request(setup, interface, parts)
        (folder / REQUEST).write_text(json.dumps(request))
        why = _run(folder, seconds)
        found = {}
        for name in MODELS:
            if (folder / f"{name}.json").is_file():
                found[name] = _scored(setup, interface, parts, folder, name)
            elif name == TREES and request["words"]:
                found[name] = {"left_out": "words are too many columns for trees"}
            elif (folder / f"{name}.txt").is_file():
                found[name] = {"left_out": (folder / f"{name}.txt").read_text()}
            else:
                found[name] = {"left_out": why}
        return found


def _request(setup: Setup, interface: Interface, parts: Mapping[str, Part]) -> dict[str, Any]:
    root = Path(setup.directory)
    x, y = FILES["train"]
    weights = root / WEIGHTS["train"]
    spec = interface.input
    encoding = ENCODINGS[spec.encoding]
    files = {"val": FILES["validation"][0], "test": FILES["test"][0]}
    return {
        "x": str(root / x),
        "y": str(root / y),
        "weights": str(weights) if weights.exists() else None,
        "parts": {part: str(root / files[part]) for part in parts},
        "seed": setup.seed % 2**32,
        "task": interface.task,
        "are_quantities": interface.learning_task.are_quantities,
        "outputs": interface.outputs,
        "columns": int(spec.shape[0]),
        "codes": encoding.codes(spec.fitted),
        "words": encoding.words(spec.fitted),
    }


def _run(folder: Path, seconds: float) -> str:
    """Run the program; why a neighbour may be missing."""
    # `-P`: a user's file in the working directory hides no module of the same name.
    command = [sys.executable, "-P", "-W", "ignore", str(neighbour_program.__file__), str(folder)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return f"it was not fitted within {seconds:.3g} seconds"
    said = done.stderr.decode("utf-8", "backslashreplace").strip()[-SAID:]
    return said.splitlines()[-1] if said else f"its program ended with {done.returncode}"


def _scored(
    setup: Setup, interface: Interface, parts: Mapping[str, Part], folder: Path, name: str
) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    metrics: dict[str, float] = {}
    gain: dict[str, Any] = {}
    with np.load(folder / f"{name}.npz", allow_pickle=False) as answers:
        for part, one in parts.items():
            found = interface.scores(
                interface.learning_task.standard, one.y, answers[part], one.weights
            )
            metrics |= finite(f"{part}_", found)
            if part == "test":
                gain = gains_over(setup.seed, interface, one, answers[part])
    return {**told, "metrics": metrics, "gain": gain}
