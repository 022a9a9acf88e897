"""`evonas predict`: the answers of an exported model for new files."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from evonas.testing.runs import write_config
from tests.command import run_evonas

TABLE = """
space: {space}
data: {{source: {{table: {{path: people.csv, target: buys}}}}}}
strategy: random
training: {{epochs: 1}}
budget: {{trials: 1}}
pool: {{local: {{workers: 1, devices: cpu}}}}
"""


def people(count: int, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    rows = ["age,colour,buys"]
    for _ in range(count):
        age = rng.integers(18, 80)
        colour = rng.choice(["red", "green", ""])
        rows.append(f"{age},{colour},{'yes' if age > 45 else 'no'}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished run `people`."""
    folder = tmp_path_factory.mktemp("predict")
    (folder / "people.csv").write_text(people(200))
    config = write_config(folder, config=TABLE.format(space="tabular"))
    done = run_evonas("run", config, "--runs", folder / "runs", "--set", "run=people")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_run_says_what_the_model_takes(home: Path) -> None:
    told = run_evonas("show", home / "runs" / "people").stdout
    assert "best.keras takes a mapping of columns to their values (age, colour); prepro" in told
    assert "raw samples of shape" not in told


def test_a_new_table_gets_a_label_and_probabilities(home: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    # Another order, a column more, none of the targets, a gap and a word that nobody has seen.
    new.write_text("note,colour,age\nx,green,50\ny,violet,\n")
    done = run_evonas("predict", home / "runs" / "people", "--data", new)
    assert done.returncode == 0, done.stderr
    # What is not used and what is not known, and nothing of TensorFlow's log.
    told = done.stderr.splitlines()
    assert len(told) == 2
    assert told[0].startswith("evonas: note: ")
    assert told[0].endswith(" because the model was not trained with it: 'note'.")
    assert "'colour' has 1 word that was not in the training data, in 1 row." in told[1]
    head, *rows = csv.reader(io.StringIO(done.stdout))
    assert head == ["prediction", "p_no", "p_yes"]
    assert len(rows) == 2
    for label, no, yes in rows:
        assert float(no) + float(yes) == pytest.approx(1, abs=1e-6)
        assert label == ("yes" if float(yes) > float(no) else "no")


def test_a_model_that_was_copied_needs_no_run(home: Path, tmp_path: Path) -> None:
    for name in ("best.keras", "best.json"):
        shutil.copy(home / "runs" / "people" / name, tmp_path / name)
    (tmp_path / "new.csv").write_text(people(3, seed=1))
    answers = tmp_path / "answers.csv"
    told = ("predict", tmp_path / "best.keras", "--data", tmp_path / "new.csv")
    done = run_evonas(*told, "--to", answers)
    assert done.returncode == 0
    assert done.stdout.startswith(f"wrote {answers}: ")
    rows = json.loads(run_evonas(*told, "--json").stdout)
    with answers.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["prediction"] for row in rows] == [row["prediction"] for row in written]
    assert [row["p_yes"] for row in rows] == pytest.approx([float(r["p_yes"]) for r in written])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("age,sex\n50,f\n", "colour"),
        ("age,colour\nfifty,red\n", "fifty"),
        ("", "empty"),
    ],
)
def test_what_is_no_such_table_is_refused(
    home: Path, tmp_path: Path, content: str, words: str
) -> None:
    new = tmp_path / "new.csv"
    new.write_text(content)
    done = run_evonas("predict", home / "runs" / "people", "--data", new)
    assert done.returncode == 2
    assert words in done.stderr
    assert "new.csv" in done.stderr


def test_what_is_no_model_is_refused(home: Path, tmp_path: Path) -> None:
    model = tmp_path / "best.keras"
    shutil.copy(home / "runs" / "people" / "best.keras", model)
    new = home / "people.csv"
    assert "card" in run_evonas("predict", model, "--data", new).stderr
    (tmp_path / "best.json").write_text('{"sha256": "0"}')
    done = run_evonas("predict", model, "--data", new)
    assert done.returncode == 2
    assert "is not the card of" in done.stderr
    assert "no run at nothing" in run_evonas("predict", "nothing", "--data", new).stderr
