"""Sentences of `run`, `resume`, `show`, `list` and others: each is made from the record."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from evonas import view
from evonas.cli.diff import _differ_by_time
from evonas.cli.front import _worth
from evonas.cli.search import _how_chosen, _place_of
from evonas.cli.show import _headline
from evonas.cli.winner import how_to_use
from evonas.data.tables.schema import Column, Schema
from evonas.errors import NothingFeasible, Stopped, UserError
from evonas.insight.side_by_side import Row, side_by_side
from evonas.runtime.config.limits_config import BudgetConfig
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.stopping import Urgency
from evonas.runtime.session import Session
from evonas.search.strategies.random_search import RandomSearch
from evonas.testing.runs import make_run, stub_pools, work
from evonas.testing.stub_worker import Stub
from evonas.trial import Objective, TrialState
from tests.command import run_evonas

HEALTHY = Stub(diverge=0.0)


def told(*arguments, **more):
    done = run_evonas(*arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return work(make_run(tmp_path_factory.mktemp("told")), stub=HEALTHY)


@pytest.fixture
def run(finished):
    """A run in memory whose trials a test may change."""
    return view.load(finished.directory)


def settled(run, *states, twins=()):
    """The run with as many trials, in these states."""
    first = run.best.trial
    trials = []
    for id, state in enumerate(states):
        fitness = first.fitness if state == "ok" else None
        twin_of = 0 if id in twins else None
        trials.append(
            replace(first, id=id, state=TrialState(state), fitness=fitness, twin_of=twin_of)
        )
    run.trials = trials
    # The recorded winner is none of these.
    run.result = None
    return run


@pytest.mark.parametrize(
    ("states", "twins", "line"),
    [
        ([], (), "Run stub: 0 trials of 12"),
        (["ok"], (), "Run stub: 1 trial of 12 (1 ok)"),
        (["waiting", "ok", "ok"], (), "Run stub: 2 trials of 12 (2 ok), 1 waiting or running"),
        # duplicates have the states of others: they are counted by themselves
        (
            ["ok", "infeasible", "ok", "ok", "ok"],
            (3, 4),
            "Run stub: 2 trials of 12 (2 ok), 1 more infeasible, 2 duplicates",
        ),
        # the budget of 12 gives back no more than 12
        (
            ["infeasible"] * 14 + ["ok"],
            (),
            "Run stub: 3 trials of 12 (1 ok, 2 infeasible), 12 more infeasible",
        ),
        (["ok", "ok"], (1,), "Run stub: 1 trial of 12 (1 ok), 1 duplicate"),
        (["ok", "cancelled"], (), "Run stub: 1 trial of 12 (1 ok), 1 cancelled"),
    ],
)
def test_the_states_in_the_headline_add_up_to_its_trials(run, states, twins, line):
    assert _headline(settled(run, *states, twins=twins)) == line
    # `evonas list` counts the same.
    assert line.startswith(f"Run stub: {run.summary()['done']} trial")


def test_the_headline_of_an_older_run_counts_infeasible_trials_as_others(run):
    run.gives_back = False
    words = "Run stub: 3 trials of 12 (1 ok, 2 infeasible)"
    assert _headline(settled(run, "ok", "infeasible", "infeasible")) == words
    assert run.summary()["done"] == 3


@pytest.mark.parametrize(
    ("states", "twins", "place", "chosen"),
    [
        (["ok"], (), "the only one that succeeded", "nothing to choose from"),
        (
            ["ok", "infeasible", "ok", "diverged", "cancelled", "ok"],
            (5,),
            "the best of 2 that succeeded",
            "chosen from 2 trials by val_loss",
        ),
        (
            ["ok"] * 1234,
            (),
            "the best of 1,234 that succeeded",
            "chosen from 1,234 trials by val_loss",
        ),
    ],
)
def test_the_winner_was_chosen_from_those_that_succeeded(run, states, twins, place, chosen):
    settled(run, *states, twins=twins)
    assert _place_of(run) == place
    assert _how_chosen(run) == chosen


def test_with_several_objectives_the_winner_is_the_best_by_the_first(run):
    settled(run, "ok", "ok")
    run.objectives = [Objective("val_accuracy", "max"), Objective("parameters", "min")]
    run.objective = run.objectives[0]
    assert _place_of(run) == "the best of 2 that succeeded, by val_accuracy"


def test_test_data_are_said_to_be_opened_as_often_as_they_were(tmp_path):
    run = work(make_run(tmp_path), stub=HEALTHY)
    assert "(test data opened once, " in told("show", run.directory)
    assert "(test data opened once, " in told("resume", run.directory), "it has not opened them"
    run.artefacts["model"].unlink()
    work(run.directory, stub=HEALTHY)
    assert "(test data opened 2 times, first " in told("show", run.directory)


TABLE_SPACE = """\
space: s
about: Three letters.
input: none
network: {cell: {length: 2, ops: {a: {}, b: {}, c: {}}}}
"""
TABLE_CONFIG = """\
space: ./s.yaml
evaluator: {table: {path: t.csv}}
objective: {name: error, direction: min}
strategy: {aging: {population: 3, sample: 2}}
training: {epochs: 9}
budget: {trials: 6}
"""


def test_a_small_loss_keeps_its_digits_everywhere(tmp_path):
    pairs = [(a, b) for a in "abc" for b in "abc"]
    rows = [f"{a},{b},{n + 1}.2344e-7,1e-7,{1_234_567 + n}" for n, (a, b) in enumerate(pairs)]
    header = "cell.0.op,cell.1.op,error@9,test_error@9,size@9"
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "s.yaml").write_text(TABLE_SPACE)
    (tmp_path / "tiny.yaml").write_text(TABLE_CONFIG)
    said = told("run", "tiny.yaml", cwd=tmp_path)
    best = min(trial.fitness.value for trial in view.load(tmp_path / "runs/tiny").trials)
    words = f"{best:.4g}"
    assert words.endswith("e-07")
    assert f"best error {words} (trial " in said
    assert f"error {words}, size 1,234,56" in said
    assert "test data, which the search has not seen: test_error 1e-07" in said
    for command in (["list"], ["show", "tiny", "--trials"], ["genealogy", "tiny"]):
        assert words in told(*command, cwd=tmp_path), command
    assert f"best error {words}" in (tmp_path / "runs/tiny/genealogy.svg").read_text()


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        ([0.5], "hypervolume 0.5000"),
        ([0.25, 0.5], "hypervolume 0.5000 (0.2500 after 1 trial)"),
        ([0.0, 0.1, 0.2, 0.3, 1e-5], "hypervolume 1e-05 (0.1000 after 2 trials)"),
    ],
)
def test_the_hypervolume_after_half_of_the_trials_is_that_of_half(reached, words):
    assert _worth(reached) == words


def test_commands_that_are_printed_name_this_run_and_work(finished, tmp_path):
    lines = told("show", finished.directory, cwd=tmp_path).partition("To go on:\n")[2].splitlines()
    assert len(lines) == 3
    for line in lines:
        program, *words = shlex.split(line)
        assert program.endswith("evonas")
        if words[0] != "export":
            assert run_evonas(*words, cwd=tmp_path).returncode == 0, line


def test_the_command_that_makes_a_first_run_names_the_folder(tmp_path):
    (tmp_path / "my runs").mkdir()
    said = told("list", "--runs", "my runs", cwd=tmp_path)
    assert said.startswith("There are no runs in my runs. To make one:  ")
    assert said.rstrip().endswith("evonas run digits --runs 'my runs'")
    assert told("list", cwd=tmp_path).rstrip().endswith("evonas run digits")


def test_no_run_at_all_names_the_command_that_lists_the_runs_beside_it(tmp_path):
    with pytest.raises(UserError, match=rf"To list the runs:  \S*evonas list --runs {tmp_path}$"):
        Session(tmp_path / "nothing")


def test_only_failures_that_occurred_are_explained(tmp_path):
    root = make_run(tmp_path, "budget.trials=1", "strategy=random", "limits.parameters=1")
    with pytest.raises(NothingFeasible) as raised:
        work(root, stub=HEALTHY)
    words = str(raised.value)
    assert words.startswith("no trial succeeded; of 2 trials: 2 infeasible. The last of each kind:")
    assert "more than the limit of 1" in words
    assert "learning rate" not in words
    sizes = [one.metrics["parameters"] for one in view.load(root).trials]
    smallest = f"the smallest of 2 networks beyond it has {min(sizes):,.0f}."
    assert f"limits.parameters is 1, and {smallest}" in words
    assert words.endswith("needs a greater budget.trials, too: 1 of 1 are spent.")
    # It is so: other limits alone bring nothing, and there is no sentence about those of before.
    with pytest.raises(NothingFeasible) as raised:
        work(root, "limits.parameters=null", stub=HEALTHY)
    assert str(raised.value) == words.replace(f"limits.parameters is 1, and {smallest}\n", "")
    assert work(root, "budget.trials=2", stub=HEALTHY).best is not None
    root = make_run(tmp_path / "other", "budget.trials=2", "strategy=random")
    with pytest.raises(NothingFeasible) as raised:
        work(root, stub=Stub(diverge=1.0))
    assert "of 2 trials: 2 diverged" in str(raised.value)
    assert str(raised.value).endswith("because its learning rate is too large.")


def test_a_strategy_that_proposes_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(RandomSearch, "ask", lambda strategy, count: [])
    root = make_run(tmp_path, "strategy=random")
    with pytest.raises(NothingFeasible, match="the strategy random has proposed nothing"):
        work(root)


@pytest.mark.parametrize(
    ("urgency", "workers", "words"),
    [
        (Urgency.FINISH, 2, "stopped after 4 trials of 12; nothing is lost"),
        (
            Urgency.ABANDON,
            2,
            "stopped after 3 trials of 12; 1 running trial was ended, and a resume trains it",
        ),
        (
            Urgency.ABANDON,
            3,
            "stopped after 2 trials of 12; 2 running trials were ended, and a resume trains them",
        ),
    ],
)
def test_a_stop_says_what_becomes_of_trials_that_ran(tmp_path, urgency, workers, words):
    class Interrupt(Observer):
        def on_submit(self, trial, attempt):
            if trial.id == 3:
                session.stop.urgency = urgency

    root = make_run(tmp_path, "strategy=random")
    with Session(root, stub_pools(workers, HEALTHY)) as session:
        engine = session.engine([Interrupt()])
        with pytest.raises(Stopped) as raised:
            engine.run()
    assert str(raised.value) == words


def test_a_run_and_a_trial_say_in_a_line_what_they_are(run):
    states = ("ok", "ok", "diverged", "cancelled", "ok")
    settled(run, *states, twins=(1,))
    count = f"Run {run.title}: 3 trials"
    assert _headline(run).startswith(count)
    assert repr(run) == f"<Run {run.name!r} at {run.directory}: 3 trials, finished>"
    rows = side_by_side(run.summary(), run.summary())
    assert [row.first for row in rows if row.key == "trials"] == [3]
    best, cancelled = run.trial(0), run.trial(3)
    value = f"{best.fitness.value:.6g}"
    assert repr(best) == str(best) == f"<Trial 0 of {run.name!r}: ok, val_loss {value}>"
    assert repr(cancelled) == f"<Trial 3 of {run.name!r}: cancelled>"


def test_a_budget_of_time_is_the_reason_for_other_results(run, finished):
    rows = [Row("trials", 8, 6)]
    run.budget = BudgetConfig(minutes=10)
    told = _differ_by_time(run, run, [], rows)
    assert told.startswith("Their budget is a time (10 minutes).")
    assert not _differ_by_time(run, run, [], [Row("seconds", 1.0, 2.0), Row("trials", 8, 8)])
    assert not _differ_by_time(run, run, [{"key": "seed", "from": 0, "to": 1}], rows)
    assert not _differ_by_time(finished, finished, [], rows), "its budget is in trials"


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (("number", "category"), []),
        (("date", "number"), ["a is a date, given as days since 1970-01-01, a float."]),
        (("date", "date"), ["a and b are dates, each given as days since 1970-01-01, a float."]),
    ],
)
def test_what_a_model_takes_says_which_columns_are_dates(kinds, told):
    features = tuple(Column(name, kind) for name, kind in zip("ab", kinds, strict=True))
    fitted = {"schema": Schema(features).to_json(), "columns": [{"name": "a"}, {"name": "b"}]}
    card = {"input_shape": [2], "interface": {"input": {"fitted": fitted}}}
    first, *others = how_to_use(card, "best.keras")
    assert first.startswith("best.keras takes a mapping of columns to their values (a, b);")
    assert others == told


def test_what_a_model_takes_is_told_by_the_names_that_it_asks_for():
    card = {"interface": {"input": {"fitted": {"columns": [{"name": "amt/usd"}, {"name": "b"}]}}}}
    first, *_ = how_to_use({"input_shape": [2], **card}, "best.keras")
    assert "columns to their values (amt_usd, b);" in first
