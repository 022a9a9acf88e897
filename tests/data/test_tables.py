"""Tables: what is inferred of their columns, what is said of it, and another file read alike."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evonas.data.prepared import DataSettings, prepare
from evonas.data.raw import Frame
from evonas.data.sources import Table
from evonas.data.tables.cells import cells_of
from evonas.data.tables.kinds import infer
from evonas.data.tables.reading import read_like, targets_like, to_arrays
from evonas.data.tables.roles import Wanted
from evonas.data.tables.schema import Schema
from evonas.errors import InvalidData
from evonas.learning.interface import Interface
from evonas.memory import Memory
from evonas.runtime.config.data_config import DataConfig

ROWS = 40
COLUMNS: dict[str, list[Any]] = {
    "id": [100 + row for row in range(ROWS)],
    "age": [str(20 + row * 7 % 50) if row % 10 else "?" for row in range(ROWS)],
    "town": ["Ulm" if row % 3 else "Bonn" for row in range(ROWS)],
    "zip": [f"0{1000 + row % 4}" for row in range(ROWS)],
    "grade": [row % 4 for row in range(ROWS)],
    "member": ["yes" if row % 4 else "no" for row in range(ROWS)],
    "since": [f"2026-01-{1 + row * 3 % 28:02d}" for row in range(ROWS)],
    "country": ["DE"] * ROWS,
    "notes": [f"he said {row} nice words" for row in range(ROWS)],
    "income": ["high" if row % 5 else "low" for row in range(ROWS)],
}


def write(path: Path, columns: dict[str, list[Any]] = COLUMNS, separator: str = ",") -> Path:
    lines = [separator.join(columns)]
    lines += [separator.join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read(path: Path, **settings: Any) -> Any:
    return Table(str(path), **{"target": "income", **settings}).read(Memory())


def test_kinds_are_inferred_and_said(tmp_path: Path) -> None:
    arrays = read(write(tmp_path / "data.csv"))
    x = arrays.x.columns
    assert list(x) == ["age", "town", "zip", "grade", "member", "since"]
    assert x["age"].dtype == np.float64
    assert np.isnan(x["age"]).sum() == 4
    assert x["zip"][1] == "01001", "a zero in front is kept"
    assert x["member"].tolist() == [float(row % 4 > 0) for row in range(ROWS)]
    first = np.datetime64("2026-01-01")
    assert x["since"][0] == first.astype(int), "days since 1970"
    assert arrays.y.tolist() == COLUMNS["income"]
    said = "\n".join(arrays.notes)
    for words in (
        "target income: 2 different words in 40 rows",
        "column id: left out, because it numbers the rows",
        "column age: number, 4 gaps, 22 to 69",
        "column zip: category, 4 words; such as 01000, 01001, 01002",
        "column country: left out, because it has one value in all rows, 'DE'",
        "column notes: left out, because it holds texts",
        "column grade looks like codes, and is read as quantities",
        "columns: {grade: category}",
    ):
        assert words in said


def test_a_word_of_the_user_is_stronger(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv")
    kinds = {"grade": "category", "id": "number", "country": "category", "town": "ignore"}
    arrays = read(path, columns=kinds, group="zip", time="since")
    assert list(arrays.x.columns) == ["id", "age", "grade", "member", "country"]
    assert set(arrays.x.columns["grade"]) == {"0", "1", "2", "3"}
    assert set(arrays.groups) == {"01000", "01001", "01002", "01003"}
    assert arrays.time.dtype == np.float64


def test_the_keys_of_a_config_reach_the_table(tmp_path: Path) -> None:
    write(tmp_path / "data.csv")
    keys = {"target": ("income",), "columns": {"grade": "category"}, "group": "zip"}
    data = DataConfig(path="data.csv", **keys).placed(tmp_path)
    assert data.path == str(tmp_path / "data.csv")
    assert data.origin == data.path
    source = data.settings("vector").source
    arrays = source.read(Memory())
    assert set(arrays.groups) == {"01000", "01001", "01002", "01003"}
    assert arrays.x.columns["grade"].dtype.kind == "U"


def test_a_text_stands_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv")
    texts = read(path, text="notes").x
    assert texts[3] == "he said 3 nice words"
    alone = {name: COLUMNS[name] for name in ("notes", "income")}
    assert read(write(tmp_path / "text.tsv", alone, "\t")).x.tolist() == COLUMNS["notes"]


def test_every_form_of_a_file_gives_the_same(tmp_path: Path) -> None:
    wanted = read(write(tmp_path / "data.csv"))
    others = [
        write(tmp_path / "data.tsv", separator="\t"),
        write(tmp_path / "semicolons.csv", separator=";"),
        write(tmp_path / "data.csv.gz"),
        tmp_path / "bom.csv",
        tmp_path / "windows.csv",
        tmp_path / "wide.csv",
    ]
    text = (tmp_path / "data.csv").read_text()
    (tmp_path / "bom.csv").write_text(text, encoding="utf-8-sig")
    (tmp_path / "windows.csv").write_bytes(text.replace("\n", "\r\n").encode())
    (tmp_path / "wide.csv").write_text(text, encoding="utf-16")
    for path in others:
        found = read(path)
        assert list(found.x.columns) == list(wanted.x.columns)
        assert b"".join(found.x.content()) == b"".join(wanted.x.content()), path.name
        assert found.notes == wanted.notes


@pytest.mark.parametrize("row", ['{0},5" pipe,{1}', '{0}, "x, {0}",{1}'])
def test_a_quotation_mark_within_a_field_is_said_with_its_line(row: str, tmp_path: Path) -> None:
    rows = ['0,"good\n""one""",1', *(row.format(i, i % 2) for i in range(30))]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    wanted = rf'data.csv:4: a quotation mark \("\) stands within .* Received: .{rows[1]}'
    with pytest.raises(InvalidData, match=wanted):
        Table(str(tmp_path / "data.csv"), target="y").read(Memory())


def test_quotation_marks_keep_commas_and_line_feeds(tmp_path: Path) -> None:
    words = ['"a, b"', '"c\nd"', '"say ""e"""', "f"] * 10
    path = write(tmp_path / "data.csv", {"word": words, "age": COLUMNS["age"], "y": words})
    arrays = Table(str(path), columns={"word": "category"}).read(Memory())
    assert arrays.x.columns["word"][:4].tolist() == ["a, b", "c\nd", 'say "e"', "f"]
    path.write_text(path.read_text().replace("34", "old", 1))
    with pytest.raises(InvalidData, match=r"data.csv:6: age"):
        Table(str(path), columns={"word": "category", "age": "number"}).read(Memory())


def test_a_table_of_numbers_alone(tmp_path: Path) -> None:
    numbers = [float(row) for row in range(ROWS)]
    numbers[3] = float("nan")
    frame = pl.DataFrame({"a": numbers, "y": [row % 2 for row in range(ROWS)]})
    frame.write_parquet(tmp_path / "data.parquet")
    arrays = read(tmp_path / "data.parquet", target="y")
    np.testing.assert_array_equal(arrays.x.columns["a"], numbers)
    assert cells_of(frame, ()).stripped == ()
    words = frame.with_columns(b=pl.lit(" u"), c=pl.lit("v"))
    assert cells_of(words, ("?",)).stripped == ("b",)


def test_a_frame_and_parquet_keep_their_types(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "age": [1.5, None, 2.5, float("nan")] * 10,
            "code": ["07", "8", None, "9"] * 10,
            "member": [True, False, None, True] * 10,
            "day": pl.Series([0, 1, 2, 20_000] * 10).cast(pl.Date),
            "y": list(range(20)) * 2,
        }
    )
    frame.write_parquet(tmp_path / "data.parquet")
    columns = Table(str(tmp_path / "data.parquet")).read(Memory()).x.columns
    assert columns["code"][:4].tolist() == ["07", "8", "", "9"], "words stay words"
    assert np.isnan(columns["age"][:4]).tolist() == [False, True, False, True]
    assert columns["member"][:2].tolist() == [1.0, 0.0]
    assert columns["day"][3] == 20_000
    arrays = to_arrays(cells_of(frame, Wanted().all_gaps), Wanted())
    assert isinstance(arrays.x, Frame)
    assert b"".join(arrays.x.content()) == b"".join(Frame(columns).content())


@pytest.mark.parametrize(
    ("target", "values", "kind"),
    [
        ("whole numbers", ["3", "5"], "i"),
        ("fractions", ["3.0", "5.5"], "f"),
        ("words", ["yes", "no"], "U"),
        ("codes with zeros", ["01", "02"], "U"),
    ],
)
def test_targets_are_what_they_are_written_as(
    tmp_path: Path, target: str, values: list[str], kind: str
) -> None:
    noise = [f"{row * row % 17}.5" for row in range(ROWS)]
    path = write(tmp_path / "data.csv", {"x": noise, target: values * 20})
    y = Table(str(path), target=target).read(Memory()).y
    assert y.dtype.kind == kind
    assert [str(value) for value in y[:2]] == values


def test_several_targets_are_columns(tmp_path: Path) -> None:
    noise = [f"{row * row % 17}.5" for row in range(ROWS)]
    columns: dict[str, list[Any]] = {"x": noise, "a": [row % 2 for row in range(ROWS)]}
    columns["c"] = [row * 7 % 5 for row in range(ROWS)]
    path = write(tmp_path / "data.csv", columns)
    y = Table(str(path), target=("a", "c")).read(Memory()).y
    assert y.shape == (ROWS, 2)
    assert y.dtype.kind == "i"


def test_the_schema_reads_another_file_alike(tmp_path: Path) -> None:
    first = read(write(tmp_path / "data.csv"), gaps=("unknown",))
    schema = Schema.from_json(json.loads(json.dumps(first.schema)))
    few = {name: values[:3] for name, values in COLUMNS.items() if name != "id"}
    few["town"] = ["Rom", "unknown", "Ulm"]
    found = read_like(schema, write(tmp_path / "new.tsv", few, "\t"), Memory())
    assert isinstance(found, Frame)
    assert list(found.columns) == list(first.x.columns)
    assert found.columns["town"].tolist() == ["Rom", "", "Ulm"]
    assert found.columns["since"].tolist() == first.x.columns["since"][:3].tolist()
    assert targets_like(schema, tmp_path / "new.tsv", Memory()).tolist() == first.y[:3].tolist()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"town": None},
            r"new.csv: the column 'town' is missing, and the model was trained with it."
            r" If nothing is known of it, add an empty column of this name: its values are gaps",
        ),
        (
            {"age": ["1", "2", "old"]},
            r"new.csv:4: age: must be a number, or a gap. Received: 'old'",
        ),
        ({"since": ["2026-01-02", "soon", ""]}, r"new.csv:3: since: must be a date"),
        ({"member": ["yes", "no", "2"]}, r"new.csv:4: member: must be a truth value"),
    ],
)
def test_another_file_with_other_values_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    schema = Schema.from_json(read(write(tmp_path / "data.csv")).schema)
    few = {name: values[:3] for name, values in COLUMNS.items()} | changes
    columns = {name: values for name, values in few.items() if values is not None}
    with pytest.raises(InvalidData, match=words):
        read_like(schema, write(tmp_path / "new.csv", columns), Memory())


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("2026-01-02", 20455.0),
        ("2026/1/2", 20455.0),
        ("2.1.2026", 20455.0),
        ("20260102", 20455.0),
        ("2026-01-02 12:00", 20455.5),
        ("2026-01-02T12:00:00", 20455.5),
        ("2026-01-02 12:00:00.000", 20455.5),
        ("2026-01-02T12:00:00Z", 20455.5),
        ("2026-01-02T12:00:00+06:00", 20455.25),
    ],
)
def test_forms_of_dates(tmp_path: Path, word: str, day: float) -> None:
    columns = {"day": [word, word.replace("2026", "2025")] * 20, "income": COLUMNS["income"]}
    arrays = read(write(tmp_path / "data.csv", columns))
    assert arrays.x.columns["day"][:2].tolist() == [day, day - 365]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "4more"], "category"),
        ([str(row * row) for row in range(60)], "number"),
        ([str(row + 7) for row in range(60)], "ignore"),
        ([str(2**60 + row * row) for row in range(60)], "ignore"),
        ([f"word{row * row}" for row in range(60)], "ignore"),
        (["T", "F", "NA"], "boolean"),
        (["a", "b"] * 30, "category"),
        (["1e5", "-2.5", "+3"], "number"),
        (["5-6", "7-8"], "category"),
    ],
)
def test_what_a_column_holds(values: list[str], kind: str) -> None:
    cells = cells_of(pl.DataFrame({"x": values}), Wanted().all_gaps)
    assert infer(replace(cells, is_text=True), "x").kind == kind


def test_a_run_keeps_how_its_table_was_read(tmp_path: Path) -> None:
    source = Table(str(write(tmp_path / "data.csv")), target="income")
    prepared = prepare(DataSettings("vector", source), tmp_path / "run")
    assert prepared.interface is not None
    recorded = Interface.from_json(json.loads(json.dumps(prepared.interface.to_json())))
    schema = Schema.from_json(recorded.input.fitted["schema"])
    found = read_like(schema, tmp_path / "data.csv", Memory())
    assert isinstance(found, Frame)
    assert list(found.columns) == ["age", "town", "zip", "grade", "member", "since"]
    assert prepared.notes[0] == "target income: 2 different words in 40 rows"


def test_a_file_of_text_has_the_usual_gaps_if_the_table_had_none(tmp_path: Path) -> None:
    """A frame of Python writes a gap as None, a CSV as NA."""
    frame = pl.DataFrame({"a": [1.0, None, 3.0] * 10, "y": ["p", "q"] * 15})
    wanted = Wanted(target=("y",), usual_gaps=())
    schema = Schema.from_json(to_arrays(cells_of(frame, wanted.all_gaps), wanted).schema)
    assert schema.gaps == ()
    (tmp_path / "new.csv").write_text("a,b\nNA,1\n2,1\n")
    found = read_like(schema, tmp_path / "new.csv", Memory())
    np.testing.assert_array_equal(found.columns["a"], [np.nan, 2.0])
