"""Whole runs with several objectives or constraints: the front, its members, the usual promises."""

from __future__ import annotations

import json

import pytest

from evonas import view
from evonas.cli import show
from evonas.errors import UserError
from evonas.runtime.audit import audit
from evonas.testing.runs import Notes, content, make_run, stub_pools, work
from evonas.trial import rank

FRONT = (
    "objectives=[val_accuracy, parameters]",
    "strategy={nsga2: {population: 5}}",
    "budget.trials=30",
)
TIGHT = "constraints={parameters: {max: 20000}}"


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    return work(make_run(folder, *FRONT, "storage.keep_best=1"))


def test_the_winner_is_the_best_by_the_first_objective_and_on_the_front(front):
    members = front.front()
    assert len(members) > 1
    assert members[0].id == front.best.id == front.result["trial"]
    accuracies = [trial.metrics["val_accuracy"] for trial in members]
    sizes = [trial.metrics["parameters"] for trial in members]
    assert accuracies == sorted(accuracies, reverse=True)
    assert sizes == sorted(sizes, reverse=True)
    assert front.best.metrics["val_accuracy"] == max(
        t.metrics["val_accuracy"] for t in front.trials if t.fitness
    )


def test_any_member_is_exported_and_scores_what_the_record_says(front, tmp_path):
    for trial in front.front():
        told = Notes()
        target = tmp_path / f"{trial.id}.keras"
        card = front.export(target, trial.id, observers=[told], pool_factory=stub_pools(1))
        assert target.is_file()
        assert card["trial"] == trial.id
        assert card["metrics"]["val_accuracy"] == trial.metrics["val_accuracy"]
        assert not any("not quite the same" in text for text in told.texts)


def test_show_prints_the_front_and_writes_json_and_a_picture(front, capsys, tmp_path):
    show.command(str(front.directory))
    said = capsys.readouterr().out
    succeeded = sum(trial.fitness is not None and trial.twin_of is None for trial in front.trials)
    assert f"The front: {len(front.front())} of {succeeded} trials that succeeded" in said
    assert f"evonas export {front.directory} {front.front()[-1].id} --to" in said.replace("\n", " ")
    assert f"hypervolume {front.hypervolume()[-1]:.4f}" in said
    show.command(str(front.directory), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert [row["trial"] for row in found["front"]] == [trial.id for trial in front.front()]
    assert found["hypervolume"] == front.hypervolume()
    show.command(str(front.directory), front=tmp_path / "front.svg")
    assert (tmp_path / "front.svg").read_text() == front.artefacts["front"].read_text()
    with pytest.raises(UserError, match=r"an \.svg file"):
        show.command(str(front.directory), front=tmp_path / "front.png")


def test_the_picture_is_made_again_where_it_is_lost(front):
    front.artefacts["front"].unlink()
    assert work(front.directory).artefacts["front"].is_file()


@pytest.mark.parametrize("strategy", ["nsga2", "nsga3"])
def test_a_longer_run_and_more_workers_change_nothing(tmp_path, strategy):
    changes = (FRONT[0], f"strategy={{{strategy}: {{population: 5}}}}", TIGHT)
    whole = work(make_run(tmp_path / "whole", *changes, "budget.trials=24"), capacity=5).directory
    short = work(make_run(tmp_path / "short", *changes, "budget.trials=11")).directory
    work(short, "budget.trials=24")
    assert content(short) == content(whole)
    assert audit(short).is_repeated


def test_a_constraint_moves_the_winner(tmp_path):
    free = work(make_run(tmp_path / "free", "budget.trials=30"))
    bound = work(make_run(tmp_path / "bound", "budget.trials=30", TIGHT))
    assert free.best.metrics["parameters"] > 20_000
    assert bound.best.metrics["parameters"] <= 20_000
    within = [t for t in bound.trials if t.fitness and t.metrics["parameters"] <= 20_000]
    assert bound.best.id == min(within, key=rank).id
    assert {str(trial.state) for trial in bound.trials} == {
        str(trial.state) for trial in free.trials
    }


def test_where_no_trial_satisfies_the_constraints_the_least_violating_wins(tmp_path, capsys):
    run = work(make_run(tmp_path, "constraints={parameters: {max: 10}, val_accuracy: {min: 2}}"))
    assert run.best.fitness.violation == min(
        trial.fitness.violation for trial in run.trials if trial.fitness
    )
    show.command(str(run.directory))
    said = capsys.readouterr().out
    assert "0 of" in said
    assert (
        f"None does: the winner, trial {run.best.id}, is the one that violates them least." in said
    )


def test_an_empty_front_is_told(tmp_path, capsys):
    run = work(make_run(tmp_path, *FRONT, "budget.trials=8", "constraints={parameters: {max: 10}}"))
    assert run.front() == []
    assert set(run.hypervolume()) == {0.0}
    show.command(str(run.directory))
    assert "The front is empty" in capsys.readouterr().out


def test_a_weighted_sum_is_what_is_minimised(tmp_path):
    weighted = "objective={weighted: {val_loss: 1.0, parameters: 1.0e-5}}"
    run = work(make_run(tmp_path, weighted))
    cost = {
        t.id: t.metrics["val_loss"] + 1e-5 * t.metrics["parameters"]
        for t in run.trials
        if t.fitness
    }
    assert run.best.fitness.value == pytest.approx(min(cost.values()))
    assert run.objective.name == "val_loss + 1e-05 parameters"
    assert view.load(run.directory).config.objective == run.config.objective


def test_random_search_has_a_front_too(tmp_path):
    run = work(make_run(tmp_path, FRONT[0], "strategy=random"))
    assert run.front()


def test_times_are_measured_only_where_they_are_asked_for(tmp_path):
    plain = work(make_run(tmp_path / "plain"))
    assert not any("latency_ms" in trial.metrics for trial in plain.trials)
    timed = work(
        make_run(tmp_path / "timed", "constraints={latency_ms: {max: 0.5}}", "budget.trials=20")
    )
    assert all("latency_ms" in trial.metrics for trial in timed.trials if trial.fitness)
    assert timed.best.metrics["latency_ms"] <= 0.5
