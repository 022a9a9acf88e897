"""Every block of the guide to surrogates is a config that searches, or is refused as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evonas.genome import strict_yaml, validate
from evonas.runtime.config.config_file import check
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import SURROGATES
from evonas.testing import drive
from evonas.trial import Fidelity

GUIDE = Path(__file__).parents[2] / "docs" / "surrogates.md"
YAML = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
REST = "space: convnet\ndata: {name: digits}\nbudget: {trials: 9}\n"


@pytest.mark.parametrize("text", YAML)
def test_every_block(text, tmp_path, oracle):
    whole = text if "space" in strict_yaml.load(text, "guide").data else text + REST
    (tmp_path / "guide.yaml").write_text(whole)
    checked = check(tmp_path / "guide.yaml")
    refused = re.search(r"# refused: (.*)", text)
    if refused:
        assert refused[1] in "\n".join(problem.message for problem in checked.problems)
        return
    assert checked.problems == ()
    loaded = checked.loaded
    problem = SearchProblem(
        loaded.space, loaded.config.objective.to_objective(), Fidelity(1), 0, loaded.seeds
    )
    strategy = loaded.config.strategy.make(problem)
    for trial in drive(strategy, oracle.settle, 18 if "screened" in text else 12):
        validate(loaded.space, trial.genome)


def test_the_blocks_are_found():
    assert len(YAML) >= 10
    assert sum("# refused" in text for text in YAML) == 4


@pytest.mark.parametrize("name", ["model_based", *SURROGATES, "screened", "local_search", "seeded"])
def test_the_table_has_every_strategy(name):
    assert f"| `{name}` |" in GUIDE.read_text()
