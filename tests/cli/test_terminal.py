"""Nothing is wrapped or cut through a pipe, `COLUMNS` counts, TensorFlow's log is kept away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from evonas.cli.quiet import startup_log_aside
from evonas.testing.runs import make_run, work
from evonas.testing.stub_worker import Stub
from tests.command import run_evonas


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a folder whose name is so long that it is wrapped" * 2)
    return work(make_run(folder), stub=Stub(diverge=0.0))


def told(*arguments, **more):
    done = run_evonas(*arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_through_a_pipe_no_line_is_wrapped_and_nothing_is_cut(run):
    listed = told("list", "--runs", run.directory.parent)
    assert f"  {run.directory}  " in listed
    shown = told("show", run.directory, "--trials")
    assert f"  {run.artefacts['model']}\n" in shown
    assert "\u2026" not in listed + shown


@pytest.mark.parametrize("command", ["list", "show", "genealogy"])
def test_columns_is_honoured_through_a_pipe_too(run, command):
    words = ["--runs", run.directory.parent] if command == "list" else [run.directory]
    wide = told(command, *words)
    narrow = told(command, *words, COLUMNS="60")
    assert len(narrow.splitlines()) > len(wide.splitlines())
    # Paths and commands are for copying, so they are never wrapped. A genealogy keeps 30 columns
    # beside its numbers.
    allowed = 80 if command == "genealogy" else 60
    long = [line for line in narrow.splitlines() if len(line) > allowed]
    assert all(str(run.directory) in line or "The winner" in line for line in long)


@pytest.mark.parametrize("value", ["", "0", "many"])
def test_columns_that_is_no_number_is_no_width(run, value):
    assert told("list", "--runs", run.directory.parent, COLUMNS=value) == told(
        "list", "--runs", run.directory.parent
    )


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("g.svg", "<svg"),
        ("g.json", "{"),
        ("g.graphml", "<graphml"),
        ("g.dot", "digraph"),
        ("g.TXT", "How trial"),
    ],
)
def test_the_format_of_a_genealogy_follows_from_the_suffix(run, tmp_path, name, start):
    target = tmp_path / name
    assert told("genealogy", run.directory, "--to", target) == f"wrote {target}\n"
    assert start in target.read_text()[:100]
    named = {"txt": "text"}.get(target.suffix[1:].lower(), target.suffix[1:])
    again = tmp_path / f"again{target.suffix}"
    told("genealogy", run.directory, "--to", again, "--format", named)
    assert again.read_text() == target.read_text()


@pytest.mark.parametrize(
    ("name", "form", "words"),
    [
        ("g.svg", ["--format", "json"], "contradict each other: .svg is the suffix of svg"),
        ("g.png", [], "--to must end in .txt, .svg, .json, .graphml, .dot, or --format must name"),
        ("family", [], "--to must end in"),
    ],
)
def test_a_suffix_that_contradicts_or_says_nothing_is_refused(run, tmp_path, name, form, words):
    done = run_evonas("genealogy", run.directory, "--to", tmp_path / name, *form)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / name).exists()


def test_a_format_that_is_named_needs_no_suffix(run, tmp_path):
    told("genealogy", run.directory, "--to", tmp_path / "family.xml", "--format", "graphml")
    assert "<graphml" in (tmp_path / "family.xml").read_text()


def test_a_space_has_no_markup_and_says_what_is_logarithmic():
    text = told("space", "convnet")
    assert text.startswith("Space convnet for inputs of kind image. ")
    assert "[bold]" not in text
    assert "[/]" not in text
    assert "    learning_rate: a number in [1e-05, 0.1], log; about " in text
    assert "    dropout: a number in [0.05, 0.5] or 0.0; about " in text
    assert "bridge: network; 1 gene; chain; 1 decision\n" in text


def test_samples_of_a_space_come_without_tensorflows_log():
    code = (
        "import sys; sys.argv = ['evonas', 'space', 'mlp', '--samples', '1', '--layers',"
        "'--samplers']\n"
    )
    code += "from evonas.cli import main; main()"
    # As in the user's shell: the tests set this variable for themselves.
    environment = {**os.environ}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Samplers by the centered discrepancy of their first point (" in done.stdout


def test_what_is_logged_meanwhile_is_put_aside(capfd):
    with startup_log_aside():
        os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on.\n")
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "later\n"


def test_if_an_error_ends_it_the_log_is_shown(capfd):
    with pytest.raises(ImportError), startup_log_aside():
        os.write(2, b"libcuda is another version\n")
        raise ImportError
    assert capfd.readouterr().err == "libcuda is another version\n"
