"""The command line on a run that a table has judged."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.command import run_evonas

SPACE = """\
space: s
about: Three letters.
input: none
network: {cell: {length: 2, ops: {a: {}, b: {}, c: {}}}}
"""
CONFIG = """\
space: ./s.yaml
evaluator: {table: {path: t.csv}}
objective: val_accuracy
strategy: {aging: {population: 3, sample: 2}}
training: {epochs: 9}
budget: {trials: 6, seconds: 5000}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        f"{a},{b},{n},{n - 1},{10 + n}"
        for n, (a, b) in enumerate((a, b) for a in "abc" for b in "abc")
    ]
    header = "cell.0.op,cell.1.op,val_accuracy@9,test_accuracy@9,seconds@9"
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "s.yaml").write_text(SPACE)
    (tmp_path / "judged.yaml").write_text(CONFIG)
    return tmp_path


def said(folder: Path, *arguments: str, code: int = 0) -> str:
    """All that evonas says in this folder, where it must end with this code."""
    done = run_evonas(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_every_command_works_without_networks(folder: Path) -> None:
    assert "judged.yaml is fine: space s (2 decisions), a table of 9 genomes." in said(
        folder, "check", "judged.yaml"
    )
    told = said(folder, "run", "judged.yaml")
    for words in (
        "9 genomes",
        "aging, 6 trials, 5,000",
        "The winner",
        "test_accuracy",
        "/6 trials,",
        "/1:23:20",
        "card",
    ):
        assert words in told, words
    assert "6/6" in said(folder, "list")
    assert "The winner" in said(folder, "show", "judged", "--trials")
    summary = json.loads(said(folder, "show", "judged", "--json", "--trials"))
    assert summary["budgets"] == {"trials": 6, "seconds": 5000}
    assert summary["result"]["trial"] == summary["best"]
    assert len(summary["all_trials"]) == summary["trials"]
    assert "How trial" in said(folder, "genealogy", "judged")
    assert "are those of the record" in said(folder, "audit", "judged")
    for command in (["export", "judged", "--to", "x.keras"], ["replay", "judged", "0"]):
        refused = said(folder, *command, code=2)
        assert "has no networks: its genomes were judged by the table" in refused
        assert "damaged" not in refused
    assert "The winner" in said(folder, "resume", "judged")
    assert json.loads(said(folder, "check", "judged.yaml", "--json"))["counts"] == {"genomes": 9}


@pytest.mark.parametrize(
    ("takes", "strategy", "announced"),
    [
        ("", "random", ""),
        ("epochs", "random", ""),
        ("epochs", "hyperband", "trials at up to 9 epochs"),
    ],
)
def test_only_a_function_with_epochs_is_told_of_with_epochs(
    folder: Path, takes: str, strategy: str, announced: str
) -> None:
    # The tests of this file share one process, in which a module is imported once.
    module = f"judge_{strategy}_{len(takes)}"
    body = "    return {'val_accuracy': 'abc'.index(genome['cell'][0].op)}"
    (folder / f"{module}.py").write_text(f"def judge(genome, {takes}):\n{body}\n")
    (folder / "letters.yaml").write_text(
        f"space: ./s.yaml\nevaluator: {{python: {{function: '{module}:judge'}}}}\n"
        f"plugins: [{module}]\nobjective: val_accuracy\nstrategy: {strategy}\n"
        "training: {epochs: 9}\nbudget: {trials: 4}\npool: inline\n"
    )
    beginning, end = said(folder, "run", "letters.yaml").split("The winner")
    announcement = beginning.partition("generation ")[0]
    assert announced in announcement
    assert announced or "epoch" not in announcement
    assert f"{module} (code of yours, run by this process)" in beginning
    shown = said(folder, "show", "letters", "--trials")
    best = json.loads((folder / "runs/letters/best.json").read_text())
    of_winner = said(folder, "show", "letters", "--trial", str(best["trial"]))
    first = json.loads(said(folder, "show", "letters", "--json", "--trials"))["all_trials"][0]
    if takes:
        assert re.search(r"after \d epochs?: val_accuracy", end)
        assert "epochs" in shown.partition("The winner")[0]
        assert "epoch" in of_winner
        assert isinstance(best["epochs"], int)
        assert first["epochs"] == best["epochs"]
    else:
        assert "  scores: val_accuracy" in end
        assert "epoch" not in end + shown + of_winner
        assert best["epochs"] is first["epochs"] is None


def test_a_space_without_networks_is_shown_with_genomes(folder: Path) -> None:
    told = said(folder, "space", "./s.yaml", "--samples", "2")
    assert "without networks" in told
    assert told.count("Genome ") == 2
    drawn = json.loads(said(folder, "space", "./s.yaml", "--samples", "1", "--json"))["samples"]
    assert [len(drawn[0]["digest"]), len(drawn[0]["sections"]["cell"])] == [16, 2]
