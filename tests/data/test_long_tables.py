"""Long tables, a row a step; a column of weights; and a table of its own for the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.new_samples import new_samples
from evonas.data.prepared import WEIGHTS, DataSettings, prepare
from evonas.data.raw import Ragged
from evonas.data.sources import Table
from evonas.data.tables.reading import read_like
from evonas.data.tables.schema import Schema
from evonas.errors import InvalidData
from evonas.memory import Memory
from evonas.runtime.config.config_file import check

LONG = {
    "who": ["b", "b", "a", "b", "a", "c"],
    "t": [3, 1, 5, 2, 4, 9],
    "force": [0.3, 0.1, 0.5, 0.2, 0.4, 0.9],
    "tilt": [3, 1, 5, 2, 4, 9],
    "hand": ["left", "left", "right", "left", "right", "left"],
    "counts": [2, 2, 1, 2, 1, 0],
    "y": ["up", "up", "down", "up", "down", "down"],
}
KEYS = {"sequence": "who", "order": "t", "columns": {"hand": "ignore"}, "target": "y"}


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    lines = [",".join(columns)]
    lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path, **settings: Any) -> Any:
    return Table(str(path), **settings).read(Memory())


def refused(path: Path, **settings: Any) -> str:
    with pytest.raises(InvalidData) as caught:
        read(path, **settings)
    return str(caught.value)


def test_the_rows_of_an_id_are_a_sequence(tmp_path: Path) -> None:
    path = write(tmp_path / "long.csv", LONG)
    group = {**KEYS, "columns": {}, "group": "hand", "sample_weight": "counts"}
    arrays = read(path, **group)
    assert isinstance(arrays.x, Ragged)
    # By `t` within a sequence; the sequences in the order in which their ids come first.
    assert [item[:, 0].tolist() for item in arrays.x.items] == [[0.1, 0.2, 0.3], [0.4, 0.5], [0.9]]
    assert arrays.x.items[1].tolist() == [[0.4, 4], [0.5, 5]]
    assert arrays.y.tolist() == ["up", "down", "down"]
    assert arrays.groups.tolist() == ["left", "right", "left"]
    assert arrays.sample_weight.tolist() == [2, 1, 0]
    words = "column who: its 3 values are sequences of 1 to 3 steps, in order by the column t"
    assert any(words in note for note in arrays.notes)
    # Without `order`, as the rows are.
    free = read(path, **{**KEYS, "order": None, "columns": {"hand": "ignore", "t": "ignore"}})
    assert free.x.items[0][:, 0].tolist() == [0.3, 0.1, 0.2]
    # Another file is read alike, also without targets.
    few = write(tmp_path / "new.csv", {key: LONG[key][2:] for key in ("tilt", "force", "t", "who")})
    schema = Schema.from_json(arrays.schema)
    again = read_like(schema, few, Memory())
    assert isinstance(again, Ragged)
    assert again.items[0].tolist() == [[0.4, 4], [0.5, 5]]


@pytest.mark.parametrize(
    ("change", "keys", "words"),
    [
        ({}, {"sequence": "whom"}, "there is no column 'whom'. Did you mean 'who'?"),
        ({}, {"order": "T"}, "there is no column 'T'. Did you mean 't'?"),
        ({}, {"sequence": None}, "`sequence` names the column of their ids. Received: 't' without"),
        ({}, {"columns": {}}, "hand: holds words, and a channel of sequences must hold numbers"),
        ({}, {"sequence": "t", "order": None}, "each of the 6 rows has an id of its own"),
        ({"t": [3, 1, 5, 1, 4, 9]}, {}, "holds 1 twice in the sequence 'b', and each step needs"),
        ({"who": ["b", "", "a", "b", "a", "c"]}, {}, "who: is the id of a sequence, and must have"),
        ({"force": [1, 2, "", 4, 5, 6.5]}, {}, "force: has a gap in line 4, and a channel"),
        (
            {"y": ["up", "up", "down", "down", "down", "up"]},
            {},
            "y: must be the same in all rows of a sequence. Received: up and down in the sequence"
            " 'b', the second one in line 5",
        ),
        (
            {"counts": [2, 2, 1, 2, 4, 0]},
            {"sample_weight": "counts"},
            "counts: must be the same in all rows of a sequence. Received: 4.0 and 1.0",
        ),
    ],
)
def test_long_tables_that_cannot_be_meant(
    change: dict[str, list[Any]], keys: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "long.csv", {**LONG, **change})
    assert words in refused(path, **{**KEYS, **keys})


def people(rows: int, **more: list[Any]) -> dict[str, list[Any]]:
    rng = np.random.default_rng(rows)
    age = rng.normal(40, 9, rows).round(2)
    town = np.where(age + rng.normal(0, 5, rows) > 40, "Ulm", "Bonn")
    columns = {"age": list(age), "town": list(town), "counts": [1 + row % 3 for row in range(rows)]}
    return {**columns, "rich": [f"{value > 40}" for value in age], **more}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, "x", 1], "counts: must be a number. Received: 'x' in line 4"),
        ([1, -2, 1, 1], "counts: says what a row counts, and must be at least 0. Received: -2 in"),
        ([1, "", 1, 1], "counts: is what a row counts, and must have a value in each row"),
    ],
)
def test_weights_that_are_none(values: list[Any], words: str, tmp_path: Path) -> None:
    path = write(tmp_path / "few.csv", people(40, counts=values * 10))
    assert words in refused(path, target="rich", sample_weight="counts")


def test_weights_reach_the_training_and_are_no_feature(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", people(40))
    source = Table(str(path), target="rich", sample_weight="counts")
    prepared = prepare(DataSettings("table", source), tmp_path / "run")
    assert set(np.load(tmp_path / "run" / WEIGHTS["train"])) == {1, 2, 3}
    columns = prepared.interface.input.fitted["columns"] if prepared.interface else ()
    assert [one["name"] for one in columns] == ["age", "town"]
    assert any(
        "column counts: what a row counts, 1 to 3, and no feature" in n for n in prepared.notes
    )
    assert "there is no column 'count'. Did you mean 'counts'?" in refused(
        path, target="rich", sample_weight="count"
    )


def test_a_table_of_its_own_is_the_test_part(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", people(40))
    later = write(tmp_path / "later.csv", people(12, seen=["yes"] * 12))
    source = Table("people.csv", target="rich", test_path="later.csv").placed(tmp_path)
    arrays = source.read(Memory())
    assert len(arrays.y_test) == 12
    assert list(arrays.x_test.columns) == ["age", "town", "counts"]
    told = "\n".join(arrays.notes)
    assert "test_path: the test part is the 12 rows of later.csv" in told
    assert "test_path: 1 column of later.csv is in no other file and unused: seen" in told
    prepared = prepare(DataSettings("table", source), tmp_path / "run")
    assert prepared.counts == {"train": 32, "validation": 8, "test": 12}
    # What identifies the data has both files.
    before = source.mark()
    write(later, people(13))
    assert source.mark()["sha256"] == before["sha256"]
    assert source.mark() != before
    later.unlink()
    assert source.mark() == {}
    assert path.exists()


@pytest.mark.parametrize(
    ("columns", "keys", "words"),
    [
        ({"age": None, "aged": [1] * 12}, {}, "lacks the column 'age', which people.csv has"),
        (
            {"age": None, "aged": [1] * 12},
            {},
            "Did you mean 'aged'? Its columns: town, counts, rich",
        ),
        ({"rich": None}, {}, "lacks the column 'rich'"),
        ({"age": ["old"] * 12}, {}, "age: must be a number, or a gap. Received: 'old' in line 2"),
        ({}, {"group": "counts"}, "has 3 of its 3 groups in the column 'counts' in common with"),
        ({}, {"test_path": "people.csv"}, "names the file of `path`"),
    ],
)
def test_a_test_table_that_does_not_fit(
    columns: dict[str, Any], keys: dict[str, Any], words: str, tmp_path: Path
) -> None:
    write(tmp_path / "people.csv", people(40))
    other = {key: value for key, value in people(12, **columns).items() if value is not None}
    write(tmp_path / "later.csv", other)
    settings = {"target": "rich", "test_path": "later.csv", **keys}
    with pytest.raises(InvalidData) as caught:
        Table("people.csv", **settings).placed(tmp_path).read(Memory())
    assert words in str(caught.value)


def test_new_sequences_have_their_ids_for_names(tmp_path: Path) -> None:
    names = [f"w{row // 4}" for row in range(48)]
    force = np.random.default_rng(0).normal(size=48).round(3)
    columns = {"who": names, "force": list(force), "y": [row // 4 % 2 for row in range(48)]}
    path = write(tmp_path / "long.csv", columns)
    test = write(tmp_path / "test.csv", columns)
    source = Table(str(path), target="y", sequence="who", test_path=str(test))
    prepared = prepare(DataSettings("sequence", source), tmp_path / "run")
    assert prepared.counts["test"] == 12, "sequences, and no rows"
    assert prepared.interface is not None
    found = new_samples(test, prepared.interface, Memory())
    assert (found.called, list(found.names)) == ("who", [f"w{number}" for number in range(12)])
    assert found.notes == []


def test_keys_without_a_table_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.eye(4), y=np.arange(4))
    (tmp_path / "run.yaml").write_text(
        "space: mlp\nbudget: {trials: 1}\n"
        "data: {path: x.npz, sample_weight: w, sequence: id, test_path: x.npz}\n"
    )
    told = {issue.key: issue.message for issue in check(tmp_path / "run.yaml").problems}
    assert "An .npz file has the array `sample_weight` for it" in told["data.sample_weight"]
    assert "An .npz file has the array `lengths` for it" in told["data.sequence"]
    assert "has the arrays `x_test` and `y_test` for a test part" in told["data.test_path"]
