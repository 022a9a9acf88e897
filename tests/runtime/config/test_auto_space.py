"""`space: auto`: the data choose a shipped space, and the config is as if it had named it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from evonas.data.look import Look
from evonas.data.prepared import prepare
from evonas.errors import UserError
from evonas.genome import library, load_space
from evonas.runtime.config.auto_space import choose
from evonas.runtime.config.config_file import check, load_config
from evonas.runtime.config.recorded_run import read_inputs
from evonas.runtime.preparation import create_run
from evonas.runtime.record.reader import RecordReader

CONFIG = "space: auto\ndata: {name: NAME}\nbudget: {trials: 24}\n"


def written(folder: Path, name: str, more: str = "") -> Path:
    (folder / "run.yaml").write_text(CONFIG.replace("NAME", name) + more)
    return folder / "run.yaml"


@pytest.mark.parametrize(
    ("data", "space", "words"),
    [
        ("wine", "mlp", "178 rows of 13 numbers"),
        ("digits", "convnet", "1,797 images of 8x8"),
    ],
)
def test_the_data_choose_and_say_why(data: str, space: str, words: str, tmp_path: Path) -> None:
    loaded = load_config(written(tmp_path, data))
    assert (loaded.space.name, loaded.config.space) == (space, space)
    assert f"the space is {space}, because the data are {words}" in loaded.chosen
    assert loaded.chosen in loaded.warnings
    assert loaded.founders
    # What is recorded names the space, so another look at other data changes nothing.
    assert loaded.config.to_json()["space"] == space
    create_run(loaded, tmp_path / "run")
    with RecordReader(tmp_path / "run" / "run.db") as record:
        assert read_inputs(record).chosen == loaded.chosen
    named = load_config(written(tmp_path, data), [f"space={space}"])
    assert loaded.config.folds == 5, "few samples"
    assert named.config.folds is None, "only with `space: auto`"
    same = [f"space={space}", "data.folds=5"]
    # How long trainings are follows from the number of samples, which nobody has looked at here.
    training = loaded.config.training
    same += [f"training={{epochs: {training.epochs}, patience: {training.patience}}}"]
    again = load_config(written(tmp_path, data), same)
    assert (again.config, again.chosen) == (loaded.config, "")


@pytest.mark.parametrize(
    "said",
    ["folds=null", "split=random", "validation=0.3"],
)
def test_whoever_says_how_samples_are_split_has_no_folds(said: str, tmp_path: Path) -> None:
    loaded = load_config(written(tmp_path, "wine"), [f"data.{said}"])
    assert loaded.config.folds is None
    assert "folds" not in loaded.chosen


def test_each_kind_of_input_has_one_space_for_any_number_and_size() -> None:
    """The ranges of spaces of one kind leave no gap, and do not overlap."""
    spaces = [load_space(library.find("spaces", name)) for name in library.names("spaces")]
    chosen = [space for space in spaces if space.suits is not None]
    kinds = {space.input for space in chosen}
    assert {"image", "sequence", "vector"} <= kinds
    ends = {0, 1, 10**6}
    for space in chosen:
        for low, high in (space.suits.samples, space.suits.size):
            ends |= {low, max(low - 1, 0), *(() if high is None else (high, high + 1))}
    for kind, samples, size in itertools.product(kinds, ends, ends):
        fits = [s.name for s in chosen if s.input == kind and s.suits.fits(samples, size)]
        assert len(fits) == 1, (kind, samples, size, fits)
        assert choose(Look((kind,), samples, size, "data"))[0] == fits[0]


def test_data_that_no_space_suits_are_told_with_what_there_is() -> None:
    with pytest.raises(
        UserError, match=r"no shipped space suits the data, 3 smells\. Name a space"
    ):
        choose(Look(("smell",), 3, 1, "3 smells"))


def test_what_is_wrong_is_told_before_the_data_are_read(tmp_path: Path) -> None:
    (problem,) = check(written(tmp_path, "digts")).problems
    assert problem.key == "data.name"
    found = check(written(tmp_path, "digits", "strategy: evolutoin\n")).problems
    assert [one.key for one in found] == ["strategy"]
    (tmp_path / "e.yaml").write_text(
        "space: auto\nevaluator: {python: {function: 'mine:judge'}}\n"
        "plugins: [mine]\nbudget: {trials: 4}\n"
    )
    (tmp_path / "mine.py").write_text("def judge(genome):\n    return 0.0\n")
    messages = [str(one) for one in check(tmp_path / "e.yaml").problems]
    assert any("auto is for `data`" in words for words in messages), messages


def test_data_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    (tmp_path / "run.yaml").write_text(
        "space: auto\ndata: {path: ./bad.npz}\nbudget: {trials: 24}\n"
    )
    assert len(check(tmp_path / "run.yaml").problems) == 1
    np.savez(tmp_path / "good.npz", x=np.zeros((40, 20, 3)), y=np.arange(40) % 2)
    loaded = load_config(tmp_path / "run.yaml", ["data.path=./good.npz"])
    assert loaded.space.name == "recurrent"


def test_a_function_runs_once_for_the_space_and_the_run(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import numpy as np\n"
        "def load():\n"
        "    open(r'%s', 'a').write('called ')\n"
        "    x = np.random.default_rng(0).normal(size=(60, 3))\n"
        "    return {'x': x, 'y': x[:, 0] > 0, 'groups': np.arange(60) // 3}\n" % (tmp_path / "log")
    )
    data = "plugins: [slow]\ndata: {python: 'slow:load', group: groups}\nbudget: {trials: 24}\n"
    (tmp_path / "run.yaml").write_text(data)
    loaded = load_config(tmp_path / "run.yaml")
    settings = loaded.data_settings()
    first = prepare(settings, tmp_path / "one")
    assert (tmp_path / "log").read_text() == "called "
    # Nobody holds the arrays: whoever needs them once more reads them, and they are the same.
    again = prepare(settings, tmp_path / "two")
    assert (tmp_path / "log").read_text() == "called called "
    assert (first.fingerprint, first.notes) == (again.fingerprint, again.notes)
