"""Reading an experiment: what differs between its runs, and what is refused at which place."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.errors import InvalidConfig
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.experiment_file import load_experiment

TEXT = """experiment: small
config: digits
seeds: [0, 1]
strategies:
  evolution: {evolution: {population: 4}}
  random: random
changes: {training: {epochs: 2}, budget.trials: 6}
"""


def load(tmp_path: Path, text: str = TEXT, *overrides: str):
    path = tmp_path / "experiment.yaml"
    path.write_text(text)
    return load_experiment(path, overrides)


def test_every_run_is_the_config_with_its_strategy_its_seed_and_the_changes(tmp_path):
    loaded = load(tmp_path)
    assert {label: list(seeds) for label, seeds in loaded.runs.items()} == {
        "evolution": [0, 1],
        "random": [0, 1],
    }
    config = loaded.runs["evolution"][1].config
    assert (config.seed, config.run, config.budget.trials, config.training.epochs) == (
        1,
        "evolution-1",
        6,
        2,
    )
    assert config.strategy.population == 4
    assert loaded.runs["random"][0].config.strategy_name == "random"
    assert config.space == load_config("digits").config.space


def test_an_override_wins_over_the_changes(tmp_path):
    assert load(tmp_path, TEXT, "budget.trials=3").any_run.config.budget.trials == 3


def test_the_reference_is_random_search_where_it_is_there(tmp_path):
    assert load(tmp_path).config.compared_with == "random"
    other = TEXT.replace("random: random", "aging: aging")
    assert load(tmp_path, other).config.compared_with == "evolution"
    assert load(tmp_path, other + "reference: aging\n").config.compared_with == "aging"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        (
            "population: 4",
            "population: 1",
            "5: strategies.evolution.evolution.population",
            "at least 2, or null. Received: 1",
        ),
        (
            "budget.trials: 6",
            "budget.trials: none",
            "7: changes.budget.trials (budget.trials)",
            "whole number",
        ),
        ("config: digits", "config: digit", "2: config", "Did you mean 'digits'?"),
        ("random: random", "'rand/om': random", "4: strategies", "safe folder name"),
        ("seeds: [0, 1]", "seeds: [0, 0]", "3: seeds", "different seeds"),
        ("seeds: [0, 1]", "seeds: []", "3: seeds", "different seeds"),
        ("  random: random\n", "", "4: strategies", "at least two strategies"),
        ("seeds:", "reference: best\nseeds:", "3: reference", "Allowed: evolution, random"),
        ("config: digits\n", "", "config", "is missing"),
        ("random: random", "random: rondam", "6: strategies.random", "Did you mean 'random'?"),
        ("seeds:", "sedes:", "3: sedes", "Did you mean 'seeds'?"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path, old, new, place, words):
    assert old in TEXT
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path, TEXT.replace(old, new))
    assert place in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        (
            "a: nsga2",
            "a: aging",
            "3: strategies.a (strategy)",
            "aging follows one objective, and there are 2",
        ),
        (
            ", objectives: [val_loss, parameters]",
            "",
            "3: strategies.a",
            "searches a front of several objectives",
        ),
        ("changes:", "target: 30000\nchanges:", "5: target", "from 0 to 1. Received: 30000"),
    ],
)
def test_several_objectives_are_refused_where_they_do_not_fit(tmp_path, old, new, place, words):
    text = (
        "config: digits\nstrategies:\n  a: nsga2\n  random: random\n"
        "changes: {budget.trials: 6, objectives: [val_loss, parameters]}\n"
    )
    assert len(load(tmp_path, text).any_run.config.objectives) == 2
    assert old in text
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path, text.replace(old, new))
    assert place in str(caught.value)
    assert words in str(caught.value)


def test_a_runs_config_is_no_experiment_and_an_experiment_no_runs_config(tmp_path):
    with pytest.raises(InvalidConfig, match="evonas run"):
        load(tmp_path, "space: convnet\nbudget: {trials: 1}\n")
    path = tmp_path / "experiment.yaml"
    path.write_text(TEXT)
    with pytest.raises(InvalidConfig, match="evonas compare"):
        load_config(path)


def test_check_knows_experiments(tmp_path, capsys):
    from evonas.cli.check import command

    load(tmp_path)
    command(str(tmp_path / "experiment.yaml"))
    assert "is fine" in capsys.readouterr().out
    load_text = TEXT.replace("population: 4", "population: 1")
    (tmp_path / "experiment.yaml").write_text(load_text)
    with pytest.raises(InvalidConfig, match="at least 2"):
        command(str(tmp_path / "experiment.yaml"))
