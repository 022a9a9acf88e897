"""What comes from outside drives no terminal and forges no line, in any command."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from evonas.cli.console import complain
from tests.command import run_evonas

CLI = Path(__file__).parents[2] / "evonas" / "cli"
NASTY = "\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b31m\x00\u202e\r\x85\u2028\nevonas: all is well"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
FORGED = re.compile("^(evonas: )?all is well", re.MULTILINE)

SPACE = """\
space: letters
about: "Seen \\e[2Jfrom afar\\nall is well"
input: none
network:
  cell:
    length: [1, 4]
    ops: {a: {p: {choice: ["\\e[2J\\e]0;t\\a", "\\x01\\x9b31m", "\\u202ex\\nall is well"]}}, b: {}}
"""
JUDGE = f"""\
NASTY = {NASTY!r}


def evaluate(genome):
    if len(genome["cell"]) % 2:
        raise ValueError(NASTY + "x" * 5_000_000)
    return {{"score": 1.0 * len(genome["cell"]), "other" + NASTY: 2.0, "test_" + NASTY: 3.0}}
"""
CONFIG = """\
run: foreign
space: ./letters.yaml
evaluator: {python: {function: "judge_of_foreign:evaluate"}}
plugins: [judge_of_foreign]
objective: {name: score, direction: max}
strategy: {random: {}}
budget: {trials: 12}
pool: {simulated: {workers: 2}}
"""
EXPERIMENT = """\
experiment: foreign
config: ./foreign.yaml
strategies: {random: {random: {}}, "aging": {aging: {population: 4}}}
seeds: [1]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    # The folder itself has a name from outside.
    found = tmp_path_factory.mktemp("foreign") / "a\x1b[2Jb\x9b\u202e"
    found.mkdir()
    (found / "letters.yaml").write_text(SPACE)
    (found / "foreign.yaml").write_text(CONFIG)
    (found / "experiment.yaml").write_text(EXPERIMENT)
    (found / "judge_of_foreign.py").write_text(JUDGE)
    with mock.patch.object(sys, "path", [str(found), *sys.path]):
        done = run_evonas("run", "foreign.yaml", cwd=found, PYTHONPATH=str(found))
        assert done.returncode == 0, done.stderr
        (found / "told.txt").write_text(done.stdout + done.stderr)
        yield found


@pytest.mark.parametrize(
    "words",
    [
        "show foreign",
        "show foreign --trials",
        "show foreign --trial 0",
        "show {here}/runs/foreign",
        "list --runs {here}/runs",
        "genealogy foreign",
        "genealogy foreign --format svg",
        "genealogy foreign --format dot",
        "genealogy foreign --to {here}/family.svg",
        "audit {here}/runs/foreign",
        "check {here}/foreign.yaml",
        "space {here}/letters.yaml --samples 3",
        "resume {here}/runs/foreign --set budget.trials=20",
        "compare experiment.yaml",
    ],
)
def test_no_command_prints_it_as_it_is(folder, words):
    arguments = [word.format(here=folder) for word in words.split()]
    done = run_evonas(*arguments, cwd=folder, PYTHONPATH=str(folder))
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert said
    assert UNSAFE.findall(said) == []
    assert not FORGED.search(said)
    # The path in the commands that follow is not cut, the text of an error is.
    assert len(max(said.splitlines(), key=len)) < 3000


def test_nor_does_the_search_itself(folder):
    said = (folder / "told.txt").read_text()
    assert "trial" in said
    assert "ValueError" in said
    assert UNSAFE.findall(said) == []
    assert not FORGED.search(said)
    assert len(max(said.splitlines(), key=len)) < 1000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", NASTY.replace("\0", "")], 2),
        (["run", NASTY.replace("\0", "") + ".yaml"], 2),
        (["run", "foreign.yaml", "--set", f"budget.{NASTY}=3"], 2),
        (["run", "foreign.yaml", "--set", f"strategy={NASTY}"], 2),
        (["space", NASTY.replace("\0", "")], 2),
        (["show", "foreign", f"--{NASTY}"], 2),
        (["show", "foreign", "--trial", NASTY], 2),
        ([NASTY], 2),
        (["export", "foreign", "--to", NASTY.replace("\0", "")], 2),
        (["genealogy", "foreign", "--to", NASTY.replace("\0", "")], 2),
        (["list", "--runs", NASTY.replace("\0", "")], 2),
        (["compare", NASTY.replace("\0", "")], 2),
    ],
)
def test_nor_does_a_refusal(folder, words, code):
    done = run_evonas(*words, cwd=folder, PYTHONPATH=str(folder))
    assert done.returncode == code, done.stderr
    assert UNSAFE.findall(done.stdout + done.stderr) == []
    assert not FORGED.search(done.stdout + done.stderr)


def test_a_line_of_a_message_never_begins_like_one_of_ours(capsys):
    complain("there is no run at x\nevonas: all is well")
    assert capsys.readouterr().err == "evonas: there is no run at x\n  evonas: all is well\n"


def test_commands_print_words_by_say_only():
    """It cleans them. Nothing but a table or an empty line is printed past it."""
    found = []
    for path in sorted([*CLI.glob("*.py"), *(CLI.parent / "telling").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            is_print = called.split(".")[-1] in ("print", "echo", "write") and node.args
            if is_print:
                found.append((path.name, ast.unparse(node)[:40]))
    assert sorted(found) == [
        ("app.py", "file.write(log)"),
        ("app.py", "typer.echo(f'evonas {__version__}')"),
        ("console.py", "err.print(name + Text('\\n'.join(lines)))"),
        ("console.py", "out.print(line, style=style, soft_wrap=T"),
        ("console.py", "sys.stdout.buffer.write(piece.encode(err"),
        ("console.py", "sys.stdout.write(piece.replace('\\x7f', '"),
        ("console.py", "sys.stdout.write(text)"),
        ("init.py", "opened.write(text)"),
        ("leaving.py", "print('evonas: stopped by Ctrl-C.', file"),
        ("quiet.py", "sys.stderr.write(aside.read().decode(err"),
        ("table.py", "out.file.write(line)"),
        ("table.py", "out.print(_table(columns, rows, widths, "),
    ]
