"""What a config leaves out follows from its budget and its data; what it names stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.runtime.config.config_file import LoadedConfig, check, load_config
from evonas.runtime.config.experiment_file import load_experiment
from evonas.runtime.config.left_out import (
    ahead_for,
    epochs_for,
    founders_for,
    patience_for,
    population_for,
)
from tests.command import run_evonas

GENERATIONS = "{evolution: {guide: none}}"
MANY_ELITES = "{evolution: {replacement: {elitist: {elites: 5}}}}"
NAMED = "space: mlp\ndata: {name: wine}\n"


def loaded(folder: Path, text: str) -> LoadedConfig:
    (folder / "run.yaml").write_text(text)
    return load_config(folder / "run.yaml")


def population(found: LoadedConfig) -> int | None:
    return found.config.strategy.with_inner()[-1].first_generation()


@pytest.mark.parametrize(("trials", "size"), [(1, 4), (8, 5), (40, 10), (96, 16), (10**6, 16)])
def test_a_population_is_that_of_the_shipped_configs(trials: int, size: int) -> None:
    assert population_for(trials) == size


@pytest.mark.parametrize(("trials", "count"), [(1, 4), (64, 6), (96, 10), (10**6, 16)])
def test_a_tenth_of_the_trials_are_founders_of_a_guided_search(trials: int, count: int) -> None:
    assert founders_for(trials) == count


@given(st.integers(1, 10**9), st.none() | st.integers(1, 10**6))
def test_epochs_have_bounds_and_fall_with_the_samples(samples: int, budget: int | None) -> None:
    epochs = epochs_for(samples, budget)
    assert epochs >= epochs_for(2 * samples, budget) >= 1
    assert epochs <= 50
    assert budget is None or budget < 24 or budget // epochs >= 24
    assert patience_for(epochs) >= 4


def test_what_nobody_has_looked_at_has_the_usual_epochs() -> None:
    assert epochs_for(None, None) == 12
    assert (epochs_for(442, None), epochs_for(1800, None), patience_for(12)) == (40, 30, 4)


def test_the_smallest_config(tmp_path: Path) -> None:
    found = loaded(tmp_path, "data: {name: wine}\nbudget: {trials: 24}\n")
    training = found.config.training
    assert (found.config.space, population(found)) == ("mlp", 4)
    assert (training.epochs, training.patience) == (48, 16)
    assert found.config.folds == 5
    assert len(found.founders) == 3
    assert "training.epochs is 48, because there are 178 samples" in found.followed
    usual = {one for one in found.followed if one.startswith("look_ahead")}
    assert set(found.followed) - usual <= set(found.warnings)
    # What is recorded names all of it, and means the same.
    assert found.config == type(found.config).from_json(found.config.to_json())


@pytest.mark.parametrize(
    ("more", "size", "epochs", "patience"),
    [
        ("budget: {trials: 8}\n", 4, 12, 4),
        ("budget: {trials: 96}\n", 10, 12, 4),
        ("budget: {minutes: 5}\n", 6, 12, 4),
        (f"budget: {{trials: 8}}\nstrategy: {GENERATIONS}\n", 5, 12, 4),
        (f"budget: {{trials: 8, minutes: 1}}\nstrategy: {GENERATIONS}\n", 5, 12, 4),
        (f"budget: {{minutes: 5}}\nstrategy: {GENERATIONS}\n", 16, 12, 4),
        (f"budget: {{epochs: 100}}\nstrategy: {GENERATIONS}\n", 8, 4, 4),
        (f"budget: {{epochs: 100}}\ntraining: {{epochs: 10}}\nstrategy: {GENERATIONS}\n", 5, 10, 4),
        (f"budget: {{epochs: 5000}}\nstrategy: {GENERATIONS}\n", 16, 12, 4),
        ("budget: {trials: 8}\nstrategy: {evolution: {population: 16}}\n", 16, 12, 4),
        ("budget: {trials: 8}\nstrategy: {screened: {inner: aging}}\n", 5, 12, 4),
        # More elites than that: what stands beside it is not refused for it.
        (f"budget: {{trials: 8}}\nstrategy: {MANY_ELITES}\n", 16, 12, 4),
        ("budget: {epochs: 100}\nstrategy: hyperband\n", None, 12, 4),
        ("budget: {epochs: 100}\nstrategy: random\n", None, 4, 4),
    ],
)
def test_what_is_left_out_follows_and_what_is_named_stays(
    more: str, size: int | None, epochs: int, patience: int, tmp_path: Path
) -> None:
    found = loaded(tmp_path, NAMED + more)
    training = found.config.training
    assert population(found) == size
    assert (training.epochs, training.patience) == (epochs, patience)


def test_a_budget_of_time_is_told_to_say_nothing(tmp_path: Path) -> None:
    found = loaded(tmp_path, NAMED + "budget: {minutes: 5}\n")
    assert [one for one in found.followed if "initial is 6, as usual" in one]
    assert found.warnings == ()


def test_check_says_what_was_chosen_and_why(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def judge(genome):\n    return {'score': 0.0}\n")
    (tmp_path / "run.yaml").write_text(
        "space: mlp\nplugins: [mine]\nevaluator: {python: {function: 'mine:judge'}}\n"
        "objective: {name: score, direction: max}\nbudget: {minutes: 5}\n"
    )
    usual = run_evonas("check", tmp_path / "run.yaml")
    assert usual.returncode == 0, usual.stderr
    assert "left out: strategy.evolution.initial is 6, as usual" in usual.stdout
    (tmp_path / "run.yaml").write_text(
        (tmp_path / "run.yaml").read_text().replace("minutes: 5", "trials: 9")
    )
    fewer = run_evonas("check", tmp_path / "run.yaml").stdout
    assert "note: strategy.evolution.initial is 4, because the budget is 9 trials" in fewer


def test_strategies_are_compared_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(NAMED + "budget: {trials: 8}\n")
    (tmp_path / "two.yaml").write_text(
        "config: ./base.yaml\nstrategies: {evolution: evolution, random: random}\n"
    )
    runs = load_experiment(tmp_path / "two.yaml").runs
    assert population(runs["evolution"][0]) == 10
    assert [runs[name][0].config.look_ahead for name in ("evolution", "random")] == [4, 16]


def test_a_space_is_needed_where_no_data_choose_it(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("evaluator: {table: {path: t.csv}}\nbudget: {trials: 8}\n")
    keys = [one.key for one in check(tmp_path / "run.yaml").problems]
    assert "space" in keys


@pytest.mark.parametrize(
    "name",
    [
        "breast-cancer",
        "diabetes",
        "digits",
        "digits-cells",
        "digits-front",
        "digits-recurrent",
    ],
)
def test_configs_that_name_all_of_it_keep_it(name: str) -> None:
    assert load_config(name).followed == ()


@pytest.mark.parametrize(("trials", "ahead"), [(1, 4), (40, 6), (96, 16), (10**6, 16)])
def test_a_guide_sees_all_but_a_sixth_of_the_trials(trials: int, ahead: int) -> None:
    assert [ahead_for(trials, workers) for workers in (1, 2, 8)] == [ahead] * 3


@pytest.mark.parametrize(
    ("more", "ahead", "is_said"),
    [
        ("budget: {trials: 8}\n", 4, True),
        ("budget: {trials: 40}\n", 6, True),
        ("budget: {trials: 40}\nlook_ahead: 9\n", 9, False),
        ("budget: {trials: 8}\nstrategy: {seeded: {genomes: [mlp2]}}\n", 4, True),
        ("budget: {trials: 40}\nstrategy: model_based\n", 16, False),
        (f"budget: {{trials: 40}}\nstrategy: {GENERATIONS}\n", 16, False),
        ("budget: {minutes: 1}\n", 4, True),
        ("budget: {minutes: 1}\npool: {local: {workers: 5}}\n", 10, True),
        ("budget: {minutes: 1}\nlook_ahead: 7\n", 7, False),
        ("budget: {minutes: 1}\nstrategy: aging\n", 16, False),
    ],
)
def test_what_is_asked_ahead_of_a_guide_follows_from_the_budget(
    tmp_path: Path, more: str, ahead: int, is_said: bool
) -> None:
    found = loaded(tmp_path, NAMED + more)
    assert found.config.look_ahead == ahead
    said = [one for one in found.followed if one.startswith(f"look_ahead is {ahead}, because")]
    assert bool(said) == is_said


def test_founders_leave_one_place_of_a_guided_search(tmp_path: Path) -> None:
    text = "space: tabular\ndata: {name: wine}\nbudget: {minutes: 1}\n"
    guided = loaded(tmp_path, text)
    scheme = loaded(tmp_path, f"{text}strategy: {GENERATIONS}\n")
    assert (population(guided), len(guided.founders)) == (6, 2)
    assert (population(scheme), len(scheme.founders)) == (16, 2)
