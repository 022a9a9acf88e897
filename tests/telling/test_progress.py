"""What the user sees while a search runs: in a log, and on a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from evonas.genome import sample
from evonas.runtime.loop.progress import Progress, Spent
from evonas.telling.console import duration
from evonas.telling.progress import LineProgress, LiveProgress
from evonas.telling.running import Running, fitting
from evonas.trial import (
    Constraint,
    Details,
    Fidelity,
    Lineage,
    Objective,
    Outcome,
    Proposal,
    Stopped,
    Trial,
    TrialState,
)

LOSS = Objective("val_loss", "min")


@pytest.fixture
def make(small_space):
    """Makes a trial that has succeeded."""

    def make(id=7, objective=LOSS, epochs=8, **metrics):
        metrics = metrics or {"val_loss": 0.1234, "val_accuracy": 0.9}
        proposal = Proposal(
            sample(small_space, np.random.default_rng(0)),
            Fidelity(epochs),
            Lineage(("crossover", "add"), (1, 2), 3),
        )
        return Trial(id, proposal, None, TrialState.OK, metrics, objective.fitness(metrics))

    return make


@pytest.fixture
def trial(make):
    return make()


def progress(trial, done=8, remaining: float | None = 75.0, **more):
    made = Progress(3, done, 96, 2, 1, 4, trial, 30.0, remaining, objective="val_loss")
    return replace(made, **more)


class Log:
    """A log, and a clock that the test sets."""

    def __init__(self, width=10_000, **more):
        self.now = 0.0
        self._out = io.StringIO()
        self.lines = LineProgress(
            Console(file=self._out, width=width), clock=lambda: self.now, **more
        )

    @property
    def said(self):
        return [re.sub(" +", " ", line) for line in self._out.getvalue().splitlines()]


class Window:
    """A terminal of some columns, and a clock that the test sets."""

    def __init__(self, width):
        self.now = 0.0
        self._out = io.StringIO()
        console = Console(file=self._out, force_terminal=True, width=width)
        self.live = LiveProgress(console, clock=lambda: self.now)

    @property
    def drawn(self):
        """The live lines at this moment."""
        return self.live._lines().plain.splitlines()

    @property
    def said(self):
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._out.getvalue())


def test_a_log_has_generation_trials_best_failures_and_an_eta(trial):
    log = Log()
    log.lines.on_progress(progress(trial))
    assert log.said == [
        "generation 3 8/96 trials best val_loss 0.1234, val_accuracy 0.9000 (trial 7)"
        " 1 failed, 4 duplicates elapsed 0:30, ETA 1:15"
    ]


@pytest.mark.parametrize(
    ("objective", "metrics", "told"),
    [
        # the objective is told once
        ("val_accuracy", {"val_accuracy": 0.985}, "best val_accuracy 0.9850 (trial 7)"),
        ("val_loss", {"val_loss": 1e-7}, "best val_loss 1e-07 (trial 7)"),
        ("parameters", {"parameters": 1_234_567}, "best parameters 1,234,567 (trial 7)"),
    ],
)
def test_the_best_is_named_once_and_its_digits_are_kept(make, objective, metrics, told):
    direction = "max" if objective == "val_accuracy" else "min"
    best = make(objective=Objective(objective, direction), **metrics)
    log = Log()
    log.lines.on_progress(progress(best, objective=objective))
    assert told in log.said[0]
    assert log.said[0].count(objective) == 1


def test_a_best_that_violates_the_constraints_says_so(make):
    bounded = Objective("val_loss", "min", constraints=(Constraint("parameters", most=10),))
    best = make(objective=bounded, val_loss=0.5, parameters=1000)
    log = Log()
    log.lines.on_progress(progress(best))
    assert "best val_loss 0.5000 (trial 7, beyond the constraints)" in log.said[0]


def test_a_log_counts_one_and_many(trial):
    log = Log()
    spent = (Spent("trials", 1, 1), Spent("epochs", 1400, 20_000), Spent("seconds", 75.0, 3600.0))
    log.lines.on_progress(progress(None, 1, None, total=1, twins=1, failures=0, spent=spent))
    assert log.said == [
        "generation 3 1/1 trial, 1,400/20,000 epochs, 1:15/1:00:00 no success yet"
        " 0 failed, 1 duplicate elapsed 0:30, ETA -:--"
    ]


def test_a_log_tells_infeasible_trials_apart_that_cost_nothing(trial):
    log = Log()
    log.lines.on_progress(progress(trial, given_back=1234, infeasible=1234))
    assert " 1 failed, 1,234 infeasible, 4 duplicates " in log.said[0]
    # Nothing has failed, and half of the infeasible trials count.
    log.now += 60
    log.lines.on_progress(progress(trial, done=3, failures=3, given_back=3, infeasible=6, twins=0))
    assert " 0 failed, 6 infeasible elapsed " in log.said[1]


def test_a_log_has_a_line_for_each_new_best_and_otherwise_one_a_minute(make):
    log = Log()
    first = make(id=7)
    for log.now, done in ((0.0, 1), (20.0, 2), (59.0, 3), (61.0, 4), (90.0, 5)):
        log.lines.on_progress(progress(first, done, generation=done))
    log.lines.on_progress(progress(make(id=9), 6))
    log.now = 100.0
    log.lines.on_progress(progress(make(id=9), 7))
    assert [line.split()[2] for line in log.said] == ["1/96", "4/96", "6/96"]


def test_a_log_says_within_a_long_trial_what_runs(make):
    log = Log()
    log.lines.on_wait("importing TensorFlow")
    log.lines.on_progress(progress(None, 0, None))
    log.now = 10.0
    log.lines.on_submit(make(id=4, epochs=30), 0)
    log.lines.on_submit(make(id=5, epochs=1), 0)
    for log.now, epoch in ((70.0, 1), (75.0, 2), (129.0, 3)):
        log.lines.on_epoch(make(id=4, epochs=30), epoch, {})
        log.lines.on_tick(progress(None, 0, None))
    log.now = 130.0
    log.lines.on_tick(progress(None, 0, None))
    assert log.said[0] == "importing TensorFlow"
    assert log.said[1].endswith("importing TensorFlow, 0:00")
    assert [line.partition("ETA -:-- ")[2] for line in log.said[2:]] == [
        "trial 4: epoch 2 of 30, 1:00 trial 5: running, 1:00",
        "trial 4: epoch 4 of 30, 2:00 trial 5: running, 2:00",
    ]


def test_a_log_names_a_few_of_many_workers(make):
    log = Log()
    for id in range(64):
        log.lines.on_submit(make(id=id), 0)
    log.lines.on_progress(progress(None))
    assert "trial 3: running, 0:00 and 60 more" in log.said[0]
    assert "trial 4:" not in log.said[0]


def test_what_runs_ends_with_its_outcome(make):
    clock = iter(range(100))
    running = Running(lambda: float(next(clock)))
    running.wait("importing TensorFlow")
    assert running.words() == ["importing TensorFlow, 0:01"]
    running.begin(make(id=3, epochs=8))
    running.hear(make(id=3), 8)
    assert running.words() == ["trial 3: epoch 8 of 8, 0:01"], "there is no ninth"
    running.end(make(id=3))
    # a late epoch of a trial that is over
    running.hear(make(id=3), 8)
    assert running.words() == []
    assert running.count == 0


def test_a_line_has_as_many_phrases_as_fit():
    words = ["trial 1: 0:01", "trial 2: 0:02", "trial 3: 0:03"]
    assert fitting(words, 100) == "trial 1: 0:01  trial 2: 0:02  trial 3: 0:03"
    assert fitting(words, 40) == "trial 1: 0:01  trial 2: 0:02  and 1 more"
    assert fitting(words, 3) == "trial 1: 0:01", "at least one"
    assert fitting([], 40) == ""


def test_a_terminal_has_live_lines_and_news_above_them(trial):
    window = Window(150)
    window.live.on_start(progress(None, 0, None))
    window.live.on_progress(progress(trial))
    window.live.on_outcome(
        trial, Outcome(TrialState.CRASHED, message="killed by signal 9"), 0, final=False
    )
    window.live.on_end(progress(trial, 96, 0.0))
    for words in (
        "trial 7 is the best so far: val_loss 0.1234, val_accuracy 0.9000 (crossover+add)",
        "crashed: killed by signal 9; it is tried again",
        "96/96 trials",
    ):
        assert words in window.said


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            200,
            "generation 3  BAR  8/96 trials  best val_loss 0.1234, val_accuracy 0.9000 (trial 7)"
            "  1 failed, 4 duplicates  elapsed 0:30, ETA 1:15",
        ),
        (
            140,
            "BAR  8/96 trials  best val_loss 0.1234, val_accuracy 0.9000 (trial 7)"
            "  1 failed, 4 duplicates  elapsed 0:30, ETA 1:15",
        ),
        (
            120,
            "8/96 trials  best val_loss 0.1234, val_accuracy 0.9000 (trial 7)"
            "  1 failed, 4 duplicates  elapsed 0:30, ETA 1:15",
        ),
        (
            100,
            "8/96 trials  best val_loss 0.1234 (trial 7)  1 failed, 4 duplicates"
            "  elapsed 0:30, ETA 1:15",
        ),
        (60, "8/96 trials  best val_loss 0.1234 (trial 7)  ETA 1:15"),
        (45, "8/96 trials  best val_loss 0.1234 (trial 7)"),
        (20, "8/96 trials"),
        (5, "8/96 trials"),
    ],
)
def test_a_narrow_terminal_keeps_the_count_and_whole_numbers(trial, width, line):
    window = Window(width)
    window.live._show(progress(trial))
    drawn = re.sub("[\u2501=-]{24}", "BAR", window.drawn[0])
    assert drawn == line


def test_the_live_lines_go_on_between_two_outcomes(make):
    window = Window(100)
    window.live._show(progress(None, 0, 75.0))
    window.live.on_wait("importing TensorFlow")
    window.now = 5.0
    assert window.drawn[0].endswith("elapsed 0:35, ETA 1:10")
    assert window.drawn[1] == "importing TensorFlow, 0:05"
    window.live.on_submit(make(id=0), 0)
    window.live.on_epoch(make(id=0), 2, {})
    window.now = 500.0
    assert window.drawn[0].endswith("elapsed 8:50, ETA 0:00"), "never less than nothing"
    assert window.drawn[1] == "trial 0: epoch 3 of 8, 8:15"


@pytest.mark.parametrize(
    ("running", "told"),
    [
        (0, "SIGINT: no trial is running."),
        (1, "SIGINT: finishing 1 running trial. Ctrl-C again abandons it."),
        (2, "SIGINT: finishing 2 running trials. Ctrl-C again abandons them."),
    ],
)
def test_a_stop_says_what_is_finished_first(make, running, told):
    log = Log()
    for id in range(running):
        log.lines.on_submit(make(id=id), 0)
    log.lines.on_stop(told.partition(".")[0])
    assert log.said == [told]


@pytest.mark.parametrize(
    ("epochs", "told"),
    [
        ([29], "1 training was stopped by the learning curve, which spared at most 1 epoch."),
        ([9, 12], "2 trainings were stopped by the learning curve, which spared at most 39 epochs"),
        ([], ""),
    ],
)
def test_the_end_tells_what_stopped_trainings_have_spared(trial, epochs, told):
    log = Log()
    for epoch in epochs:
        details = Details(stopped=Stopped(epoch, 30, 0.5, 0.1))
        log.lines.on_outcome(trial, Outcome(TrialState.OK, details=details), 0, final=True)
    log.lines.on_end(progress(trial))
    assert told in log.said[-1]
    assert bool(told) == ("stopped" in log.said[-1])


def test_a_log_is_never_wrapped(make):
    log = Log(width=60)
    log.lines.on_note("a note that is longer than the sixty columns of this terminal is, by far")
    log.lines.on_wait("waiting for something that takes more than sixty columns to be named")
    log.lines.on_progress(progress(make()))
    assert len(log.said) == 3


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-:--"), (0, "0:00"), (75.4, "1:15"), (3723, "1:02:03")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
