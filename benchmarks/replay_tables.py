"""`make replay-tables`: records 600 trainings of our own on each of four data sets.

    python -m benchmarks.replay_tables [--only car adult] [--minutes 15]

Of each data set, 480 genomes are trained: 280 random ones, and 200 of aging evolution. Then sixty
of them, from the best to the worst, are trained twice again with other seeds, for the noise. These
are four runs of evonas in build/replay, so a recording goes on where it was cut. When a data set is
through, its trainings are written to benchmarks/replay, beside the space as it was. Afterwards
`python -m benchmarks.references` gives the new tables their lines.

Two cores take hours. All data sets but digits need EVONAS_DATA.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.published import data_folder, skipped_without_data
from benchmarks.real_problems import READERS
from benchmarks.replay import FOLDER, METRIC, Training, write
from benchmarks.runs import CHECKOUT, COMMAND, QUIET
from evonas import view
from evonas.files import write_text_whole
from evonas.genome import SearchSpace
from evonas.genome.genome_text import genome_text
from evonas.trial import TrialState, deciding

BUILD = CHECKOUT / "build" / "replay"
ADULTS = 6_000
"""Rows of adult that are used: the first ones of its training part."""

CONFIG = """\
run: {name}
seed: {seed}
space: {space}
data: {{{data}, task: classification, split_seed: 0}}
objective: {metric}
strategy: {strategy}
training: {{epochs: {epochs}, patience: null}}
budget: {{trials: {trials}}}
pool: {{local: {{workers: {workers}, devices: cpu}}}}
"""

AGING_SEED = 3
"""Seed of the evolved genomes; the random ones have 0, and those trained again have 1 and 2."""
EVOLVED = "{aging: {population: 20, sample: 5, founders: none}}"
"""A third of the genomes. It has no model that could favour one of a strategy's."""


def _table(name: str, rows: int) -> Callable[[Path], dict[str, Any]]:
    def arrays(data: Path) -> dict[str, Any]:
        x, y, _, _ = READERS[name](data)
        return {"x": x[:rows].astype(np.float32), "y": y[:rows]}

    return arrays


def _vowels(data: Path) -> dict[str, Any]:
    """Both official parts: of the training part alone, too few are left for validation."""
    with np.load(data / "sequences" / "ucr_uea" / "JapaneseVowels.npz") as found:
        parts = {name: found[name] for name in found.files}
    joined = {}
    for name, part in (("x", "x"), ("y", "y"), ("lengths", "lengths")):
        joined[name] = np.concatenate([parts[f"train_{part}"], parts[f"test_{part}"]])
    return joined


@dataclass(frozen=True)
class DataSet:
    """What is recorded.

    Attributes:
        space: name of a shipped space, or path of one.
        epochs: length of a training; a multiple of 9, so that rungs can be tried.
        arrays: makes the arrays from the folder of the data sets; None for a shipped data set.
    """

    space: str
    epochs: int
    arrays: Callable[[Path], dict[str, Any]] | None


DATA_SETS: Mapping[str, DataSet] = {
    "car": DataSet("mlp", 18, _table("car", 2_000)),
    "adult": DataSet("mlp", 9, _table("adult", ADULTS)),
    "vowels": DataSet("recurrent", 18, _vowels),
    "digits": DataSet("convnet", 18, None),
}


@dataclass(frozen=True)
class Amounts:
    """How many genomes are trained.

    Attributes:
        random: random genomes.
        evolved: genomes of aging evolution.
        repeated: genomes of both that are trained again.
        repeats: how often they are trained again.
    """

    random: int = 280
    evolved: int = 200
    repeated: int = 60
    repeats: int = 2


class Recorder:
    """The runs of one data set.

    Args:
        name: name of the data set.
        folder: folder of the data and the runs.
        deadline: time of `time.monotonic` at which the recording is interrupted; None for never.
    """

    def __init__(
        self,
        name: str,
        data_set: DataSet,
        folder: Path,
        amounts: Amounts | None = None,
        deadline: float | None = None,
        workers: int = 2,
    ) -> None:
        self._name = name
        self._data_set = data_set
        self._folder = folder
        self._amounts = amounts or Amounts()
        self._deadline = deadline
        self._workers = workers

    def record(self, target: Path) -> bool:
        """Go on with the recording; if it is through, write it.

        Args:
            target: folder of the recordings.

        Returns:
            whether it is through.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        random = self._finished("random", 0, "{random: {founders: none}}", self._amounts.random)
        if random is None:
            return False
        # Another seed: with the same one, its founders would be the first random genomes again.
        aging = self._finished("aging", AGING_SEED, EVOLVED, self._amounts.evolved)
        if aging is None:
            return False
        first = [*trainings_of(random, "random", 0), *trainings_of(aging, "aging", 0)]
        again = self._again(random.space, spread(first, self._amounts.repeated))
        if again is None:
            return False
        target.mkdir(parents=True, exist_ok=True)
        write_text_whole(target / f"{self._name}.yaml", random.space.text)
        write(target / f"{self._name}.csv.gz", [*first, *again])
        return True

    def _again(self, space: SearchSpace, chosen: Sequence[Training]) -> list[Training] | None:
        """These genomes trained again with other seeds; None if the time is over before."""
        files = []
        for number, one in enumerate(chosen):
            name = f"genome-{number}.yaml"
            write_text_whole(self._folder / name, genome_text(space, one.genome))
            files.append(f"./{name}")
        strategy = f"{{seeded: {{genomes: [{', '.join(files)}], inner: random}}}}"
        made_by = {one.genome.digest: one.made_by for one in chosen}
        found = []
        for repeat in range(1, self._amounts.repeats + 1):
            run = self._finished(f"again-{repeat}", repeat, strategy, len(chosen))
            if run is None:
                return None
            for one in trainings_of(run, "", repeat):
                found.append(replace(one, made_by=made_by[one.genome.digest]))
        return found

    def _finished(self, name: str, seed: int, strategy: str, trials: int) -> view.Run | None:
        """The run of this name when it is finished; None if the time is over before."""
        directory = self._folder / "runs" / name
        if (directory / "run.db").exists():
            if view.load(directory).is_finished:
                return view.load(directory)
            self._call("resume", str(directory))
        else:
            config = self._folder / f"{name}.yaml"
            config.write_text(self._config(name, seed, strategy, trials), encoding="utf-8")
            self._call("run", str(config), "--runs", str(directory.parent))
        if not (directory / "run.db").exists():
            return None
        run = view.load(directory)
        return run if run.is_finished else None

    def _config(self, name: str, seed: int, strategy: str, trials: int) -> str:
        data = "name: digits"
        if self._data_set.arrays is not None:
            path = self._folder / "data.npz"
            if not path.exists():
                np.savez(path, **self._data_set.arrays(data_folder()))
            data = "path: ./data.npz"
        return CONFIG.format(
            name=name,
            seed=seed,
            space=self._data_set.space,
            data=data,
            metric=METRIC,
            strategy=strategy,
            epochs=self._data_set.epochs,
            trials=trials,
            workers=self._workers,
        )

    def _call(self, *arguments: str) -> None:
        """The command of evonas, until it ends or the time is over."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return
        process = subprocess.Popen([*COMMAND, *arguments], env=QUIET, stdout=subprocess.DEVNULL)
        try:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            process.wait(left)
        except subprocess.TimeoutExpired:
            # As Ctrl-C does: running trainings are trained again when it goes on.
            process.send_signal(signal.SIGINT)
            process.wait()


def trainings_of(run: view.Run, made_by: str, repeat: int) -> list[Training]:
    """The trainings of a run, without duplicates and what was never trained."""
    attempts = run.attempts()
    found = []
    for trial in run.trials:
        # a finalist that was trained once more for the conclusion is no trial of the search
        is_again = trial.twin_of is not None or trial.proposal.repeat
        attempt = deciding(trial.state, attempts.get(trial.id, []))
        if is_again or trial.state is TrialState.INFEASIBLE or attempt is None:
            continue
        curve: tuple[float, ...] = ()
        if trial.state is TrialState.OK:
            values = attempt.history[METRIC]
            curve = tuple(value for value in values if value is not None)
        seconds = attempt.seconds or 0.0
        found.append(Training(made_by, repeat, seconds, trial.genome, curve))
    return found


def spread(trainings: Sequence[Training], count: int) -> list[Training]:
    """So many of the trainings that did not fail, from the best to the worst in equal steps."""
    ranked = sorted((one for one in trainings if one.curve), key=lambda one: -max(one.curve))
    places = np.linspace(0, len(ranked) - 1, min(count, len(ranked)))
    return [ranked[round(place)] for place in places.tolist()]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Record trainings for the replay tables.")
    parser.add_argument("--only", nargs="+", choices=list(DATA_SETS), default=list(DATA_SETS))
    parser.add_argument("--minutes", type=float, help="stop after this time; it goes on later")
    chosen = parser.parse_args(arguments)
    if chosen.only != ["digits"] and skipped_without_data():
        return 0
    print(describe(), flush=True)
    deadline = None if chosen.minutes is None else time.monotonic() + 60 * chosen.minutes
    for name in chosen.only:
        if (FOLDER / f"{name}.csv.gz").exists():
            print(f"{name}: recorded", flush=True)
            continue
        recorder = Recorder(name, DATA_SETS[name], BUILD / name, deadline=deadline)
        is_through = recorder.record(FOLDER)
        print(f"{name}: {'recorded' if is_through else 'to be continued'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
