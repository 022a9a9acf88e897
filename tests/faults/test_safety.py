"""No file that evonas reads can run code; nothing is unpickled in any of its processes."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.sources.npz import load_npz
from evonas.errors import InvalidCheckpoint, InvalidData, InvalidInput
from evonas.evaluate.training.checkpoint import load_state, load_weights
from evonas.genome import load_genome, load_space, parse_space
from evonas.memory import Memory
from evonas.runtime.record import checksum
from evonas.testing.runs import write_data

LISTENER = """
import os, sys

def listen(event, arguments, path=os.environ.get("EVONAS_TEST_EVENTS")):
    if path and event == "pickle.find_class":
        with open(path, "a") as file:
            file.write(f"{event} {os.getpid()} {arguments!r}\\n")

def hello(path=os.environ.get("EVONAS_TEST_EVENTS")):
    if path:
        with open(path, "a") as file:
            file.write(f"listening {os.getpid()} {getattr(sys, 'orig_argv', [])!r}\\n")

sys.addaudithook(listen)
hello()
"""
PLUGIN = """
import pickle

def unpickles(x, *, units=4, name=""):
    from keras import layers
    pickle.loads(pickle.dumps(print))
    return layers.Dense(units, name=f"{name}dense")(x)
"""
SPACE = """
space: small
input: vector
network: {layers: {ops: {OP: {units: {choice: [4, 8, 16, 32]}}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.01}}}
  training: {ops: {training: {batch_size: 16}}}
"""
CONFIG = """
run: safe
space: ./small.yaml
data: {path: data.npz}
strategy: {evolution: {population: 2, replacement: {elitist: {elites: 1}}}}
training: {epochs: 1}
budget: {trials: 3}
pool: {local: {workers: 2, devices: cpu}}
"""


def evonas(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from evonas.cli.app import main; main()"
    path = os.pathsep.join([str(cwd), *sys.path])
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )


def prepare(folder: Path, op: str = "dense", config: str = CONFIG) -> None:
    (folder / "sitecustomize.py").write_text(LISTENER)
    (folder / "unpickler.py").write_text(PLUGIN)
    (folder / "small.yaml").write_text(SPACE.replace("OP", repr(op)))
    (folder / "config.yaml").write_text(config)
    write_data(folder)


def events(folder: Path) -> tuple[Counter[str], str]:
    text = (folder / "events.txt").read_text()
    return Counter(line.split()[0] for line in text.splitlines()), text


@pytest.fixture(scope="module")
def overheard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that an audit hook has listened to.

    It listens in the driver, in the fork server and in its workers.
    """
    folder = tmp_path_factory.mktemp("overheard")
    prepare(folder)
    done = evonas("run", "./config.yaml", cwd=folder, EVONAS_TEST_EVENTS=str(folder / "events.txt"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(overheard: Path, tmp_path: Path) -> Path:
    """A copy."""
    return shutil.copytree(overheard, tmp_path / "folder")


def test_nothing_is_unpickled_in_a_run_a_resume_and_an_export(folder: Path) -> None:
    log = {"EVONAS_TEST_EVENTS": str(folder / "events.txt")}
    for arguments in (
        ("resume", "safe"),
        ("show", "safe"),
        ("export", "safe", "0", "--to", "other.keras"),
    ):
        done = evonas(*arguments, cwd=folder, **log)
        assert done.returncode == 0, done.stderr
    counts, text = events(folder)
    assert counts["listening"] >= 6, "four drivers and two fork servers"
    # The reaper goes on as the fork server, with the listener.
    assert "evonas.evaluate.local.reaper" in text
    assert counts["pickle.find_class"] == 0, text


@pytest.mark.full
def test_the_listener_hears_a_worker_that_unpickles(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    prepare(tmp_path, "unpickler:unpickles", CONFIG + "plugins: [unpickler]\n")
    done = evonas(
        "run", "./config.yaml", cwd=tmp_path, EVONAS_TEST_EVENTS=str(tmp_path / "events.txt")
    )
    assert done.returncode == 0, done.stderr
    assert "plugins" in done.stderr
    assert "unpickler" in done.stderr, "what is imported is told before it is"
    counts, text = events(tmp_path)
    assert counts["pickle.find_class"] > 0
    listening = {line.split()[1] for line in text.splitlines() if line.startswith("listening")}
    unpickling = {line.split()[1] for line in text.splitlines() if line.startswith("pickle")}
    assert unpickling - listening, (
        "forked workers, which are no processes with a start of their own"
    )


def test_a_plugin_that_the_config_does_not_list_is_never_imported(tmp_path: Path) -> None:
    prepare(tmp_path, "canary:op")
    (tmp_path / "canary.py").write_text(
        f"open({str(tmp_path / 'dead')!r}, 'w').close()\ndef op(x, **k): return x\n"
    )
    done = evonas("run", "./config.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "not among the plugins" in done.stderr
    assert not (tmp_path / "dead").exists()


@pytest.mark.full
def test_nor_where_a_record_names_it(folder: Path) -> None:
    """A foreign op was written into the genomes of a run's record: the workers refuse it."""
    (folder / "canary.py").write_text(
        f"open({str(folder / 'dead')!r}, 'w').close()\ndef dense(x, **k): return x\n"
    )
    connection = sqlite3.connect(folder / "runs" / "safe" / "run.db")
    with connection:
        connection.execute(
            "update trial set genome = replace(genome, '\"dense\"', '\"canary:dense\"')"
        )
        connection.execute("update meta set value = 'false' where key = 'sealed'")
        connection.execute("delete from meta where key = 'result'")
        checksum.put(connection, checksum.total(connection))  # or that alone would refuse it
    connection.close()
    done = evonas("resume", "safe", cwd=folder)
    assert done.returncode == 1, done.stderr
    assert "the module 'canary' is not among the plugins" in done.stderr
    assert not (folder / "dead").exists()


class Canary:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """The path that must not come to be; the bait works, or the tests would show nothing."""
    path = tmp_path / "dead"
    pickle.loads(pickle.dumps(Canary(path)))  # noqa: S301 - the danger itself
    assert path.is_dir()
    path.rmdir()
    return path


def pickled_arrays(path: Path, canary: Path, *names: str) -> Path:
    bait = np.array([Canary(canary)], dtype=object)
    np.savez(path, **dict.fromkeys(names, bait))  # type: ignore[arg-type]
    return path


def test_arrays_of_objects_are_refused_unread(tmp_path: Path, canary: Path) -> None:
    with pytest.raises(InvalidData, match="Python objects"):
        load_npz(pickled_arrays(tmp_path / "data.npz", canary, "x", "y"), Memory())
    hostile = pickled_arrays(tmp_path / "weights.npz", canary, "about", "weights_00000")
    for read in (load_weights, lambda path: load_state(path, {})):
        with pytest.raises(InvalidCheckpoint):
            read(hostile)
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(InvalidData):
        load_npz(tmp_path / "bare.npz", Memory())
    with pytest.raises(InvalidCheckpoint):
        load_weights(tmp_path / "bare.npz")
    assert not canary.exists()


REST = "optimizer: [adam]\ntraining: [training]"
HOSTILE_YAML = (
    "!!python/object/apply:os.mkdir [{path}]",
    "space: !!python/object/apply:os.mkdir [{path}]",
    "space: small\nlayers: [!!python/object/new:os.mkdir [{path}]]",
    'space: \'__import__("os").mkdir("{path}")\'',
    "space: small\nlayers: ['os:mkdir': {{path: '{path}'}}]\n" + REST,
    'space: small\nlayers: [dense: {{units: \'__import__("os").mkdir("{path}")\'}}]\n' + REST,
)


@pytest.mark.parametrize("text", HOSTILE_YAML)
def test_yaml_never_runs(tmp_path: Path, canary: Path, text: str) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_text(text.format(path=canary))
    space = parse_space(SPACE.replace("OP", "dense"), "small.yaml")
    with pytest.raises(InvalidInput):
        load_genome(file, space)
    with pytest.raises(InvalidInput):
        load_space(file)
    assert not canary.exists()


def test_a_hostile_keras_file_does_not_run(tmp_path: Path, canary: Path) -> None:
    """Keras's safe mode, which evonas uses, refuses a Lambda layer and a foreign function."""
    import keras

    class Bait:
        def __call__(self, x: Any) -> Any:
            return x

    with_lambda = tmp_path / "lambda.keras"
    path = str(canary)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)])
    model.save(with_lambda)
    with pytest.raises(ValueError, match="Lambda"):
        keras.models.load_model(with_lambda, compile=False, safe_mode=True)
    function = {
        "module": "os",
        "class_name": "function",
        "config": "mkdir",
        "registered_name": "mkdir",
    }
    layers = (
        {
            "module": "os",
            "class_name": "mkdir",
            "config": {"path": path},
            "registered_name": None,
        },
        {
            "module": "builtins",
            "class_name": "function",
            "config": "mkdir",
            "registered_name": "os",
        },
        {
            "module": "keras.layers",
            "class_name": "Activation",
            "registered_name": None,
            "config": {"activation": function},
        },
    )
    for number, layer in enumerate(layers):
        hostile = tmp_path / f"hostile{number}.keras"
        rewrite(with_lambda, hostile, layer)
        with pytest.raises((ValueError, TypeError)):
            keras.models.load_model(hostile, compile=False, safe_mode=True)
    assert not canary.exists()


def rewrite(source: Path, target: Path, layer: dict[str, Any]) -> None:
    """A `.keras` file whose last layer is another one."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as out:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][-1] = layer
                content = json.dumps(config).encode()
            out.writestr(name, content)


@pytest.mark.full
def test_a_model_in_the_place_of_the_winners_is_never_opened(folder: Path) -> None:
    """Its sha256 is not the recorded one: an export makes the model again from the weights."""
    root = folder / "runs" / "safe"
    truth = json.loads((root / "best.json").read_text())
    shutil.copy(folder / "data.npz", root / "best.keras")
    done = evonas("export", "safe", "--to", "again.keras", cwd=folder)
    assert done.returncode == 0, done.stderr
    card = json.loads((folder / "again.json").read_text())
    assert card["metrics"]["val_loss"] == pytest.approx(truth["metrics"]["val_loss"])
    assert zipfile.ZipFile(folder / "again.keras").read("config.json")
