"""What the user sees while a search runs: in a log, and on a terminal."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from evonas.cli.console import duration, number
from evonas.cli.progress import LineProgress, LiveProgress
from evonas.evaluate.training.learning_curve import Stopped
from evonas.genome import sample
from evonas.runtime.loop.progress import Progress
from evonas.trial import Fidelity, Lineage, Objective, Outcome, Proposal, Trial, TrialState


@pytest.fixture
def trial(small_space):
    proposal = Proposal(
        sample(small_space, np.random.default_rng(0)),
        Fidelity(1),
        Lineage("crossover+add", (1, 2), 3),
    )
    metrics = {"val_loss": 0.1234, "val_accuracy": 0.9}
    return Trial(
        7, proposal, None, TrialState.OK, metrics, Objective("val_loss", "min").fitness(metrics)
    )


def progress(trial, done=8, remaining: float | None = 75.0):
    return Progress(3, done, 96, 2, 1, 4, trial, 30.0, remaining)


def test_a_log_has_generation_trials_best_failures_and_an_eta(trial):
    out = io.StringIO()
    LineProgress(Console(file=out, width=200)).on_progress(progress(trial))
    line = " ".join(out.getvalue().split())
    assert line == (
        "generation 3 8/96 trials best 0.1234, val_accuracy 0.9000 (trial 7) 1 failed, 4 twins"
        " 0:30 gone, ETA 1:15"
    )


def test_a_log_is_told_news_at_once_and_the_rest_now_and_then(trial):
    out, now = io.StringIO(), [0.0]
    lines = LineProgress(Console(file=out, width=200), every=15, clock=lambda: now[0])
    for now[0], done in ((0.0, 1), (5.0, 2), (14.0, 3), (16.0, 4)):
        lines.on_progress(progress(trial, done))
    lines.on_progress(progress(None, 5))
    said = [line.split()[2] for line in out.getvalue().splitlines()]
    assert said == ["1/96", "4/96", "5/96"]


def test_a_terminal_has_one_live_line_and_news_above_it(trial):
    out = io.StringIO()
    live = LiveProgress(Console(file=out, force_terminal=True, width=150))
    live.on_start(progress(None, 0, None))
    live.on_progress(progress(trial))
    live.on_outcome(
        trial, Outcome(TrialState.CRASHED, message="killed by signal 9"), 0, final=False
    )
    live.on_end(progress(trial, 96, 0.0))
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    for words in (
        "trial 7: best 0.1234",
        "crossover+add",
        "crashed: killed by signal 9; it is tried again",
        "96/96",
    ):
        assert words in text
    assert "0/100" not in text


def test_the_end_tells_what_stopped_trainings_have_spared(trial):
    out = io.StringIO()
    lines = LineProgress(Console(file=out, width=200))
    for epoch in (9, 12):
        details = {"stopped": Stopped(epoch, 30, 0.5, 0.1).to_json()}
        lines.on_outcome(trial, Outcome(TrialState.OK, details=details), 0, final=True)
    lines.on_end(progress(trial))
    assert (
        "2 trainings were stopped by the learning curve, which spared at most 39 epochs."
        in out.getvalue()
    )
    quiet = io.StringIO()
    LineProgress(Console(file=quiet, width=200)).on_end(progress(trial))
    assert "stopped" not in quiet.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-:--"), (0, "0:00"), (75.4, "1:15"), (3723, "1:02:03")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (85354.0, "85,354"), (0.5, "0.5000"), (0.00001234, "1.234e-05"), (12, "12")],
)
def test_numbers(value, text):
    assert number(value) == text
