"""`evonas genealogy` of a whole family and of parts of it, on a record without trainings."""

from __future__ import annotations

import json

import pytest

from evonas.cli.genealogy import Format, written
from evonas.errors import UserError
from evonas.insight.kin import relatives
from evonas.testing import make_run, work


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = make_run(tmp_path_factory.mktemp("genealogy"), "budget.trials=25")
    return work(root)


def render(*arguments, **options):
    return "".join(written(*arguments, **options))


def nodes(text):
    return {node["id"] for node in json.loads(text)["nodes"]}


def test_of_the_winner_by_default(run):
    best = run.best.id
    assert f"How trial {best} came to be" in render(run, Format.TEXT)
    assert nodes(render(run, Format.JSON)) == {trial.id for trial in run.trials}
    assert nodes(render(run, Format.JSON, above=True)) == relatives(run.trials, best, True, False)


def test_of_another_trial(run):
    parent = run.trials[-1].lineage.parents[0]
    assert f"How trial {parent} came to be" in render(run, Format.TEXT, of=parent)
    assert nodes(render(run, Format.JSON, of=parent)) == relatives(run.trials, parent, True, False)
    assert nodes(render(run, Format.JSON, of=parent, below=True)) == relatives(
        run.trials, parent, False, True
    )
    both = relatives(run.trials, parent, True, True)
    assert nodes(render(run, Format.JSON, of=parent, above=True, below=True)) == both
    assert render(run, Format.TEXT, of=parent, above=True, below=True).count("trial ") == len(both)
    assert render(run, Format.DOT, of=parent, below=True).count(" -> ") >= 1
    assert "graphml" in render(run, Format.GRAPHML, of=parent)


def test_what_cannot_be_shown_is_refused(run):
    with pytest.raises(UserError, match="the climb shows all"):
        render(run, Format.SVG, of=1)
    with pytest.raises(UserError, match="There is no trial 999"):
        render(run, Format.DOT, of=999)
