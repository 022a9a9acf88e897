"""The founders of a space come in by themselves, unless a config says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.genome import library
from evonas.runtime.config.config_file import LoadedConfig, check, load_config
from evonas.runtime.config.experiment_file import load_experiment
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.space_founders import founders_of
from evonas.runtime.session import make_strategy
from evonas.search.registry import STRATEGIES

CONFIG = "space: convnet\ndata: {name: digits}\nbudget: {trials: 96}\n"
SEVERAL = "objectives: [val_loss, parameters]\n"
SHIPPED = ("vgg_small", "resnet_small")
"""The first founders of `convnet`, by their rank."""


def loaded(folder: Path, more: str = "", config: str = CONFIG) -> LoadedConfig:
    (folder / "run.yaml").write_text(config + more)
    return load_config(folder / "run.yaml")


def problems(folder: Path, more: str) -> list[str]:
    (folder / "run.yaml").write_text(CONFIG + more)
    return [f"{one.key}: {one.message}" for one in check(folder / "run.yaml").problems]


def first_words(found: LoadedConfig, count: int) -> list[str]:
    """The operators of the first proposals."""
    strategy = make_strategy(found.config, found.space, found.seeds, found.file)
    return [one.lineage.operator for one in strategy.ask(count)]


def test_a_config_that_says_nothing_begins_with_the_founders_of_its_space(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.founders[:2] == SHIPPED
    assert tuple(found.config.strategy.founder_names) == found.founders == tuple(found.seeds)
    words = first_words(found, 16)
    assert words[:2] == [f"seed {name}" for name in SHIPPED]
    assert words.count("sample") >= 11, "at most a third of the first population"


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"seeded", "grid"}))
def test_every_strategy_begins_with_them(name: str, tmp_path: Path) -> None:
    several = SEVERAL if STRATEGIES[name].needs_several else ""
    found = loaded(tmp_path, f"strategy: {name}\n{several}", CONFIG.replace("96", "200"))
    assert found.founders[:2] == SHIPPED
    assert first_words(found, 2) == [f"seed {name}" for name in SHIPPED]


@pytest.mark.parametrize(
    "strategy",
    [
        "{evolution: {founders: none}}",
        "{evolution: {founders: []}}",
        "{evolution: {seeds: []}}",
        "{random: {founders: none}}",
        "{screened: {inner: {evolution: {founders: none}}}}",
        "{seeded: {inner: random, genomes: [./mine.yaml]}}",
        "{evolution: {seeds: [./mine.yaml]}}",
        "{random: {founders: [./mine.yaml]}}",
    ],
)
def test_whoever_says_something_has_what_was_said(strategy: str, tmp_path: Path) -> None:
    lenet = library.find("seeds", "lenet5").read_text()
    (tmp_path / "mine.yaml").write_text(lenet)
    found = loaded(tmp_path, f"strategy: {strategy}\n")
    assert found.founders == ()
    named = "mine" in strategy
    assert list(found.seeds) == (["./mine.yaml"] if named else [])
    assert (first_words(found, 1) == ["seed ./mine.yaml"]) == named


@pytest.mark.parametrize(
    ("population", "trials", "most"), [(4, 96, 1), (16, 96, 5), (16, 4, 1), (30, 9, 3), (2, 1, 1)]
)
def test_they_are_at_most_a_third(population: int, trials: int, most: int, tmp_path: Path) -> None:
    settings = f"population: {population}, replacement: plus"
    found = loaded(
        tmp_path,
        f"strategy: {{evolution: {{{settings}}}}}\n",
        CONFIG.replace("96", str(trials)),
    )
    every = founders_of(found.space, STRATEGIES["random"](), None).genomes
    assert found.founders == tuple(every)[:most]


def test_one_that_does_not_fit_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    shipped = library.find("spaces", "convnet").read_text()
    (tmp_path / "narrow.yaml").write_text(
        shipped.replace("{choice: [1, 3, 5], prior: [1, 6, 2]}", "{choice: [1, 3]}")
    )
    found = loaded(tmp_path, config=CONFIG.replace("convnet", "./narrow.yaml"))
    assert "lenet5" not in found.seeds
    assert "vgg_small" in found.seeds
    (note,) = (words for words in found.warnings if "founder" in words)
    assert note.startswith("the founder lenet5 is left out, because it is no genome of the space")
    assert "kernel_size: must be one of 1, 3" in note
    # One that is named is an error.
    (tmp_path / "run.yaml").write_text(
        CONFIG.replace("convnet", "./narrow.yaml") + "strategy: {evolution: {founders: [lenet5]}}"
    )
    assert len(check(tmp_path / "run.yaml").problems) == 2


def test_what_came_in_is_recorded_by_name_and_is_the_same_again(tmp_path: Path) -> None:
    found = loaded(tmp_path, "strategy: {screened: {inner: aging}}\n")
    data = found.config.to_json()
    assert data["strategy"]["screened"]["founders"] == list(found.founders)
    assert data["strategy"]["screened"]["inner"]["aging"]["founders"] == []
    assert RunConfig.from_json(data) == found.config


@pytest.mark.parametrize("strategy", ["random", "evolution", "screened"])
def test_a_record_of_an_older_evonas_has_none(strategy: str, tmp_path: Path) -> None:
    data = loaded(tmp_path, f"strategy: {strategy}\n").config.to_json()
    ((_, settings),) = data["strategy"].items()
    del settings["founders"]
    if strategy == "evolution":
        settings["seeds"] = ["lenet5"]
    again = RunConfig.from_json(data).strategy
    expected = ("lenet5",) if strategy == "evolution" else ()
    assert again.founders == expected


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (
            "{evolution: {seeds: [lenet5], founders: [lenet5]}}",
            "strategy.evolution.seeds: is the older word for founders",
        ),
        ("{evolution: {founders: lenet5}}", "strategy.evolution.founders: must be a list"),
        ("{evolution: {founders: nobody}}", "strategy.evolution.founders: must be a list"),
        ("{evolution: {founders: [lenet]}}", "strategy.evolution.founders[0]: No shipped seed"),
        (
            "{evolution: {population: 2, replacement: plus, seeds: [lenet5, vgg_small, lenet5]}}",
            "strategy.evolution.seeds: 3 founders do not fit into a population of 2",
        ),
        ("{grid: {founders: [lenet5]}}", "strategy.grid.founders: are not for grid to name"),
        (
            "{seeded: {inner: random, genomes: [lenet5], founders: [lenet5]}}",
            "strategy.seeded.founders: are not for seeded to name: its key `genomes` names them",
        ),
        (
            "{screened: {inner: {random: {founders: [lenet5]}}}}",
            "strategy.screened.inner.random.founders: belong to the outer strategy",
        ),
    ],
)
def test_refused(strategy: str, expected: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f"strategy: {strategy}\n")
    assert any(one.startswith(expected) for one in found), found


EXPERIMENT = """
config: ./run.yaml
seeds: [0]
strategies: {one: {evolution: {population: 4, replacement: plus}}, two: random}
"""


def test_strategies_are_compared_without_founders_or_with_the_same(tmp_path: Path) -> None:
    loaded(tmp_path)
    counts = {}
    for words in ("", "founders: none\n", "founders: space\n"):
        (tmp_path / "compare.yaml").write_text(EXPERIMENT + words)
        runs = load_experiment(tmp_path / "compare.yaml").runs
        counts[words] = [runs[label][0].founders for label in ("one", "two")]
    assert counts[""] == counts["founders: none\n"] == [(), ()]
    assert counts["founders: space\n"] == [("vgg_small",)] * 2
