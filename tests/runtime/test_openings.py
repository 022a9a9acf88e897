"""Openings of the test data: one event for each, before it happens, and nothing else changes."""

from __future__ import annotations

import pytest

from evonas import view
from evonas.evaluate.contract.pool import Finished
from evonas.export.fresh import fresh_scores
from evonas.runtime.openings import Opening
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.session import Session
from evonas.testing.runs import content, make_run, stub_pools, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import Outcome, TrialState

HEALTHY = Stub(diverge=0.0)


def opened(root):
    """Trial and freshness of each opening in the record."""
    return [(one.trial, one.is_fresh) for one in view.load(root).openings]


@pytest.fixture
def run(tmp_path):
    return work(make_run(tmp_path), stub=HEALTHY)


def test_a_finished_run_has_opened_them_once(run):
    (only,) = run.openings
    assert (only.trial, only.is_fresh) == (run.best.id, False)
    assert run.are_openings_noted


def test_a_resume_with_nothing_to_do_opens_nothing(run):
    work(run.directory, stub=HEALTHY)
    assert opened(run.directory) == [(run.best.id, False)]


def test_a_lost_model_is_exported_again_and_that_is_counted(run):
    before = content(run.directory)
    run.artefacts["model"].unlink()
    work(run.directory, stub=HEALTHY)
    assert opened(run.directory) == [(run.best.id, False)] * 2
    assert content(run.directory) == before, "the table of trials is as it was"


def test_exports_of_other_trials_and_copies_of_the_winner_open_nothing(run, tmp_path):
    pools = stub_pools(stub=HEALTHY)
    other = next(t for t in run.trials if t.fitness is not None and t.id != run.best.id)
    run.export(tmp_path / "other.keras", other.id, pool_factory=pools)
    run.export(tmp_path / "winner.keras", pool_factory=pools)
    assert opened(run.directory) == [(run.best.id, False)]


def test_each_training_with_a_fresh_seed_opens_them(run):
    with Session(run.directory, stub_pools(stub=HEALTHY)) as session:
        assert len(fresh_scores(session, run.best.trial, 2)) == 2
        session.record.seal()
    assert opened(run.directory) == [(run.best.id, False), *[(run.best.id, True)] * 2]


class Dying(StubPool):
    """The driver dies while it exports the winner."""

    def submit(self, job):
        if job.kind == "export":
            raise KeyboardInterrupt
        super().submit(job)


def test_a_killed_export_counts_for_it_may_have_opened_them(tmp_path):
    root = make_run(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        work(root, stub=HEALTHY, pool=Dying)
    with RecordReader(root / "run.db") as record:
        assert [kind for _, kind, _ in record.events()] == ["opened", "test data opened"]
    run = work(root, stub=HEALTHY)
    assert opened(root) == [(run.best.id, False)] * 2


class Crashing(StubPool):
    """The first export ends with a crash, which is tried again."""

    exports = 0

    def poll(self, timeout):
        reports = []
        for report in super().poll(timeout):
            if isinstance(report, Finished) and report.job.kind == "export":
                type(self).exports += 1
                if self.exports == 1:
                    report = Finished(report.job, Outcome(TrialState.CRASHED, message="gone"))
            reports.append(report)
        return reports


def test_a_retry_opens_them_once_more(tmp_path):
    run = work(make_run(tmp_path), stub=HEALTHY, pool=type("Once", (Crashing,), {}))
    assert opened(run.directory) == [(run.best.id, False)] * 2


def test_a_run_that_has_not_ended_has_opened_nothing(tmp_path):
    run = view.load(make_run(tmp_path))
    assert run.openings == []
    assert run.are_openings_noted


def test_an_opening_has_the_time_of_the_record(run):
    with RecordReader(run.layout.record) as record:
        (at,) = [at for at, kind, _ in record.events() if kind == "test data opened"]
    assert run.openings == [Opening(at, run.best.id, is_fresh=False)]
