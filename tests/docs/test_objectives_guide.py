"""Every YAML block of the guide to several objectives works, or is refused as it says.

And its tables are true.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evonas.evaluate.training.latency import REPEATS
from evonas.genome import strict_yaml, validate
from evonas.runtime.config.config_file import check
from evonas.runtime.config.metric_names import measured
from evonas.search.registry import STRATEGIES
from evonas.testing import drive
from evonas.trial import Trial, TrialState

GUIDE = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
REST = {
    "space": "space: mlp\n",
    "data": "data: {name: digits, task: classification}\n",
    "budget": "budget: {trials: 9}\n",
}


@pytest.mark.parametrize("text", BLOCKS)
def test_every_yaml_block(text, tmp_path):
    given = strict_yaml.load(text, "guide").data
    (tmp_path / "guide.yaml").write_text(
        text + "".join(line for key, line in REST.items() if key not in given)
    )
    checked = check(tmp_path / "guide.yaml")
    refused = re.search(r"# refused: (.*)", text)
    if refused:
        assert refused[1] in "\n".join(problem.message for problem in checked.problems)
        return
    assert checked.problems == ()
    config = checked.loaded.config

    def make_trial(id, proposal):
        # Not `settled`: the objective may be a weighted sum of metrics, which has no metric itself.
        number = int(proposal.genome.digest, 16)
        names = [*measured(), *config.needed_metrics()]
        metrics = {name: (number >> 4 * place) % 97 / 97 for place, name in enumerate(names)}
        fitness = config.to_objective().fitness(metrics)
        return Trial(id, proposal, None, TrialState.OK, metrics, fitness)

    problem = config.search_problem(checked.loaded.space, checked.loaded.seeds)
    trials = drive(config.strategy.make(problem), make_trial, 60)
    assert len(trials) == 60
    for trial in trials:
        validate(checked.loaded.space, trial.genome)


def test_the_blocks_are_found():
    assert sum("# refused" in text for text in BLOCKS) == 4
    used = {
        next(iter(one)) if isinstance(one, dict) else one
        for text in BLOCKS
        if (one := strict_yaml.load(text, "guide").data.get("strategy"))
    }
    assert {"nsga2", "nsga3"} <= used


def test_the_table_of_metrics_has_every_one():
    table = GUIDE.split("## What can be measured")[1].split("The last two")[0]
    named = re.findall(
        r"`(\w+)`",
        "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `")),
    )
    # Several tasks have metrics of one name.
    assert list(dict.fromkeys(named)) == list(measured())
    assert f"the median of {REPEATS}" in table


def test_the_strategies_that_take_several_objectives_are_named():
    row = next(line for line in GUIDE.splitlines() if line.startswith("| `objectives:"))
    named = set(re.findall(r"`(\w+)`", row.split("|")[3]))
    assert named == {name for name, kind in STRATEGIES.items() if kind.takes_several} - {"seeded"}
