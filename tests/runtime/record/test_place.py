"""A run's folder that is removed, renamed or replaced while a session works in it."""

from __future__ import annotations

import shutil

import pytest

from evonas.errors import UserError
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.runs import make_run, work


class Disturb(Observer):
    """Does something to the run's folder after so many outcomes."""

    def __init__(self, what, after=2):
        self._what = what
        self._left = after

    def on_outcome(self, trial, outcome, attempt, final):
        self._left -= 1
        if self._left == 0:
            self._what()


@pytest.fixture
def root(tmp_path):
    return make_run(tmp_path, runs=tmp_path / "runs")


def test_a_folder_that_is_removed_ends_the_session_and_is_not_made_anew(root):
    with pytest.raises(UserError, match=r"stub was removed while .* all that was recorded with it"):
        work(root, observers=[Disturb(lambda: shutil.rmtree(root))])
    assert not root.exists()


def test_a_folder_that_is_renamed_is_named_and_goes_on_there(root):
    other = root.with_name("other")
    with pytest.raises(UserError, match=r"renamed to .*other while .* resume .*other"):
        work(root, observers=[Disturb(lambda: root.rename(other))])
    assert not root.exists()
    assert work(other).is_finished


def test_so_is_the_folder_above_it(root):
    runs = root.parent
    with pytest.raises(UserError, match=r"renamed to .*elsewhere/stub while"):
        work(root, observers=[Disturb(lambda: runs.rename(runs.with_name("elsewhere")))])


def test_the_record_alone_may_go(root):
    with pytest.raises(UserError, match=r"run\.db was removed while"):
        work(root, observers=[Disturb((root / "run.db").unlink)])


def test_another_record_in_its_place_is_not_written_to(root, tmp_path):
    shutil.copy(root / "run.db", tmp_path / "copy.db")
    before = (tmp_path / "copy.db").read_bytes()
    with pytest.raises(UserError, match=r"another record was put in the place of .*run\.db"):
        work(root, observers=[Disturb(lambda: (tmp_path / "copy.db").replace(root / "run.db"))])
    assert (root / "run.db").read_bytes() == before


def test_no_commit_goes_into_a_file_that_nobody_finds(root):
    with Record(root / "run.db") as record:
        record.event("before", {})
        record.check_place()
        shutil.move(root, root.with_name("other"))
        with pytest.raises(UserError, match=r"was renamed"):
            record.event("after", {})
    with RecordReader(root.with_name("other") / "run.db") as reader:
        kinds = [kind for _, kind, _ in reader.events()]
    assert kinds[-1] == "before"
