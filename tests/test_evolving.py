"""`evonas.evolve`: what is given becomes a run like any other, or is refused by its argument."""

from __future__ import annotations

import datetime
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import evonas
from evonas.data.arrays import Arrays
from evonas.data.handing import gathered
from evonas.data.raw import Frame
from evonas.data.sources.given import Given, lay_down
from evonas.errors import EvonasError, InvalidInput, Stopped, UserError
from evonas.evolving import Order, evolve, searched
from evonas.memory import Memory
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.layout import GIVEN
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import SMALL_SPACE, Notes, content, stub_pools
from evonas.testing.stub_worker import Stub
from evonas.view import Run
from evonas.words import number

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 3
ROWS = pl.DataFrame(
    {
        "size": X[:, 0],
        "colour": np.array(["red", "green"])[(X[:, 1] > 0).astype(int)],
        "born": [datetime.date(2020, 1, 1 + row % 28) for row in range(60)],
        "house": [f"h{row % 12}" for row in range(60)],
        "income": np.array(["low", "mid", "high"])[Y],
    }
)


def stubbed(folder: Path, order: dict[str, Any], *args: Any, **given: Any) -> Run:
    """A run with stubs in the place of workers."""
    settings = {"seed": 0, "space": "auto", "budget": {"trials": 3}, "data": {}}
    pools = stub_pools(stub=Stub(diverge=0.0))
    settings |= {key: order[key] for key in settings if key in order}
    wanted = Order(order.get("name"), folder / "runs", settings, order.get("overrides", ()))
    observers = order.get("observers", ())
    return searched(wanted, gathered(*args, **given), observers, pool_factory=pools)


def test_arrays_become_a_run_that_needs_them_no_more(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {}, X, Y)
    assert run.is_finished
    assert run.directory == tmp_path / "runs" / "evolved"
    assert sum(run.counts.values()) == 60
    assert run.space.input == "vector"
    given = sorted(path.name for path in (run.directory / GIVEN).iterdir())
    assert given == ["arrays.json", "x.bin", "y.bin"]
    with RecordReader(run.layout.record) as record:
        assert list(record.meta("source")) == ["sha256"]
    # Its own config is one of any run.
    assert load_config(run.layout.config).config.data == run.config.data
    assert stubbed(tmp_path, {}, X, Y).directory.name == "evolved-2"


def test_lost_arrays_of_a_run_are_made_again_from_what_was_given(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {"name": "mine"}, X, Y)
    lost = run.directory / "data" / "x_train.npy"
    before = lost.read_bytes()
    lost.unlink()
    stubbed(tmp_path, {"name": "mine", "budget": {"trials": 4}}, X, Y)
    assert lost.read_bytes() == before


@pytest.mark.parametrize("frame", [ROWS, ROWS.to_dict(as_series=False)])
def test_a_frame_is_read_as_a_table(tmp_path: Path, frame: Any) -> None:
    run = stubbed(tmp_path, {"name": "people"}, frame, target="income")
    assert run.interface.classes == ("high", "low", "mid")
    schema = run.interface.input.fitted["schema"]
    kinds = {column["name"]: column["kind"] for column in schema["features"]}
    assert kinds == {"size": "number", "colour": "category", "born": "date", "house": "category"}


def test_targets_beside_a_frame_need_no_name(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {}, ROWS.drop("income"), X[:, 3], columns={"house": "ignore"})
    assert run.interface.task == "regression"
    assert len(run.interface.input.fitted["schema"]["features"]) == 3


def test_texts_and_rows_of_different_lengths(tmp_path: Path) -> None:
    texts = pl.Series([f"a {'good' if label else 'bad'} film" for label in Y % 2])
    run = stubbed(tmp_path, {}, texts, ["yes" if label else "no" for label in Y % 2])
    assert run.interface.input.kind == "text"
    rows = [np.arange(3 + row % 4, dtype=float) for row in range(60)]
    assert stubbed(tmp_path, {}, rows, Y).interface.input.kind == "sequence"


def test_words_of_python_are_words_and_none_is_a_gap(tmp_path: Path) -> None:
    def read(*given: Any, **more: Any) -> Arrays:
        handed = gathered(*given, **more)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        lay_down(folder, handed.arrays, handed.table, handed.validation)
        return Given(str(folder), **handed.settings).read(Memory())

    texts = ["NA", "null", "good one", "  lead"]
    assert list(read(texts * 15, Y, validation_data=(texts, Y[:4])).samples()["x_val"]) == texts
    assert list(read(texts * 15, Y).samples()["x"])[:4] == texts
    assert list(read({"a": X[:, 0]}, np.array(texts * 15)).y[:4]) == texts
    country = ["NA", None, "DE", "DE"] * 15
    x = read({"a": X[:, 0], "country": country}, Y).x
    assert isinstance(x, Frame)
    assert list(x.columns["country"][:3]) == ["NA", "", "DE"]
    years = np.array(["1970", "1971"] * 30, "datetime64[Y]")
    x = read({"a": X[:, 0], "since": years}, Y).x
    assert isinstance(x, Frame)
    assert list(x.columns["since"][:2]) == [0, 365]


def test_what_is_given_beside_the_samples_is_used(tmp_path: Path) -> None:
    run = stubbed(
        tmp_path, {"data": {"folds": 3}}, X, Y, sample_weight=np.ones(60), groups=np.arange(60) // 5
    )
    assert run.config.folds == 3
    assert run.config.to_json()["data"]["split"] == {"grouped": {}}
    assert (run.directory / "data" / "weight_train.npy").is_file()
    run = stubbed(tmp_path, {}, X, Y, validation_data=(X[:9], Y[:9]))
    assert run.counts["validation"] == 9


def test_columns_of_a_frame_may_say_what_is_beside_the_samples(tmp_path: Path) -> None:
    frame = ROWS.with_columns(pl.Series("weight", np.arange(60) % 2 + 1.0))
    run = stubbed(
        tmp_path,
        {},
        frame,
        target="income",
        groups="house",
        sample_weight="weight",
        validation_data=frame.head(12).with_columns(house=pl.lit("another")),
    )
    names = [column["name"] for column in run.interface.input.fitted["schema"]["features"]]
    assert names == ["size", "colour", "born"]
    assert run.counts["validation"] == 12
    assert (run.directory / "data" / "weight_train.npy").is_file()


NAN = np.where(np.arange(60) == 7, np.nan, X[:, 0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": X, "y": Y[:50]}, "y: needs one target for each sample. Received: 50 in y, 60 in x."),
        ({"x": X}, "y: is missing: the targets, one for each sample of x."),
        ({"x": X, "y": NAN}, "y: must be finite"),
        ({"x": X, "y": np.zeros(60, int)}, "y: "),
        ({"x": X, "y": [None, *Y[1:]]}, "y: holds Python objects"),
        ({"x": [[1, "a", None]] * 60, "y": Y}, "x: holds Python objects"),
        ({"x": "people.csv", "target": "a"}, "x: is a word, and samples are wanted: read the file"),
        ({"x": X, "y": Y, "target": "a"}, "target: tells of the columns of a frame"),
        ({"x": ROWS, "target": "incme"}, "target: there is no column 'incme'. Did you mean 'inc"),
        ({"x": ROWS, "target": "Income"}, "target: there is no column 'Income'. Did you mean 'inc"),
        ({"x": ROWS}, "target: is missing: the column that is to be predicted. Columns: size, "),
        ({"x": ROWS, "y": "income"}, "y: is a word. A column of x goes under target='income'."),
        ({"x": ROWS, "target": "income", "y": Y}, "target: names a column, and y is given, too."),
        ({"x": ROWS, "target": "income", "columns": {"size": "float"}}, "columns.size: must be "),
        ({"x": {"a": [1, 2], "b": [1]}, "target": "a"}, "x: all columns must have one length"),
        ({"x": X, "y": Y, "validation_data": X}, "validation_data: must be a pair (x, y)."),
        ({"x": X, "y": Y, "validation_data": (X, Y[:5])}, "validation_data[1]: needs one target"),
        ({"x": X, "y": Y, "sample_weight": [1, 2]}, "sample_weight: must hold finite numbers"),
        ({"x": X, "y": Y, "groups": [1, 2]}, "groups: must hold integers or words"),
        ({"x": X, "y": Y, "task": "classify"}, "task: must be classification"),
        ({"x": X, "y": Y, "space": "dense"}, "space: "),
        ({"x": X, "y": Y, "space": ["mlp"]}, "space: "),
        ({"x": X, "y": Y, "trials": 0}, "trials: must be a whole number of at least 1"),
        ({"x": X, "y": Y, "seed": "one"}, "seed: "),
        ({"x": X, "y": Y, "minutes": datetime.timedelta(1)}, "minutes: must be a word or a number"),
        ({"x": X, "y": Y, "name": 5}, "name: must be a word. Received: 5."),
        ({"x": X, "y": Y, "runs": 5}, "runs: must be the path of a folder"),
        ({"x": X, "y": Y, "overrides": [3]}, "overrides: must be a list of words"),
        ({"x": X, "y": Y, "overrides": None}, "overrides: must be a list of words"),
        ({"x": X, "y": Y, "overrides": "a=1"}, "overrides: must be a list of words"),
        ({"x": X, "y": Y, "overrides": ["data=5"]}, "overrides: `data.source.given.path` is wh"),
        ({"x": X, "y": Y, "overrides": ["epochs"]}, "overrides: epochs: must have the form key.pa"),
        (
            {"x": X, "y": Y, "overrides": ["data.source.given.path=/etc"]},
            "overrides: `data.source.given.path` is where the given data lie, and cannot be set.",
        ),
        ({"x": ROWS, "target": 3}, "target: must be the name of a column"),
        ({"x": ROWS, "target": []}, "target: must be the name of a column"),
        ({"x": ROWS, "target": "income", "columns": ["a"]}, "columns: must be a dict"),
        (
            {"x": ROWS, "target": "income", "sample_weight": "income"},
            "sample_weight: the column 'income' is the target.",
        ),
        (
            {
                "x": ROWS,
                "target": "income",
                "groups": "house",
                "validation_data": ROWS.head(6).with_columns(
                    house=pl.Series(["h0", "h1", "n", "n", "n", "m"])
                ),
            },
            "validation_data: 2 of its 4 groups in the column 'house' are in x, too",
        ),
        ({"x": {1: Y, "1": Y, "y": Y}}, "x: two columns have the name '1'."),
        ({"x": {"a": X[:, 0] + 1j, "y": Y}}, "x['a']: must hold numbers, words, dates or truth"),
        ({"x": {"a": [1j] * 60, "y": Y}}, "x['a']: must hold numbers, words, dates or truth"),
        ({"x": {"a": X[:, 0].astype("longdouble"), "y": Y}}, "x['a']: must hold numbers"),
        ({"x": {"a": Y.astype("timedelta64[s]"), "y": Y}}, "x['a']: must hold numbers"),
        ({"x": ["a \ud800 b", "c d"] * 30, "y": Y}, "x['x']: must hold numbers, words"),
        ({"x": [[], [1.0], [1.0, 2.0]] * 20, "y": Y}, "x: sample 0 (counted from 0) has no step"),
        ({"x": np.ma.masked_less(X, X.min() + 1e-9), "y": Y}, "x: holds 1 masked value, and a m"),
        ({"x": {"a": np.ma.masked_less(X[:, 0], 0), "y": Y}}, "x['a']: holds "),
        ({"x": X, "y": np.ma.masked_equal(Y, 1)}, "y: holds 20 masked values"),
        ({"x": X, "y": Y, "name": "a/b"}, "name: must be a safe folder name"),
        ({"x": X, "y": Y, "folds": 3, "validation_data": (X, Y)}, "validation_data: is given, and"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_argument_before_anything_is_trained(
    tmp_path: Path, given: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Workers would import for seconds, only to be ended.
    monkeypatch.setattr("evonas.evolving.early_workers", nullcontext)
    given = {"trials": 3, "runs": tmp_path, **given}
    with pytest.raises(InvalidInput) as raised:
        evolve(given.pop("x"), given.pop("y", None), **given)
    assert str(raised.value).startswith(words)
    # Nobody has written a config, and the folder is gone.
    assert str(tmp_path) not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_others_is_no_place_for_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"^name: .*mine is no run. .* There is notes.txt. Choose"):
        stubbed(tmp_path, {"name": "mine"}, X, Y)
    assert [one.name for one in folder.iterdir()] == ["notes.txt"]
    # A start that was cut off leaves what evonas makes, and is begun again.
    (folder / "notes.txt").unlink()
    (folder / "evolve.yaml").write_text("run: mi")
    assert stubbed(tmp_path, {"name": "mine"}, X, Y).is_finished


def test_the_last_note_is_the_result_and_where_it_lies(tmp_path: Path) -> None:
    notes = Notes()
    run = stubbed(tmp_path, {"observers": (notes,)}, X, Y)
    assert run.best is not None
    told = run.result["metrics"]
    words = f"finished: trial {run.best.id} has val_loss {number(told['val_loss'])}, test_loss "
    assert notes.texts[-1].startswith(words)
    assert notes.texts[-1].endswith(f"the model is {run.directory / 'best.keras'}")


def test_the_same_call_goes_on_and_another_one_is_refused(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {"name": "mine"}, X, Y)
    notes = Notes()
    again = stubbed(tmp_path, {"name": "mine", "observers": (notes,)}, X, Y)
    assert content(again.directory) == content(run.directory)
    assert "is finished, and this is its result" in notes.texts[0]
    longer = stubbed(tmp_path, {"name": "mine", "budget": {"trials": 5}}, X, Y)
    assert sum(trial.twin_of is None for trial in longer.trials) == 5
    for order, y, words in (
        ({"name": "mine", "seed": 1}, Y, "other arguments: seed was 0 and is 1"),
        (
            {"name": "mine", "budget": {"trials": 5}, "overrides": ["data.folds=null"]},
            Y,
            "folds was not given and is null",
        ),
        ({"name": "mine", "budget": {"trials": 5}}, Y[::-1], "a run with other data"),
    ):
        with pytest.raises(UserError, match=words):
            stubbed(tmp_path, order, X, y)


def test_a_refused_budget_of_a_run_is_told_by_its_argument_and_not_written(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {"name": "mine"}, X, Y)
    before = (run.directory / "evolve.yaml").read_text()
    with pytest.raises(InvalidInput, match=r"^trials: must be a whole number of at least 1"):
        stubbed(tmp_path, {"name": "mine", "budget": {"trials": 0}}, X, Y)
    with pytest.raises(InvalidInput, match=r"^trials: 3 trials are proposed already"):
        stubbed(tmp_path, {"name": "mine", "budget": {"trials": 1}}, X, Y)
    assert (run.directory / "evolve.yaml").read_text() == before


def test_a_refused_call_leaves_what_was_there(tmp_path: Path) -> None:
    refused = {"name": "mine", "budget": {"trials": 0}}
    with pytest.raises(InvalidInput):
        stubbed(tmp_path, refused, X, Y)
    assert not list(tmp_path.iterdir())
    # What a start that was cut off leaves is of evonas.
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "evolve.yaml").write_text("run: mi")
    with pytest.raises(InvalidInput):
        stubbed(tmp_path, refused, X, Y)
    assert [one.name for one in (tmp_path / "runs" / "mine").iterdir()] == ["evolve.yaml"]


@pytest.mark.parametrize("link", ["runs", "runs/mine"])
def test_a_link_to_nowhere_is_named(tmp_path: Path, link: str) -> None:
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to("nowhere")
    with pytest.raises(UserError, match=rf"{link} is a symbolic link to nowhere, which does not"):
        stubbed(tmp_path, {"name": "mine"}, X, Y)
    assert (tmp_path / link).is_symlink()


def test_a_run_of_a_config_is_not_taken_for_one_of_arrays(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {"name": "mine"}, X, Y)
    (run.directory / "evolve.yaml").unlink()
    with pytest.raises(UserError, match="was begun in another way"):
        stubbed(tmp_path, {"name": "mine"}, X, Y)


def test_further_settings_come_as_overrides(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL_SPACE)
    order = {"space": str(tmp_path / "small.yaml"), "overrides": ["training.epochs=7"]}
    run = stubbed(tmp_path, order, X, Y)
    assert (run.config.training.epochs, run.space.name) == (7, "small")


class Interrupt(Observer):
    """Presses Ctrl-C once, as the interrupt of a notebook does."""

    def on_progress(self, progress: object) -> None:
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_says_how_to_go_on_and_the_same_call_does(tmp_path: Path) -> None:
    with pytest.raises(Stopped) as raised:
        stubbed(tmp_path, {"observers": (Interrupt(),)}, X, Y)
    assert "make the same call with name='evolved'" in "".join(raised.value.__notes__)
    assert not evonas.load(tmp_path / "runs" / "evolved").is_finished
    run = stubbed(tmp_path, {"name": "evolved"}, X, Y)
    assert run.is_finished
    whole = stubbed(tmp_path, {"name": "whole"}, X, Y)
    assert content(run.directory) == content(whole.directory)


def test_a_call_that_was_cut_off_at_its_start_is_begun_again(tmp_path: Path) -> None:
    run = stubbed(tmp_path, {"name": "mine"}, X, Y)
    run.layout.record.unlink()
    assert stubbed(tmp_path, {"name": "mine"}, X[::-1], Y).is_finished


def test_a_notebook_shows_one_sentence_of_a_refusal_and_all_lines_of_a_bug() -> None:
    with pytest.raises(InvalidInput) as raised:
        gathered(X)
    told = "evonas.errors.InvalidData: y: is missing: the targets, one for each sample of x."
    assert raised.value._render_traceback_() == [told]
    with pytest.raises(EvonasError) as bug:
        raise EvonasError("a bug")
    assert "test_evolving.py" in "".join(bug.value._render_traceback_())


@pytest.mark.full
def test_a_real_search(tmp_path: Path) -> None:
    run = evolve(X, Y, trials=2, runs=tmp_path, overrides=["training.epochs=1"])
    assert run.best is not None
    assert run.best.model().predict(X[:2], verbose=0).shape == (2, 3)
