"""`evonas resume --set`: what may change, what may not and why.

A greater budget changes nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

import evonas
from evonas.errors import InvalidConfig
from evonas.runtime.audit import audit
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config_change import CHANGEABLE, REASONS, change_config
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import Notes, content, make_run, work

STRATEGIES = {
    "evolution": "strategy={evolution: {population: 5, replacement: {elitist: {elites: 1}}}}",
    "guided": "strategy={evolution: {initial: 4, children: 6}}",
    "credit": "strategy={evolution: {population: 5, mutation: {adaptation: {pursuit: {}}}}}",
    "steady": "strategy={evolution: {population: 5, replacement: {steady_state: {}}}}",
    "aging": "strategy={aging: {population: 5, sample: 2}}",
    "random": "strategy=random",
    "cma_es": "strategy={cma_es: {population: 5}}",
}


def changes(root):
    with RecordReader(root / "run.db") as record:
        return [detail for _, kind, detail in record.events() if kind == "config changed"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_finished_run_with_a_greater_budget_is_the_run_that_began_with_it(tmp_path, strategy):
    setting = STRATEGIES[strategy]
    long = make_run(tmp_path / "long", setting, "budget.trials=40")
    work(long)
    root = make_run(tmp_path / "short", setting, "budget.trials=20")
    assert len(work(root).trials) < len(content(long))
    run = work(root, "budget.trials=40")
    assert content(root) == content(long)
    assert run.is_finished
    assert run.config.budget.trials == 40
    assert run.result is not None
    assert run.best is not None
    assert run.result["trial"] == run.best.id
    assert audit(root).is_repeated
    assert changes(root) == [{"key": "budget.trials", "from": 20, "to": 40}]


@pytest.mark.parametrize("strategy", ["evolution", "aging"])
def test_raised_in_many_steps_and_in_the_middle_of_a_run(tmp_path, strategy):
    setting = STRATEGIES[strategy]
    long = make_run(tmp_path / "long", setting, "budget.trials=30")
    work(long)
    root = make_run(tmp_path / "short", setting, "budget.trials=3")
    for budget in (3, 4, 5, 11, 12, 30):
        work(root, f"budget.trials={budget}")
    assert content(root) == content(long)


def test_a_run_that_has_not_begun_can_be_changed(tmp_path):
    long = make_run(tmp_path / "long", "budget.trials=8")
    work(long)
    root = make_run(tmp_path / "short", "budget.trials=20")
    work(root, "budget.trials=8", "pool.local.workers=3")
    assert content(root) == content(long)
    assert evonas.load(root).config.pool.workers == 3


def test_later_sessions_go_by_the_change(tmp_path):
    root = make_run(tmp_path)
    work(root, "budget.trials=14")
    work(root)
    run = evonas.load(root)
    assert run.config.budget.trials == 14
    assert run.is_finished
    assert sum(trial.twin_of is None for trial in run.trials) == 14


def test_an_exhausted_run_goes_on_when_more_twins_are_allowed(tmp_path):
    settings = (STRATEGIES["random"], "budget.trials=500")
    long = make_run(tmp_path / "long", *settings, "max_twins_in_a_row=12")
    work(long)
    root = make_run(tmp_path / "short", *settings, "max_twins_in_a_row=3")
    assert len(work(root).trials) < len(content(long))
    work(root, "max_twins_in_a_row=12")
    assert content(root) == content(long)


def test_without_a_change_a_finished_run_is_left_as_it_is(tmp_path):
    root = make_run(tmp_path)
    work(root)
    before = (root / "run.db").read_bytes()
    assert work(root, "budget.trials=12", "seed=0").is_finished
    assert (root / "run.db").read_bytes() == before
    assert work(root, "pool.local.workers=3").is_finished
    assert changes(root) == [{"key": "pool.local.workers", "from": 2, "to": 3}]


def test_other_limits_hold_from_now_on_and_the_user_is_told(tmp_path):
    root = make_run(tmp_path, "budget.trials=6")
    before = {row[0]: row for row in [*(work(root), content(root))[1]]}
    notes = Notes()
    run = work(root, "limits.parameters=1", "budget.trials=12", observers=[notes])
    assert [row for row in content(root) if row[0] in before] == list(before.values())
    new = [trial for trial in run.trials if trial.id not in before and trial.twin_of is None]
    assert new
    assert {str(trial.state) for trial in new} == {"infeasible"}
    assert any("no longer the one" in text for text in notes.texts)
    assert "limits.parameters is 1 from now on; there was no limit" in notes.texts


def test_a_smaller_budget_is_refused_below_what_is_proposed_and_nothing_is_written(tmp_path):
    root = make_run(tmp_path)
    work(root)
    before = (root / "run.db").read_bytes()
    with pytest.raises(InvalidConfig, match="12 trials are proposed already") as raised:
        work(root, "budget.trials=11")
    assert raised.value.exit_code == 2
    assert (root / "run.db").read_bytes() == before


REFUSED = {
    "seed=1": "everything random",
    "space=convnet": "were drawn from it",
    "objective=val_accuracy": "compared by it",
    "strategy.evolution.population=6": "state fits no other settings",
    "training.epochs=9": "trained under it",
    "data.split_seed=3": "measured on them",
    "look_ahead=8": "when a trial is asked",
    "plugins=[my_ops]": "built with them",
    "run=other": "rename its folder",
    "pool.local.threads=2": "part of the result",
}


@pytest.mark.parametrize("change", REFUSED)
def test_everything_else_is_refused_with_its_reason(tmp_path, change):
    root = make_run(tmp_path)
    with pytest.raises(InvalidConfig, match="cannot be changed on resume") as raised:
        evonas.resume(root, overrides=[change])
    assert REFUSED[change] in str(raised.value)
    assert str(raised.value).startswith("overrides: ")
    assert changes(root) == []
    with RecordReader(root / "run.db") as record:
        assert record.meta("session") == 0, "it is refused before a session is opened"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "budget.trials=0",
            "--set budget.trials=0: budget.trials: must be a whole number of at least 1, or null."
            " Received: 0.",
        ),
        ("budget.trails=5", "Did you mean 'trials'?"),
        ("bugdet.trials=5", "Did you mean 'budget'?"),
        ("budget", "must have the form key.path=value"),
        ("limits.seconds=-1", "above 0"),
        ("pool.local.workers=lots", "must be a whole number"),
    ],
)
def test_bad_values_are_refused_as_a_new_run_refuses_them(tmp_path, change, words):
    root = make_run(tmp_path)
    with pytest.raises(InvalidConfig) as raised:
        work(root, change)
    assert words in str(raised.value)
    assert changes(root) == []


def test_warnings_of_a_changed_config_are_told(tmp_path):
    notes = Notes()
    work(make_run(tmp_path), "pool.local.workers=4", observers=[notes])
    assert any(
        text.startswith("look_ahead (5) is below twice the 4 workers") for text in notes.texts
    )


def test_every_key_of_a_config_may_change_or_has_a_reason_why_not():
    import dataclasses

    keys = {field.name for field in dataclasses.fields(RunConfig)}
    assert keys <= {*CHANGEABLE, *REASONS}


@pytest.mark.full
def test_killed_at_every_failpoint_while_it_goes_on_with_a_greater_budget(tmp_path):
    script = Path(__file__).with_name("killed_config_change.py")
    command = [sys.executable, str(script), str(tmp_path), "1"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert report["failpoints"] >= 30
    assert report["killed"] == report["points"] >= 30
    assert "record.config" in report["kinds"]
    assert report["wrong"] == []


@pytest.mark.parametrize(
    ("budget", "change", "words"),
    [
        ("budget.seconds=18.0", "budget.seconds=null", "there is no limit on budget.seconds any"),
        ("budget.seconds=18.0", "budget.seconds=90.0", "budget.seconds is 90 from now on; it was"),
        (
            "budget.minutes=1.0",
            "budget.seconds=90.5",
            "the budget of time is 90.5 seconds from",
        ),
        (
            "budget.trials=1200",
            "budget.hours=0.25",
            "budget.hours is 0.2500 from now on; there",
        ),
        ("budget.trials=1200", "storage.keep_best=3", "storage.keep_best is 3 from now on; it was"),
        ("budget.trials=1200", "pool=inline", 'pool is {"inline": {}} from now on; it was {"local'),
    ],
)
def test_a_change_is_told_in_words(tmp_path, budget, change, words):
    with RecordReader(make_run(tmp_path, budget) / "run.db") as record:
        found = change_config(record, [change]).notes
    assert [note for note in found if note.startswith(words)]
    assert not [note for note in found if "None" in note]


@pytest.mark.parametrize(
    ("before", "after", "least"),
    [
        ("budget.seconds=60", "budget.minutes=0.5", "0.96 minutes"),
        ("budget.minutes=1", "budget.seconds=57.3", "57.35 seconds"),
        ("budget.seconds=60", "budget.seconds=57.35", ""),
        # The end has taken longer than was thought, and the time is not what is changed.
        ("budget.seconds=50", "budget.trials=20", ""),
    ],
)
def test_a_budget_of_time_is_not_less_than_what_was_worked(tmp_path, before, after, least):
    root = make_run(tmp_path, before)
    with (
        RecordReader(root / "run.db") as record,
        mock.patch.object(RecordReader, "worked_seconds", return_value=57.345),
    ):
        if not least:
            assert change_config(record, [after]).changes
            return
        with pytest.raises(InvalidConfig, match=r"57\.3 seconds have been worked") as raised:
            change_config(record, [after])
    assert f"at least {least}, which ends the run" in str(raised.value)
