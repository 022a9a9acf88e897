"""The main job with real Keras trainings, through the command line as a user starts it; small."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import evonas
from evonas.genome import changes
from evonas.model.formats.keras_file import keras_needed
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content
from tests.command import run_evonas

CHECKOUT = Path(__file__).parents[2]
EVOLUTION = (
    "strategy={evolution: {population: 5, seeds: [lenet5], replacement: {elitist: {elites: 2}}}}"
)
SMALL = ("budget.trials=10", "training.epochs=2", "look_ahead=4", EVOLUTION)


def said(*arguments: object, cwd: Path) -> str:
    """What evonas prints, where it must succeed."""
    done = run_evonas(*arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def settings(*changes: str) -> list[str]:
    return [part for change in (*SMALL, *changes) for part in ("--set", change)]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("a user's folder, with %41 & ünïcode")


@pytest.fixture(scope="module")
def finished(work):
    """A finished run of the shipped config, made small.

    At its end the driver says whether it has TensorFlow.
    """
    code = (
        "import sys; sys.argv = ['evonas', *sys.argv[1:]]\n"
        "from evonas.cli.app import main\n"
        "try: main()\n"
        "finally: print('HEAVY', [m for m in ('tensorflow', 'keras') if m in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, "run", "digits", *settings()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=work)
    assert done.returncode == 0, done.stderr
    return done.stdout, work / "runs" / "digits"


def test_the_user_sees_progress_the_winner_its_scores_and_what_to_do_next(finished):
    out, _ = finished
    for words in (
        "10/10 trials",
        "ETA",
        "best ",
        "failed",
        "The winner: trial",
        "parameters",
        "FLOPs",
        "validation",
        "baseline    validation loss ",
    ):
        assert words in out
    for words in (
        "test ",
        "best.keras",
        "best.json",
        "genealogy.svg",
        "run.db",
        "evonas genealogy",
        "evonas export",
    ):
        assert words in out


def test_the_driver_never_imports_tensorflow(finished):
    out, _ = finished
    assert out.splitlines()[-1] == "HEAVY []"


def test_a_seed_genome_is_in_the_first_generation(finished):
    _, root = finished
    first = evonas.load(root).trials[0]
    assert first.lineage.operator == "seed lenet5"
    assert [gene.op for gene in first.genome["features"]] == ["conv2d", "average_pooling"] * 2


def test_plain_keras_repeats_the_scores_of_the_export_on_raw_arrays(finished):
    _, root = finished
    script = CHECKOUT / "benchmarks" / "plain_keras.py"
    files = [
        root / "best.keras",
        root / "best.json",
        root / "data/test/x.npy",
        root / "data/test/y.npy",
    ]
    done = subprocess.run(
        [sys.executable, str(script), *map(str, files)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    known = {image.astype("float32").tobytes() for image in load_digits().images}
    assert all(image.tobytes() in known for image in np.load(files[2])), (
        "raw: as scikit-learn gives them"
    )
    assert found["samples"] == 359
    assert found["accuracy"] == found["recorded_accuracy"]
    assert found["loss"] == pytest.approx(found["recorded_loss"], abs=1e-6)
    # The labels of digits are class numbers, so that Keras's own `evaluate` takes them as they are.
    assert found["evaluated_accuracy"] == pytest.approx(found["recorded_accuracy"], abs=1e-6)
    assert found["evaluated_loss"] == pytest.approx(found["recorded_loss"], rel=1e-5)


def test_the_card_has_the_labels_and_matches_the_record(finished):
    _, root = finished
    card, run = json.loads((root / "best.json").read_text()), evonas.load(root)
    assert card == run.result
    assert card["classes"] == list(range(10))
    assert card["input_shape"] == [8, 8]
    assert card["keras"] == keras_needed(card["versions"])
    assert card["keras"]["made_with"] == metadata.version("keras")
    assert run.best is not None
    assert card["trial"] == run.best.id
    assert card["metrics"]["val_loss"] == pytest.approx(run.best.metrics["val_loss"], abs=1e-6)


def test_the_genealogy_is_true(finished):
    import networkx as nx

    _, root = finished
    run = evonas.load(root)
    graph = run.genealogy()
    assert nx.is_directed_acyclic_graph(graph)
    assert sorted(graph.nodes) == [trial.id for trial in run.trials]
    assert graph.number_of_edges() > 0
    for trial in run.trials:
        assert graph.nodes[trial.id]["fitness"] == (
            None if trial.fitness is None else trial.fitness.value
        )
    for parent, child, edge in graph.edges(data=True):
        assert edge["operator"] == run.trials[child].lineage.operator
        assert tuple(edge["changes"]) == changes(
            run.trials[parent].genome, run.trials[child].genome
        )


def test_list_show_genealogy_export_and_check_answer_in_words_and_in_json(finished, work):
    _, root = finished
    assert "runs/digits" in said("list", cwd=work)
    assert json.loads(said("list", "--json", cwd=work))[0]["finished"] is True
    shown = said("show", "digits", "--trials", cwd=work)
    assert "The winner" in shown
    assert "crossover" in shown or "sample" in shown
    data = json.loads(said("show", "runs/digits", "--json", "--trials", cwd=work))
    assert len(data["all_trials"]) == len(evonas.load(root).trials)
    # the other forms: tests/cli/test_genealogy.py
    for form, start in (("text", "How trial"), ("svg", "<svg")):
        assert said("genealogy", "digits", "--format", form, cwd=work).startswith(start)
    assert json.loads(said("check", "digits", "--json", cwd=work))["ok"] is True


def test_any_successful_trial_can_be_exported_and_only_the_winner_has_a_test_score(finished, work):
    _, root = finished
    run = evonas.load(root)
    assert run.best is not None
    said("export", "digits", "--to", "winner.keras", cwd=work)
    assert (work / "winner.keras").read_bytes() == (root / "best.keras").read_bytes()
    other = next(
        trial for trial in run.trials if trial.fitness is not None and trial.id != run.best.id
    )
    card = json.loads(said("export", "digits", other.id, "--to", "other.keras", "--json", cwd=work))
    assert card["metrics"]["val_loss"] == pytest.approx(other.metrics["val_loss"], abs=1e-6)
    assert not any(name.startswith("test_") for name in card["metrics"])
    assert json.loads((work / "other.json").read_text()) == card
    wrong = run_evonas("export", "digits", "--to", "winner.h5", cwd=work)
    assert wrong.returncode == 2
    assert "ends in .keras" in wrong.stderr


@pytest.mark.full
def test_weights_that_were_deleted_are_trained_again_to_the_very_same_bytes(finished, work):
    _, root = finished
    run = evonas.load(root)
    other = next(
        trial
        for trial in reversed(run.trials)
        if trial.fitness is not None and trial.id != run.best.id
    )
    before = run.weights(other).read_bytes()
    run.weights(other).unlink()
    done = run_evonas("export", "digits", other.id, "--to", "again.keras", "--json", cwd=work)
    assert done.returncode == 0, done.stderr
    assert "it is trained again" in done.stderr
    assert "not quite the same" not in done.stderr
    assert json.loads(done.stdout)["metrics"]["val_loss"] == pytest.approx(
        other.metrics["val_loss"], abs=1e-6
    )
    again = evonas.load(root)
    assert again.weights(other).read_bytes() == before
    assert again.trials == run.trials
    assert again.is_finished


@pytest.mark.full
def test_the_model_from_python_scores_what_the_record_says(finished):
    _, root = finished
    code = (
        f"import evonas, numpy as np; run = evonas.load({str(root)!r}); model = run.best.model()\n"
        f"x, y = (np.load({str(root)!r} + f'/data/{{n}}_validation.npy') for n in 'xy')\n"
        "accuracy = (model.predict(x, verbose=0).argmax(axis=1) == y).mean()\n"
        "assert abs(accuracy - run.best.metrics['val_accuracy']) < 1e-6, accuracy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_finished_run_is_left_as_it_is(finished, work):
    _, root = finished
    before = content(root)
    assert "The winner" in said("resume", "digits", cwd=work)
    assert content(root) == before


def test_the_search_never_opens_the_test_data(work, tmp_path):
    """They are away while it runs, and come back for the end."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom evonas import lifecycle\n"
        "from evonas.runtime.config.config_file import load_config\n"
        "from evonas.runtime.loop.observer import Observer\n"
        "root, _ = lifecycle.create(load_config('digits', sys.argv[2:]), Path(sys.argv[1]))\n"
        "test, away = root / 'data/test', root / 'away'\n"
        "class Hide(Observer):\n"
        "    def on_start(self, progress): test.rename(away)\n"
        "    def on_end(self, progress): away.rename(test)\n"
        "print(lifecycle.work(root, [Hide()]).result['metrics']['test_accuracy'])\n"
    )
    arguments = [*SMALL, "budget.trials=2", "training.epochs=1"]
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) <= 1


@pytest.mark.parametrize("kills", [1, pytest.param(2, marks=pytest.mark.full)])
def test_two_workers_and_kills_and_then_one_worker_give_the_same_record(finished, work, kills):
    _, reference = finished
    name = f"killed-{kills}"
    killed = work / "runs" / name
    command = [str(Path(sys.executable).with_name("evonas"))]
    start = [*command, "run", "digits", *settings(f"run={name}")]
    for number in range(kills):
        seen = len(outcomes(killed))
        with subprocess.Popen(
            start if number == 0 else [*command, "resume", name], cwd=work, stdout=-3
        ) as process:
            while len(outcomes(killed)) < seen + 2 and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, (
                "it must be killed before it ends, or this shows nothing"
            )
    said("resume", name, "--set", "pool.local.workers=1", cwd=work)
    assert content(killed) == content(reference)


def outcomes(root: Path) -> list[int]:
    if not (root / "run.db").exists():
        return []
    with RecordReader(root / "run.db") as record:
        return [
            attempt.trial
            for attempt in record.attempts()
            if attempt.state not in ("running", "abandoned")
        ]


def test_ctrl_c_finishes_what_runs_and_says_how_to_go_on(finished, work):
    """And a second run of a config has a directory of its own."""
    second = work / "runs" / "digits-2"
    command = [str(Path(sys.executable).with_name("evonas")), "run", "digits", *settings()]
    with subprocess.Popen(
        command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while len(outcomes(second)) < 1 and process.poll() is None:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        _, complaint = process.communicate()
    assert process.returncode == 130
    assert f"evonas resume runs{os.sep}digits-2" in complaint
    with RecordReader(second / "run.db") as record:
        assert all(attempt.state not in ("running", "abandoned") for attempt in record.attempts())
