"""The experiment in the guide, and the shipped one, can be run."""

from __future__ import annotations

import math
import re
from pathlib import Path

from benchmarks.sections import read
from evonas.insight.results import Comparison
from evonas.insight.scale import Scale, scale_of
from evonas.insight.sentences import sentence
from evonas.insight.verdict import verdicts
from evonas.runtime.config.experiment_file import load_experiment
from evonas.search.registry import STRATEGIES
from evonas.trial import Objective

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "compare.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
LOSS = Objective("val_loss", "min")


def rows(text, columns):
    """The cells of all rows of tables with so many columns, headings included."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == columns:
            found.append(cells)
    return found


def said(finals):
    """What `compare` says of these final values; the reference is `random`."""
    everything = [value for values in finals.values() for value in values]
    found = verdicts(finals, "random", scale_of(LOSS, everything))
    return [sentence(verdict, "trials") for verdict in found.values()]


def test_the_experiment_of_the_guide_is_fine(tmp_path):
    assert len(BLOCKS) == 2
    (tmp_path / "experiment.yaml").write_text(BLOCKS[0])
    loaded = load_experiment(tmp_path / "experiment.yaml")
    assert {label: len(seeds) for label, seeds in loaded.runs.items()} == {
        "evolution": 5,
        "random": 5,
        "aging": 5,
    }
    assert loaded.any_run.config.training.epochs == 20


def test_the_experiment_with_several_objectives_is_fine(tmp_path):
    (tmp_path / "fronts.yaml").write_text(BLOCKS[1])
    loaded = load_experiment(tmp_path / "fronts.yaml")
    assert list(loaded.runs) == ["nsga2", "nsga3", "random"]
    assert len(loaded.any_run.config.objectives) == 2


def test_the_strategies_that_can_be_compared_by_several_objectives_are_named():
    line = next(
        line
        for line in GUIDE.read_text().splitlines()
        if line.startswith("* Strategies that follow one")
    )
    named = set(re.findall(r"`(\w+)`", line))
    assert named == {name for name, kind in STRATEGIES.items() if kind.takes_several} - {"seeded"}


def test_the_shipped_experiment_is_fine():
    loaded = load_experiment("compare-digits")
    assert list(loaded.runs) == ["evolution", "random", "hyperband", "gaussian_process"]
    assert loaded.config.compared_with == "random"


def test_the_sentences_of_the_example_are_those_of_its_final_values():
    names = ("evolution", "random", "aging")
    finals = {
        name: [float(cell) for cell in cells]
        for name, *cells in rows(GUIDE.read_text(), 6)
        if name in names
    }
    assert list(finals) == list(names)
    quoted = re.findall(r"^    (No difference .*|.* beats .*)$", GUIDE.read_text(), re.MULTILINE)
    assert quoted == said(finals)


def test_the_other_forms_are_what_is_said_of_their_values():
    def values(cell):
        return [math.nan if word == "nothing" else float(word) for word in cell.split()]

    forms = [cells for cells in rows(GUIDE.read_text(), 3) if cells[0].startswith("0.0")]
    assert len(forms) == 4
    for evolution, random, words in forms:
        assert said({"evolution": values(evolution), "random": values(random)}) == [words]


def test_the_shares_are_those_of_the_benchmark():
    sections = read(ROOT / "benchmarks" / "results" / "verdicts.md")
    present, before = (
        [body for title, body in sections.items() if title.startswith(start)]
        for start in ("This version", "The method before")
    )
    tables = []
    for body in (*before, *present):
        known = {}
        for columns, keys in ((7, 3), (5, 1)):
            for cells in rows(body, columns):
                known[tuple(cells[:keys])] = [cell.partition(" %")[0] for cell in cells[keys:]]
        tables.append(known)
    told = 0
    for columns, keys in ((7, 3), (5, 1)):
        for cells in rows(GUIDE.read_text(), columns):
            if "→" in cells[-1]:
                old, new = (table[tuple(cells[:keys])] for table in tables)
                assert cells[keys:] == [f"{a} → {b}" for a, b in zip(old, new, strict=True)]
                told += 1
    assert told == 19


def test_the_promise_is_kept_but_for_what_the_guide_names():
    """The shares of the last measurement; the short form measures some of them again."""
    (body,) = (
        body
        for title, body in read(ROOT / "benchmarks" / "results" / "verdicts.md").items()
        if title == "This version"
    )

    def shares(cells):
        return [float(cell.partition(" %")[0]) for cell in cells if "%" in cell]

    claims = [cells for cells in rows(body, 7) if "(" in cells[-1]]
    assert len(claims) == 31
    assert max(max(shares(cells[3:])) for cells in claims) <= 6
    coverage = {cells[0]: min(shares(cells[1:])) for cells in rows(body, 5) if "(" in cells[-1]}
    assert len(coverage) == 9
    assert {name for name, share in coverage.items() if share < 94} == {
        "band, accuracies, 100 samples, skewed"
    }


def test_the_keys_of_the_json_are_explained():
    text = GUIDE.read_text().partition("`comparison.json` has the same numbers")[2]
    named = {key for cells in rows(text, 2) for key in re.findall(r"`(\w+)`", cells[0])}
    comparison = Comparison(
        directory=Path("x"),
        objective=LOSS,
        objectives=[LOSS],
        box=None,
        unit="trials",
        budget=1.0,
        target=1.0,
        reference="a",
        scale=Scale(LOSS),
        results={"a": {}},
        sentences=[],
    )
    (row,) = comparison.rows()
    assert named == set(row) - {"strategy"}
