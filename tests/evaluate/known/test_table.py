"""Tables: what a file may hold, and what is said about bad ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from evonas.errors import InvalidData
from evonas.evaluate.known import table as table_module
from evonas.evaluate.known.table import load_table
from evonas.genome import Genome, SearchSpace, parse_genome, parse_space, sample
from evonas.memory import Memory
from evonas.randomness import generator

SPACE = """\
space: mixed
input: none
network:
  cell:
    length: [1, 2]
    ops:
      conv: {filters: {choice: [8, 16]}, dropout: {float: [0.1, 0.5], off: 0.0}}
      skip: {}
settings:
  how: {ops: {sgd: {rate: {float: [1e-3, 1.0], log: true}, nesterov: {choice: [false, true]}}}}
"""

HEADER = (
    "cell.0.op,cell.0.filters,cell.0.dropout,cell.1.op,cell.1.filters,cell.1.dropout,how.0.rate,how.0.nesterov,"
    "loss@1,loss@3,seconds@1,seconds@3,parameters,#note"
)
ROWS = (
    "conv,8,0.2,skip,,,0.1,true,2.5,1.5,10,30,100,first",
    "conv,8,,,,,1e-3,false,2.25,nan,10,30,90,a default and an absent gene",
    "skip,,,conv,16,0.0,0.1,True,2,,10,31.5,80,",
)


@pytest.fixture
def space() -> SearchSpace:
    return parse_space(SPACE, "mixed.yaml")


def written(folder: Path, *rows: str, header: str = HEADER, name: str = "table.csv") -> Path:
    text = "\n".join([header, *rows]) + "\n"
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def genome(space: SearchSpace, text: str) -> Genome:
    return parse_genome(f"space: mixed\n{text}", "seed.yaml", space)


def test_every_row_is_found_by_its_genome(tmp_path: Path, space: SearchSpace) -> None:
    table = load_table(written(tmp_path, *ROWS), space)
    seeds = (
        "cell: [conv: {filters: 8, dropout: 0.2}, skip]\nhow: [sgd: {rate: 0.1, nesterov: true}]",
        "cell: [conv: {filters: 8}]\nhow: [sgd: {rate: 0.001}]",
        "cell: [skip, conv: {filters: 16}]\nhow: [sgd: {rate: 0.1, nesterov: true}]",
    )
    assert [table.row(genome(space, text)) for text in seeds] == [0, 1, 2]
    assert table.row(genome(space, "cell: [skip]\nhow: [sgd: {rate: 0.1, nesterov: true}]")) is None
    assert (len(table), table.fidelities, table.is_timed) == (3, (1, 3), True)


def test_metrics_by_fidelity(tmp_path: Path, space: SearchSpace) -> None:
    table = load_table(written(tmp_path, *ROWS), space)
    assert table.metrics == {1: ("loss", "parameters"), 3: ("loss", "parameters")}
    assert table.values(0, 1) == {"loss": 2.5, "parameters": 100.0}
    assert table.values(0, 3) == {"loss": 1.5, "parameters": 100.0}
    assert str(table.values(1, 3)["loss"]) == "nan"
    assert table.values(2, 3) == {"parameters": 80.0}, "an empty cell was not measured"
    assert [table.seconds(2, epochs) for epochs in (1, 3)] == [10.0, 31.5]


def test_a_compressed_table_is_the_same(tmp_path: Path, space: SearchSpace) -> None:
    table = load_table(written(tmp_path, *ROWS, name="table.csv.gz"), space)
    assert table.values(0, 1) == {"loss": 2.5, "parameters": 100.0}


def test_genomes_may_be_given_by_their_digests(tmp_path: Path) -> None:
    wired = parse_space(
        "space: w\ninput: none\nnetwork: {a: {length: 3, wiring: skip, ops: {x: {}, y: {}}}}",
        "w.yaml",
    )
    drawn = [sample(wired, generator(0, "sample", number)) for number in range(2)]
    rows = [f"{found.digest},{number}" for number, found in enumerate(drawn)]
    table = load_table(written(tmp_path, *rows, header="genome,loss@1"), wired)
    assert [table.row(found) for found in drawn] == [0, 1]
    assert table.seconds(0, 1) is None
    with pytest.raises(InvalidData, match="column `genome`"):
        load_table(written(tmp_path, "x,y,x,1", header="a.0.op,a.1.op,a.2.op,loss@1"), wired)


GOOD = ROWS[0]
BAD = [
    ((GOOD, GOOD), HEADER, 3, "the genome of line 2 again"),
    (
        (GOOD, ROWS[1], "conv,8,0.0,,,,0.001,false,1,1,1,1,1,"),
        HEADER,
        4,
        "the genome of line 3 again",
    ),
    ((), HEADER, 1, "no rows"),
    ((GOOD + ",7",), HEADER, 2, "15 cells; the header has 14"),
    ((GOOD.replace("conv", "convv"),), HEADER, 2, "Did you mean 'conv'?"),
    ((GOOD.replace("conv,8", "conv,9"),), HEADER, 2, "one of 8, 16. Received: '9'"),
    ((GOOD.replace("skip,,", "skip,8,"),), HEADER, 2, "must be empty: skip has no filters"),
    ((GOOD.replace("2.5", "2_5"),), HEADER, 2, "must be a number. Received: '2_5'"),
    ((GOOD.replace("2.5", "many"),), HEADER, 2, "must be a number. Received: 'many'"),
    ((GOOD.replace(",10,", ",-10,"),), HEADER, 2, "at least 0"),
    ((GOOD.replace(",10,", ",,"),), HEADER, 2, "at least 0"),
    ((GOOD,), HEADER.replace("how.0.rate", "how.0.rte"), 1, "columns are missing: how.0.rate."),
    ((GOOD,), HEADER.replace("loss@1", "loss@one"), 1, "no METRIC@EPOCHS"),
    ((GOOD,), HEADER.replace("loss@1", "größe@1"), 1, "of letters from a to z or A to Z, digits"),
    ((GOOD,), HEADER.replace("loss@1", "loss@3"), 1, "there twice"),
    ((GOOD,), HEADER.replace("loss@1", "parameters@1"), 1, "with `@1` and without"),
    ((GOOD,), HEADER.replace("seconds@1", "flops@1"), 1, "seconds are given at epochs 3 only"),
    ((GOOD,), HEADER.replace("@1", "_1").replace("@3", "_3"), 1, "no column METRIC@EPOCHS"),
]


@pytest.mark.parametrize(("rows", "header", "line", "words"), BAD)
def test_bad_tables_are_refused_with_file_and_line(
    tmp_path: Path, space: SearchSpace, rows: tuple[str, ...], header: str, line: int, words: str
) -> None:
    path = written(tmp_path, *rows, header=header)
    with pytest.raises(InvalidData) as caught:
        load_table(path, space)
    told = [problem for problem in caught.value.problems if words in problem.message]
    assert told, caught.value
    assert (told[0].file, told[0].line) == (str(path), line)


def test_double_columns_are_named_in_the_order_of_the_file(
    tmp_path: Path, space: SearchSpace
) -> None:
    names = ["zeta@1", "beta@1", "omega@1", "alpha@1", "kappa@1", "eta@1"]
    header = ",".join([HEADER, *names, *reversed(names)])
    with pytest.raises(InvalidData) as caught:
        load_table(written(tmp_path, GOOD + ",1" * 12, header=header), space)
    assert [problem.key for problem in caught.value.problems] == names


def test_many_problems_are_not_all_listed(tmp_path: Path, space: SearchSpace) -> None:
    rows = [GOOD.replace("2.5", f"x{number}") for number in range(100)]
    with pytest.raises(InvalidData) as caught:
        load_table(written(tmp_path, *rows), space)
    assert len(caught.value.problems) == 21
    assert "80 more" in caught.value.problems[-1].message


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00a,b", b"\n\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, space: SearchSpace, content: bytes) -> None:
    for name in ("table.csv", "table.csv.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidData):
            load_table(tmp_path / name, space)
    with pytest.raises(InvalidData, match="cannot be read"):
        load_table(tmp_path / "none.csv", space)


def test_a_table_is_read_no_further_than_memory_goes(tmp_path: Path, space: SearchSpace) -> None:
    note = "a" * 1000
    rows = [f"conv,8,{i / 2500 + 0.1},,,,0.1,true,1,1,1,1,1,{note}" for i in range(1000)]
    for name in ("table.csv", "table.csv.gz"):
        path = written(tmp_path, *rows, name=name)

        def loaded(free: int, path: Path = path) -> int:
            memory = Memory(proc=tmp_path, cgroups=tmp_path, available=lambda: free)
            return len(load_table(path, space, memory))

        assert loaded(5_000_000) == 1000
        with pytest.raises(InvalidData, match=r"too large: its first (\d+) rows") as caught:
            loaded(1_500_000)
        assert str(path) in str(caught.value)
        assert "Free on this machine: 1.4 MiB" in str(caught.value)


def test_a_line_without_an_end_is_not_read_to_it(
    tmp_path: Path, space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "LONGEST_LINE", 1000)
    path = tmp_path / "zeros.csv.gz"
    path.write_bytes(gzip.compress(bytes(100_000)))
    with pytest.raises(InvalidData, match="line 1 has more than 1,000 characters"):
        load_table(path, space)


def test_a_gene_behind_an_absent_one_is_refused(tmp_path: Path) -> None:
    space = parse_space(
        "space: s\ninput: none\nnetwork: {a: {length: [0, 2], ops: {x: {}, y: {}}}}", "s.yaml"
    )
    with pytest.raises(InvalidData, match="a gene before it is absent"):
        load_table(written(tmp_path, ",x,1", header="a.0.op,a.1.op,loss@1"), space)
    assert (
        len(load_table(written(tmp_path, ",,1", "x,,2", header="a.0.op,a.1.op,loss@1"), space)) == 2
    )
