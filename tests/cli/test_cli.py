"""The command line's manners: help, exit codes, refusals in one sentence. No training."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from evonas import errors
from evonas.search.sampling import SAMPLERS
from tests.command import run_evonas

COMMANDS = (
    "init",
    "plan",
    "run",
    "resume",
    "list",
    "show",
    "explain",
    "genealogy",
    "diff",
    "compare",
    "export",
    "predict",
    "check",
    "spaces",
    "space",
    "ops",
    "adopt",
    "audit",
    "replay",
    "rm",
)


def test_help_lists_the_commands_and_no_others():
    done = run_evonas("--help")
    assert done.returncode == 0
    table = done.stdout.rpartition(" Commands ")[2]
    rows = re.findall(r"^\W*([a-z]+) +[A-Z]", table, re.MULTILINE)
    assert tuple(rows) == COMMANDS


def test_help_says_what_each_exit_code_means_and_names_no_others():
    paragraph = run_evonas("--help").stdout.partition("Exit codes:")[2].partition("Options")[0]
    sentence = " ".join(paragraph.split()).partition(".")[0]
    told = dict(re.findall(r"(?:^|, )(\d+) ([^,]+)", sentence))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.EvonasError)}
    assert {int(code) for code in told} == {0, *codes}
    assert len(set(told.values())) == len(told)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_is_more_than_its_options(name):
    done = run_evonas(name, "--help")
    assert done.returncode == 0
    head = re.split(r"\W+(?:Arguments|Options)\W+\n", done.stdout)[0]
    # The first line is the usage, and lines are filled up with spaces.
    usage, _, about = head.strip().partition("\n")
    assert f"evonas {name} " in usage
    assert len(" ".join(about.split())) > 40


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "digitz"], ["digitz", "Did you mean", "digits"]),
        (["run", "missing.yaml"], ["missing.yaml"]),
        (
            ["run", "digits", "--set", "budget.trials=many"],
            ["budget.trials", "whole number", "many"],
        ),
        (["run", "digits", "--set", "budgit.trials=3"], ["budgit", "budget"]),
        (["show", "nothing"], ["no run at nothing"]),
        (["resume", "nothing"], ["no run at nothing"]),
        (["genealogy", "nothing"], ["no run at nothing"]),
        (["genealogy", "nothing", "--of", "first"], ["--of", "whole number", "first"]),
        (["audit", "nothing"], ["no run at nothing"]),
        (["replay", "nothing", "0"], ["no run at nothing"]),
        (["replay", "nothing", "first"], ["TRIAL", "whole number", "first"]),
        (["export", "nothing", "--to", "x.keras"], ["no run at nothing"]),
        (["fly"], ["fly"]),
        (["genealogy", "x", "--format", "png"], ["png", "svg"]),
        (["space", "convnett"], ["convnett", "Did you mean", "convnet"]),
        (["space", "mlp", "--shape", "3,3"], ["--shape", "sizes above 0", "3,3"]),
    ],
)
def test_what_cannot_be_done_is_refused_in_words_with_exit_code_2(arguments, words, tmp_path):
    done = run_evonas(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert not (tmp_path / "runs").exists(), "nothing is made before everything is checked"


def test_all_problems_of_a_config_are_told_at_once_and_as_json(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "space: convnet\ndata: {name: digits}\nbudget: {trials: 0}\n"
        "strategy: {evolutoin: {}}\nsede: 1\n"
    )
    done = run_evonas("check", "bad.yaml", cwd=tmp_path)
    assert done.returncode == 2
    for word in ("bad.yaml:3", "bad.yaml:4", "bad.yaml:5", "evolution", "seed"):
        assert word in done.stderr
    data = run_evonas("check", "bad.yaml", "--json", cwd=tmp_path)
    assert data.returncode == 2
    problems = json.loads(data.stdout)["problems"]
    assert {problem["line"] for problem in problems} == {3, 4, 5}
    assert all(problem["file"].endswith("bad.yaml") for problem in problems)


def test_labels_with_nan_are_refused_before_any_training(tmp_path):
    import numpy as np

    y = np.zeros(50)
    y[7] = np.nan
    np.savez(tmp_path / "data.npz", x=np.arange(50 * 64).reshape(50, 8, 8), y=y)
    (tmp_path / "nan.yaml").write_text(
        "space: convnet\ndata: {path: data.npz, task: classification}\nbudget: {trials: 1}\n"
    )
    done = run_evonas("run", "nan.yaml", cwd=tmp_path)
    assert done.returncode == 2
    # The folder is named after this test, and has a number.
    assert "nan at y[7]" in done.stderr.replace(str(tmp_path), "")


def test_list_of_nothing_says_how_to_begin(tmp_path):
    done = run_evonas("list", cwd=tmp_path)
    assert done.returncode == 0
    assert "evonas run digits" in done.stdout


def test_a_damaged_record_has_an_exit_code_of_its_own(tmp_path):
    (tmp_path / "runs" / "bad").mkdir(parents=True)
    (tmp_path / "runs" / "bad" / "run.db").write_bytes(b"nonsense" * 1000)
    assert run_evonas("show", "bad", cwd=tmp_path).returncode == 65
    listed = run_evonas("list", cwd=tmp_path)
    assert listed.returncode == 0
    assert "bad" in listed.stdout


def test_a_space_is_described_without_keras():
    done = run_evonas("space", "cells")
    assert done.returncode == 0, done.stderr
    words = (
        "45 decisions",
        "10^29 genomes",
        "dag, 2 inputs a gene",
        "2 to 5 genes",
        "separable_3x3",
        "always 2",
    )
    assert all(word in done.stdout for word in words)
    code = (
        "import sys\n"
        "sys.argv = ['evonas', 'space', 'mlp', '--samples', '1', '--json']\n"
        "from evonas.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))\n"
    )
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert plain.returncode == 0
    facts = json.loads(plain.stdout)
    assert (facts["dimension"], facts["input"]) == (56, "vector")
    (drawn,) = facts["samples"]
    assert set(drawn) == {"digest", "sections"}
    assert drawn["sections"]["training"][0][0] == "training"
    assert (
        facts["sections"][0]["ops"]["dense"]["dropout"]
        == "a number in [0.05, 0.6] or 0.0; about 0.15 give or take 0.1, off in 60 % of draws"
    )
    assert sum(section["decisions"] for section in facts["sections"]) == 56


def test_samples_of_a_space_are_networks_of_its_random_search():
    done = run_evonas(
        "space", "recurrent", "--samples", "2", "--samplers", "--shape", "5,3", "--json"
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    first, second = facts["samples"]
    assert first["digest"] != second["digest"]
    assert first["layers"][0]["output_shape"] == [5, 3]
    assert set(first["settings"]) == {"optimizer", "training"}
    assert first["parameters"] == sum(
        row["parameters"] for row in first["layers"] if row["kind"] != "Normalization"
    )
    assert set(facts["samplers"]) == set(SAMPLERS)
    assert all(
        (known["discrepancy"] is None) == bool(known["problem"])
        for known in facts["samplers"].values()
    )
    assert "at most 7 dimensions" in facts["samplers"]["poisson_disk"]["problem"]
    assert "This space has 64" in facts["samplers"]["poisson_disk"]["problem"]
