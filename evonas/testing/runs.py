"""Whole runs with stubs in the driver: a second each, with a real record, real arrays and made-up scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas import api
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.testing.stub_pool import StubPool

SPACE = """
space: small
input: vector
network:
  layers:
    length: [1, 2]
    ops:
      dense: {units: {choice: [4, 8, 16]}, activation: {choice: [relu, tanh]}}
settings:
  optimizer: {ops: {adam: {learning_rate: {choice: [0.1, 0.01]}}}}
  training: {ops: {training: {batch_size: 16}}}
"""

CONFIG = """
run: stub
space: ./small.yaml
data: {path: data.npz, task: classification}
strategy: {evolution: {population: 5, replacement: {elitist: {elites: 1}}}}
training: {epochs: 3}
budget: {trials: 12}
look_ahead: 5
pool: {local: {workers: 2, devices: cpu}}
"""


class Notes(Observer):
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_note(self, text: str) -> None:
        self.texts.append(text)


def make_run(folder: Path, *changes: str) -> Path:
    """The directory of a run that has not begun; its config and its data are in `folder`.

    Args:
        changes: `key.path=value`, as `evonas run --set` takes them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    (folder / "small.yaml").write_text(SPACE)
    (folder / "stub.yaml").write_text(CONFIG)
    return api.create(load_config(folder / "stub.yaml", changes), folder)[0]


def work(
    root: Path, *overrides: str, observers: Sequence[Observer] = (), capacity: int = 2
) -> api.Run:
    """One session, to the end."""

    def pool(config: object, setup: Any, root: Path) -> StubPool:
        return StubPool(setup, capacity)

    return api.work(root, observers, pool, overrides)


def content(root: Path) -> list[tuple[Any, ...]]:
    with RecordReader(root / "run.db") as record:
        return record.content()
