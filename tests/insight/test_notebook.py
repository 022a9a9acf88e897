"""What a notebook shows: small, made from the record, and without anybody else's markup."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import evonas
from evonas.genome import Gene, Genome
from evonas.insight.notebook import run_html
from evonas.markup import MOST_ROWS, table
from evonas.testing.runs import make_run, work
from evonas.testing.stub_worker import Stub

BAD = "<script>alert('x')</script>"


class Tags(HTMLParser):
    """Keeps the tags of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(text: str) -> None:
    tags = Tags(text)
    assert not tags.open
    assert tags.seen <= {"b", "i", "table", "tr", "th", "td"}


def test_a_run_its_winner_and_a_genome_are_shown(tmp_path: Path) -> None:
    run = work(make_run(tmp_path, "budget.trials=4"), stub=Stub(diverge=0.0))
    shown = run._repr_html_()
    check(shown)
    assert run.best is not None
    assert f"trial {run.best.id}: val_loss" in shown
    for words in ("finished", "36 train", "4 trials", "test_loss", "./small.yaml"):
        assert words in shown
    trial = run.best._repr_html_()
    check(trial)
    assert "units" in trial
    assert "val_accuracy" in trial
    assert len(trial) < 5000


def test_a_run_that_is_not_finished_says_so(tmp_path: Path) -> None:
    shown = evonas.load(make_run(tmp_path))._repr_html_()
    assert "unfinished" in shown
    assert "best" not in shown


def test_words_from_outside_are_no_markup(tmp_path: Path) -> None:
    run = evonas.load(make_run(tmp_path))
    summary = {**run.summary(), "run": BAD, "directory": BAD}
    genome = Genome(((BAD, (Gene.make(BAD, {BAD: BAD}),)),))
    trial = work(tmp_path / "stub", stub=Stub(diverge=0.0)).trials[0]
    odd = replace(trial, metrics={BAD: 1.0})
    for text in (
        run_html(summary, {BAD: 3}, BAD),
        genome._repr_html_(),
        odd._repr_html_(),
        table(BAD, [(BAD, "\x1b[31m")], (BAD, "b")),
    ):
        check(text)
        assert "&lt;script&gt;" in text
        assert "\x1b" not in text


def test_a_long_table_says_what_is_left_out() -> None:
    text = table("many", [(number,) for number in range(MOST_ROWS + 5)])
    assert text.count("<tr>") == MOST_ROWS
    assert "and 5 more" in text
