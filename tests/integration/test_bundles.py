"""A bundle of a real training: every form says what the search said, and a stranger can use it."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas import lifecycle, view
from evonas.errors import EvonasError, UserError
from evonas.export.bundling import wanted_forms
from evonas.export.manifest import damaged
from evonas.export.prediction import predict
from evonas.genome.genome_file import load_genome
from evonas.model.formats import FORMATS
from evonas.runtime.config.config_file import load_config
from tests.command import run_evonas
from tests.integration.test_taken_home import LABELS, finished

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""

PEOPLE = """
space: tabular
data: {path: people.csv, target: rich, split_seed: 3}
training: {epochs: 2}
budget: {trials: 1}
strategy: random
pool: inline
"""

ANSWERS = """
import sys
sys.modules["evonas"] = None
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> view.Run:
    words = np.array(LABELS)[np.random.default_rng(1).integers(0, 3, 120)]
    folder = tmp_path_factory.mktemp("bundles")
    return finished(folder, "words", words, "adamw: {learning_rate: 0.0625}")


@pytest.fixture(scope="module")
def bundle(run: view.Run) -> Path:
    """The bundle of the winner, in the forms that need nothing besides evonas."""
    folder = run.directory.parent / "bundle"
    run.bundle(folder, forms=["keras", "saved_model", "source"])
    return folder


@pytest.fixture(scope="module")
def card(bundle: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bundle / "model.json").read_text())
    return found


def test_all_is_there_and_whole(bundle: Path) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == [
        "MODEL_CARD.md",
        "genome.yaml",
        "labels.txt",
        "manifest.json",
        "model.json",
        "model.keras",
        "requirements.txt",
        "run.yaml",
        "saved_model",
        "signature.json",
        "source",
    ]
    assert damaged(bundle) == []


def test_every_form_has_proved_itself(run: view.Run, card: dict[str, Any]) -> None:
    assert list(card["forms"]) == ["keras", "saved_model", "source"]
    assert run.best is not None
    for form in card["forms"].values():
        assert form["difference"] <= form["tolerance"] == 1e-6
        assert form["latency_ms"] > 0
        assert form["bytes"] > 0
        for name, value in form["metrics"].items():
            assert value == pytest.approx(run.best.metrics[name], rel=1e-5)
    low, high = card["intervals"]["val_accuracy"]
    assert low < card["metrics"]["val_accuracy"] < high
    assert card["metrics"]["test_accuracy"] == run.result["metrics"]["test_accuracy"]
    assert card["left_out"] == {}


def test_the_labels_stand_in_the_order_of_the_answers(
    run: view.Run, bundle: Path, tmp_path: Path
) -> None:
    """With labels in another order, the score would be another one."""
    labels = np.array((bundle / "labels.txt").read_text().split())
    x = run.directory / "data" / "x_validation.npy"
    command = [sys.executable, "-c", ANSWERS, bundle / "model.keras", x, tmp_path / "answers.npy"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    said = labels[np.load(tmp_path / "answers.npy").argmax(axis=1)]
    codes = np.load(run.directory / "data" / "y_validation.npy")
    right = np.array(run.interface.classes)[codes]
    assert run.best is not None
    assert (said == right).mean() == pytest.approx(run.best.metrics["val_accuracy"])
    assert list(labels) == sorted(LABELS)


def test_the_genome_begins_another_search_and_the_config_another_run(
    run: view.Run, bundle: Path
) -> None:
    assert run.best is not None
    genome = load_genome(bundle / "genome.yaml", run.space)
    assert genome.digest == run.best.genome.digest
    assert load_config(bundle / "run.yaml", []).config.seed == run.config.seed


def test_evonas_predicts_with_the_bundles_model(bundle: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "new.npz", x=np.zeros((3, 5), np.float32))
    found = predict(bundle / "model.keras", tmp_path / "new.npz")
    assert len(found.rows) == 3
    assert found.rows[0][0] in LABELS


def test_the_requirements_are_those_of_this_machine(bundle: Path) -> None:
    from importlib import metadata

    lines = dict(line.split("==") for line in (bundle / "requirements.txt").read_text().split())
    assert set(lines) == {"keras", "numpy", "tensorflow"}
    assert {name: metadata.version(name) for name in lines} == lines


def test_the_page_says_what_it_is(bundle: Path, card: dict[str, Any]) -> None:
    page = (bundle / "MODEL_CARD.md").read_text()
    assert page.startswith(f"# Trial {card['trial']} of the run words\n")
    for title in ("Forms", "Data", "Scores", "Training and lineage", "Versions", "Limits of use"):
        assert f"\n## {title}\n" in page
    accuracy = card["metrics"]["test_accuracy"]
    assert f"| test_accuracy | {accuracy:.4g} |" in page
    assert "* classes, in the order of the answers: apple, fig, plum" in page


def test_the_card_has_the_errors_and_neighbours_of_the_test(
    run: view.Run, bundle: Path, card: dict[str, Any]
) -> None:
    """The bundle is made later, while the test data stay closed."""
    for name in ("errors", "neighbours"):
        assert card[name] == run.result[name]
    page = (bundle / "MODEL_CARD.md").read_text()
    for row, label in zip(card["errors"]["confusion"], card["classes"], strict=True):
        line = next(one for one in page.splitlines() if one.startswith(f"| {label} | "))
        assert line.startswith(f"| {label} | {sum(row)} | ")
        assert line.endswith(f" | {' | '.join(map(str, row))} |")
    assert "| linear model | loss " in page


def test_the_code_trains_further(bundle: Path, run: view.Run) -> None:
    model = runpy.run_path(str(bundle / "source" / "model.py"))["load_model"]()
    x = np.load(run.directory / "data" / "x_validation.npy")
    y = np.load(run.directory / "data" / "y_validation.npy")
    before = model.evaluate(x, y, verbose=0, return_dict=True)
    assert run.best is not None
    assert before["accuracy"] == pytest.approx(run.best.metrics["val_accuracy"])
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_damage_is_seen(bundle: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    for name in ("model.keras", "labels.txt"):
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content[:-3])
    (copy / "genome.yaml").unlink()
    assert damaged(copy) == ["genome.yaml", "labels.txt", "model.keras"]
    with pytest.raises(UserError, match=r"manifest.json is no manifest"):
        damaged(tmp_path)


def test_what_cannot_be_bundled_is_refused_before_anything_is_made(
    run: view.Run, bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"bundle is there already, and a bundle is a new folder"):
        run.bundle(bundle)
    with pytest.raises(UserError, match=r"is in the run's own directory"):
        run.bundle(run.directory / "bundle")
    with pytest.raises(UserError, match=r"there is no folder .*nowhere to export to"):
        run.bundle(tmp_path / "nowhere" / "bundle")
    with pytest.raises(UserError, match=r"Received: kears.*Did you mean 'keras'"):
        run.bundle(tmp_path / "bundle", forms=["kears"])
    assert list(tmp_path.iterdir()) == []


def test_a_form_whose_libraries_are_missing_is_left_out_or_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FORMATS["source"], "modules", ("no_such_module",))
    monkeypatch.setattr(FORMATS["source"], "extra", "none")
    wanted = wanted_forms([])
    words = "needs no_such_module: pip install 'evonas[none]'"
    assert "source" not in wanted.forms
    assert wanted.left_out["source"] == words
    with pytest.raises(UserError, match=r"the format source needs no_such_module: pip install"):
        wanted_forms(["source"])


def test_the_command_prints_a_row_for_each_form(run: view.Run, tmp_path: Path) -> None:
    done = run_evonas("export", run.directory, "--as", "source", "--to", tmp_path / "taken")
    assert done.returncode == 0, done.stderr
    assert f"to {tmp_path / 'taken'}" in " ".join(done.stdout.split())
    assert "source" in done.stdout
    assert "val_accuracy" in done.stdout
    both = ("--as", "source", "--format", "keras", "--to", tmp_path / "both")
    refused = run_evonas("export", run.directory, *both)
    assert refused.returncode == 2
    assert "--as makes a bundle" in refused.stderr


EXTRAS = ["onnx", "litert", "litert_int8"]
"""Forms that need libraries besides those of evonas."""


def test_the_forms_of_other_runtimes_say_the_same_or_tell_their_own_score(
    run: view.Run, tmp_path: Path
) -> None:
    missing = [name for form in EXTRAS for name in FORMATS[form]().missing()]
    if missing:
        pytest.skip(f"not installed: {missing}")
    card = run.bundle(tmp_path / "bundle", forms=EXTRAS)
    assert run.best is not None
    assert damaged(tmp_path / "bundle") == []
    assert list(card["forms"]) == EXTRAS
    for name in ("onnx", "litert"):
        form = card["forms"][name]
        assert form["tolerance"] == 1e-5
        assert form["difference"] <= 1e-5
        accuracy = run.best.metrics["val_accuracy"]
        assert form["metrics"]["val_accuracy"] == pytest.approx(accuracy)
    scaled = card["forms"]["litert_int8"]
    assert scaled["tolerance"] is None
    # Otherwise it would be one of floats.
    assert scaled["difference"] > 1e-5
    assert abs(scaled["metrics"]["val_loss"] - run.best.metrics["val_loss"]) < 0.2
    lines = (tmp_path / "bundle" / "requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in lines] == ["ai-edge-litert", "numpy", "onnxruntime"]
    x = np.load(run.directory / "data" / "x_validation.npy")
    for name, code in guide_code().items():
        if (tmp_path / "bundle" / name).exists():
            check_guide(code, tmp_path / "bundle", x, run)


def test_the_guides_lines_predict(run: view.Run, bundle: Path, tmp_path: Path) -> None:
    x = np.load(run.directory / "data" / "x_validation.npy")
    found = [name for name in guide_code() if (bundle / name).exists()]
    assert found == ["model.keras", "source", "saved_model"]
    for name in found:
        check_guide(guide_code()[name], bundle, x, run)


def guide_code() -> dict[str, str]:
    """The lines of the guide that predict, by the file of a bundle that they load."""
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
    blocks = re.findall(r"```python\n# (\S+?):.*?\n(.*?)```", text, flags=re.DOTALL)
    return dict(blocks)


def check_guide(code: str, folder: Path, x: np.ndarray[Any, Any], run: view.Run) -> None:
    """Run lines of the guide in a bundle, without evonas, and score the answers."""
    assert len(code.splitlines()) <= 6
    np.save(folder.parent / "x.npy", x)
    lines = [
        "import sys",
        "sys.modules['evonas'] = None",
        "import numpy as np",
        f"x = np.load({str(folder.parent / 'x.npy')!r})",
        code,
        f"np.save({str(folder.parent / 'answers.npy')!r}, answers)",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    codes = np.load(run.directory / "data" / "y_validation.npy")
    found = (np.load(folder.parent / "answers.npy").argmax(axis=1) == codes).mean()
    assert run.best is not None
    assert found == pytest.approx(run.best.metrics["val_accuracy"], abs=0.05)


def test_an_unfaithful_form_fails_the_export_and_is_named(
    run: view.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool of this run is inline, so the worker is this process."""
    write = FORMATS["saved_model"].write

    def with_a_fault(form: Any, model: Any, path: Path) -> None:
        weights = model.get_weights()
        model.set_weights([1.01 * weight for weight in weights])
        write(form, model, path)
        model.set_weights(weights)

    monkeypatch.setattr(FORMATS["saved_model"], "write", with_a_fault)
    with pytest.raises(EvonasError, match=r"written as saved_model .*predicts something else"):
        run.bundle(tmp_path / "bundle", forms=["keras", "saved_model"])
    assert list(tmp_path.iterdir()) == []
    assert list((run.directory / "exports").iterdir()) == []


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> view.Run:
    """A run on a table with words and gaps."""
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(2)
    lines = ["age,colour,rich"]
    for age in rng.integers(18, 80, 120):
        colour = rng.choice(["red", "blue", ""])
        lines.append(f"{age},{colour},{'yes' if age > 50 else 'no'}")
    (folder / "people.csv").write_text("\n".join(lines))
    (folder / "c.yaml").write_text(PEOPLE)
    root, _ = lifecycle.create(load_config(folder / "c.yaml"), folder / "runs")
    return lifecycle.work(root)


def test_what_a_form_cannot_hold_is_left_out_or_refused(people: view.Run, tmp_path: Path) -> None:
    card = people.bundle(tmp_path / "bundle")
    assert list(card["forms"]) == ["keras", "saved_model", "source"]
    assert set(card["left_out"]) == set(EXTRAS)
    page = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    for name, why in card["left_out"].items():
        assert re.search(r"takes words \(colour\)|by raw samples of the training|needs ", why), why
        assert f"* {name}: {why}" in page
    if FORMATS["onnx"]().missing():
        pytest.skip("the extra onnx is not installed")
    with pytest.raises(UserError, match=r"cannot be exported as onnx: the network takes words"):
        people.bundle(tmp_path / "onnx", forms=["keras", "onnx"])
    assert not (tmp_path / "onnx").exists()
