"""What the command line cannot read is refused in our words, with what is allowed."""

from __future__ import annotations

import pytest

from tests.command import run_evonas

OTHERS = (
    "pydantic",
    "Input should be",
    "Invalid value",
    "Usage:",
    "Error",
    "Got unexpected",
    "\u2502",
)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fly"], "there is no command fly. Allowed: init, plan, run,"),
        (["shwo", "x"], "there is no command shwo. Did you mean 'show'? Allowed: init,"),
        (["run", "--jsn"], "run has no option --jsn. Did you mean '--json'? Allowed: --set,"),
        (["--bogus"], "evonas has no option --bogus. Allowed: --version,"),
        (["adopt", "nope.keras"], "the model nope.keras does not exist."),
        (
            ["adopt", "nope.h5"],
            "MODEL must be a file of Keras that ends in `.keras`. Received: nope.h5",
        ),
        (["run"], "run needs CONFIG: a config's path, or the name of a shipped one"),
        (
            ["export", "x"],
            "export needs --to PATH: where the model goes. A path that ends in `.keras` gets one",
        ),
        (["replay", "x"], "replay needs TRIAL: a trial's number."),
        (["show", "a", "b", "c"], "show takes no further argument. Received: b c"),
        (["show", "a", "b", "(c)."], "show takes no further argument. Received: b (c)."),
        (
            ["list", "."],
            "list takes no further argument. Received: .\n  For the runs in that folder:",
        ),
        (["list", "--runs"], "the option --runs needs a value after it."),
        (["show", "x", "--trials=3"], "the option --trials takes no value."),
        (
            ["show", "x", "--trial", "2.5"],
            "--trial must be a whole number of at least 0. Received: 2.5",
        ),
        (
            ["genealogy", "x", "--of", "-3"],
            "--of must be a whole number of at least 0. Received: -3",
        ),
        (["export", "x", "last", "--to", "y"], "TRIAL must be a whole number of at least 0."),
        (
            ["space", "mlp", "--samples", "101"],
            "--samples must be a whole number from 0 to 100. Received: 101",
        ),
        (["space", "mlp", "--seed", "-1"], "--seed must be a whole number of at least 0."),
        (
            ["genealogy", "x", "--format", "svgg"],
            "--format must be one of text, svg, json, graphml, dot. Received: svgg."
            " Did you mean 'svg'?",
        ),
    ],
)
def test_in_our_words_with_exit_code_2(arguments, told, tmp_path):
    done = run_evonas(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"evonas: {told}")
    for word in OTHERS:
        assert word not in done.stderr


def test_the_help_of_the_command_is_named_as_the_shell_finds_it(tmp_path):
    done = run_evonas("show", "--bogus", cwd=tmp_path)
    last = done.stderr.splitlines()[-1].strip()
    assert last.startswith("To see all options:  ")
    assert last.endswith("evonas show --help")


def test_without_a_command_there_is_the_help():
    done = run_evonas()
    assert done.returncode == 0
    assert done.stdout == run_evonas("--help").stdout


@pytest.mark.parametrize("name", [".", ".."])
def test_a_dot_is_a_folder_and_no_name(name, tmp_path):
    done = run_evonas("run", name, cwd=tmp_path)
    assert done.returncode == 2
    folder = (tmp_path / name).resolve()
    assert done.stderr == f"evonas: {folder} is a folder, and a config is a file of YAML.\n"
