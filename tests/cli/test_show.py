"""`evonas show`: what it tells of a winner and of each trial, from the record."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from evonas import view
from evonas.cli import search, show, winner
from evonas.cli.trial_table import fitting
from evonas.evaluate.contract.pool import Finished
from evonas.testing import Stub, StubPool, make_run, work
from evonas.testing.runs import SMALL_SPACE
from evonas.trial import Lineage, Outcome, TrialState
from tests.command import run_evonas

SEED = "space: small\nlayers: [dense: {units: 4, activation: relu}]\n"
SEED += "optimizer: [adam: {learning_rate: 0.1}]\ntraining: [training]\n"

REASON = "ValueError: made up by the test, " + "and told at some length, " * 8 + "to its end"

TWO_OPS = SMALL_SPACE.replace("    ops:\n", "    ops:\n      layer_normalization: {}\n")


class Refusing(StubPool):
    """Every genome with a layer normalization is an error."""

    def poll(self, timeout):
        reports = []
        for report in super().poll(timeout):
            genome = json.dumps(report.job.genome.to_dict())
            if isinstance(report, Finished) and "layer_norm" in genome:
                report = Finished(report.job, Outcome(TrialState.ERROR, message=REASON))
            reports.append(report)
        return reports


def told(run: view.Run, *arguments: object, **environment: str) -> str:
    done = run_evonas("show", run.directory, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def line(text: str, start: str) -> str:
    """The only line that starts with this word."""
    (found,) = (one for one in text.splitlines() if one.split()[:1] == [start])
    return found


@pytest.fixture
def run(tmp_path: Path) -> view.Run:
    return work(make_run(tmp_path, "training.patience=2"), stub=Stub(diverge=0.0))


@pytest.fixture
def refused(tmp_path: Path) -> view.Run:
    """A run in which all genomes with one op fail."""
    root = make_run(tmp_path, "strategy=random", "budget.trials=16", space=TWO_OPS)
    run = work(root, pool=Refusing, stub=Stub(diverge=0.0))
    assert 1 < sum(trial.state is TrialState.ERROR for trial in run.trials) < 16
    return run


def test_a_run_is_shown_without_the_settings_of_strategies_pools_and_sources(run: view.Run):
    """To import them takes longer than to read a record of some thousand trials."""
    code = (
        "import sys\n"
        "from evonas.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'evonas.runtime.config.run_config', 'evonas.runtime.session'}"
        " & set(sys.modules)), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "show", str(run.directory)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith("Run ")
    assert done.stderr == "[]\n"


def test_the_winner_is_told_with_its_training_its_data_and_its_search(run: view.Run):
    text = told(run)
    card = run.result
    assert card is not None
    assert run.best is not None
    rate = card["training"]["optimizer"]["learning_rate"]
    assert f"adam; learning rate {rate:.4g}, constant" in line(text, "optimizer")
    assert "batches of 16; 3 of at most 3 epochs" in line(text, "training")
    strategy = line(text, "strategy")
    assert "evolution: guide none, population 5, selection tournament (size " in strategy
    assert "replacement elitist (elites 1)" in strategy
    assert "seeds" not in strategy, "there are none"
    data = line(text, "data")
    assert data.endswith(
        "data.npz: classification, 36 training, 12 validation and 12 test samples of shape 4,"
        " 3 classes (0, 1, 2)"
    )
    assert line(text, "space").endswith(f"small, {run.space.dimension} decisions")
    assert str(run.artefacts["card"]) in line(text, "card")
    assert str(run.layout.config) in line(text, "config")
    assert "y: the labels as they are in the data, 0 to 2." in text


def test_a_score_has_the_one_of_a_constant_prediction_beside_it(run: view.Run):
    assert run.result is not None
    # The stubs export nothing that was scored, and cards of older runs have no baseline.
    assert "baseline" not in told(run)
    stream = io.StringIO()
    baseline = {"val_loss": 1.0986, "val_accuracy": 0.375, "test_loss": 1.25}
    search.print_baseline(run, {"baseline": baseline}, Console(file=stream, width=300))
    assert stream.getvalue() == (
        "  baseline    validation loss 1.0986, accuracy 0.3750; test loss 1.2500"
        "  (predicting the shares of the classes in the training data for every sample)\n"
    )


def test_the_learning_curves_are_numbers_and_bars(run: view.Run):
    text = told(run)
    assert run.result is not None
    losses = run.result["history"]["val_loss"]
    words = next(one for one in text.splitlines() if " val_loss " in one and "from" in one)
    assert f"from {losses[0]:.4f} to {losses[-1]:.4f}" in words
    assert words[-3] == "█"
    assert words[-1] == "▁"
    assert [one for one in text.splitlines() if "val_accuracy  from" in one]


def test_text_that_is_not_unicode_gets_the_numbers_alone(run: view.Run):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    assert run.result is not None
    winner.print_curves(run.result, Console(file=stream, width=100))
    stream.flush()
    lines = written.getvalue().decode("ascii").splitlines()
    assert len(lines) == 3
    assert all("from" in words for words in lines)


@pytest.mark.parametrize(
    ("values", "best", "words"),
    [
        ([0.5], 1, "0.5000 after the only epoch"),
        ([0.5, 0.25], 2, "from 0.5000 to 0.2500"),
        ([0.5, 0.25, 0.3], 2, "from 0.5000 to 0.3000, 0.2500 at epoch 2"),
        ([0.5, 0.6], 1, "from 0.5000 to 0.6000"),
        ([0.5, 0.6, 0.7], None, "from 0.5000 to 0.7000"),
    ],
)
def test_a_curve_in_numbers(values: list[float], best: int | None, words: str):
    assert winner._curve(values, best) == words


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (
            {"name": "adam", "learning_rate": 0.0123456, "schedule": "constant"},
            "adam; learning rate 0.01235, constant schedule",
        ),
        (
            {
                "name": "momentum",
                "learning_rate": 1e-05,
                "schedule": "cosine",
                "final_fraction": 0.05,
                "nesterov": True,
            },
            "momentum; learning rate 1e-05, cosine schedule down to 0.05 of it; nesterov true",
        ),
        (
            {"name": "sgd", "learning_rate": 1.0, "schedule": "exponential"},
            "sgd; learning rate 1, exponential schedule down to 0.01 of it",
        ),
        ({"name": "mine", "schedule": "constant"}, "mine"),
    ],
)
def test_an_optimizer_in_words(optimizer: dict[str, object], words: str):
    assert winner.optimizer_in_words(optimizer) == words


def test_augmentation_in_words():
    training = {"batch_size": 32, "epochs": None, "best_epoch": None}
    layers = [{"name": "horizontal_flip"}, {"name": "rotation", "factor": 0.05}]
    assert winner.training_in_words({**training, "augmentation": layers}) == (
        "batches of 32; images changed by horizontal_flip and rotation (factor 0.05)"
    )
    assert winner.training_in_words({**training, "augmentation": []}) == "batches of 32"


def test_a_strategy_in_words():
    inner = {"evolution": {"population": 5, "seeds": ["a", "b"], "adaptation": {"fixed": {}}}}
    wrapped = {"seeded": {"inner": inner, "genomes": ["a"], "run": None, "count": 10}}
    assert winner.strategy_in_words(wrapped) == (
        "seeded: inner evolution (population 5, seeds a and b, adaptation fixed), genomes a,"
        " count 10"
    )
    assert winner.strategy_in_words({"random": {}}) == "random"


def test_json_has_the_whole_card(run: view.Run):
    data = json.loads(told(run, "--json"))
    card = data["result"]
    assert card == json.loads(run.artefacts["card"].read_text())
    assert run.best is not None
    assert card["genome"] == run.best.genome.to_dict()
    assert card["digest"] == run.best.genome.digest
    assert len(card["history"]["val_loss"]) == card["training"]["epochs"] == 3
    assert card["training"]["patience"] == 2
    assert card["data"]["samples"] == {"train": 36, "validation": 12, "test": 12}
    assert list(card["strategy"]) == ["evolution"]
    assert card["objectives"] == ["val_loss"]
    assert data["given_founder"] is None
    assert data["failing_ops"] == []


def test_a_card_of_an_older_evonas_is_shown_with_what_it_has(
    run: view.Run, capsys: pytest.CaptureFixture[str]
):
    known = ("trial", "classes", "input_shape", "metrics", "parameters", "flops", "layers")
    run.result = {name: value for name, value in (run.result or {}).items() if name in known}
    show._print_run(run, False)
    text = capsys.readouterr().out
    assert "The winner: trial" in text
    assert "optimizer" not in text


def test_a_winner_that_was_given_is_called_so(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(SEED)
    root = make_run(tmp_path, "strategy={seeded: {genomes: [./mine.yaml]}}", "budget.trials=3")

    class Best(StubPool):
        """The first trial is the best."""

        def poll(self, timeout):
            reports = list(super().poll(timeout))
            last = reports[-1]
            if isinstance(last, Finished) and last.job.trial == 0:
                metrics = {**last.outcome.metrics, "val_loss": 1e-6}
                reports[-1] = Finished(last.job, replace(last.outcome, metrics=metrics))
            return reports

    run = work(root, pool=Best, stub=Stub(diverge=0.0))
    words = "The winner is the founder ./mine.yaml; no trial improved on it."
    assert words in told(run)
    assert json.loads(told(run, "--json"))["given_founder"] == "./mine.yaml"


def test_a_winner_that_was_found_is_not(run: view.Run):
    assert "is the founder" not in told(run)


def test_a_single_trial_had_nothing_to_improve_on(run: view.Run):
    first = run.trials[0]
    proposal = replace(first.proposal, lineage=Lineage(("seed lenet5",)))
    given = replace(first, proposal=proposal)
    twin = replace(given, id=1, twin_of=0)
    words = "The winner is the founder lenet5"
    assert winner.founder_in_words([given, twin], given) == f"{words}."
    assert winner.founder_in_words(run.trials, given) == ""
    others = [given, *run.trials[1:]]
    assert winner.founder_in_words(others, given) == f"{words}; no trial improved on it."


def test_ops_that_no_genome_survived_are_named(
    refused: view.Run, capsys: pytest.CaptureFixture[str]
):
    (failing,) = refused.summary()["failing_ops"]
    count = failing["genomes"]
    words = f"All {count} genomes with `layer_normalization` failed ({count} error)."
    assert words in told(refused)
    # The same while the run goes on.
    refused.result = None
    refused.is_finished = False
    show._print_run(refused, False)
    assert words in capsys.readouterr().out


def test_the_table_has_epochs_seconds_rate_and_reason_and_a_pipe_gets_all(refused: view.Run):
    text = told(refused, "--trials")
    failed = [trial for trial in refused.trials if trial.state == "error"]
    # A duplicate names the trial whose outcome it has.
    assert text.count(REASON) == sum(trial.twin_of is None for trial in failed)
    (heading,) = (one for one in text.splitlines() if one.split()[:1] == ["trial"])
    names = ["generation", "state", "val_loss", "val_accuracy", "parameters", "epochs"]
    names += ["learning rate", "operator", "reason"]
    assert [name for name in names if name not in heading] == []
    assert refused.best is not None
    best = text.splitlines()[text.splitlines().index(heading) + 2].split()
    gene = refused.best.genome["optimizer"][0]
    assert best[0] == str(refused.best.id)
    assert best[6] == "3"
    assert f"{gene['learning_rate']:g}" in best


def test_a_narrow_window_keeps_what_matters_and_says_what_is_missing(refused: view.Run):
    text = told(refused, "--trials", COLUMNS="60")
    table = text.split("60 columns have no room for")[0]
    assert max(map(len, table.splitlines())) <= 60
    for name in ("trial", "state", "val_loss", "reason"):
        assert name in table
    assert "generation" in text.split("60 columns have no room for")[1].split(";")[0]
    for trial in refused.trials:
        if trial.fitness is not None:
            assert f"{trial.fitness.value:.4f}" in table


def test_columns_go_in_the_order_of_what_they_matter():
    names = ["trial", "generation", "state", "val_loss", "flops", "epochs", "seconds", "parents"]
    row = dict.fromkeys(names, "12345678")
    keep = ("trial", "state", "val_loss")
    assert fitting(names, [row], 200, keep) == names
    gone = []
    for width in range(100, 0, -1):
        kept = fitting(names, [row], width, keep)
        gone += [name for name in names if name not in kept and name not in gone]
    assert gone == ["parents", "generation", "flops", "seconds", "epochs"]


def test_no_objective_has_two_columns(tmp_path: Path):
    run = work(make_run(tmp_path, "objective=val_accuracy"), stub=Stub(diverge=0.0))
    (heading,) = (one for one in told(run, "--trials").splitlines() if one.split()[:1] == ["trial"])
    assert heading.count("accuracy") == 1


def test_each_of_several_objectives_has_one_column(tmp_path: Path):
    objectives = "objectives=[val_accuracy, parameters, flops]"
    root = make_run(tmp_path, "strategy={nsga2: {population: 5}}", objectives)
    run = work(root, stub=Stub(diverge=0.0))
    text = told(run, "--trials")
    heading = next(one for one in text.splitlines() if one.split()[:1] == ["trial"])
    assert [heading.count(name) for name in ("accuracy", "parameters", "flops")] == [1, 1, 1]
    assert "The front" in text


def test_json_of_the_trials_has_the_same_numbers(refused: view.Run):
    rows = json.loads(told(refused, "--trials", "--json"))["all_trials"]
    for row, trial in zip(rows, refused.trials, strict=True):
        gene = trial.genome["optimizer"][0]
        assert row["learning_rate"] == gene["learning_rate"]
        if trial.twin_of is not None:
            assert (row["epochs"], row["seconds"], row["message"]) == (None, None, "")
            continue
        assert row["message"] == (REASON if trial.state == "error" else "")
        if trial.state == "ok":
            assert row["epochs"] == 3
            assert row["seconds"] >= 0
