"""Runs of shipped configs for measurements: kept in build/, where a second call goes on from what it finds."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evonas import api
from evonas.runtime.config.config_file import load_config

CHECKOUT = Path(__file__).parent.parent
RESULTS = CHECKOUT / "benchmarks" / "results"
SEEDS = range(5)


def finished(config: str, folder: str, name: str, changes: Sequence[str]) -> api.Run:
    """The finished run of a config with changes, in build/FOLDER/NAME; what is there already is not done again."""
    runs = CHECKOUT / "build" / folder
    if not (runs / name / "run.db").exists():
        loaded = load_config(CHECKOUT / "configs" / f"{config}.yaml", [f"run={name}", *changes])
        api.create(loaded, runs)
    run = api.work(runs / name)
    print(f"  {name}: {json.dumps(scores(run))}", flush=True)
    return run


def scores(run: api.Run) -> dict[str, float]:
    """Loss and its companion on validation and test data, to four places: for a glance, not for a mean."""
    metrics = (run.result or {})["metrics"]
    return {
        key: round(value, 4) for key, value in metrics.items() if key.startswith(("val_", "test_"))
    }


def plain_keras(run: api.Run) -> dict[str, Any]:
    """The exported model's scores in a process without evonas."""
    test = run.directory / "data" / "test"
    files = (run.layout.model, run.layout.card, test / "x.npy", test / "y.npy")
    command = [sys.executable, str(Path(__file__).with_name("plain_keras.py")), *map(str, files)]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    return found


def spread(values: Sequence[float], places: int = 4) -> str:
    return f"{statistics.mean(values):.{places}f} ± {statistics.stdev(values):.{places}f}"
