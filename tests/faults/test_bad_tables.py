"""Tables that cannot be used are refused before any training, with a message that helps."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.sources import Table
from evonas.errors import InvalidData
from evonas.memory import Memory
from evonas.runtime.config.data_config import DataConfig
from tests.command import run_evonas

ROWS = 60
rng = np.random.default_rng(0)
AGES = rng.integers(18, 80, ROWS)
SIZES = rng.normal(size=ROWS).round(6)
TOWNS = np.array(["Ulm", "Bonn", "Kiel"])[rng.integers(0, 3, ROWS)]
LABELS = np.array(["no", "yes"])[rng.integers(0, 2, ROWS)]


def csv(separator: str = ",", **columns: Any) -> str:
    """A table that is fine, with other or more columns; None leaves a column out."""
    known: dict[str, Any] = {"age": AGES, "size": SIZES, "town": TOWNS, "label": LABELS}
    known |= columns
    kept = {name.rstrip("_"): values for name, values in known.items() if values is not None}
    lines = [separator.join(kept)]
    for row in zip(*kept.values(), strict=True):
        lines.append(separator.join(map(str, row)))
    return "\n".join(lines) + "\n"


def one(values: Any, value: object, row: int = 5) -> list[Any]:
    """The values as words, with another one in this row, which is the line `row + 2`."""
    changed = [str(known) for known in values]
    changed[row] = str(value)
    return changed


GOOD = csv()
LINES = GOOD.splitlines()


def with_line(line: str, place: int = 6) -> str:
    """The good table with another line, counted from 0."""
    return "\n".join([*LINES[:place], line, *LINES[place + 1 :]]) + "\n"


DISTANT = np.datetime64("2026-01-31") + AGES
CASES: dict[str, tuple[str | bytes, dict[str, Any], tuple[str, ...]]] = {
    # The file
    "an empty file": ("", {}, ("data.csv", "is empty")),
    "only a header": (LINES[0], {}, ("no rows", "age, size, town, label")),
    "no header": ("1,2,0\n" * 30, {}, ("data.csv:1", "names of the columns", "1,2,0")),
    "one column": ("label\nyes\nno\n", {}, ("one column only", "semicolon", "separator")),
    "an Excel file": (b"PK\x03\x04" + b"\0" * 40, {}, ("Excel", "save the sheet as CSV")),
    "zero bytes": (b"a,label\n1,\0\n", {}, ("is no text", "zero bytes")),
    "Latin-1": (
        with_line("33,0.5,Köln,no").encode("latin-1"),
        {},
        ("data.csv:7", "not UTF-8", "Köln", "encoding: latin-1", "iconv"),
    ),
    "mixed encodings": (
        with_line("33,0.5,Köln,no").encode() + "34,0.5,Köln,no\n".encode("latin-1"),
        {},
        ("data.csv:62", "not UTF-8", "whole file"),
    ),
    "a damaged gzip file": (gzip.compress(GOOD.encode())[:-9], {}, ("damaged or cut short",)),
    "a damaged Parquet file": (b"PAR1 and nothing", {}, ("damaged Parquet file",)),
    # Rows
    "a row with more fields": (
        with_line("33,0.5,Ulm,Donau,no"),
        {},
        ("data.csv:7", "has 5 fields", "has 4", "comma", "quotation marks"),
    ),
    "a row with fewer fields": (with_line("33,0.5,no"), {}, ("data.csv:7", "3 fields", "gap")),
    "a nameless first column": (
        "age,label\n" + "".join(f"a{i},{AGES[i]},{LABELS[i]}\n" for i in range(ROWS)),
        {},
        ("data.csv:2", "All rows have one more", "Give it one"),
    ),
    "an empty line": (with_line(""), {}, ("data.csv:7", "this line is empty", "Delete it")),
    "a quotation without end": (
        with_line('33,0.5,"Ulm,no', ROWS),
        {},
        ("data.csv:61", "never closed"),
    ),
    "equal names": (csv(size=None).replace("age", "town"), {}, ("More than once: 'town'",)),
    # What is what
    "a misspelt target": (
        GOOD,
        {"target": "lable"},
        ("data.target", "no column 'lable'", "Did you mean 'label'", "age, size, town, label"),
    ),
    "a target in large letters": (GOOD, {"target": "LABEL"}, ("Did you mean 'label'",)),
    "no target": (
        GOOD.replace("label", "outcome"),
        {},
        ("data.target", "target: NAME", "Found", "none", "outcome"),
    ),
    "two targets by name": (csv(y=AGES), {}, ("data.target", "'label' and 'y'")),
    "a column that is not there": (
        GOOD,
        {"columns": {"twon": "category"}},
        ("data.columns", "no column 'twon'", "Did you mean 'town'"),
    ),
    "a target that is ignored": (
        GOOD,
        {"columns": {"label": "ignore"}},
        ("data.columns", "the target 'label'", "number or category", "ignore"),
    ),
    "a target that is the group": (GOOD, {"group": "label"}, ("data.group", "`target` as well")),
    # The target
    "a target with one value": (csv(label=["no"] * ROWS), {}, ("label", "one value", "'no'")),
    "a target with gaps": (
        csv(label=one(LABELS, "NA")),
        {},
        ("data.csv:7: label", "is the target", "a gap in 1 row of 60", "in line 7"),
    ),
    "a target of names": (
        csv(label=[f"name{i * i}" for i in range(ROWS)]),
        {},
        ("label", "cannot be the target", "60 different words"),
    ),
    "a target in disguise": (
        csv(income=np.where(LABELS == "yes", "high", "low")),
        {},
        ("income", "the target in disguise", "2 values", "of 'label'", "income: ignore"),
    ),
    "a target in another unit": (
        csv(pounds=SIZES * 2.2046, label=None),
        {"target": "size"},
        ("pounds", "in disguise", "correlation with 'size' is 1.000000"),
    ),
    "words among several targets": (
        GOOD,
        {"target": ("size", "town")},
        ("town", "several targets", "words"),
    ),
    # The columns
    "a word among numbers": (
        csv(size=one(SIZES, "unknown")),
        {},
        ("data.csv:7: size", "'unknown' is no number", "59 others", "gaps: ['unknown']"),
    ),
    "decimal commas": (
        csv(";", size=[str(size).replace(".", ",") for size in SIZES]),
        {},
        ("size", "decimal point", "1234.5"),
    ),
    "thousands": (
        csv(";", age=one(AGES, "1'234")),
        {},
        ("data.csv:7: age", '"1\'234"', "thousands is not guessed"),
    ),
    "an infinite number": (csv(size=one(SIZES, "-inf")), {}, ("data.csv:7: size", "'-inf'")),
    "dates that are none": (
        csv(day=one(DISTANT, "2026-02-30")),
        {},
        ("data.csv:7: day", "'2026-02-30' is no date", "other values are"),
    ),
    "days and months": (csv(day=["01/02/2026", "02/03/2026"] * 30), {}, ("day", "from the month")),
    "words that are to be numbers": (
        GOOD,
        {"columns": {"town": "number"}},
        ("data.csv:2: town", "must be a number", "in line 2, and 59 more"),
    ),
    "words that are to be truths": (
        csv(member=one(LABELS, "perhaps")),
        {"columns": {"member": "boolean"}},
        ("data.csv:7: member", "truth value", "'perhaps'"),
    ),
    "nothing to learn from": (
        csv(age=[1] * ROWS, size=np.arange(ROWS), town=[f"t{i}" for i in range(ROWS)]),
        {},
        ("no column is left", "age, because it has one value", "numbers the rows"),
    ),
    "a group with gaps": (
        csv(town=one(TOWNS, "")),
        {"group": "town"},
        ("data.csv:7: town", "is the group", "a gap in 1 row"),
    ),
    "a time that is none": (GOOD, {"time": "town"}, ("data.csv:2: town", "must be a number")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_table_is_refused(tmp_path: Path, case: str) -> None:
    content, settings, words = CASES[case]
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidData) as error:
        Table(str(path), **settings).read(Memory())
    # The folder is named after the test, whose name may hold any of the words.
    said = str(error.value).replace(str(tmp_path), "")
    assert [word for word in words if word not in said] == [], said


def test_a_good_table_is_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(GOOD)
    arrays = Table(str(path)).read(Memory())
    assert list(arrays.x.columns) == ["age", "size", "town"]


CONFIG = """
run: bad
space: mlp
data: {path: data.csv}
budget: {trials: 2}
"""


@pytest.mark.parametrize("case", ["a misspelt target", "a row with more fields"])
def test_a_check_tells_it(tmp_path: Path, case: str) -> None:
    content, settings, words = CASES[case]
    (tmp_path / "data.csv").write_text(str(content))
    keys = "".join(f", {key}: {value}" for key, value in settings.items())
    (tmp_path / "bad.yaml").write_text(CONFIG.replace("csv}", f"csv{keys}}}"))
    done = run_evonas("check", tmp_path / "bad.yaml")
    assert done.returncode == 2, done.stderr
    assert [word for word in words if word not in done.stderr] == []
    assert "Traceback" not in done.stderr


def test_a_key_of_tables_beside_another_source_is_refused() -> None:
    for settings in ({"path": "data.npz"}, {"name": "wine"}):
        found = DataConfig(**settings, target="label").problems()
        assert "`path` of a table" in found["target"]


def test_all_that_is_wrong_with_columns_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(csv(size=one(SIZES, "unknown"), age=one(AGES, "-"), label=["no"] * ROWS))
    with pytest.raises(InvalidData) as error:
        Table(str(path)).read(Memory())
    assert [problem.key for problem in error.value.problems] == ["age", "size", "label"]
