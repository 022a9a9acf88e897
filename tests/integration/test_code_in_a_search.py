"""The code of an op changes while real networks are trained with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evonas import lifecycle
from evonas.errors import InvalidConfig
from evonas.runtime.loop.observer import Observer
from evonas.testing import content
from evonas.testing.runs import make_run

SPACE = """
space: scaled
input: vector
network:
  layers:
    length: [1, 2]
    ops:
      dense: {units: {choice: [4, 8]}, activation: relu}
      scaled_ops:scaled: {by: {float: [0.5, 2.0]}}
settings:
  optimizer: {ops: {sgd: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""
CHANGES = (
    "plugins=[scaled_ops]",
    "strategy=random",
    "training.epochs=2",
    "budget.trials=4",
    # A worker for each trial: any training makes it grow by more.
    "pool={local: {workers: 1, devices: cpu, recycle_mb: 1}}",
)
PLUGIN = """
from keras import layers

def scaled(x, *, by):
    return layers.Rescaling(by * 1.0)(x)
"""


class Edit(Observer):
    """Changes the op when the first outcome is there."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def on_outcome(self, *_: object) -> None:
        self.file.write_text(PLUGIN.replace("1.0", "9.0"))
        os.utime(self.file, ns=(0, 0))


@pytest.mark.full
def test_no_network_of_the_new_code_is_in_the_record(tmp_path: Path) -> None:
    contents = []
    for name in ("undisturbed", "edited"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "scaled_ops.py").write_text(PLUGIN)
        os.utime(folder / "scaled_ops.py", ns=(0, 0))
        root = make_run(folder, *CHANGES, space=SPACE)
        if name == "edited":
            words = "while the run went on: scaled_ops. .* its 1 trial was judged by the old code"
            with pytest.raises(InvalidConfig, match=words):
                lifecycle.work(root, [Edit(folder / "scaled_ops.py")], is_new=True)
            with pytest.raises(InvalidConfig, match="since the run began: scaled_ops"):
                lifecycle.work(root)
            (folder / "scaled_ops.py").write_text(PLUGIN)
        assert lifecycle.work(root).is_finished
        contents.append(content(root))
    assert contents[0] == contents[1]
