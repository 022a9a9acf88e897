"""The same faults thrown at KerasTuner and at evonas, side by side; prints a table for docs/reliability.md.

Both search six small dense networks for scikit-learn's digits, three epochs each, one after the other, at random. The
faults are real: processes are killed by SIGKILL, a network's loss is NaN, a network's code raises, files are emptied.
KerasTuner is installed into build/kerastuner/venv, which sees the packages of this environment, too.
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
KERASTUNER = ("keras-tuner==1.4.8", "tensorboard==2.20.0")  # its callbacks import the latter
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
    """KerasTuner's own environment; its packages are laid over those of this one."""
    if not PYTHON.exists():
        venv.create(BUILD / "venv", with_pip=True)
        site = next((BUILD / "venv" / "lib").glob("python*/site-packages"))
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
    found = [
        json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")
    ]
    return (
        done.returncode,
        found[0] if found else {},
        (done.stderr.strip().splitlines() or [""])[-1],
    )


def compared(result: dict[str, Any], reference: dict[str, Any]) -> str:
    """How the trials differ from those of the search in which nothing happened."""
    ours, theirs = result["trials"], reference["trials"]
    networks = (
        "the same networks"
        if all(ours[id][0] == theirs[id][0] for id in theirs)
        else "other networks"
    )
    other = sum(ours[id][1] != theirs[id][1] for id in theirs)
    scores = "the same scores" if not other else f"other scores for {other} of {len(theirs)}"
    return f"{networks}, {scores}; {result['trainings']} trainings for {len(ours)} trials"


def of_kerastuner() -> dict[str, str]:
    _, reference, _ = kerastuner("reference", "none")
    _, repeated, _ = kerastuner("repeated", "none")
    found = {"nothing, twice with one seed": compared(repeated, reference)}
    code, _, _ = kerastuner("kill", "kill")
    shutil.copytree(BUILD / "runs" / "kill", BUILD / "runs" / "empty")
    found["the training process killed"] = (
        f"it is the search's own process: the search ends (exit {code})"
    )
    code, result, _ = kerastuner("kill", "kill")
    found["killed in trial 3 and started again"] = f"exit {code}: {compared(result, reference)}"
    next(iter(sorted((BUILD / "runs" / "empty" / "digits").glob("trial_*")))).joinpath(
        "trial.json"
    ).write_bytes(b"")
    code, _, last = kerastuner("empty", "kill")
    found["a trial's file emptied, and started again"] = f"exit {code}: `{last}`"
    for fault, words in (("nan", "a loss that is NaN"), ("raise", "a network whose code raises")):
        code, result, _ = kerastuner(fault, fault)
        found[words] = f"exit {code}: states {words_of(result['states'])}; it never wins"
        assert np.isfinite(result["best_score"])
    return found


def words_of(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items()))


# evonas


def folder_for(name: str, ops: str = DENSE, rate: str = RATE, config: str = CONFIG) -> Path:
    from sklearn.datasets import load_digits

    folder = BUILD / "runs" / f"evonas-{name}"
    folder.mkdir(parents=True)
    x, y = load_digits(return_X_y=True)
    np.savez(folder / "data.npz", x=x.astype(np.float32), y=y)
    (folder / "faulty.yaml").write_text(SPACE.replace("OPS", ops).replace("RATE", rate))
    (folder / "faulty_ops.py").write_text(PLUGIN)
    (folder / "config.yaml").write_text(
        config + ("plugins: [faulty_ops]\n" if "faulty_ops" in ops else "")
    )
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(folder)])}
    command = [sys.executable, "-c", "from evonas.cli.app import main; main()", *arguments]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes)  # type: ignore[call-overload, no-any-return]


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and the last line on standard error."""
    with start(folder, *(arguments or ("run", "./config.yaml"))) as process:
        _, said = process.communicate()
    return process.returncode, (said.strip().splitlines() or [""])[-1]


def record(folder: Path) -> tuple[list[Any], int, dict[str, int]]:
    """Content, number of trainings that were begun, and states."""
    with RecordReader(folder / "runs" / "faulty" / "run.db") as reader:
        trials = reader.trials(Objective("val_loss", "min"))
        states = dict(Counter(str(trial.state) for trial in trials))
        return reader.content(), len(reader.attempts()), states


def strike(folder: Path, victim: Callable[[psutil.Process], list[psutil.Process]]) -> int:
    """Kill somebody in the middle of the third trial; the exit code of the search."""
    with start(folder, "run", "./config.yaml") as process:
        while process.poll() is None and not is_in_third_trial(folder):
            time.sleep(0.05)
        time.sleep(0.5)
        for target in victim(psutil.Process(process.pid)):
            target.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode


def is_in_third_trial(folder: Path) -> bool:
    try:
        with RecordReader(folder / "runs" / "faulty" / "run.db") as reader:
            return any(
                attempt.trial == 2 and attempt.state == "running" for attempt in reader.attempts()
            )
    except Exception:  # it is not there yet
        return False


def difference(folder: Path, reference: list[Any]) -> str:
    content, trainings, _ = record(folder)
    same = "the same networks, the same scores" if content == reference else "ANOTHER RECORD"
    return f"{same}; {trainings} trainings for {len(content)} trials"


def of_evonas() -> dict[str, str]:
    slow = f"'faulty_ops:slow': {DENSE.partition(': ')[2].replace(', activation: relu', '')}"  # two seconds to hit
    first, second = folder_for("reference", slow), folder_for("repeated", slow)
    assert run(first)[0] == run(second)[0] == 0
    reference, _, _ = record(first)
    found = {"nothing, twice with one seed": difference(second, reference)}
    worker = folder_for("worker", slow)
    code = strike(
        worker,
        lambda driver: [
            child for fork_server in driver.children() for child in fork_server.children()
        ],
    )
    found["the training process killed"] = (
        f"exit {code}: the search goes on; {difference(worker, reference)}"
    )
    driver = folder_for("driver", slow)
    strike(driver, lambda process: [process])
    shutil.copytree(driver, emptied := BUILD / "runs" / "evonas-emptied")
    code, _ = run(driver, "resume", "faulty")
    found["killed in trial 3 and started again"] = f"exit {code}: {difference(driver, reference)}"
    found["a trial's file emptied, and started again"] = empty(emptied, reference)
    for name, words, ops, rate in (
        ("nan", "a loss that is NaN", DENSE, "{choice: [0.05, 1.0e+30]}"),
        (
            "raise",
            "a network whose code raises",
            f"{DENSE}, 'faulty_ops:raises': {{units: {{int: [8, 128]}}}}",
            RATE,
        ),
    ):
        folder = folder_for(name, ops, rate)
        code, _ = run(folder)
        _, _, states = record(folder)
        found[words] = (
            f"exit {code}: states {words_of(states)}; it never wins and is never a parent"
        )
    return found


def empty(folder: Path, reference: list[Any]) -> str:
    """First the weights of a finished trial; then the record itself."""
    root = folder / "runs" / "faulty"
    next(iter(sorted((root / "weights").iterdir()))).write_bytes(b"")
    code, last = run(folder, "resume", "faulty")
    weights = f"weights: exit {code}, {difference(folder, reference) if code == 0 else f'`{last}`'}"
    (root / "run.db").write_bytes(b"")
    code, last = run(folder, "resume", "faulty")
    return f"{weights}. The record: exit {code}, `{last.replace(str(root), 'RUN')}`"


def main() -> None:
    prepare()
    print(f"{describe()}, keras-tuner {version_of_kerastuner()}\n")
    theirs, ours = of_kerastuner(), of_evonas()
    print(
        f"| fault | KerasTuner {version_of_kerastuner()} | evonas {metadata.version('evonas')} |\n| --- | --- | --- |"
    )
    for fault in theirs:
        print(f"| {fault} | {theirs[fault]} | {ours[fault]} |")


def version_of_kerastuner() -> str:
    code = "from importlib import metadata; print(metadata.version('keras-tuner'))"
    return subprocess.run(
        [str(PYTHON), "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
