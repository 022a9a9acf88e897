"""Migrations: an older record is shown, goes on, is audited and exported like one of today.

`records/version_1.sql` was made by evonas with schema 1: a stub run of 12 trials that was killed
after 7 of them, as the text that SQLite's dump gives. @FOLDER@ stands for the folder of its config.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import evonas
from evonas.errors import InvalidRecord
from evonas.runtime.audit import audit
from evonas.runtime.record import checksum
from evonas.runtime.record.migrations import MIGRATIONS
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.record.rows import CONTENT_COLUMNS
from evonas.runtime.record.schema import SCHEMA, VERSION
from evonas.testing.runs import Notes, content, make_run, work

DUMP = Path(__file__).with_name("records") / "version_1.sql"


RECORDED = 13
"""Number of trials that the old evonas asked."""


def plain(row):
    """A trial without its operator and parents, which an older evonas named by another rule."""
    names = [name.strip() for name in CONTENT_COLUMNS.split(",")]
    columns = dict(zip(names, row, strict=True))
    return {name: columns[name] for name in names if name not in ("operator", "parents")}


@pytest.fixture
def old(tmp_path):
    """A killed run of version 1, with the files that it had."""
    root = make_run(tmp_path)
    work(root)
    root.rename(tmp_path / "today")
    shutil.copytree(
        tmp_path / "today", root, ignore=shutil.ignore_patterns("best.*", "genealogy.svg", "run.*")
    )
    connection = sqlite3.connect(root / "run.db")
    connection.executescript(DUMP.read_text(encoding="utf-8").replace("@FOLDER@", str(tmp_path)))
    connection.close()
    return root


def test_every_version_has_a_way_to_the_next():
    assert sorted(MIGRATIONS) == list(range(1, VERSION))


def test_a_migrated_record_has_the_tables_of_a_new_one(old):
    new = sqlite3.connect(":memory:")
    new.executescript(SCHEMA)
    tables = "select type, name, tbl_name from sqlite_master order by name"
    with Record(old / "run.db") as record:
        assert record._rows(tables) == new.execute(tables).fetchall()
        for _, name, _ in record._rows(tables):
            columns = (
                f"select name, type, \"notnull\", pk from pragma_table_info('{name}') order by name"
            )
            assert record._rows(columns) == new.execute(columns).fetchall()
    new.close()


def test_a_reader_shows_an_old_record_and_leaves_the_file_alone(old):
    before = (old / "run.db").read_bytes()
    run = evonas.load(old)
    assert [str(trial.state) for trial in run.trials].count("waiting") == 4
    found = audit(old)
    assert found.is_repeated
    assert found.other_lineages == 1, "it named a partner that had given nothing"
    assert not found.has_checksum
    with RecordReader(old / "run.db") as record:
        record.verify()
        assert record.version == 1
    assert (old / "run.db").read_bytes() == before
    assert sorted(path.name for path in old.iterdir() if path.name.startswith("run.db")) == [
        "run.db"
    ]


def test_an_old_run_goes_on_to_the_content_of_an_uninterrupted_one(old, tmp_path):
    notes = Notes()
    run = work(old, observers=[notes])
    today = content(tmp_path / "today")
    assert [plain(row) for row in content(old)] == [plain(row) for row in today]
    # What was recorded stays; the lineages that follow are those of today.
    assert content(old)[RECORDED:] == today[RECORDED:]
    assert any("older evonas" in text and "run.db.v1" in text for text in notes.texts)
    assert audit(old).is_repeated
    assert audit(old).has_checksum
    assert run.result is not None
    run.export(tmp_path / "winner.keras")
    with RecordReader(old / "run.db") as record:
        assert record.version == VERSION
        assert [detail for _, kind, detail in record.events() if kind == "migrated"] == [
            {"from": 1, "to": VERSION, "backup": "run.db.v1"}
        ]
    with RecordReader(old / "run.db.v1") as backup:
        assert backup.version == 1
        assert len(backup.content()) == RECORDED


def test_the_interface_of_an_old_run_is_that_of_today(old, tmp_path):
    migrated = evonas.load(old).interface
    today = evonas.load(tmp_path / "today").interface
    # Only the file with the fitted values is new.
    assert replace(migrated, input=replace(migrated.input, file=today.input.file)) == today


@pytest.fixture
def second(tmp_path):
    """The record of a finished run as version 2 would have written it."""
    root = make_run(tmp_path)
    work(root)
    connection = sqlite3.connect(root / "run.db")
    (text,) = connection.execute("select value from meta where key = 'interface'").fetchone()
    interface = json.loads(text)
    ends = interface.pop("input")
    flat = {**interface, "kind": ends["kind"], "shape": ends["shape"], **ends["fitted"]}
    put = "update meta set value = ? where key = ?"
    with connection:
        connection.execute(put, (json.dumps(flat), "interface"))
        connection.execute("drop table expected")
        connection.execute(put, ("2", "schema"))
        checksum.put(connection, checksum.total(connection))
    connection.close()
    return root / "run.db"


def test_damage_of_a_record_with_a_checksum_is_found_in_its_migrated_copy(second):
    with RecordReader(second) as record:
        record.verify()
    connection = sqlite3.connect(second)
    with connection:
        connection.execute("update trial set value = value / 2 where id = 3")
    connection.close()
    with RecordReader(second) as record, pytest.raises(InvalidRecord, match="damaged"):
        record.verify()
    with pytest.raises(InvalidRecord, match="damaged"):
        Record(second)
    assert not second.with_name("run.db.v2").exists()


def test_what_no_evonas_has_written_is_damage(second):
    connection = sqlite3.connect(second)
    with connection:
        connection.execute("update meta set value = '{}' where key = 'interface'")
    connection.close()
    with pytest.raises(InvalidRecord, match="damaged: KeyError"):
        RecordReader(second)


def test_an_old_run_counts_infeasible_trials_as_it_did(old):
    run = work(old, "limits.parameters=30000")
    own = [trial for trial in run.trials if trial.twin_of is None]
    assert any(trial.state == "infeasible" for trial in own)
    assert len(own) == 12
    assert not run.gives_back
    assert run.summary()["done"] == 12


def test_the_next_session_has_nothing_to_migrate(old):
    with Record(old / "run.db") as record:
        assert record.backup == old / "run.db.v1"
    with Record(old / "run.db") as record:
        assert record.backup is None


def test_killed_at_every_failpoint_of_a_migration(tmp_path):
    script = Path(__file__).with_name("killed_migration.py")
    command = [sys.executable, str(script), str(DUMP), str(tmp_path / "killed")]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert {"migration.copied", "migration.backed_up", "migration.step", "migration.done"} <= set(
        report["names"]
    )
    done = report["names"].index("migration.done")
    assert report["versions"] == [1] * done + [VERSION] * (len(report["names"]) - done)
    assert report["wrong"] == []
    assert "run.db.v1.tmp" not in report["left"]
