"""A replay with stubs: which training it is, what it is compared with, what it leaves alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from evonas import view
from evonas.cli.replay import command as replay_command
from evonas.errors import (
    InvalidConfig,
    InvalidData,
    InvalidRecord,
    NothingFeasible,
    NotRepeatable,
    UserError,
)
from evonas.files import sha256_of
from evonas.runtime.cpu import cpu
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.replay import Replay, plan_replay, run_replay
from evonas.testing.runs import make_run, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub, run_stub
from evonas.trial import TrialState

SHORT = ("strategy=random", "budget.trials=30")
STUB = Stub(diverge=0.15, fail=0.1, oom=0.4, oom_always=0.3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> view.Run:
    return work(make_run(tmp_path_factory.mktemp("replay"), *SHORT), stub=STUB)


def again(root: Path, trial: int, stub: Stub = STUB) -> Replay:
    return run_replay(
        plan_replay(root, trial), lambda epoch, metrics: None, partial(run_stub, stub=stub)
    )


def change(root: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(root / "run.db")
    with connection:
        connection.execute(statement, values)
    connection.close()


def find(run: view.Run, wanted: Callable[[view.RecordedTrial], bool]) -> view.RecordedTrial:
    return next(trial for trial in run.trials if wanted(trial))


@pytest.mark.parametrize("state", ["ok", "diverged", "error", "oom_device"])
def test_a_trial_ends_as_it_did(run: view.Run, state: str) -> None:
    trial = find(run, lambda trial: trial.state == state and trial.twin_of is None)
    done = again(run.directory, trial.id)
    assert (done.outcome.state, done.differences, done.is_compared) == (state, (), True)
    assert dict(done.outcome.metrics) == dict(trial.metrics)


def test_batches_are_cut_as_in_the_last_attempt(run: view.Run) -> None:
    cut = find(run, lambda trial: "accumulation_steps" in trial.metrics and trial.twin_of is None)
    whole = find(
        run, lambda trial: trial.state == "ok" and "accumulation_steps" not in trial.metrics
    )
    assert plan_replay(run.directory, cut.id).job.accumulation == 2
    assert plan_replay(run.directory, whole.id).job.accumulation == 1
    assert again(run.directory, cut.id).differences == ()


def test_a_twin_is_replayed_by_the_training_that_it_shares(run: view.Run) -> None:
    twin = find(run, lambda trial: trial.twin_of is not None and trial.state == "ok")
    plan = plan_replay(run.directory, twin.id)
    assert (plan.trial.id, plan.job.trial) == (twin.id, twin.twin_of)
    assert again(run.directory, twin.id).differences == ()


def test_the_run_is_left_alone_also_while_another_process_holds_it(run: view.Run) -> None:
    def picture() -> dict[str, str]:
        return {str(path): sha256_of(path) for path in run.directory.rglob("*") if path.is_file()}

    with Lock(Layout(run.directory)):
        before = picture()
        heard: list[int] = []
        plan = plan_replay(run.directory, 0)
        run_replay(
            plan,
            lambda epoch, metrics: heard.append(epoch),
            partial(run_stub, stub=Stub(diverge=0)),
        )
        assert picture() == before
    assert heard == [1, 2, 3]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    root = make_run(tmp_path, *SHORT)
    work(root, stub=Stub(diverge=0))
    return root


def test_what_differs_is_told(own: Path) -> None:
    trial = view.load(own).trials[3]
    metrics = {**trial.metrics, "val_loss": float(np.nextafter(trial.metrics["val_loss"], 9))}
    change(own, "update trial set metrics = ? where id = 3", json.dumps(metrics))
    (words,) = again(own, 3, Stub(diverge=0)).differences
    assert words.startswith(
        f"its val_loss is {metrics['val_loss']} in the record and {trial.metrics['val_loss']} in"
    )
    change(own, "update file set sha256 = 'x' where trial = 4")
    assert again(own, 4, Stub(diverge=0)).differences == ("its weights are other ones",)
    change(
        own,
        "update attempt set history = replace(history, '\"val_loss\":[', '\"val_loss\":[9.0,')"
        " where trial = 5",
    )
    (words,) = again(own, 5, Stub(diverge=0)).differences
    assert (
        words == "its val_loss differs from epoch 1 on (4 epochs in the record and 3 in the replay)"
    )
    failed = again(own, 6, Stub(diverge=0, fail=1.0))
    assert failed.differences[0].startswith(
        "it is `ok` in the record (without a word) and `error` in the replay"
    )


def test_another_cpu_and_other_versions_are_in_the_plan(own: Path) -> None:
    assert plan_replay(own, 0).versions == {}
    change(own, "update meta set value = json_set(value, '$.cpu', 'Z80') where key = 'versions'")
    assert plan_replay(own, 0).versions == {"cpu": ("Z80", cpu())}


def test_a_run_without_networks_is_not_called_damaged(own: Path) -> None:
    change(own, "update meta set value = 'null' where key = 'interface'")
    with pytest.raises(UserError, match="the run stub has no networks"):
        plan_replay(own, 0)
    change(own, "update meta set value = '[]' where key = 'interface'")
    with pytest.raises(InvalidRecord, match="damaged"):
        plan_replay(own, 0)


def test_what_makes_no_sense_to_replay_is_refused(own: Path) -> None:
    with pytest.raises(UserError, match="there is no trial 99 in"):
        plan_replay(own, 99)
    with pytest.raises(UserError, match="there is no run"):
        plan_replay(own / "nothing", 0)
    (own / "data" / "y_train.npy").write_bytes(b"nonsense")
    with pytest.raises(InvalidData, match=r"y_train\.npy.*missing or damaged"):
        plan_replay(own, 0)


def test_another_outcome_by_changed_code_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "replay_ops.py"
    plugin.write_text("")
    root = make_run(tmp_path, "plugins=[replay_ops]", "budget.trials=3")
    run = work(root, stub=Stub(diverge=0))

    def replayed(stub: Stub) -> None:
        worker = partial(run_stub, stub=stub)
        monkeypatch.setattr("evonas.runtime.replay.worker_of", lambda plan: worker)
        replay_command(str(root), run.trials[0].id, tmp_path)

    changed = "Besides, the code of replay_ops has changed since the run began."
    for text in ("", "# another comment"):
        plugin.write_text(text)
        replayed(Stub(diverge=0))
        with pytest.raises(NotRepeatable, match="is `ok` in the record") as raised:
            replayed(Stub(diverge=0, fail=1.0))
        assert raised.value.exit_code == 4
        assert str(raised.value).endswith(changed) == bool(text)
    plugin.unlink()
    with pytest.raises(InvalidConfig, match="there is no module replay_ops"):
        replayed(Stub(diverge=0))


def test_a_trial_without_an_outcome_is_trained_and_not_compared(tmp_path: Path) -> None:
    root = make_run(tmp_path, *SHORT)

    class Dies(StubPool):
        def poll(self, timeout: float) -> list[object]:  # type: ignore[override]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(root, pool=Dies)
    done = again(root, 0, Stub(diverge=0))
    assert done.outcome.state is TrialState.OK
    assert not done.is_compared


def test_a_run_without_anything_feasible_ends_so_each_time_it_is_resumed(tmp_path: Path) -> None:
    root = make_run(tmp_path, *SHORT, "limits.parameters=1")
    for _ in range(2):
        with pytest.raises(
            NothingFeasible, match=r"(?s)infeasible.*parameters: .*, more than the limit of 1"
        ) as raised:
            work(root, stub=STUB)
        assert raised.value.exit_code == 3
    assert again(root, 0).differences == ()
