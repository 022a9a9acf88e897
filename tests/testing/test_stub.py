"""The stubs must be dull: the same answer to the same job, whoever asks and however often."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from evonas.evaluate.contract.pool import Finished
from evonas.testing.jobs import make_export, make_job, make_setup, stub_genome
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import VARIABLE, Stub, run_stub, stub_outcome
from evonas.trial import TrialState

SETUP = make_setup(Path("nowhere"))


def test_an_answer_depends_on_genome_seed_and_epochs_only() -> None:
    job = make_job(5)
    same = make_job(6, genome=job.genome, seed=job.seed, attempt=2, session=9, weights="elsewhere")
    assert stub_outcome(job, SETUP) == stub_outcome(same, SETUP)
    for change in ({"genome": stub_genome(of=50)}, {"seed": 50}, {"epochs": 4}):
        assert stub_outcome(make_job(5, **change), SETUP) != stub_outcome(job, SETUP)


def test_longer_trainings_continue_shorter_ones() -> None:
    short, long = (
        stub_outcome(make_job(5, epochs=epochs), SETUP).history["val_loss"] for epochs in (3, 9)
    )
    assert long[:3] == short
    assert len(long) == 9


@pytest.mark.parametrize(
    ("name", "direction", "best"), [("val_loss", "min", min), ("val_accuracy", "max", max)]
)
def test_metrics_are_those_of_the_best_epoch(name: str, direction: str, best: object) -> None:
    outcome = stub_outcome(
        make_job(5, epochs=30), make_setup(Path(), objective={"name": name, "direction": direction})
    )
    assert callable(best)
    assert outcome.metrics[name] == best(outcome.history[name])
    assert all(map(math.isfinite, outcome.metrics.values()))


def test_a_share_of_the_genomes_diverges_or_fails() -> None:
    counts = Counter(
        stub_outcome(make_job(n), SETUP, Stub(diverge=0.3, fail=0.5)).state for n in range(400)
    )
    assert set(counts) == {TrialState.OK, TrialState.DIVERGED, TrialState.ERROR}
    assert 80 < counts[TrialState.DIVERGED] < 160
    assert 100 < counts[TrialState.ERROR] < 180


def test_a_share_of_the_genomes_needs_too_much_memory_unless_their_batches_are_cut() -> None:
    stub = Stub(oom=0.5, oom_always=0.5, diverge=0)
    states = [
        [stub_outcome(make_job(n, accumulation=parts), SETUP, stub).state for n in range(400)]
        for parts in (1, 2)
    ]
    whole, cut = (sum(state is TrialState.OOM_DEVICE for state in row) for row in states)
    assert 150 < whole < 250
    assert 60 < cut < 140
    assert all(
        a is TrialState.OOM_DEVICE
        for a, b in zip(*states, strict=True)
        if b is TrialState.OOM_DEVICE
    )
    export = make_export(5)
    assert (
        stub_outcome(export, SETUP, Stub(oom=1.0, oom_always=1.0, diverge=0)).state is TrialState.OK
    )


def test_a_full_disk_is_an_outcome_as_with_a_real_worker(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("no folder")
    outcome = run_stub(make_setup(tmp_path), make_job(5), lambda epoch, metrics: None)
    assert outcome.state is TrialState.LOST
    assert "cannot be written" in outcome.message


def test_limits_are_kept() -> None:
    outcome = stub_outcome(make_job(5), make_setup(Path(), limits={"parameters": 10}))
    assert outcome.state is TrialState.INFEASIBLE
    assert "limit of 10" in outcome.message


def test_what_must_be_read_must_be_there(tmp_path: Path) -> None:
    setup = make_setup(tmp_path)
    for job in (make_job(5, resume_from="none.npz"), make_export(5)):
        assert run_stub(setup, job, lambda epoch, metrics: None).state is TrialState.ERROR


def test_the_pool_answers_in_any_order_and_crashes_on_first_attempts_only(tmp_path: Path) -> None:
    orders = set()
    for _ in range(20):
        with StubPool(make_setup(tmp_path), capacity=4, stub=Stub(crash=1.0)) as pool:
            for trial in range(4):
                pool.submit(make_job(trial, attempt=trial % 2))
            reports = [
                report
                for _ in range(4)
                for report in pool.poll(0.0)
                if isinstance(report, Finished)
            ]
        orders.add(tuple(report.job.trial for report in reports))
        crashed = {
            report.job.trial for report in reports if report.outcome.state is TrialState.CRASHED
        }
        assert crashed == {0, 2}
    assert len(orders) > 1


def test_the_environment_sets_the_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Stub.from_environment() == Stub()
    monkeypatch.setenv(
        VARIABLE, json.dumps({"sleep": 0.01, "crash": 0.05, "environment": ["HOME"]})
    )
    assert Stub.from_environment() == Stub(sleep=0.01, crash=0.05, environment=("HOME",))
