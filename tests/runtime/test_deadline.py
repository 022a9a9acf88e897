"""A budget in seconds is spent while trials run: they are cut short, count, and can go on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evonas import lifecycle, view
from evonas.errors import InvalidConfig, NothingFeasible
from evonas.evaluate.contract.pool import Progress, Report
from evonas.evaluate.contract.protocol import Job
from evonas.runtime.audit import audit
from evonas.runtime.config.limits_config import BudgetConfig
from evonas.runtime.loop.reserve import REPORT
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.replay import plan_replay, run_replay
from evonas.runtime.reuse import known_trainings
from evonas.telling.progress import LineProgress
from evonas.testing.runs import Notes, content, make_run, stub_pools, work
from evonas.testing.stub_pool import TimedPool
from evonas.testing.stub_worker import run_stub
from evonas.trial import CUT_SHORT, TrialState
from tests.command import run_evonas

STRATEGIES = {
    "evolution": ["strategy={evolution: {population: 5, replacement: {elitist: {elites: 1}}}}"],
    "aging": ["strategy={aging: {population: 5, sample: 2}}"],
    "nsga2": ["strategy={nsga2: {population: 5}}", "objectives=[val_loss, parameters]"],
    "hyperband": ["strategy=hyperband", "training.epochs=9", "budget.trials=60"],
}


def deadline_run(folder: Path, seconds: float, *changes: str) -> Path:
    return make_run(folder, "budget.trials=30", f"budget.seconds={seconds}", *changes)


class Sudden(TimedPool):
    """The first second is over before there is any answer."""

    def poll(self, timeout: float) -> Sequence[Report]:
        if self.running and not self._seconds:
            self._seconds = 1.0
            return []
        return super().poll(timeout)


class Slow(TimedPool):
    """A training that takes its time: an epoch takes 30 seconds, and the budget is over in one."""

    @property
    def is_simulated(self) -> bool:
        return False

    def poll(self, timeout: float) -> Sequence[Report]:
        if self.running and self._seconds < 40:
            self._seconds += 20 if self._seconds else 30
            (job, *_) = self._jobs
            return [Progress(job, 1, {})] if self._seconds == 30 else []
        return super().poll(timeout)


def timed(root: Path, *changes: str, capacity: int = 3) -> view.Run:
    """One session in which each answer takes a second."""
    return work(root, *changes, capacity=capacity, pool=TimedPool)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("evolution", 1.5), ("evolution", 16), ("aging", 7), ("nsga2", 7), ("hyperband", 9)],
)
def test_cut_short_and_continued_it_is_the_run_that_never_was(
    tmp_path: Path, name: str, seconds: float
) -> None:
    long = deadline_run(tmp_path / "long", 1000, *STRATEGIES[name])
    timed(long)
    root = deadline_run(tmp_path / "short", seconds, *STRATEGIES[name])
    run = timed(root)
    assert run.is_finished
    assert content(root) != content(long)
    interrupted = [trial for trial in run.trials if trial.is_interrupted]
    with RecordReader(root / "run.db") as record:
        assert not {trial.id for trial in interrupted}.intersection(record.told_order())
    assert not any(trial.state is TrialState.WAITING for trial in run.trials)
    assert audit(root).is_repeated
    # In two steps, the second of which has other workers.
    timed(root, f"budget.seconds={seconds + 5}")
    run = timed(root, "budget.seconds=1000", capacity=1)
    assert content(root) == content(long)
    assert not any(trial.is_interrupted for trial in run.trials)
    assert audit(root).is_repeated
    assert run.result is not None
    assert run.result[CUT_SHORT] is None


def test_what_is_cut_short_counts_with_its_best_epoch(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 0.5, "training.epochs=12", "storage.keep_best=1")
    notes = Notes()
    run = work(root, capacity=2, pool=Sudden, observers=[notes])
    told = "the time is over: 2 running trials end with the current epoch; Ctrl-C twice ends them"
    assert f"{told} now" in notes.texts
    best = run.best
    assert best is not None
    assert best.metrics[CUT_SHORT] == 1
    assert run.result is not None
    assert (run.result["trial"], run.result[CUT_SHORT]) == (best.id, 1)
    assert (root / "best.keras").is_file()
    attempt = best.attempts()[-1]
    assert (attempt.state, attempt.epochs, attempt.details.cut_short) == ("ok", 1, 1)
    states = {trial.state for trial in run.trials if not trial.is_cut_short}
    assert states == {TrialState.CANCELLED}
    # A finished run is left as it is.
    assert timed(root).result == run.result


def test_it_is_said_how_long_the_last_epoch_takes(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 100, "training.epochs=12")
    notes = Notes()
    work(root, capacity=1, pool=Slow, observers=[notes])
    # It has had 20 of its 30 seconds.
    told = "the time is over: 1 running trial ends with the current epoch, in about 10 seconds"
    assert f"{told}; Ctrl-C twice ends it now" in notes.texts


def test_a_winner_that_is_continued_is_exported_anew(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 0.5, "budget.trials=1", "training.epochs=12")
    cut = work(root, pool=Sudden).result
    whole = timed(root, "budget.seconds=9").result
    assert cut is not None
    assert whole is not None
    assert cut["trial"] == whole["trial"] == 0
    assert (cut[CUT_SHORT], whole[CUT_SHORT]) == (1, None)
    assert cut["metrics"] != whole["metrics"]


def test_the_command_and_its_end_are_paid_from_the_budget(tmp_path: Path) -> None:
    """The clock here is the machine's own. The command began 1,000 s ago, by its own account."""
    root = make_run(tmp_path, "budget.minutes=20")
    run = lifecycle.work(root, (), stub_pools(), began=time.monotonic() - 1000.0)
    assert run.end is not None
    assert run.end["reserve"] >= REPORT
    assert 1000.0 + run.end["seconds"] <= run.seconds
    assert run.summary()["end"] == run.end
    # The next session measures with it, and nothing but the budget has to be asked for.
    spent = run.seconds
    run = work(root, "budget.trials=20")
    assert run.seconds > spent
    assert run.end is not None
    # Far too late: nothing more is begun.
    late = make_run(tmp_path / "late", "budget.seconds=60")
    with pytest.raises(NothingFeasible):
        lifecycle.work(late, (), stub_pools(), began=time.monotonic() - 1000.0)


def test_it_goes_on_only_if_there_is_time_again(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 4.5)
    timed(root)
    before = content(root)
    # More trials do not help.
    timed(root, "budget.trials=200")
    assert content(root) == before


def test_no_other_run_takes_what_was_cut_short_for_a_training(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 4.5)
    run = timed(root)
    cut = {trial.genome.digest for trial in run.trials if trial.is_cut_short}
    known = {digest for digest, *_ in known_trainings(root)}
    assert cut
    assert known
    assert not cut & known


def test_weights_of_what_was_cut_short_are_made_again(tmp_path: Path) -> None:
    root = deadline_run(tmp_path / "run", 4.5, "training.epochs=9")
    run = timed(root)
    cut = next(trial for trial in run.trials if trial.is_cut_short)
    (root / "weights" / f"{cut.id:05d}.npz").unlink()
    orders: list[Job] = []

    class Watched(TimedPool):
        def submit(self, job: Job) -> None:
            orders.append(job)
            super().submit(job)

    run.export(
        tmp_path / "cut.keras",
        cut.id,
        pool_factory=lambda config, setup, root: Watched(setup),
    )
    assert [(job.kind, job.cut_after) for job in orders] == [("train", 1), ("export", 1)]
    with RecordReader(root / "run.db") as record:
        (detail,) = (detail for _, kind, detail in record.events() if kind == "retrained")
    assert detail["same"]
    # It can still be continued.
    assert (root / "checkpoints" / f"{cut.id:05d}.npz").is_file()


def test_a_replay_of_what_was_cut_short_has_the_epochs_that_it_had(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 4.5, "training.epochs=9")
    cut = next(trial for trial in timed(root).trials if trial.is_cut_short)
    replay = run_replay(plan_replay(root, cut.id), lambda epoch, metrics: None, run_stub)
    assert replay.outcome.epochs == 1
    assert replay.differences == ()


def test_a_session_after_the_time_reads_checkpoints_and_trains_no_more(tmp_path: Path) -> None:
    """The first session is killed just after the time; one of its trials has a checkpoint."""
    root = deadline_run(tmp_path, 4.5, "training.epochs=9")

    class Killed(TimedPool):
        def cut_short(self, trial: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(root, capacity=3, pool=Killed)
    with RecordReader(root / "run.db") as record:
        begun = sorted(record.begun())
    assert len(begun) > 1
    (root / "checkpoints").mkdir(exist_ok=True)
    (root / "checkpoints" / f"{begun[0]:05d}.npz").write_text("an unfinished training")
    orders: list[Job] = []

    class Watched(TimedPool):
        def submit(self, job: Job) -> None:
            orders.append(job)
            super().submit(job)

    run = work(root, capacity=3, pool=Watched)
    assert [(job.trial, job.cut_after) for job in orders if job.kind == "train"] == [(begun[0], 1)]
    assert run.trials[begun[0]].is_cut_short
    assert {run.trials[id].state for id in begun[1:]} == {TrialState.CANCELLED}


@pytest.mark.full
def test_killed_at_every_failpoint_of_a_deadline_and_of_the_session_that_goes_on(
    tmp_path: Path,
) -> None:
    script = Path(__file__).with_name("killed_deadline.py")
    command = [sys.executable, str(script), str(tmp_path), "1"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert report["killed"] == report["points"] >= 40
    assert {"record.cancelled", "record.reopened"} <= set(report["kinds"])
    assert report["wrong"] == []


def test_times_of_an_older_record_that_no_clock_has_are_shown_and_changed(tmp_path: Path) -> None:
    root = make_run(tmp_path, "budget.trials=4", "budget.hours=2")
    record = Record(root / "run.db")
    config = record.meta("config")
    config["budget"]["hours"] = config["limits"]["seconds"] = 1e308
    record.put_meta("config", config)
    record.close()
    log = StringIO()
    work(root, observers=[LineProgress(Console(file=log, width=200))])
    assert json.dumps(view.load(root).summary(), allow_nan=False)
    assert "/277777:46:40" in log.getvalue()
    # Only what is changed is held to what is allowed now.
    work(root, "budget.trials=6")
    with pytest.raises(InvalidConfig, match="at most 16,666,666 minutes, about 30 years"):
        work(root, "budget.minutes=1e300")


def test_a_run_whose_time_was_over_at_once_says_so_and_the_way_on_works(tmp_path: Path) -> None:
    root = make_run(tmp_path, "budget.minutes=1")
    with pytest.raises(NothingFeasible) as raised:
        lifecycle.work(root, (), stub_pools(), began=time.monotonic() - 1000.0)
    words, _, way = str(raised.value).partition("\nTo give it more time:  ")
    assert words == "no trial succeeded: the time (1 minute) was over before any training ended"
    change = way.rpartition("--set ")[2]
    # Twice what was worked, which is more than twice the budget.
    assert 33.3 <= float(change.removeprefix("budget.minutes=")) <= 35
    said = run_evonas("show", root).stdout.splitlines()
    assert said[-2] == "It has ended, and no trial succeeded."
    assert said[-1] == f"  {way}  # the search goes on"
    assert work(root, change).best is not None
    # Less than a minute is offered to nobody who has nothing.
    assert view.load(make_run(tmp_path / "b", "budget.seconds=0.5")).with_more_time.endswith("=60")


def test_the_end_and_show_say_what_more_time_would_bring(tmp_path: Path) -> None:
    root = deadline_run(tmp_path, 0.5, "training.epochs=12")
    run = work(root, capacity=2, pool=Sudden)
    assert (run.cut_short, run.cancelled) == (2, 2)
    said = run_evonas("show", root).stdout
    assert said.splitlines()[-1].endswith(
        f"evonas resume {root} --set {run.with_more_time}"
        "  # 2 trainings that were cut short go on and 2 trials that were cancelled begin"
    )
    assert "; 2 trainings were cut short and 2 trials were cancelled" in " ".join(said.split())
    timed(root, "budget.seconds=1000")
    assert "budget.seconds" not in run_evonas("show", root).stdout


@pytest.mark.parametrize(
    ("worked", "least", "budget", "change"),
    [
        (10.0, 0.0, {"minutes": 1.0}, "budget.minutes=2"),
        (100.0, 0.0, {"minutes": 1.0}, "budget.minutes=3.4"),
        (100.0, 0.0, {"hours": 1.25}, "budget.hours=2.5"),
        (2.1, 0.0, {"seconds": 0.001}, "budget.seconds=5"),
        (2.1, 60.0, {"seconds": 0.001}, "budget.seconds=60"),
        (2.1, 0.0, {"hours": 277_777.0}, "budget.hours=277777"),
    ],
)
def test_twice_the_time_or_twice_what_was_worked(
    worked: float, least: float, budget: dict[str, float], change: str
) -> None:
    assert BudgetConfig(**budget).with_more_time(worked, least) == change
