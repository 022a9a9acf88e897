"""`make bench-throughput`: the same networks trained by evonas and by KerasTuner, in turn.

    make bench-throughput                                       # writes the results page
    python -m benchmarks.throughput --only digits --networks 4  # a short look, printed only

evonas has two workers with one thread each. KerasTuner trains one network at a time, with as many
threads as TensorFlow likes. Both train the same genomes for the same epochs on the same arrays.
Before the clock runs, each has trained one network: no import is counted. Fashion-MNIST needs
EVONAS_DATA. Last comes the memory of one worker that is never replaced.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.kerastuner_faults import (
    BUILD,
    CHECKOUT,
    ENVIRONMENT,
    PYTHON,
    prepare,
    version_of_kerastuner,
    workers_of,
)
from benchmarks.machine import describe
from benchmarks.published import data_folder, skipped_without_data
from benchmarks.runs import RESULTS
from benchmarks.sections import paragraph
from evonas.data.prepared import DataSettings
from evonas.data.prepared import prepare as prepare_data
from evonas.data.sources import Digits, Npz
from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Job, Setup, TrainJob
from evonas.evaluate.evaluators.registry import DEFAULT
from evonas.evaluate.local.devices import device_shares
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools.local import LocalPool
from evonas.genome import Genome, load_space, sample
from evonas.memory import MIB
from evonas.trial import Outcome

SEED = 0
"""Seed of the networks that are drawn, and of their trainings."""
EPOCHS = 5
REPEATS = 2
NETWORKS = {"digits": 28, "fashion": 14}
TITLES = {"digits": "digits", "fashion": "Fashion-MNIST, 10,000 images"}
LIMITS = {"parameters": 300_000, "flops": 5_000_000}
"""Those of configs/digits.yaml."""
WORKERS = 2
TRIALS_OF_ONE_WORKER = 40
SHOWN = (1, 2, 5, 10, 20, 30, 40, 41, 50, 60, 70, 80)
SCRIPT = Path(__file__).with_name("throughput_kerastuner.py")


@dataclass(frozen=True)
class Took:
    """What it took to train all networks once.

    Attributes:
        seconds: wall time.
        cpu: CPU seconds of all processes that trained.
        accuracies: best validation accuracy of each network that did not diverge.
    """

    seconds: float
    cpu: float
    accuracies: Sequence[float]


@dataclass(frozen=True)
class Bench:
    """A folder with data, and the networks to be trained on them."""

    folder: Path
    setup: Setup
    genomes: Sequence[Mapping[str, Any]]

    def jobs(self) -> list[Job]:
        made: list[Job] = []
        for number, genome in enumerate(self.genomes):
            made.append(
                TrainJob(
                    trial=number,
                    attempt=0,
                    session=1,
                    genome=Genome.from_dict(genome),
                    seed=SEED + number,
                    epochs=EPOCHS,
                    weights=f"weights/{number}.npz",
                    checkpoint=f"checkpoints/{number}.npz",
                )
            )
        return made


def bench(data: str, networks: int) -> Bench:
    folder = BUILD / "runs" / f"throughput-{data}"
    for name in ("weights", "checkpoints"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if data == "digits":
        settings = DataSettings("image", Digits(), "classification")
    else:
        path = fashion(folder)
        settings = DataSettings("image", Npz(str(path)), "classification")
    prepared = prepare_data(settings, folder)
    assert prepared.interface is not None
    interface = prepared.interface.to_json()
    space = CHECKOUT / "genomes" / "spaces" / "convnet.yaml"
    setup = Setup(
        str(folder),
        SEED,
        space.read_text(),
        interface,
        {"name": "val_loss", "direction": "min"},
        epochs=EPOCHS,
        limits=LIMITS,
        evaluator=described(DEFAULT),
    )
    genomes = drawn(space, prepared.interface, networks)
    order = {
        "space": setup.space,
        "interface": interface,
        "genomes": genomes,
        "epochs": EPOCHS,
    }
    (folder / "networks.json").write_text(json.dumps(order))
    return Bench(folder, setup, genomes)


def fashion(folder: Path) -> Path:
    """The first 10,000 training images of Fashion-MNIST as an `.npz` file."""
    source = data_folder() / "images" / "fashion_mnist"
    arrays = {}
    # the header of the format is 16 bytes for images, and 8 for labels
    for name, file, header in (("x", "images-idx3", 16), ("y", "labels-idx1", 8)):
        content = gzip.decompress((source / f"train-{file}-ubyte.gz").read_bytes())
        arrays[name] = np.frombuffer(content, np.uint8, offset=header)
    path = folder / "fashion.npz"
    np.savez(path, x=arrays["x"].reshape(-1, 28, 28)[:10_000], y=arrays["y"][:10_000])
    return path


def drawn(path: Path, interface: Any, count: int) -> list[dict[str, Any]]:
    """Random networks of a space, all within the limits."""
    # imports Keras, which takes seconds
    from evonas.model.size import measure_unbuilt

    space = load_space(path)
    rng = np.random.default_rng(SEED)
    found: list[dict[str, Any]] = []
    while len(found) < count:
        genome: Genome = sample(space, rng)
        size = measure_unbuilt(space, genome, interface, ())
        if size.parameters <= LIMITS["parameters"] and size.flops <= LIMITS["flops"]:
            found.append(genome.to_dict())
    return found


def open_pool(setup: Setup, workers: int, **options: Any) -> LocalPool:
    shares = device_shares(workers, "cpu", [])
    launcher = partial(start_launcher, DEFAULT.worker.entry, preload=DEFAULT.worker.preload)
    return LocalPool(setup, shares, launcher, Path(setup.directory) / "logs", **options)


def work(pool: LocalPool, jobs: Sequence[Job]) -> list[Outcome]:
    """Do all jobs, with no slot idle while there is one left."""
    waiting = list(jobs)
    outcomes = []
    while waiting or pool.running:
        while waiting and pool.running < pool.capacity:
            pool.submit(waiting.pop(0))
        for report in pool.poll(5.0):
            if isinstance(report, Finished):
                assert report.outcome.state.value in {"ok", "diverged"}, report.outcome
                outcomes.append(report.outcome)
    return outcomes


def of_evonas(of: Bench, pool: LocalPool) -> Took:
    # an unfinished training's state would be continued
    for checkpoint in (of.folder / "checkpoints").iterdir():
        checkpoint.unlink()
    cpu = cpu_below()
    started = time.perf_counter()
    outcomes = work(pool, of.jobs())
    seconds = time.perf_counter() - started
    accuracies = []
    for outcome in outcomes:
        if outcome.state.value == "ok":
            known = [value for value in outcome.history["val_accuracy"] if value is not None]
            accuracies.append(max(known))
    return Took(seconds, cpu_below() - cpu, accuracies)


def cpu_below() -> float:
    """CPU seconds of all processes below this one, also of those that have ended."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def of_kerastuner(of: Bench) -> Took:
    command = [str(PYTHON), str(SCRIPT), str(of.folder)]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            found = json.loads(line.removeprefix("RESULT "))
            return Took(found["seconds"], found["cpu"], found["accuracies"])
    raise RuntimeError(f"no result: {done.stdout[-4000:]}")


def compared(data: str, networks: int, repeats: int) -> list[str]:
    """The lines of one data set."""
    of = bench(data, networks)
    found: dict[str, list[Took]] = {"evonas": [], "KerasTuner": []}
    with closing(open_pool(of.setup, WORKERS)) as pool:
        # not counted: both workers start and train one network
        work(pool, of.jobs()[:WORKERS])
        for repeat in range(repeats):
            # every other repeat begins with the other, so that a slow hour strikes both
            order = list(found) if repeat % 2 == 0 else list(found)[::-1]
            for name in order:
                took = of_evonas(of, pool) if name == "evonas" else of_kerastuner(of)
                found[name].append(took)
                print(f"  {data}, {name}: {took.seconds:.1f} s", flush=True)
    return table(data, networks, found)


def table(data: str, networks: int, found: Mapping[str, Sequence[Took]]) -> list[str]:
    lines = [
        f"### {TITLES[data]}",
        "",
        f"{networks} networks, {EPOCHS} epochs each, in turn, repeats: {len(found['evonas'])}.",
        "",
        "| trained by | seconds of each repeat | seconds a trial | CPU seconds a trial | trials a "
        "minute | median accuracy |",
        "|---|---|---|---|---|---|",
    ]
    for name, all_took in found.items():
        seconds = [took.seconds for took in all_took]
        each = statistics.mean(seconds) / networks
        cpu = statistics.mean(took.cpu for took in all_took) / networks
        accuracies: list[float] = []
        for took in all_took:
            accuracies += took.accuracies
        words = ", ".join(f"{value:.1f}" for value in seconds)
        lines.append(
            f"| {name} | {words} | {each:.2f} | {cpu:.2f} | {60 / each:.1f} | "
            f"{statistics.median(accuracies):.4f} |"
        )
    lines.append("")
    pairs = list(zip(found["KerasTuner"], found["evonas"], strict=True))
    faster = [theirs.seconds / ours.seconds for theirs, ours in pairs]
    cheaper = [theirs.cpu / ours.cpu for theirs, ours in pairs]
    lines.append(f"* evonas has {spread(faster)} times KerasTuner's trials a minute.")
    lines.append(f"* For each CPU second it has {spread(cheaper)} times as many.")
    return [*lines, ""]


def spread(values: Sequence[float]) -> str:
    """The geometric mean, with the lowest and the highest value."""
    mean = statistics.geometric_mean(values)
    return f"{mean:.1f} ({min(values):.1f} to {max(values):.1f})"


def memory(trials: int) -> list[str]:
    """The memory of one worker that is not replaced: different networks, and the same again.

    What grows with the largest network so far does not grow in the second round; a leak does.
    """
    of = bench("digits", trials)
    taken: list[float] = []
    with closing(open_pool(of.setup, 1, recycle_after=2 * trials + 1)) as pool:
        again = [replace(job, trial=job.trial + trials) for job in of.jobs()]
        for job in (*of.jobs(), *again):
            work(pool, [job])
            (worker,) = workers_of(psutil.Process())
            taken.append(worker.memory_info().rss / MIB)
    shown = [number for number in SHOWN if number <= 2 * trials]
    return [
        "### Memory of a worker that is never replaced",
        "",
        f"Digits: {trials} networks, all different, and then the same once more, by one worker."
        " Resident memory in MiB.",
        "",
        "| after trial | " + " | ".join(map(str, shown)) + " |",
        "|---" * (len(shown) + 1) + "|",
        "| MiB | " + " | ".join(f"{taken[number - 1]:.0f}" for number in shown) + " |",
        "",
        f"Highest {max(taken):.0f} MiB, after trial {taken.index(max(taken)) + 1}.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[*NETWORKS, "memory"], help="one part alone")
    parser.add_argument("--networks", type=int, help="number of networks of each part")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    prepare()
    started = time.perf_counter()
    lines = [
        "# Throughput beside KerasTuner",
        "",
        f"{describe()}, keras-tuner {version_of_kerastuner()}.",
        "",
        paragraph(
            f"Random networks of the space `convnet` (seed {SEED}), the same for all. evonas has "
            f"{WORKERS} workers with one thread each, KerasTuner one process with TensorFlow's own "
            "choice of threads. Both have trained before the clock runs, so no import is counted. "
            "In brackets: lowest and highest repeat."
        ),
        "",
    ]
    parts = [options.only] if options.only else [*NETWORKS, "memory"]
    for part in parts:
        if part == "memory":
            lines += memory(options.networks or TRIALS_OF_ONE_WORKER)
        elif part == "digits" or not skipped_without_data():
            networks = options.networks or NETWORKS[part]
            lines += compared(part, networks, options.repeats)
        else:
            lines += [f"### {TITLES[part]}", "", "Not measured: EVONAS_DATA names no folder.", ""]
    seconds = time.perf_counter() - started
    load = os.getloadavg()[0]
    lines.append(f"All of it took {seconds / 60:.1f} minutes; load average {load:.1f} at the end.")
    text = "\n".join(lines) + "\n"
    print(text)
    if not options.only and not options.networks and options.repeats == REPEATS:
        (RESULTS / "throughput.md").write_text(text, encoding="utf-8")
    shutil.rmtree(BUILD / "runs", ignore_errors=True)


if __name__ == "__main__":
    main()
