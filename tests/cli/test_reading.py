"""Commands that read a run decode no genome but those that they print, and tell of damage."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from evonas import view
from evonas.cli import listing, show, table
from evonas.cli.genealogy import Format, written
from evonas.cli.table import Column, print_table
from evonas.errors import InvalidRecord
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.head import ConfigHead
from evonas.runtime.record import checksum, open_record, reader
from evonas.testing import make_run, work
from tests.command import run_evonas


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_run(tmp_path_factory.mktemp("reading"), "budget.trials=30")
    work(root)
    return root


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the genomes that were decoded."""
    texts: list[str] = []
    decode = open_record.decode_genome

    def noting(text: str):
        texts.append(text)
        return decode(text)

    monkeypatch.setattr(open_record, "decode_genome", noting)
    return texts


def test_list_and_show_decode_nothing(
    root: Path, decoded: list[str], capsys: pytest.CaptureFixture[str]
):
    listing.command(root.parent)
    listing.command(root.parent, as_json=True)
    show.command(str(root))
    show.command(str(root), as_json=True)
    assert "The winner: trial" in capsys.readouterr().out
    assert decoded == []


def test_one_trial_is_one_genome_and_all_trials_are_each_once(
    root: Path, decoded: list[str], capsys: pytest.CaptureFixture[str]
):
    with reader.RecordReader(root / "run.db") as record:
        texts = [row[1] for row in record.content()]
    show.command(str(root), trial=3, as_json=True)
    assert decoded == [texts[3]]
    decoded.clear()
    capsys.readouterr()
    show.command(str(root), trials=True, as_json=True)
    assert decoded == texts
    rows = json.loads(capsys.readouterr().out)["all_trials"]
    assert [row["genome"] for row in rows] == [json.loads(text) for text in texts]


def test_the_table_decodes_the_section_with_the_rate_and_no_other(
    root: Path, decoded: list[str], capsys: pytest.CaptureFixture[str]
):
    show.command(str(root), trials=True)
    assert "learning rate" in capsys.readouterr().out
    assert {name for text in decoded for name in json.loads(text)} == {"optimizer"}


def test_rows_are_printed_one_after_the_other(root: Path, decoded: list[str]):
    run = view.load(root)
    pieces = iter(written(run, Format.JSON))
    for _ in run.trials:
        next(pieces)
    assert decoded == [], "nodes need no genome"


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A run with a genome that nobody can decode, and a checksum that fits."""
    root = make_run(tmp_path)
    work(root)
    with closing(sqlite3.connect(root / "run.db", isolation_level=None)) as connection:
        connection.execute("update trial set genome = '{\"layers\": 7}' where id = 5")
        checksum.put(connection, checksum.total(connection))
    return root


SENTENCE = "run.db is damaged: InvalidGenome: layers: must be a list of genes. Received: 7"


def test_a_genome_that_cannot_be_decoded_is_told_when_it_is_needed(damaged: Path):
    for words in (
        ("show", damaged, "--trials", "--json"),
        ("show", damaged, "--trial", "5", "--json"),
        ("genealogy", damaged, "--format", "graphml"),
        ("genealogy", damaged, "--to", damaged.parent / "family.json"),
    ):
        done = run_evonas(*words)
        assert (done.returncode, SENTENCE in done.stderr) == (65, True), (words, done.stderr)
        assert "Traceback" not in done.stderr
    assert not (damaged.parent / "family.json").exists(), "whole, or not at all"
    assert run_evonas("show", damaged).returncode == 0


def test_who_works_on_a_run_is_told_at_once(damaged: Path):
    with reader.RecordReader(damaged / "run.db") as record:
        objective = view.load(damaged).objective
        with pytest.raises(InvalidRecord, match="must be a list of genes"):
            record.trials(objective)


COLUMNS = [Column("trial", is_number=True), Column("what it was"), Column("v", is_number=True)]
ROWS = [["1", "ok", "0.25"], ["12", "", "12.5"], ["7", "a [b] c", "-"]]


@pytest.mark.parametrize("width", [100_000, 40, 20])
@pytest.mark.parametrize(("columns", "rows"), [(COLUMNS, ROWS), (COLUMNS, []), ([], [])])
def test_a_plain_table_is_the_one_that_rich_prints(
    width: int,
    columns: list[Column],
    rows: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
):

    def printed() -> str:
        text = io.StringIO()
        out = Console(file=text, width=width, highlight=False, markup=False, emoji=False)
        print_table(out, columns, rows, "title")
        return text.getvalue()

    plain = printed()
    monkeypatch.setattr(table, "_is_plain", lambda *about: False)
    assert plain == printed()


@pytest.mark.parametrize("name", ["digits", "digits-front", "diabetes"])
def test_the_head_of_a_config_is_that_of_the_whole(name: str):
    changes = ["constraints={parameters: {max: 100000}}"]
    config = load_config(name, changes).config
    head = ConfigHead.from_json(config.to_json())
    assert head.to_objectives() == config.to_objectives()
    assert (head.run, head.budget) == (config.run, config.budget)


def test_a_head_that_cannot_be_read_is_refused():
    with pytest.raises(InvalidRecord, match=r"the config in the record cannot be read: budget"):
        ConfigHead.from_json({"run": "a", "budget": {"trials": 0}, "objective": "val_loss"})
