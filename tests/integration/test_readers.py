"""Readers and the one writer: none waits for another.

A sealed record can be read where nothing can be written.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

import evonas
from evonas.errors import EvonasError
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.runs import content, make_run, work

NOBODY = 65534


@pytest.fixture
def open_to_all():
    """A folder that a process of another user can enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="evonas-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_a_sealed_run_is_shown_from_a_folder_that_cannot_be_written(open_to_all):
    """Modes do not bind root, so root lets nobody look."""
    root = make_run(open_to_all)
    work(root)
    for path in (*root.rglob("*"), root):
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from evonas import view\n"
        "root = Path(sys.argv[1])\n"
        # Once before: libraries are imported at their first use, and nobody may not read them here.
        "view.load(root)\n"
        f"if os.geteuid() == 0: os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "try: (root / 'new').write_text('')\n"
        "except PermissionError: pass\n"
        "else: raise SystemExit('the folder can be written')\n"
        "run = view.load(root)\n"
        "print(len(run.trials), run.is_finished, run.is_going_on)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(len(content(root))), "True", "False"]


def test_a_sealed_record_is_read_as_immutable(tmp_path):
    root = make_run(tmp_path)
    work(root)
    address = f"{(root / 'run.db').as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True)
    assert connection.execute("select value from meta where key = 'sealed'").fetchone() == ("true",)
    connection.close()


def test_a_reader_in_the_middle_of_its_transaction_holds_up_neither_writes_nor_the_seal(tmp_path):
    root = make_run(tmp_path)
    reader = RecordReader(root / "run.db")
    reader._connection.execute("begin")
    assert reader.content() == []
    run = work(root)
    assert run.is_finished
    assert reader.content() == [], "it goes on seeing what it saw"
    reader._connection.execute("rollback")
    assert reader.content() == content(root)
    reader.verify()
    reader.close()
    work(root)
    assert not run.layout.log_of_record.exists(), "the next session that can folds the log"


def test_a_reader_in_a_loop_and_a_writer_of_a_thousand_commits(tmp_path):
    root = make_run(tmp_path)
    failures: list[BaseException] = []
    seen, done = [0], threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                with RecordReader(root / "run.db") as reader:
                    reader.verify()
                    seen.append(len(reader.events()))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    with Record(root / "run.db") as record:
        for number in range(1000):
            record.event("tick", number)
    done.set()
    thread.join()
    assert failures == []
    assert seen == sorted(seen)
    assert len(set(seen)) > 2, "it must have read while the other one wrote, or this shows nothing"
    with RecordReader(root / "run.db") as reader:
        reader.verify()
        assert len(reader.events()) == 1001


def test_a_run_that_goes_on_is_loaded_at_any_moment(tmp_path):
    root = make_run(tmp_path, "budget.trials=60")
    failures: list[EvonasError] = []
    lengths, done = [], threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                lengths.append(len(evonas.load(root).trials))
            except EvonasError as error:
                failures.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    work(root)
    done.set()
    thread.join()
    assert failures == []
    assert lengths == sorted(lengths)
