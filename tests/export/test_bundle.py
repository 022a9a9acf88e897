"""What an export names and compares: every score, and the test data for the winner alone."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import cast

import pytest

from evonas.data.tables.schema import Column, Schema
from evonas.errors import EvonasError, InvalidConfig, UserError
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.local.plugin_check import Plugins
from evonas.export.artefacts import MODEL
from evonas.export.bundle import export_best, export_trial
from evonas.export.ensemble import told
from evonas.export.target import Target, check_target, find_form
from evonas.model.formats import SavedModel
from evonas.runtime.config import plugin_members
from evonas.runtime.session import Session
from evonas.testing.runs import Notes, make_run, stub_pools, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import TrialState

HEALTHY = Stub(diverge=0.0)


def silent(text: str) -> None:
    """Tells nobody."""


class Pool(StubPool):
    """Keeps the exports that were asked for, and may change their scores.

    Attributes:
        exports: the jobs.
        changes: metrics to replace in their outcomes; None removes one.
    """

    exports: list
    changes: dict

    def submit(self, job):
        if job.kind == "export":
            self.exports.append(job)
        super().submit(job)

    def poll(self, timeout):
        reports = super().poll(timeout)
        last = reports[-1]
        if not isinstance(last, Finished) or last.job.kind != "export":
            return reports
        metrics = {**last.outcome.metrics, **self.changes}
        known = {name: value for name, value in metrics.items() if value is not None}
        return [*reports[:-1], Finished(last.job, replace(last.outcome, metrics=known))]


@pytest.fixture
def pool():
    """A kind of pool of this test's own."""
    return type("Pool", (Pool,), {"exports": [], "changes": {}})


@pytest.fixture
def run(tmp_path, pool):
    """A finished run, whose own export the pool has forgotten."""
    run = work(make_run(tmp_path), stub=HEALTHY, pool=pool)
    pool.exports.clear()
    return run


def session_of(run, pool) -> Session:
    return Session(run.directory, stub_pools(stub=HEALTHY, pool=pool))


@pytest.mark.parametrize("name", ["val_loss", "val_accuracy"])
@pytest.mark.parametrize("change", [1e-4, -1e-4, None])
def test_a_rebuilt_model_with_one_other_score_is_refused(run, pool, name, change):
    recorded = run.best.metrics[name]
    pool.changes[name] = None if change is None else recorded + change
    with session_of(run, pool) as session, pytest.raises(EvonasError, match=f"its {name} is"):
        export_best(session, run.best.trial, silent, MODEL.within(run.directory))


@pytest.mark.parametrize("name", ["val_loss", "val_accuracy"])
def test_rounding_is_no_other_model(run, pool, name):
    pool.changes[name] = run.best.metrics[name] + 1e-8
    with session_of(run, pool) as session:
        assert (
            export_best(session, run.best.trial, silent, MODEL.within(run.directory))["metrics"][
                name
            ]
            == pool.changes[name]
        )


def test_the_winner_is_tested_and_no_other_trial_is(run, pool, tmp_path):
    others = [t for t in run.trials if t.fitness is not None and t.id != run.best.id]
    with session_of(run, pool) as session:
        winner = export_best(session, run.best.trial, silent, MODEL.within(run.directory))
        other = export_trial(session, others[0], Target(tmp_path / "other.keras"), silent)
    tested, untested = pool.exports
    assert dict(tested.arrays) == {"x": "data/test/x.npy", "y": "data/test/y.npy"}
    assert {"test_loss", "test_accuracy"} <= set(winner["metrics"])
    assert dict(untested.arrays) == {}
    assert not [name for name in other["metrics"] if name.startswith("test_")]


def test_an_export_is_of_the_trials_own_training(run, pool, tmp_path):
    """Its seed, its genome and its weights, whatever the order of the trials."""
    others = [t for t in run.trials if t.fitness is not None and t.id != run.best.id]
    with session_of(run, pool) as session:
        card = export_trial(session, others[-1], Target(tmp_path / "other.keras"), silent)
    (job,) = pool.exports
    assert (job.trial, job.epochs) == (others[-1].id, others[-1].proposal.fidelity.epochs)
    assert job.genome == others[-1].genome
    assert card["trial"] == others[-1].id
    assert card["metrics"]["val_loss"] == others[-1].metrics["val_loss"]


def test_a_model_that_is_another_one_by_changed_code_says_so(tmp_path, pool):
    plugin = tmp_path / "export_ops.py"
    plugin.write_text("")
    run = work(make_run(tmp_path, "plugins=[export_ops]"), stub=HEALTHY, pool=pool)
    other = next(t.id for t in run.trials if t.fitness is not None and t.id != run.best.id)
    pools = stub_pools(stub=HEALTHY, pool=pool)
    changed = "the code of export_ops has changed since the run began"

    plugin.write_text("# another comment")
    notes = Notes()
    run.export(tmp_path / "same.keras", other, observers=[notes], pool_factory=pools)
    # Its scores are those of the record, so the change has changed nothing.
    assert changed in notes.texts

    pool.changes["val_loss"] = 99.0
    words = rf"model of trial {other} is another one: .* Put the code of the run back: {changed}$"
    with pytest.raises(UserError, match=words):
        run.export(tmp_path / "x.keras", other, pool_factory=pools)
    plugin.write_text("")
    with pytest.raises(EvonasError, match="is another one") as unchanged:
        run.export(tmp_path / "x.keras", other, pool_factory=pools)
    assert type(unchanged.value) is EvonasError
    assert "code of the run" not in str(unchanged.value)
    plugin.unlink()
    with pytest.raises(InvalidConfig, match="there is no module export_ops"):
        run.export(tmp_path / "x.keras", other, pool_factory=pools)
    assert not (tmp_path / "x.keras").exists()


def test_the_card_has_the_learning_curves_of_the_trial(run, pool):
    with session_of(run, pool) as session:
        card = export_best(session, run.best.trial, silent, MODEL.within(run.directory))
    (attempt,) = run.best.attempts()
    assert card["history"] == attempt.history
    assert list(card["history"]["val_loss"])
    assert card["compiled"]["loss_weight"] == 1.0, "of labels, unlike of targets"
    assert (card["training"]["epochs"], card["training"]["seconds"]) == (
        attempt.epochs,
        attempt.seconds,
    )


def test_the_card_says_which_columns_are_dates(run, pool, monkeypatch):
    schema = Schema((Column("day", "date"), Column("age", "number"))).to_json()
    with session_of(run, pool) as session:
        plain = session.interface
        of_table = replace(plain.input, fitted={**plain.input.fitted, "schema": schema})
        table = replace(plain, input=of_table)
        monkeypatch.setattr(Session, "interface", property(lambda _: table))
        card = export_best(session, run.best.trial, silent, MODEL.within(run.directory))
    assert card["dates"] == {"day": "days since 1970-01-01"}
    assert "dates" not in run.result


def test_a_target_that_cannot_be_written_is_refused_with_its_reason(run, tmp_path):
    failed = replace(run.best.trial, state=TrialState.DIVERGED)
    (tmp_path / "taken").mkdir()
    saved = {"name": "saved_model", "form": SavedModel()}
    for trial, target, words in (
        (failed, Target(tmp_path / "x.keras"), "no model to export"),
        (
            run.best.trial,
            Target(tmp_path / "x.h5"),
            r"ends in \.keras\. Received: .*x\.h5\. .*saved_model",
        ),
        (run.best.trial, Target(tmp_path / ".keras"), r"ends in \.keras"),
        (run.best.trial, Target(tmp_path / "missing" / "x.keras"), "no folder"),
        (run.best.trial, Target(run.directory / "x.keras"), "the run's own directory"),
        (run.best.trial, Target(run.directory / "weights/../x.keras"), "the run's own directory"),
        (run.best.trial, Target(tmp_path / "taken", **saved), "taken is there already"),
        (
            run.best.trial,
            Target(tmp_path / "x.keras", **saved),
            r"format is saved_model, .* in \.keras",
        ),
    ):
        with pytest.raises(UserError, match=words):
            check_target(trial, target, run.directory)
    check_target(run.best.trial, Target(tmp_path / "x.keras"), run.directory)
    check_target(run.best.trial, Target(tmp_path / "x.1", **saved), run.directory)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "saved_modle",
            r"is keras, saved_model, .*, or .* Received: saved_modle. Did you mean 'saved_",
        ),
        ("a.b:C", "module 'a.b' is not among the plugins .* none.*--plugin a.b"),
    ],
)
def test_a_format_that_is_not_there_is_refused_with_those_that_are(name, words):
    with pytest.raises(UserError, match=words):
        find_form(name, (), "")


ENDINGS = """
from dataclasses import dataclass
from evonas.model import ExportFormat


@dataclass(frozen=True)
class Own(ExportFormat):
    ending = ENDING

    def write(self, model, path): ...

    def load(self, path): ...
"""


@pytest.mark.parametrize("ending", ["npz", ".", "./x", ".a-b", None, ".tar.gz", ""])
def test_an_ending_has_its_dot(tmp_path, monkeypatch, ending):
    # The process beside the driver has nothing to say of this module.
    monkeypatch.setattr(plugin_members, "look_at", lambda *_, **__: Plugins())
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "endings", raising=False)
    (tmp_path / "endings.py").write_text(ENDINGS.replace("ENDING", repr(ending)))
    if ending in (".tar.gz", ""):
        assert find_form("endings:Own", ["endings"], str(tmp_path)).ending == ending
        return
    words = rf"the ending of endings:Own must be a dot .* Received: {re.escape(repr(ending))}\."
    with pytest.raises(UserError, match=words):
        find_form("endings:Own", ["endings"], str(tmp_path))


def test_another_format_of_the_winner_repeats_its_test_and_opens_nothing(run, pool, tmp_path):
    pools = stub_pools(stub=HEALTHY, pool=pool)
    card = run.export(tmp_path / "served", format="saved_model", pool_factory=pools)
    (job,) = pool.exports
    assert (job.format, dict(job.arrays)) == ("saved_model", {})
    assert card["metrics"] == run.result["metrics"]
    assert (tmp_path / "served").is_dir()
    assert [path.name for path in tmp_path.glob("served*.json")] == ["served.json"]
    assert list((run.directory / "exports").iterdir()) == []


@dataclass(frozen=True)
class Told(SavedModel):
    """A format that says of its files whatever the test wants."""

    said: object = None

    def about(self, versions):
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said


@pytest.mark.parametrize("said", [None, "words", {"a": {1, 2}}, {"a": math.nan}, {(1,): 2}])
def test_a_format_that_says_no_plain_json_is_named_and_leaves_nothing(run, pool, tmp_path, said):
    target = Target(tmp_path / "served", "own:Told", Told(said=said))
    words = rf"about\(\) of the format own:Told must give .*Received: {re.escape(repr(said))}\."
    with session_of(run, pool) as session, pytest.raises(UserError, match=words):
        export_trial(session, run.best.trial, target, silent)
    assert list(tmp_path.glob("served*")) == []
    assert list((run.directory / "exports").iterdir()) == []


@pytest.mark.parametrize("name", ["trial", "metrics", "format", "files"])
def test_a_format_says_nothing_else_of_what_the_card_knows(run, pool, tmp_path, name):
    target = Target(tmp_path / "served", "own:Told", Told(said={name: 99, "opset": 20}))
    with (
        session_of(run, pool) as session,
        pytest.raises(UserError, match=rf"that the card has already. Received: \['{name}'\]"),
    ):
        export_trial(session, run.best.trial, target, silent)
    assert list(tmp_path.glob("served*")) == []


def test_what_a_format_raises_is_told_with_its_line(run, pool, tmp_path):
    target = Target(tmp_path / "served", "own:Told", Told(said=SystemExit(3)))
    words = rf"the format own:Told: about\(\) has raised in {__file__}, line \d+: SystemExit: 3"
    with session_of(run, pool) as session, pytest.raises(UserError, match=words):
        export_trial(session, run.best.trial, target, silent)


@pytest.mark.parametrize("content", ["{}", "[1]", "not JSON", '{"trial": 1, "sha256": ""}'])
def test_no_file_of_the_users_is_in_the_place_of_the_card(run, pool, tmp_path, content):
    target, beside = Target(tmp_path / "x.keras"), tmp_path / "x.json"
    beside.write_text(content)
    with pytest.raises(UserError, match=r"x\.json is no card of evonas"):
        check_target(run.best.trial, target, run.directory)
    beside.unlink()
    with session_of(run, pool) as session:
        export_trial(session, run.best.trial, target, silent)
    # A card is replaced.
    check_target(run.best.trial, target, run.directory)


def test_a_card_says_why_there_is_no_ensemble() -> None:
    wanted = SimpleNamespace(config=SimpleNamespace(members_of_ensemble=5))
    found = told(cast(Session, wanted), None, [])
    assert found == {
        "candidates": [],
        "left_out": "there are not two networks, or no time for them in the budget",
    }
    unwanted = SimpleNamespace(config=SimpleNamespace(members_of_ensemble=0))
    assert told(cast(Session, unwanted), None, []) is None
