"""`make bench-folds`: how well fitness tells the test score, with one part for validation or folds.

    make bench-folds                                         # writes the results page
    python -m benchmarks.folds --only concrete --genomes 4   # a short look, printed only

The same random networks get their fitness from one part for validation, from 3 folds and from 5
folds. Then each is trained on all samples but those of the test, with several seeds, and scored on
the test. The test part is the same for all ways; everything is repeated with other test parts. The
tables concrete and wine need EVONAS_DATA.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.model_selection import train_test_split

from benchmarks.machine import describe
from benchmarks.published import data_folder, skipped_without_data
from benchmarks.runs import CHECKOUT, RESULTS
from benchmarks.sections import paragraph
from benchmarks.throughput import open_pool
from evonas.data.prepared import FILES, DataSettings, prepare
from evonas.data.sources import SHIPPED, Npz
from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Job, RefitJob, ScoreJob, Setup, TrainJob
from evonas.evaluate.evaluators.registry import DEFAULT
from evonas.evaluate.pools.local import LocalPool
from evonas.genome import Genome, load_space, sample
from evonas.memory import Memory
from evonas.trial import Outcome, TrialState

BUILD = CHECKOUT / "build" / "folds"
SPACE = CHECKOUT / "genomes" / "spaces" / "mlp.yaml"
TABLES = {"concrete": "concrete", "wine": "wine-quality-red"}
DATA = ("concrete", "wine", "breast_cancer")
WAYS: Mapping[str, int | None] = {"one part": None, "3 folds": 3, "5 folds": 5}
GENOMES = 20
EPOCHS = 30
PATIENCE = 6
TEST_PARTS = 3
SEEDS = 3
"""Trainings of each network on all samples but those of the test."""
WORKERS = 2


@dataclass(frozen=True)
class Way:
    """The networks judged in one way.

    Attributes:
        fitness: `val_loss` of each network; None if it has failed.
        seconds: seconds of all trainings in their workers.
    """

    fitness: Sequence[float | None]
    seconds: float


def arrays_of(data: str) -> tuple[np.ndarray, np.ndarray]:
    """Samples and targets of a data set."""
    if data in TABLES:
        path = data_folder() / "tabular" / "uci_regression" / f"{TABLES[data]}.npz"
        with np.load(path, allow_pickle=False) as file:
            return file["x"], file["y"]
    found = SHIPPED[data]().read(Memory())
    return np.asarray(found.x), found.y


def write_data(data: str, part: int) -> Path:
    """The data with one of the test parts, as an `.npz` file."""
    x, y = arrays_of(data)
    strata = None if data in TABLES else y
    x, x_test, y, y_test = train_test_split(
        x, y, test_size=0.25, random_state=part, stratify=strata
    )
    path = BUILD / f"{data}-{part}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=x, y=y, x_test=x_test, y_test=y_test)
    return path


def set_up(data: str, part: int, way: str) -> Setup:
    """A folder with the data, split in this way."""
    folds = WAYS[way]
    folder = BUILD / f"{data}-{part}-{folds or 'one'}"
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    task = "regression" if data in TABLES else "classification"
    source = Npz(str(write_data(data, part)))
    prepared = prepare(DataSettings("vector", source, task, folds=folds), folder)
    assert prepared.interface is not None
    return Setup(
        str(folder),
        0,
        SPACE.read_text(),
        prepared.interface.to_json(),
        {"name": "val_loss", "direction": "min"},
        patience=PATIENCE,
        epochs=EPOCHS,
        folds=folds,
        evaluator=described(DEFAULT),
    )


def train_job(number: int, genome: Genome) -> TrainJob:
    return TrainJob(
        trial=number,
        attempt=0,
        session=1,
        genome=genome,
        seed=number,
        epochs=EPOCHS,
        weights=f"weights/{number}.npz",
    )


def work(pool: LocalPool, jobs: Sequence[Job]) -> list[Outcome]:
    """The outcomes of the jobs, in their order."""
    waiting = list(jobs)
    found: dict[tuple[int, int], Outcome] = {}
    while waiting or pool.running:
        while waiting and pool.running < pool.capacity:
            pool.submit(waiting.pop(0))
        for report in pool.poll(5.0):
            if isinstance(report, Finished):
                found[report.job.trial, report.job.attempt] = report.outcome
    return [found[job.trial, job.attempt] for job in jobs]


def judged(setup: Setup, genomes: Sequence[Genome]) -> tuple[Way, list[Outcome]]:
    """The fitness of each genome in one way."""
    with closing(open_pool(setup, WORKERS)) as pool:
        outcomes = work(pool, [train_job(*pair) for pair in enumerate(genomes)])
    fitness = []
    for outcome in outcomes:
        is_ok = outcome.state is TrialState.OK
        fitness.append(outcome.metrics["val_loss"] if is_ok else None)
    return Way(fitness, sum(outcome.seconds for outcome in outcomes)), outcomes


def tested(
    setup: Setup, genomes: Sequence[Genome], epochs: Sequence[int | None]
) -> list[float | None]:
    """The mean test loss of each genome, trained on all samples but those of the test.

    Args:
        epochs: number of epochs of each; None for one that has failed.
    """
    x, y = FILES["test"]
    found: list[list[float]] = [[] for _ in genomes]
    with closing(open_pool(setup, WORKERS)) as pool:
        for seed in range(SEEDS):
            jobs = []
            for number, genome in enumerate(genomes):
                length = epochs[number]
                if length is not None:
                    jobs.append(
                        RefitJob(
                            trial=number,
                            attempt=0,
                            session=1,
                            genome=genome,
                            seed=1000 * (seed + 1) + number,
                            epochs=length,
                            weights=f"weights/{number}.refitted.npz",
                        )
                    )
            done = zip(jobs, work(pool, jobs), strict=True)
            scored = [
                ScoreJob(
                    trial=job.trial,
                    attempt=0,
                    session=1,
                    genome=job.genome,
                    seed=job.seed,
                    epochs=job.epochs,
                    weights=job.weights,
                    arrays={"x": x, "y": y},
                )
                for job, outcome in done
                if outcome.state is TrialState.OK
            ]
            for job, outcome in zip(scored, work(pool, scored), strict=True):
                found[job.trial].append(outcome.metrics["test_loss"])
    return [statistics.mean(losses) if len(losses) == SEEDS else None for losses in found]


@dataclass(frozen=True)
class Row:
    """How well one way tells the test scores, on one test part.

    Attributes:
        correlation: Spearman's rank correlation of fitness and test loss.
        regret: test loss of the network with the best fitness, relative to the lowest of all.
        networks: number of networks that are compared.
        seconds: seconds of a trial.
    """

    correlation: float
    regret: float
    networks: int
    seconds: float


def compare(data: str, part: int, genomes: Sequence[Genome]) -> dict[str, Row]:
    """All ways on one test part."""
    ways: dict[str, Way] = {}
    outcomes: list[Outcome] = []
    for way in WAYS:
        setup = set_up(data, part, way)
        # The last way has the most folds; its best epochs are those of the trainings on all data.
        ways[way], outcomes = judged(setup, genomes)
    epochs: list[int | None] = []
    for outcome in outcomes:
        is_ok = outcome.state is TrialState.OK
        epochs.append(int(outcome.metrics["best_epoch"]) if is_ok else None)
    test = tested(setup, genomes, epochs)
    columns = [test, *(way.fitness for way in ways.values())]
    whole = [row for row in zip(*columns, strict=True) if None not in row]
    losses, *fitness = np.array(whole, dtype=float).T
    rows = {}
    for way, values in zip(ways, fitness, strict=True):
        correlation = float(spearmanr(values, losses).statistic)
        regret = float(losses[values.argmin()] / losses.min() - 1)
        seconds = ways[way].seconds / len(genomes)
        rows[way] = Row(correlation, regret, len(whole), seconds)
        print(f"  {data}, test part {part}, {way}: {rows[way]}", flush=True)
    return rows


def table(data: str, found: Sequence[Mapping[str, Row]]) -> list[str]:
    """The lines of one data set."""
    counts = ", ".join(str(rows["one part"].networks) for rows in found)
    lines = [
        f"## {data}",
        "",
        f"Networks that succeeded in all ways, for each test part: {counts}.",
        "",
        "| fitness from | rank correlation with the test loss | loss lost by the choice | seconds a"
        " trial |",
        "|---|---|---|---|",
    ]
    for way in WAYS:
        rows = [one[way] for one in found]
        correlations = ", ".join(f"{row.correlation:.2f}" for row in rows)
        mean = statistics.mean(row.correlation for row in rows)
        regret = statistics.mean(row.regret for row in rows)
        seconds = statistics.mean(row.seconds for row in rows)
        cells = (way, f"{mean:.2f} ({correlations})", f"{regret:.1%}", f"{seconds:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=DATA, help="one data set alone")
    parser.add_argument("--genomes", type=int, default=GENOMES)
    parser.add_argument("--parts", type=int, default=TEST_PARTS, help="number of test parts")
    options = parser.parse_args()
    started = time.perf_counter()
    space = load_space(SPACE)
    rng = np.random.default_rng(0)
    genomes = [sample(space, rng) for _ in range(options.genomes)]
    lines = [
        "# Fitness from one part for validation, and from folds",
        "",
        f"{describe()}.",
        "",
        paragraph(
            f"{options.genomes} random networks of the space `mlp` (seed 0), up to {EPOCHS} epochs,"
            f" patience {PATIENCE}. A quarter of the samples is the test, {options.parts} times"
            " another one. Of the rest, one part for validation has 20 %, and folds take turns."
            f" Then each network is trained on the whole rest, {SEEDS} seeds, for as many epochs as"
            " the best of 5 folds; the test loss is the mean over the seeds. The loss that is lost"
            " by the choice is that of the network with the best fitness, above the lowest of all."
        ),
        "",
    ]
    for data in [options.only] if options.only else DATA:
        if data in TABLES and skipped_without_data():
            lines += [f"## {data}", "", "Not measured: EVONAS_DATA names no folder.", ""]
            continue
        found = [compare(data, part, genomes) for part in range(options.parts)]
        lines += table(data, found)
    minutes = (time.perf_counter() - started) / 60
    load = os.getloadavg()[0]
    lines.append(f"All of it took {minutes:.1f} minutes; load average {load:.1f} at the end.")
    text = "\n".join(lines) + "\n"
    print(text)
    is_whole = options.genomes == GENOMES and options.parts == TEST_PARTS
    if not options.only and is_whole:
        (RESULTS / "folds.md").write_text(text, encoding="utf-8")
    shutil.rmtree(BUILD, ignore_errors=True)


if __name__ == "__main__":
    main()
