"""The same faults in KerasTuner and in evonas, as a table for docs/reliability.md.

Both search for scikit-learn's digits by random search: six small dense networks, one after the
other, three epochs each. The faults are real. Processes are killed by SIGKILL, a network's loss is
NaN, a network's code raises, and files are emptied. KerasTuner is installed into
build/kerastuner/venv, which also sees the packages of this environment.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.machine import describe
from evonas.runtime.record.reader import RecordReader
from evonas.trial import Objective

CHECKOUT = Path(__file__).parent.parent
BUILD = CHECKOUT / "build" / "kerastuner"
# KerasTuner's callbacks import TensorBoard
KERASTUNER = ("keras-tuner==1.4.8", "tensorboard==2.20.0")
SEARCH = Path(__file__).with_name("kerastuner_search.py")
PYTHON = BUILD / "venv" / "bin" / "python"
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

SPACE = """
space: faulty
input: vector
network:
  layers: {ops: {OPS}}
settings:
  optimizer: {ops: {sgd: {learning_rate: RATE}}}
  training: {ops: {training: {batch_size: 32}}}
"""
DENSE = "dense: {units: {int: [8, 128]}, activation: relu}"
RATE = "{float: [1e-4, 1e-1], log: true}"
CONFIG = """
run: faulty
seed: 7
space: ./faulty.yaml
data: {path: data.npz, task: classification}
strategy: random
training: {epochs: 3}
budget: {trials: 6}
look_ahead: 2
pool: {local: {workers: 1, devices: cpu}}
"""
PLUGIN = """
from keras import layers

def raises(x, *, units=8, name=""):
    raise ValueError("made up by the benchmark")

def slow(x, *, units=8, name=""):
    import time
    time.sleep(2)
    return layers.Dense(units, activation="relu", name=f"{name}dense")(x)
"""


def prepare() -> None:
    """Make an environment for KerasTuner, unless there is one, and delete the runs."""
    if not PYTHON.exists():
        venv.create(BUILD / "venv", with_pip=True)
        site = next((BUILD / "venv" / "lib").glob("python*/site-packages"))
        # packages that it does not have are found in the environment of this process
        (site / "parent.pth").write_text(sysconfig.get_path("purelib") + "\n")
        subprocess.run([str(PYTHON), "-m", "pip", "install", "--quiet", *KERASTUNER], check=True)
    shutil.rmtree(BUILD / "runs", ignore_errors=True)


# KerasTuner


def kerastuner(name: str, fault: str) -> tuple[int, dict[str, Any], str]:
    """One process: its exit code, its result, and its last line."""
    folder = BUILD / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    command = [str(PYTHON), str(SEARCH), str(folder), fault]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    result = {}
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            result = json.loads(line.removeprefix("RESULT "))
            break
    return done.returncode, result, last_line(done.stderr)


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def compared(result: dict[str, Any], reference: dict[str, Any]) -> str:
    """How the trials differ from those of the search in which nothing happened."""
    ours = result["trials"]
    theirs = reference["trials"]
    # a trial is a pair: its network and its score
    same_networks = all(ours[id][0] == theirs[id][0] for id in theirs)
    other_scores = sum(ours[id][1] != theirs[id][1] for id in theirs)
    networks = "the same networks" if same_networks else "other networks"
    scores = "the same scores"
    if other_scores:
        scores = f"other scores for {other_scores} of {len(theirs)}"
    return f"{networks}, {scores}; {result['trainings']} trainings for {len(ours)} trials"


def of_kerastuner() -> dict[str, str]:
    _, reference, _ = kerastuner("reference", "none")
    _, repeated, _ = kerastuner("repeated", "none")
    found = {"nothing, twice with one seed": compared(repeated, reference)}
    code, _, _ = kerastuner("kill", "kill")
    # a copy of the killed search, for the fault of an emptied file
    emptied = BUILD / "runs" / "empty"
    shutil.copytree(BUILD / "runs" / "kill", emptied)
    found["the training process killed"] = (
        f"it is the search's own process: the search ends (exit {code})"
    )
    code, result, _ = kerastuner("kill", "kill")
    found["killed in trial 3 and started again"] = f"exit {code}: {compared(result, reference)}"
    first_trial = min((emptied / "digits").glob("trial_*"))
    (first_trial / "trial.json").write_bytes(b"")
    code, _, last = kerastuner("empty", "kill")
    found["a trial's file emptied, and started again"] = f"exit {code}: `{last}`"
    for fault, words in (("nan", "a loss that is NaN"), ("raise", "a network whose code raises")):
        code, result, _ = kerastuner(fault, fault)
        found[words] = f"exit {code}: states {words_of(result['states'])}; it never wins"
        assert np.isfinite(result["best_score"])
    return found


def words_of(states: dict[str, int]) -> str:
    """The states with their counts, in the order of their names."""
    items = sorted(states.items())
    return ", ".join(f"{count} {state}" for state, count in items)


# evonas


def folder_for(name: str, ops: str = DENSE, rate: str = RATE, config: str = CONFIG) -> Path:
    from sklearn.datasets import load_digits

    folder = BUILD / "runs" / f"evonas-{name}"
    folder.mkdir(parents=True)
    x, y = load_digits(return_X_y=True)
    x = x.astype(np.float32)
    np.savez(folder / "data.npz", x=x, y=y)
    space = SPACE.replace("OPS", ops).replace("RATE", rate)
    (folder / "faulty.yaml").write_text(space)
    (folder / "faulty_ops.py").write_text(PLUGIN)
    plugins = "plugins: [faulty_ops]\n" if "faulty_ops" in ops else ""
    (folder / "config.yaml").write_text(config + plugins)
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(CHECKOUT), str(folder)])
    environment = {**ENVIRONMENT, "PYTHONPATH": path}
    command = [sys.executable, "-c", "from evonas.cli.app import main; main()", *arguments]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and the last line on standard error."""
    arguments = arguments or ("run", "./config.yaml")
    with start(folder, *arguments) as process:
        _, said = process.communicate()
    return process.returncode, last_line(said)


def record(folder: Path) -> tuple[list[Any], int, dict[str, int]]:
    """Content, number of trainings that were begun, and number of trials by state."""
    with RecordReader(folder / "runs" / "faulty" / "run.db") as reader:
        trials = reader.trials(Objective("val_loss", "min"))
        states = Counter(str(trial.state) for trial in trials)
        trainings = len(reader.attempts())
        return reader.content(), trainings, dict(states)


def strike(folder: Path, victim: Callable[[psutil.Process], list[psutil.Process]]) -> int:
    """Kill processes in the middle of the third trial; returns the exit code of the search.

    Args:
        folder: folder of the search.
        victim: function that gives the processes to be killed, from that of the search.
    """
    with start(folder, "run", "./config.yaml") as process:
        while process.poll() is None and not is_in_third_trial(folder):
            time.sleep(0.05)
        # an attempt is recorded before its training begins; half a second later it is at work
        time.sleep(0.5)
        for target in victim(psutil.Process(process.pid)):
            target.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode


def is_in_third_trial(folder: Path) -> bool:
    try:
        with RecordReader(folder / "runs" / "faulty" / "run.db") as reader:
            attempts = reader.attempts()
    except Exception:
        # the record is not there yet
        return False
    return any(attempt.trial == 2 and attempt.state == "running" for attempt in attempts)


def difference(folder: Path, reference: list[Any]) -> str:
    content, trainings, _ = record(folder)
    same = "the same networks, the same scores" if content == reference else "ANOTHER RECORD"
    return f"{same}; {trainings} trainings for {len(content)} trials"


def of_evonas() -> dict[str, str]:
    # to build a network with this op takes two seconds: time to strike in
    _, _, parameters = DENSE.partition(": ")
    slow = f"'faulty_ops:slow': {parameters.replace(', activation: relu', '')}"
    first = folder_for("reference", slow)
    second = folder_for("repeated", slow)
    for folder in (first, second):
        code, _ = run(folder)
        assert code == 0
    reference, _, _ = record(first)
    found = {"nothing, twice with one seed": difference(second, reference)}
    worker = folder_for("worker", slow)
    code = strike(worker, workers_of)
    found["the training process killed"] = (
        f"exit {code}: the search goes on; {difference(worker, reference)}"
    )
    driver = folder_for("driver", slow)
    strike(driver, lambda process: [process])
    emptied = BUILD / "runs" / "evonas-emptied"
    shutil.copytree(driver, emptied)
    code, _ = run(driver, "resume", "faulty")
    found["killed in trial 3 and started again"] = f"exit {code}: {difference(driver, reference)}"
    found["a trial's file emptied, and started again"] = empty(emptied, reference)
    nan_rate = "{choice: [0.05, 1.0e+30]}"
    raising = f"{DENSE}, 'faulty_ops:raises': {{units: {{int: [8, 128]}}}}"
    for name, words, ops, rate in (
        ("nan", "a loss that is NaN", DENSE, nan_rate),
        ("raise", "a network whose code raises", raising, RATE),
    ):
        folder = folder_for(name, ops, rate)
        code, _ = run(folder)
        _, _, states = record(folder)
        found[words] = (
            f"exit {code}: states {words_of(states)}; it never wins and is never a parent"
        )
    return found


def workers_of(driver: psutil.Process) -> list[psutil.Process]:
    """The workers are children of the fork server, a child of the reaper, a child of the driver."""
    found = []
    for reaper in driver.children():
        for fork_server in reaper.children():
            found += fork_server.children()
    return found


def empty(folder: Path, reference: list[Any]) -> str:
    """Empty the weights of a finished trial and resume; then do the same with the record."""
    root = folder / "runs" / "faulty"
    first_weights = min((root / "weights").iterdir())
    first_weights.write_bytes(b"")
    code, last = run(folder, "resume", "faulty")
    said = difference(folder, reference) if code == 0 else f"`{last}`"
    weights = f"weights: exit {code}, {said}"
    (root / "run.db").write_bytes(b"")
    code, last = run(folder, "resume", "faulty")
    last = last.replace(str(root), "RUN")
    return f"{weights}. The record: exit {code}, `{last}`"


def main() -> None:
    prepare()
    print(f"{describe()}, keras-tuner {version_of_kerastuner()}.")
    print("Each fault once, seed 7.\n")
    theirs = of_kerastuner()
    ours = of_evonas()
    version = metadata.version("evonas")
    print(f"| fault | KerasTuner {version_of_kerastuner()} | evonas {version} |")
    print("| --- | --- | --- |")
    for fault in theirs:
        print(f"| {fault} | {theirs[fault]} | {ours[fault]} |")


def version_of_kerastuner() -> str:
    code = "from importlib import metadata; print(metadata.version('keras-tuner'))"
    command = [str(PYTHON), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
