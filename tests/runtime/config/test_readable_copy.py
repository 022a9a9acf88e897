"""The copy of the config in a run's folder: readable, complete, and good for another run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evonas import lifecycle, view
from evonas.genome import library, strict_yaml
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.plain_yaml import as_yaml, in_line
from evonas.runtime.record.layout import Layout
from evonas.search.registry import STRATEGIES
from evonas.testing import content, make_run, work
from evonas.testing.runs import strategy_changes

SEED = "space: small\nlayers: [dense: {units: 4, activation: relu}]\n"
SEED += "optimizer: [adam: {learning_rate: 0.1}]\ntraining: [training]\n"


def of_shipped_data(name: str) -> bool:
    """Whether a shipped config is of a run whose data are there."""
    text = library.find("configs", name).read_text()
    return "experiment:" not in text and "~/evonas_data" not in text


@pytest.mark.parametrize("name", [*filter(of_shipped_data, library.names("configs"))])
def test_the_copy_of_a_shipped_config_is_read_as_the_very_same_config(name: str, tmp_path: Path):
    loaded = load_config(name, ["seed=7"])
    path = tmp_path / "anywhere" / "config.yaml"
    lifecycle.write_copy(loaded.config, loaded.file, path)
    again = load_config(path)
    assert again.config == loaded.config
    assert again.config.seed == 7
    assert again.seeds == loaded.seeds


def test_a_copy_runs_as_it_is_and_gives_the_same_trials(tmp_path: Path):
    """Its data, its space and its seed genomes are found from any folder."""
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "mine.yaml").write_text(SEED)
    seeded = "strategy={seeded: {genomes: [./mine.yaml], inner: random}}"
    root = make_run(folder, seeded)
    work(root)
    copy = tmp_path / "elsewhere" / "copy.yaml"
    copy.parent.mkdir()
    shutil.copy(Layout(root).config, copy)
    again, _ = lifecycle.create(load_config(copy), tmp_path / "runs")
    work(again)
    first, second = view.load(root), view.load(again)
    assert [trial.metrics for trial in second.trials] == [trial.metrics for trial in first.trials]
    assert second.trials[0].genome == first.trials[0].genome
    assert str(folder / "mine.yaml") in second.trials[0].lineage.operator


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"seeded"}))
def test_the_copy_of_every_strategy_is_read_as_the_very_same_config(name: str, tmp_path: Path):
    changes = [*strategy_changes(name), "budget.trials=84"]  # as many as the grid has genomes
    root = make_run(tmp_path, *changes)
    copied = load_config(Layout(root).config).config
    assert copied.strategy == view.load(root).config.strategy


def test_a_number_of_genomes_is_no_list_of_names(tmp_path: Path):
    root = make_run(tmp_path, "strategy={successive_halving: {genomes: 4}}")
    assert load_config(Layout(root).config).config.strategy.genomes == 4


def test_an_earlier_run_is_found_from_any_folder(tmp_path: Path):
    folder = tmp_path / "first"
    work(make_run(folder))
    root = make_run(folder, "strategy={seeded: {run: ./stub, count: 2}}", "run=next")
    loaded = load_config(Layout(root).config)
    assert loaded.config.strategy.run == str(folder / "stub")
    assert len(loaded.seeds) == 2


def test_every_default_is_written_out_and_the_changes_of_the_command_line_are_in_it(tmp_path: Path):
    root = make_run(tmp_path, "budget.trials=5", "training.patience=null")
    text = Layout(root).config.read_text()
    data = strict_yaml.load(text, "config.yaml").data
    assert list(data)[:4] == ["run", "seed", "space", "data"]
    assert data["budget"]["trials"] == 5
    assert data["training"] == {
        "epochs": 3,
        "patience": None,
        "stop": None,
        "loss": None,
        "class_weight": None,
        "callbacks": [],
        "fit": None,
    }
    assert data["storage"] == {"keep_best": 10, "free_mb": 500}
    assert data["data"]["path"] == str(tmp_path / "data.npz")
    assert "evonas run" in text.splitlines()[1]


def test_it_is_written_anew_if_it_is_gone_and_after_a_change(tmp_path: Path):
    root = make_run(tmp_path)
    path = Layout(root).config
    path.unlink()
    work(root)
    assert load_config(path).config.budget.trials == 12
    path.unlink()
    # The run is finished, and nothing but the copy is missing.
    work(root)
    assert path.is_file()
    work(root, "budget.trials=14")
    assert load_config(path).config.budget.trials == 14


def test_what_it_says_is_never_taken_for_the_config(tmp_path: Path):
    root = make_run(tmp_path)
    Layout(root).config.write_text("nonsense: [")
    work(root)
    same = make_run(tmp_path / "same")
    work(same)
    assert content(root) == content(same)
    assert load_config(Layout(root).config).config.run == "stub"


def test_words_that_look_like_something_else_are_quoted():
    words = ["1e-3", "0x1F", "0o17", "no", "~", "", "a: b", "#c", " lead", "tab\t", "two\nlines"]
    words += ["12", "1.0", "ü", "<<", "'", '"', "- x", "word " * 50]
    text = as_yaml({"words": words, "numbers": [1e-05, 1e30, 3, 0.1, True, None]})
    found = strict_yaml.load(text, "x.yaml").data
    assert found == {"words": words, "numbers": [1e-05, 1e30, 3, 0.1, True, None]}
    assert list(map(type, found["numbers"])) == [float, float, int, float, bool, type(None)]


def test_an_example_stands_on_one_line_and_is_read_back():
    data = {"data": {"path": "my file: 1.npz", "name": "no", "words": "x" * 200}}
    line = in_line(data)
    assert "\n" not in line
    assert strict_yaml.load(line, "x.yaml").data == data
    assert in_line({"data": {"path": "x.npz"}}) == "data: {path: x.npz}"
