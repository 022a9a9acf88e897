"""Whole runs with stubs in the driver: a real record, real arrays, made-up scores, in a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas import lifecycle, view
from evonas.evaluate.contract.protocol import Setup
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.pools import PoolFactory
from evonas.runtime.record.reader import RecordReader
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import PLAIN, Stub

SMALL_SPACE = """
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
"""A search space of 84 genomes, so duplicates are frequent."""

WIDE_SPACE = SMALL_SPACE.replace("{choice: [0.1, 0.01]}", "{float: [1e-4, 1.0], log: true}")
"""The same with a continuous learning rate: no two random genomes are equal."""

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
"""A short run. Changes to it are given to `make_run`, as `evonas run --set` takes them."""

STOPPING = (
    "training.epochs=12",
    "training.stop={learning_curve: {after: 0.3, margin: 0.5}}",
)
"""The changes to `CONFIG` for a run whose learning curves stop hopeless trainings."""

FEW = {
    "evolution": "{evolution: {population: 5, replacement: {elitist: {elites: 1}}}}",
    "guided": "{evolution: {initial: 4, children: 6}}",
    "nsga2": "{nsga2: {population: 5}}",
}
"""Settings for short runs of strategies whose default population is too large for them.

`guided` is evolution with a guide.
"""


class Notes(Observer):
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_note(self, text: str) -> None:
        self.texts.append(text)


def write_data(folder: Path) -> Path:
    """Write 60 samples of 4 features in 3 classes.

    Returns:
        the path of the file, `data.npz` in this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    return folder / "data.npz"


def write_config(folder: Path, space: str = SMALL_SPACE, config: str = CONFIG) -> Path:
    """Write the three files of a stub run: its data, its search space and its config.

    Returns:
        the path of the config, `stub.yaml` in this folder.
    """
    write_data(folder)
    (folder / "small.yaml").write_text(space)
    (folder / "stub.yaml").write_text(config)
    return folder / "stub.yaml"


def make_run(
    folder: Path,
    *changes: str,
    space: str = SMALL_SPACE,
    config: str = CONFIG,
    runs: Path | None = None,
    gives_back: bool | None = None,
) -> Path:
    """Make a run that has not begun.

    Args:
        folder: where the config, the space and the data are written.
        changes: `key.path=value`, as `evonas run --set` takes them.
        space: text of the search space, which the config calls `./small.yaml`.
        config: text of the config.
        runs: folder of the run's own directory; by default `folder`.
        gives_back: whether infeasible proposals are given back to the budget; None: as the strategy
            says.

    Returns:
        the run's directory.
    """
    path = write_config(folder, space, config)
    loaded = load_config(path, changes)
    return lifecycle.create(loaded, runs or folder, gives_back)[0]


def strategy_changes(name: str) -> list[str]:
    """The changes to `CONFIG` for a short run of this strategy."""
    changes = [f"strategy={FEW.get(name, name)}"]
    if name in ("nsga2", "nsga3"):
        changes.append("objectives=[val_accuracy, parameters, flops]")
    return changes


def stub_pools(
    capacity: int = 2, stub: Stub = PLAIN, pool: type[StubPool] = StubPool
) -> PoolFactory:
    """A maker of stub pools, for all that takes a `pool_factory`.

    Args:
        capacity: number of jobs at once.
        stub: habits of the stubs.
        pool: class of the pools; a test may derive one that watches or spoils what passes.
    """

    def make(config: object, setup: Setup, root: Path) -> StubPool:
        return pool(setup, capacity, stub)

    return make


def work(
    root: Path,
    *overrides: str,
    observers: Sequence[Observer] = (),
    capacity: int = 2,
    stub: Stub = PLAIN,
    pool: type[StubPool] = StubPool,
) -> view.Run:
    """One session with stubs, to the end of the run.

    Args:
        root: directory of the run.
        overrides: `key.path=value`, as `evonas resume --set` takes them.
        observers: told what happens.
        capacity: number of jobs at once.
        stub: habits of the stubs.
        pool: class of the pool.
    """
    return lifecycle.work(root, observers, stub_pools(capacity, stub, pool), overrides)


def content(root: Path) -> list[tuple[Any, ...]]:
    """What must be the same for the same config and seed: the table of trials."""
    with RecordReader(root / "run.db") as record:
        return record.content()
