"""What the guide expected is recorded, shown, drawn, and the same for every run of one seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evonas import view
from evonas.cli import show
from evonas.errors import UserError
from evonas.insight import expected_svg
from evonas.insight.genealogy import genealogy, to_text
from evonas.runtime.audit import audit
from evonas.testing.runs import FEW, content, make_run, work
from evonas.testing.stub_worker import Stub
from evonas.words import number

GUIDED = (f"strategy={FEW['guided']}", "budget.trials=14")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> view.Run:
    return work(make_run(tmp_path_factory.mktemp("expected"), *GUIDED), stub=Stub(diverge=0.0))


def expected(root: Path) -> list[object]:
    return [trial.proposal.expected for trial in view.load(root).trials]


def test_children_have_expectations_and_founders_have_none(run: view.Run) -> None:
    for trial in run.trials:
        assert (trial.proposal.expected is None) == (not trial.lineage.parents)
    assert sum(trial.proposal.expected is not None for trial in run.trials) >= 8
    assert audit(run.directory).is_repeated


def test_more_workers_and_a_resume_expect_the_same(run: view.Run, tmp_path: Path) -> None:
    many = make_run(tmp_path / "many", *GUIDED)
    work(many, capacity=5, stub=Stub(diverge=0.0))
    short = make_run(tmp_path / "short", GUIDED[0], "budget.trials=9")
    work(short, stub=Stub(diverge=0.0))
    work(short, "budget.trials=14", stub=Stub(diverge=0.0))
    for root in (many, short):
        assert content(root) == content(run.directory)
        assert expected(root) == expected(run.directory)


def test_show_says_it_and_draws_it(
    run: view.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = next(trial for trial in run.trials if trial.proposal.expected is not None)
    words = child.proposal.expected
    assert words is not None
    assert child.fitness is not None
    show.command(str(run.directory), trial=child.id)
    told = " ".join(capsys.readouterr().out.split())
    assert f"a surrogate expected val_loss {words.median:.4f}, and two times in three" in told
    assert f"{words.low:.4f} to {words.high:.4f}; {child.fitness.value:.4f} was found" in told
    show.command(str(run.directory), trial=child.id, as_json=True)
    plain = json.loads(capsys.readouterr().out)["expected"]
    assert plain == {"median": words.median, "low": words.low, "high": words.high}
    show.command(str(run.directory), expected=tmp_path / "picture.svg")
    picture = (tmp_path / "picture.svg").read_text()
    assert picture == run.artefacts["expected"].read_text()
    assert picture == expected_svg(run.trials, run.objective, title=run.title)
    with pytest.raises(UserError, match=r"an \.svg file"):
        show.command(str(run.directory), expected=tmp_path / "picture.png")


def test_without_a_surrogate_there_is_no_picture(tmp_path: Path) -> None:
    run = work(make_run(tmp_path, "strategy=random", "budget.trials=3"))
    assert "expected" not in run.artefacts
    with pytest.raises(UserError, match="no trial of the run stub was chosen by a surrogate"):
        show.command(str(run.directory), expected=tmp_path / "picture.svg")


def test_the_genealogy_says_it_of_each_child(run: view.Run) -> None:
    child = next(trial for trial in run.trials if trial.proposal.expected is not None)
    words = child.proposal.expected
    assert words is not None
    text = to_text(run.trials, run.objective, child.id, width=200)
    assert f"expected {number(words.median)} ({number(words.low)} to {number(words.high)})" in text
    graph = genealogy(run.trials, run.objective)
    assert graph.nodes[child.id]["expected"] == words.median
    assert "expected" not in graph.nodes[0], "a founder"
