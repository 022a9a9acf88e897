"""Runs of shipped configs for measurements, kept in build/, where a second call continues them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evonas import lifecycle, view
from evonas.runtime.config.config_file import load_config

CHECKOUT = Path(__file__).parent.parent
RESULTS = CHECKOUT / "benchmarks" / "results"
SEEDS = range(5)
COMMAND = (sys.executable, "-c", "from evonas.cli import main; main()")
"""The command `evonas`, which need not be on the path."""
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
"""Environment of the command, on the CPU and without TensorFlow's messages."""


def finished(config: str, folder: str, name: str, changes: Sequence[str]) -> view.Run:
    """The finished run of a config with changes, in build/FOLDER/NAME.

    A run that is there already is resumed, and a finished one is only read.
    """
    runs = CHECKOUT / "build" / folder
    if not (runs / name / "run.db").exists():
        file = CHECKOUT / "configs" / f"{config}.yaml"
        # No founders that nobody has named: strategies are compared, which must begin alike.
        loaded = load_config(file, [f"run={name}", *changes], founders=0)
        lifecycle.create(loaded, runs)
    run = lifecycle.work(runs / name)
    print(f"  {name}: {json.dumps(scores(run))}", flush=True)
    return run


def scores(run: view.Run) -> dict[str, float]:
    """Loss and metric on validation and test data, to four places; too few for a mean."""
    metrics = (run.result or {})["metrics"]
    found = {}
    for key, value in metrics.items():
        if key.startswith(("val_", "test_")):
            found[key] = round(value, 4)
    return found


def plain_keras(run: view.Run) -> dict[str, Any]:
    """The exported model's scores in a process without evonas."""
    test = run.directory / "data" / "test"
    files = (run.artefacts["model"], run.artefacts["card"], test / "x.npy", test / "y.npy")
    script = Path(__file__).with_name("plain_keras.py")
    command = [sys.executable, str(script), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def spread(values: Sequence[float], places: int = 4) -> str:
    """The mean and the standard deviation."""
    mean = statistics.mean(values)
    deviation = statistics.stdev(values)
    return f"{mean:.{places}f} ± {deviation:.{places}f}"
