"""`evonas init` and `plan` on the command line: what is written, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from evonas.genome import sample
from evonas.runtime import planning
from evonas.runtime.config.config_file import LoadedConfig, load_config
from evonas.runtime.survey import Survey
from tests.command import run_evonas


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is built: their sizes are made up."""

    def survey(loaded: LoadedConfig, interface: object, measured: int = 10) -> Survey:
        rng = np.random.default_rng(0)
        genomes = [sample(loaded.space, rng) for _ in range(10)]
        sizes = [{"parameters": 100 * place, "flops": 300 * place} for place in range(1, 11)]
        return Survey(400, 2, genomes, sizes, loaded.config.limits.of_size())

    monkeypatch.setattr(planning, "survey", survey)
    monkeypatch.setattr("evonas.runtime.first_config.survey", survey)


def flowers(path: Path, rows: int = 60) -> Path:
    rng = np.random.default_rng(0)
    lines = ["width,colour: of it,kind"]
    for place in range(rows):
        colour = rng.choice(["red", "blue"])
        lines.append(f"{rng.normal():.3f},{colour},{'rose' if place % 2 else 'tulip'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_what_is_written_passes_check_and_says_why(quick: None, tmp_path: Path) -> None:
    flowers(tmp_path / "my flowers.csv")
    done = run_evonas(
        "init", "my flowers.csv", "--target", "kind", "--no-probe", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"] == "my-flowers.yaml"
    text = (tmp_path / "my-flowers.yaml").read_text()
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "because the data are 60 rows of 2 named columns" in " ".join(text.split())
    # counted, and not nine of ten: the founders are larger than most networks
    within = re.search(r"within these limits are (\d+) of (\d+) random networks", text)
    assert within is not None
    assert 0.9 <= int(within[1]) / int(within[2]) <= 1.0
    config = load_config(tmp_path / "my-flowers.yaml").config
    assert config.space == "tabular"
    assert config.data is not None
    assert (config.data.path, config.data.target) == (str(tmp_path / "my flowers.csv"), "kind")
    assert (config.data.task, config.folds) == ("classification", 5)
    assert config.limits.parameters == 910
    assert config.budget.minutes == 10
    # All that could be left out is written, so that nothing depends on another look.
    assert load_config(tmp_path / "my-flowers.yaml").chosen == ""


def test_nothing_is_overwritten_and_nothing_half_is_left(quick: None, tmp_path: Path) -> None:
    flowers(tmp_path / "f.csv")
    (tmp_path / "f.yaml").write_text("mine")
    taken = run_evonas("init", "f.csv", "--no-probe", cwd=tmp_path)
    assert taken.returncode == 2
    assert "f.yaml is there already" in taken.stderr
    assert (tmp_path / "f.yaml").read_text() == "mine"
    wrong = run_evonas("init", "f.csv", "--target", "kinds", "-o", "g.yaml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "kind" in wrong.stderr
    unknown = run_evonas("init", "nothing.csv", "-o", "g.yaml", cwd=tmp_path)
    assert unknown.returncode == 2
    assert 'no such file, folder or shipped data set: "nothing.csv". Shipped' in unknown.stderr
    near = run_evonas("init", "ff.csv", "-o", "g.yaml", cwd=tmp_path)
    assert "\"ff.csv\". Did you mean 'f.csv'?" in near.stderr
    # A key that has no effect is found in the draft, which is not the user's.
    vain = run_evonas("init", "wine", "--target", "kind", "-o", "g.yaml", cwd=tmp_path)
    assert vain.returncode == 2
    assert "evonas: data.target: has an effect beside" in vain.stderr
    assert not (tmp_path / "g.yaml").exists()


def test_data_in_the_place_of_a_config_are_told_of_init(tmp_path: Path) -> None:
    flowers(tmp_path / "f.csv")
    done = run_evonas("run", "f.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "`data: {path: f.csv}` and a budget" in done.stderr
    assert "init f.csv" in done.stderr


def test_a_shipped_data_set_has_a_name(quick: None, tmp_path: Path) -> None:
    told = run_evonas("init", "diabetes", "--no-probe", "-o", "d.yaml", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "looking at the data\n" in told.stderr, "nothing is trained, and nothing else is said"
    config = load_config(tmp_path / "d.yaml").config
    assert config.data is not None
    assert (config.data.name, config.data.task) == ("diabetes", "regression")


def test_plan_tells_of_genomes_without_a_training(quick: None, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("data: {name: wine}\nbudget: {trials: 24}\n")
    plan = json.loads(run_evonas("plan", "run.yaml", "--no-probe", "--json", cwd=tmp_path).stdout)
    assert (plan["drawn"], plan["duplicates"], plan["valid"]) == (400, 2, 10)
    assert plan["parameters"]["0.5"] == 550
    assert plan["expected"] is None
    told = run_evonas("plan", "run.yaml", "--no-probe", cwd=tmp_path).stdout
    assert "10 of 10 can be built (100 %)" in told
    assert "100 to 1,000; half have up to 550, 90 % 910" in told


def test_a_target_that_is_asked_for_is_named_as_init_takes_it(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("a,kind\n1,x\n2,y\n")
    told = run_evonas("init", "two.csv", "--no-probe", cwd=tmp_path)
    assert told.returncode == 2
    assert "say which column is to be predicted" in told.stderr
    assert told.stderr.rstrip().endswith("evonas init two.csv --target COLUMN")
    wrong = run_evonas("init", "two.csv", "--target", "knd", "--no-probe", cwd=tmp_path)
    assert wrong.stderr.rstrip().endswith("Did you mean 'kind'? Columns: a, kind.")


@pytest.mark.full
def test_from_a_table_to_a_model(tmp_path: Path) -> None:
    flowers(tmp_path / "f.csv")
    for words in (
        ("init", "f.csv", "--target", "kind"),
        ("check", "f.yaml"),
        ("plan", "f.yaml"),
        ("run", "f.yaml", "--set", "budget.trials=2", "--set", "training.epochs=2"),
    ):
        done = run_evonas(*words, cwd=tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    assert (tmp_path / "runs" / "f" / "best.keras").exists()
    text = (tmp_path / "f.yaml").read_text().replace("#", " ")
    words = r"tried, \d+ took \S+ to \S+ s, \S+ s in the mean, with \d workers?"
    assert re.search(words, " ".join(text.split()))
