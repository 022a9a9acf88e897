"""Seeds that strategies want: of files and of earlier runs, in a strategy and inside of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.genome import Genome, parse_space, sample
from evonas.runtime.config.config_file import check, load_config
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.wanted_seeds import strategies_in
from evonas.runtime.record.record import Record
from evonas.runtime.session import make_strategy
from evonas.trial import Fidelity, Lineage, Outcome, Proposal, Trial, TrialState

SPACE = """\
space: small
input: image
network:
  bridge: {ops: {flatten: {}}}
  head: {length: [1, 2], ops: {dense: {units: {choice: [8, 16]}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: {float: [1e-3, 1e-1], log: true}}}}
  training: {ops: {training: {batch_size: {choice: [32, 64]}}}}
"""
CONFIG = "space: space.yaml\ndata: {name: digits}\nbudget: {trials: 24}\n"
SEED = """\
space: small
bridge: [flatten: {}]
head: [dense: {units: 8}]
optimizer: [adam: {learning_rate: 0.01}]
training: [training: {batch_size: 32}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "known.yaml").write_text(SEED)
    return tmp_path


def written(folder: Path, strategy: str) -> Path:
    (folder / "mine.yaml").write_text(f"{CONFIG}strategy: {strategy}\n")
    return folder / "mine.yaml"


def messages(folder: Path, strategy: str) -> list[str]:
    return [
        f"{problem.key}: {problem.message}" for problem in check(written(folder, strategy)).problems
    ]


def earlier_run(folder: Path, losses: list[float | None], space: str = SPACE) -> list[Genome]:
    """A run in `old`, with a trial for each of these losses; None has failed."""
    config = load_config(written(folder, "random")).config
    (folder / "old").mkdir()
    empty: dict[str, Any] = {key: {} for key in ("counts", "versions", "data_files", "seeds")}
    texts = {"config_file": "mine.yaml", "space": space, "fingerprint": ""}
    meta = {"config": config.to_json(), "interface": None, **texts, **empty}
    Record.create(folder / "old" / "run.db", meta, {})
    parsed, record = parse_space(space, "space"), Record(folder / "old" / "run.db")
    genomes = [sample(parsed, np.random.default_rng(i)) for i in range(len(losses))]
    waiting = [
        Trial(i, Proposal(genome, Fidelity(1), Lineage(("sample",))))
        for i, genome in enumerate(genomes)
    ]
    record.commit_step([], waiting, {}, 0)
    for trial, loss in zip(waiting, losses, strict=True):
        state = TrialState.ERROR if loss is None else TrialState.OK
        metrics = {} if loss is None else {"val_loss": loss}
        number = record.start_attempt(trial.id)
        settled = Trial(trial.id, trial.proposal, None, state, metrics)
        record.finish_attempt(settled, number, Outcome(state, metrics), True)
    record.close()
    return genomes


def test_strategies_are_found_the_outer_first() -> None:
    data = {
        "strategy": {
            "seeded": {"inner": {"screened": {"inner": "aging", "factor": 3}}, "genomes": []}
        }
    }
    found = [(one.name, one.path) for one in strategies_in(data)]
    paths = [("strategy", "seeded"), ("strategy", "seeded", "inner", "screened")]
    paths.append((*paths[1], "inner", "aging"))
    assert found == list(zip(["seeded", "screened", "aging"], paths, strict=True))


@pytest.mark.parametrize(
    "data", [None, [], {}, {"strategy": 3}, {"strategy": {}}, {"strategy": {3: {}}}]
)
def test_a_config_with_problems_has_no_strategies(data: object) -> None:
    assert strategies_in(data) == []


@pytest.mark.parametrize(
    "strategy",
    [
        "{seeded: {inner: evolution, genomes: [./known.yaml]}}",
        "{screened: {inner: {evolution: {seeds: [./known.yaml]}}}}",
        "{seeded: {inner: {screened: {inner: {aging: {seeds: [./known.yaml]}}}},"
        " genomes: [./known.yaml]}}",
    ],
)
def test_the_seeds_of_wrapped_strategies_are_read(folder: Path, strategy: str) -> None:
    loaded = load_config(written(folder, strategy))
    assert list(loaded.seeds) == ["./known.yaml"]
    first = make_strategy(loaded.config, loaded.space, loaded.seeds, loaded.file).ask(1)[0]
    assert first.genome == loaded.seeds["./known.yaml"]
    assert first.lineage.operator == "seed ./known.yaml"


def test_a_seed_that_is_missing_is_told_with_its_key(folder: Path) -> None:
    (found,) = messages(folder, "{screened: {inner: {aging: {seeds: [./none.yaml]}}}}")
    assert found.startswith("strategy.screened.inner.aging.seeds[0]: No seed genome at")


def test_the_best_genomes_of_an_earlier_run_are_kept_best_first(folder: Path) -> None:
    genomes = earlier_run(folder, [0.5, 0.2, None, 0.9, 0.1])
    loaded = load_config(written(folder, "{seeded: {inner: random, run: old, count: 3}}"))
    assert loaded.seeds == {"old#1": genomes[4], "old#2": genomes[1], "old#3": genomes[0]}
    again = RunConfig.from_json(loaded.config.to_json())
    assert again == loaded.config
    asked = make_strategy(again, loaded.space, loaded.seeds, loaded.file).ask(4)
    assert [one.genome for one in asked[:3]] == [genomes[4], genomes[1], genomes[0]]
    assert asked[3].lineage.operator == "sample"


def test_a_run_of_another_space_is_refused_unless_its_genomes_are_valid(folder: Path) -> None:
    earlier_run(folder, [0.5, 0.2], SPACE.replace("[8, 16]", "[8, 16, 24]").replace("about", ""))
    strategy = "{seeded: {inner: random, run: old}}"
    loaded = check(written(folder, strategy)).loaded
    assert loaded is None or set(loaded.seeds) == {"old#1", "old#2"}
    (folder / "space.yaml").write_text(SPACE.replace("[32, 64]", "[16]"))
    (found,) = messages(folder, strategy)
    assert "strategy.seeded.run: the run at" in found
    assert "has searched another space, and its trial 1 is no genome of small" in found


def test_a_run_that_is_missing_or_has_nothing_is_refused(folder: Path) -> None:
    (found,) = messages(folder, "{seeded: {inner: random, run: ./nowhere}}")
    assert found.startswith("strategy.seeded.run: there is no run at")
    earlier_run(folder, [None, None])
    (found,) = messages(folder, "{seeded: {inner: random, run: old}}")
    assert "nothing to begin with" in found


def test_a_file_that_is_no_record_is_refused(folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "old" / "run.db").write_text("not a database, but long enough to be looked at" * 20)
    (found,) = messages(folder, "{seeded: {inner: random, run: old}}")
    assert found.startswith("strategy.seeded.run: ")


def test_problems_inside_of_wrapped_strategies_are_told_with_their_keys(folder: Path) -> None:
    found = messages(
        folder, "{screened: {inner: {evolution: {population: 1}}, surrogate: {forrest: {}}}}"
    )
    assert any(
        one.startswith("strategy.screened.inner.evolution.population: must be") for one in found
    )
    assert any("Did you mean" in one or "did you mean" in one for one in found)
    (wrong,) = messages(
        folder, "{screened: {inner: {evolution: {selection: roulette}}}}\nobjective: val_accuracy"
    )
    assert wrong.startswith("strategy.screened.inner.evolution.selection: ")


def test_a_population_beyond_the_budget_is_warned_of_inside_of_wrappers(folder: Path) -> None:
    found = check(
        written(folder, "{seeded: {inner: {evolution: {population: 99}}, genomes: [./known.yaml]}}")
    )
    assert any(
        "the population (99) is larger than the budget" in warning for warning in found.warnings
    )
