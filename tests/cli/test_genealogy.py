"""`evonas genealogy` of a whole family and of parts of it, on a record without trainings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evonas import api
from evonas.cli.genealogy import Format, render
from evonas.errors import UserError
from evonas.insight.kin import relatives

SCRIPT = Path(__file__).parents[1] / "integration" / "stub_runs.py"


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    directory = tmp_path_factory.mktemp("genealogy")
    for command in (["make", directory, "evolution", "25"], ["inside", directory / "stub", "2"]):
        subprocess.run(
            [sys.executable, str(SCRIPT), *map(str, command)],
            check=True,
            capture_output=True,
            env=os.environ,
        )
    return api.load(directory / "stub")


def nodes(text):
    return {node["id"] for node in json.loads(text)["nodes"]}


def test_of_the_winner_by_default(view):
    best = view.best.id
    assert f"How trial {best} came to be" in render(view, Format.TEXT)
    assert nodes(render(view, Format.JSON)) == {trial.id for trial in view.trials}
    assert nodes(render(view, Format.JSON, above=True)) == relatives(view.trials, best, True, False)


def test_of_another_trial(view):
    parent = view.trials[-1].lineage.parents[0]
    assert f"How trial {parent} came to be" in render(view, Format.TEXT, of=parent)
    assert nodes(render(view, Format.JSON, of=parent)) == relatives(
        view.trials, parent, True, False
    )
    assert nodes(render(view, Format.JSON, of=parent, below=True)) == relatives(
        view.trials, parent, False, True
    )
    both = relatives(view.trials, parent, True, True)
    assert nodes(render(view, Format.JSON, of=parent, above=True, below=True)) == both
    assert render(view, Format.TEXT, of=parent, above=True, below=True).count("trial ") == len(both)
    assert render(view, Format.DOT, of=parent, below=True).count(" -> ") >= 1
    assert "graphml" in render(view, Format.GRAPHML, of=parent)


def test_what_cannot_be_shown_is_refused(view):
    with pytest.raises(UserError, match="the climb shows all"):
        render(view, Format.SVG, of=1)
    with pytest.raises(UserError, match="There is no trial 999"):
        render(view, Format.DOT, of=999)
