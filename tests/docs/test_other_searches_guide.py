"""Every block of the guide to the other searches is a config that searches; its tables are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evonas.genome import strict_yaml, validate
from evonas.runtime.config.config_file import check
from evonas.runtime.preparation import prepare_run
from evonas.search.rungs import brackets
from evonas.search.sampling import SAMPLERS
from evonas.testing import drive

GUIDE = (Path(__file__).parents[2] / "docs" / "other-searches.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
SPACES = [text for text in BLOCKS if "network:" in text]
CONFIGS = [text for text in BLOCKS if text not in SPACES]
WORDS = {
    "cma_es": {"sample", "recombine"},
    "particle_swarm": {"sample", "fly"},
    "differential_evolution": {"sample", "difference"},
    "nelder_mead": {"sample", "reflect", "expand", "contract", "shrink"},
}
"""Of the searches that make points from points."""
# The first block is a whole config, and all others say what differs from it.
REST = strict_yaml.load(CONFIGS[0], "guide").data


@pytest.fixture
def folder(tmp_path):
    for text in SPACES:
        (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    return tmp_path


@pytest.mark.parametrize("text", CONFIGS)
def test_every_yaml_block(text, folder, oracle):
    given = strict_yaml.load(text, "guide").data
    whole = {**REST, **given}
    # JSON is YAML, too.
    (folder / "guide.yaml").write_text(
        "\n".join(f"{key}: {json.dumps(value)}" for key, value in whole.items())
    )
    checked = check(folder / "guide.yaml")
    refused = re.search(r"# refused: (.*)", text)
    if refused:
        assert refused[1] in "\n".join(problem.message for problem in checked.problems)
        assert all(
            problem.line and problem.key.startswith("strategy.") for problem in checked.problems
        )
        return
    assert checked.problems == ()
    loaded = checked.loaded
    prepare_run(loaded, folder / "run")
    kind = loaded.config.strategy_name
    problem = loaded.config.search_problem(loaded.space, loaded.seeds)
    strategy = loaded.config.strategy.make(problem)
    asked = 200 if kind != "optuna" else 30
    trials = drive(strategy, oracle.settle, asked)
    for trial in trials:
        validate(loaded.space, trial.genome)
    assert len(trials) == (3 * 5 * 2 if kind == "grid" else asked)
    assert strategy.is_done == (kind == "grid")
    if kind == "grid":
        assert strategy.ask(1) == [], "a strategy that is done proposes nothing"
    words = {trial.lineage.operator for trial in trials}
    if kind == "optuna":  # a suggestion that is known is replaced by a sample
        assert words <= {"sample", "tpe"}
    else:
        assert words == WORDS.get(
            kind, {"sample", "promote"} if strategy.continues_trials else {"sample"}
        )


def test_the_blocks_are_found():
    assert len(SPACES) == 1
    assert sum("# refused" in text for text in CONFIGS) == 7
    chosen = [strict_yaml.load(text, "guide").data["strategy"] for text in CONFIGS]
    used = {name for choice in chosen for name in ([choice] if isinstance(choice, str) else choice)}
    assert used == {"random", "grid", "successive_halving", "hyperband", "asha", "optuna", *WORDS}


def test_the_table_of_samplers_has_every_one():
    samplers, searches = GUIDE.split("## Grid search")
    assert re.findall(r"^\| `(\w+)` \|", samplers, re.MULTILINE) == list(SAMPLERS)
    assert set(re.findall(r"^\| `(\w+)` \|", searches, re.MULTILINE)) == set(WORDS)


def test_the_table_of_brackets_is_what_is_searched():
    rows = [line for line in GUIDE.splitlines() if re.match(r"\| \d+, \d+", line)]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    columns = [[cell for cell in column if cell] for column in zip(*cells, strict=True)]
    assert columns == [
        [f"{rung.places}, {rung.epochs}" for rung in bracket.rungs] for bracket in brackets(81, 3)
    ]


@pytest.mark.parametrize("strategy", ["successive_halving", "hyperband", "asha"])
def test_epochs_cannot_be_a_gene_where_rungs_decide(strategy, folder):
    (folder / "few.yaml").write_text(
        SPACES[0].replace("{batch_size:", "{epochs: {int: [2, 9]}, batch_size:")
    )
    text = "space: ./few.yaml\ndata: {name: digits}\nbudget: {trials: 9}\nstrategy: "
    (folder / "guide.yaml").write_text(text + strategy)
    assert (
        f"epochs cannot be a gene under the strategy {strategy}"
        in check(folder / "guide.yaml").problems[0].message
    )
    (folder / "guide.yaml").write_text(text + "{random: {sampler: halton}}")
    assert check(folder / "guide.yaml").problems == ()
