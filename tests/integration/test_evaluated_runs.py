"""Runs that a table or a function judges: simulated clock, budgets, order, resumes, refusals."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest

from evonas import api, lifecycle
from evonas.errors import InvalidConfig, InvalidData, Issue, NothingFeasible, UserError
from evonas.runtime.audit import audit
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content
from evonas.trial import TrialState
from tests.slow import few

OPS = "abcd"
SPACE = "space: s\ninput: none\nnetwork: {cell: {length: 3, ops: {a: {}, b: {}, c: {}, d: {}}}}\n"
CONFIG = """\
run: judged
space: ./s.yaml
evaluator: {table: {path: t.csv}}
objective: val_accuracy
strategy: {aging: {population: 5, sample: 2}}
training: {epochs: 9}
budget: {trials: 20}
pool: {simulated: {workers: 3}}
look_ahead: 5
"""
FUNCTION = """\
def evaluate(genome, epochs):
    value = sum("abcd".index(gene.op) for gene in genome["cell"])
    return {"val_accuracy": value, "test_accuracy": value - 1, "seconds": epochs * (1 + value)}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [
        "cell.0.op,cell.1.op,cell.2.op,val_accuracy@3,val_accuracy@9,test_accuracy@9,seconds@3,seconds@9"
    ]
    for number, ops in enumerate(itertools.product(OPS, repeat=3)):
        quality, seconds = number * 37 % 64, 1 + number * 11 % 23
        lines.append(
            f"{','.join(ops)},{quality / 2},{quality},{quality - 1},{seconds},{3 * seconds}"
        )
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "s.yaml").write_text(SPACE)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def create(folder: Path, *changes: str) -> Path:
    return lifecycle.create(load_config(folder / "c.yaml", changes), folder / "runs")[0]


def refusal(folder: Path, *changes: str) -> tuple[Issue, ...]:
    with pytest.raises((InvalidConfig, InvalidData)) as caught:
        create(folder, *changes)
    return caught.value.problems


def test_a_table_is_searched_from_a_config_to_a_card(folder: Path) -> None:
    run = api.run(folder / "c.yaml", runs=folder / "runs")
    assert run.is_finished
    assert not run.has_networks
    assert run.best is not None
    assert sum(trial.twin_of is None for trial in run.trials) == 20
    card = json.loads(run.artefacts["card"].read_text())
    assert card == run.result
    assert card["trial"] == run.best.id
    assert card["metrics"] == {
        **run.best.metrics,
        "test_accuracy": run.best.metrics["val_accuracy"] - 1,
    }
    assert set(card["fidelities"]) == {"3", "9"}
    assert all("test_accuracy" not in trial.metrics for trial in run.trials), (
        "the search sees no test data"
    )
    assert run.artefacts["genealogy"].is_file()
    assert "model" not in run.artefacts
    assert audit(run.directory).is_repeated
    assert json.loads(json.dumps(run.summary()))["budgets"] == {"trials": 20}
    for polite in (
        lambda: run.export(folder / "x.keras"),
        lambda: run.best.model(),
        lambda: run.interface,
    ):
        with pytest.raises(
            UserError, match=r"no networks: its genomes were judged by the table .*t\.csv"
        ):
            polite()


def test_a_function_is_searched_the_same_in_every_pool(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "my_problem_5.py").write_text(FUNCTION)
    monkeypatch.syspath_prepend(folder)
    python = ("evaluator={python: {function: 'my_problem_5:evaluate'}}", "plugins=[my_problem_5]")
    contents = []
    for pool in ("simulated: {workers: 4}", "inline: {}", "local: {workers: 2, devices: cpu}"):
        root = create(folder, *python, f"pool={{{pool}}}")
        run = lifecycle.work(root)
        assert run.result is not None
        assert run.result["metrics"]["test_accuracy"] == run.result["metrics"]["val_accuracy"] - 1
        contents.append(content(root))
    assert contents[0] == contents[1] == contents[2]


def test_the_number_of_simulated_workers_changes_times_and_nothing_else(folder: Path) -> None:
    ends, contents = [], []
    for workers in (1, 4):
        root = create(folder, f"pool.simulated.workers={workers}")
        lifecycle.work(root)
        contents.append(content(root))
        with RecordReader(root / "run.db") as record:
            attempts = record.attempts()
            ends.append(max(attempt.ended or 0.0 for attempt in attempts))
            busy = sum(attempt.seconds or 0.0 for attempt in attempts)
        assert ends[-1] >= busy / workers
    assert ends[0] == busy, "one worker does one after the other"
    assert ends[1] < ends[0] / 2
    assert contents[0] == contents[1]


def test_arrivals_in_a_simulation_repeat_themselves(folder: Path) -> None:
    runs = []
    for changes in (("deterministic=false",), ("deterministic=false",), ("deterministic=true",)):
        root = create(folder, *changes)
        lifecycle.work(root)
        assert audit(root).is_repeated
        with RecordReader(root / "run.db") as record:
            runs.append((record.content(), record.told_order()))
    assert runs[0] == runs[1]
    assert runs[0][1] != sorted(runs[0][1]), "some must be told out of order, or this shows nothing"
    assert runs[2][1] == sorted(runs[2][1])


class Kill(Observer):
    """Ends a session at its n-th event, each of which follows a commit."""

    def __init__(self, at: int) -> None:
        self.left = at

    def _count(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    on_submit = on_outcome = on_progress = _count


BUDGETS = ("budget={trials: 12}", "budget={seconds: 150}", "budget={epochs: 100}")


@pytest.mark.parametrize("order", ["deterministic=false", "deterministic=true"])
@pytest.mark.parametrize("budget", few(BUDGETS, BUDGETS[0]))
def test_killed_at_any_event_a_simulation_goes_on_as_if_nothing_had_happened(
    folder: Path, order: str, budget: str
) -> None:
    template = create(folder, order, budget)

    def copied() -> Path:
        shutil.rmtree(folder / "copy", ignore_errors=True)
        return Path(shutil.copytree(template, folder / "copy"))

    def outcome(root: Path) -> object:
        with RecordReader(root / "run.db") as record:
            ends = {
                attempt.trial: attempt.ended
                for attempt in record.attempts()
                if attempt.state != "abandoned"
            }
            return record.content(), record.told_order(), ends

    reference = copied()
    counter = Kill(-1)
    lifecycle.work(reference, [counter])
    expected, events = outcome(reference), -1 - counter.left
    assert events > 40
    for at in range(1, events + 1, 3):
        root = copied()
        with pytest.raises(KeyboardInterrupt):
            lifecycle.work(root, [Kill(at)])
        for again in (at % 7 + 1, 0):
            try:
                lifecycle.work(root, [Kill(again)])
            except KeyboardInterrupt:
                continue
        assert outcome(root) == expected, at


@pytest.mark.parametrize(
    "strategy",
    [
        "cma_es: {population: 4}",
        "particle_swarm: {population: 4}",
        "nelder_mead: {}",
        "differential_evolution: {population: 5}",
    ],
)
def test_searches_in_the_cube_told_on_arrival_are_killed_resumed_and_audited(
    folder: Path, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    failing = "    if genome['cell'][2].op == 'c':\n        raise ValueError('no')\n"
    (folder / "my_problem_6.py").write_text(FUNCTION.replace("    value", failing + "    value", 1))
    monkeypatch.syspath_prepend(folder)
    python = ("evaluator={python: {function: 'my_problem_6:evaluate'}}", "plugins=[my_problem_6]")
    template = create(
        folder, *python, f"strategy={{{strategy}}}", "deterministic=false", "budget.trials=20"
    )
    counter, reference = Kill(-1), Path(shutil.copytree(template, folder / "whole"))
    run = lifecycle.work(reference, [counter], is_new=True)
    assert run.is_finished
    assert any(trial.lineage.parents for trial in run.trials)
    states = {trial.state for trial in run.trials}
    assert states == {TrialState.OK, TrialState.ERROR}, "or failures are not tried"
    assert audit(reference).is_repeated
    events = -1 - counter.left
    for at in (7, events // 2, events - 5):
        root = Path(shutil.copytree(template, folder / str(at)))
        with pytest.raises(KeyboardInterrupt):
            lifecycle.work(root, [Kill(at)], is_new=True)
        lifecycle.work(root)
        assert content(root) == content(reference), at


def test_nothing_is_begun_when_the_seconds_are_spent(folder: Path) -> None:
    root = create(folder, "budget={seconds: 60}")
    run = lifecycle.work(root)
    with RecordReader(root / "run.db") as record:
        attempts = record.attempts()
    assert all(attempt.started < 60 for attempt in attempts)
    assert max(attempt.ended or 0.0 for attempt in attempts) >= 60
    states = {trial.state for trial in run.trials}
    assert states == {TrialState.OK, TrialState.CANCELLED}
    begun = {attempt.trial for attempt in attempts}
    assert {
        trial.id for trial in run.trials if trial.twin_of is None and trial.state is TrialState.OK
    } == begun


def test_epochs_are_charged_when_they_are_asked(folder: Path) -> None:
    run = lifecycle.work(create(folder, "budget={epochs: 100}"))
    assert sum(trial.twin_of is None for trial in run.trials) == 12, (
        "eleven nines are 99; the one that crosses is trained"
    )


def test_the_first_budget_that_is_spent_ends_the_run(folder: Path) -> None:
    run = lifecycle.work(create(folder, "budget={trials: 7, epochs: 1000, seconds: 100000}"))
    assert sum(trial.twin_of is None for trial in run.trials) == 7


class Seen(Observer):
    def __init__(self) -> None:
        self.progress = []

    def on_progress(self, progress):
        self.progress.append(progress)


@pytest.mark.parametrize("unit", ["trials", "epochs", "seconds"])
def test_progress_tells_of_every_kind_of_budget(folder: Path, unit: str) -> None:
    limit = {"trials": 10, "epochs": 90, "seconds": 80}[unit]
    seen = Seen()
    lifecycle.work(create(folder, f"budget={{{unit}: {limit}}}"), [seen])
    (last,) = seen.progress[-1].spent
    assert (last.unit, last.limit, seen.progress[-1].share) == (unit, limit, 1.0)
    shares = [progress.share for progress in seen.progress]
    assert shares == sorted(shares)
    halfway = next(progress for progress in seen.progress if progress.share >= 0.5)
    assert halfway.remaining is not None
    assert 0 < halfway.remaining <= halfway.elapsed * 1.01


REFUSED = [
    (("objective=val_acuracy",), "objective.direction", "missing"),
    (
        ("objective={name: val_acuracy, direction: max}",),
        "objective.name",
        "Did you mean 'val_accuracy'?",
    ),
    (("objective={name: speed, direction: max}",), "objective.name", "Allowed: val_accuracy."),
    (("objective=test_accuracy",), "objective", "which no search sees"),
    (("objective={name: val_accuracy, direction: min}",), "objective.direction", "is max"),
    (("training.epochs=5",), "training.epochs", "3, 9. Received: 5"),
    (("pool=local",), "pool", "simulated"),
    (("data={name: digits}",), "data", "exactly one"),
    (("evaluator={table: {path: none.csv}}",), "evaluator.table.path", "no such file"),
    (
        ("evaluator={python: {function: 'm:f'}}",),
        "evaluator.python.function",
        "not among the plugins",
    ),
    (("evaluator={python: {function: 'no_m:f'}}", "plugins=[no_m]"), "plugins", "no module no_m"),
    (
        ("evaluator={python: {function: 'm'}}",),
        "evaluator.python.function",
        "package.module:function",
    ),
    (("budget={}",), "budget.trials", "at least one"),
    (("budget={seconds: 0}",), "budget.seconds", "at least"),
    (("pool.simulated.workers=0",), "pool.simulated.workers", "at least 1"),
]


@pytest.mark.parametrize(("changes", "key", "words"), REFUSED)
def test_what_is_refused_before_anything_runs(
    folder: Path, changes: tuple[str, ...], key: str, words: str
) -> None:
    found = [problem for problem in refusal(folder, *changes) if problem.key == key]
    assert found
    assert words in found[0].message
    assert not (folder / "runs").exists() or not list((folder / "runs").iterdir())


def test_a_bad_table_is_refused_with_its_place(folder: Path) -> None:
    (folder / "t.csv").write_text((folder / "t.csv").read_text().replace("a,b,c,", "a,b,e,"))
    (found,) = refusal(folder)
    assert (Path(found.file).name, found.line, found.key) == ("t.csv", 8, "cell.2.op")


def test_keras_needs_a_space_of_networks_and_a_real_pool(folder: Path) -> None:
    keras = ("evaluator=null", "data={name: digits}", "objective=val_loss")
    assert any(
        "must be one of image, sequence, vector, table, text" in item.message
        for item in refusal(folder, *keras, "pool=local")
    )
    assert any("need a real pool" in item.message for item in refusal(folder, *keras))


def test_seconds_need_a_table_that_has_them(folder: Path) -> None:
    text = (folder / "t.csv").read_text().splitlines()
    (folder / "t.csv").write_text("\n".join(line.rsplit(",", 2)[0] for line in text))
    (found,) = refusal(folder, "budget={seconds: 10}")
    assert found.key == "budget.seconds"
    run = lifecycle.work(create(folder, "budget={trials: 5}", "pool.simulated.workers=1"))
    with RecordReader(run.layout.record) as record:
        assert max(attempt.ended or 0.0 for attempt in record.attempts()) == 45.0, (
            "an epoch counts as a second"
        )


def test_a_table_that_changes_under_a_run_is_noticed(folder: Path) -> None:
    root = create(folder)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.work(root, [Kill(20)])
    text = (folder / "t.csv").read_text()
    (folder / "t.csv").write_text(text.replace("37", "38"))
    with pytest.raises(InvalidData, match="another one than when the run began"):
        lifecycle.work(root)
    (folder / "t.csv").write_text(text)
    assert lifecycle.work(root).is_finished


def test_a_table_is_known_by_its_content_wherever_it_lies(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = create(folder)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.work(root, [Kill(20)])
    (folder / "elsewhere").mkdir()
    (folder / "t.csv").rename(folder / "elsewhere" / "t.csv")
    words = "table is missing. Put it back.*resume .*--set evaluator.table.path=PATH"
    with pytest.raises(InvalidData, match=words):
        lifecycle.work(root)
    (folder / "another.csv").write_text("x")
    for place, words in (("another.csv", "another content"), ("none.csv", "no such file")):
        with pytest.raises(InvalidConfig, match=words):
            lifecycle.work(root, overrides=[f"evaluator.table.path={folder / place}"])
    # Relative to where the user is, and absolute from then on.
    monkeypatch.chdir(folder)
    assert lifecycle.work(root, overrides=["evaluator.table.path=elsewhere/t.csv"]).is_finished
    monkeypatch.chdir("/")
    longer = lifecycle.work(root, overrides=["budget.trials=22"])
    assert len(longer.trials) >= 22
    with pytest.raises(InvalidConfig, match="cannot be changed on resume"):
        lifecycle.work(root, overrides=["evaluator={python: {function: 'a:b'}}", "plugins=[a]"])


def test_genomes_that_a_table_lacks_are_infeasible(folder: Path) -> None:
    header, *rows = (folder / "t.csv").read_text().splitlines()
    (folder / "t.csv").write_text("\n".join([header, *rows[:20]]))
    run = lifecycle.work(create(folder))
    assert {trial.state for trial in run.trials} == {TrialState.OK, TrialState.INFEASIBLE}
    (folder / "t.csv").write_text("\n".join([header, rows[0]]))
    with pytest.raises(NothingFeasible, match="the table has no such genome"):
        lifecycle.work(create(folder, "seed=1"))
