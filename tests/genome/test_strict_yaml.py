from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import InvalidYaml
from evonas.genome import strict_yaml
from evonas.genome.strict_yaml import load, load_file


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("010", 10),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("True", True),
        ("false", False),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ('"1"', "1"),
        ('"\\ud83d\\ude42"', "🙂"),
        ('"🙂\\u00e9"', "🙂é"),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
        ("[a, 1]", ["a", 1]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = load(f"key: {text}\n", "f.yaml").data["key"]
    assert (type(read), read) == (type(value), value)


def test_minus_zero_is_zero() -> None:
    assert str(load("-0.0", "f.yaml").data) == "0.0"


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "twice the same key; the first is on line 1"),
        (BOMB, 1, "anchors"),
        ("a: 1\nb: *a", 2, "aliases"),
        ("a: !!python/object/apply:os.system [ls]", 1, "tags"),
        ("a: !x 1", 1, "tags"),
        ("a: 1\n<<: {b: 2}", 2, "merge keys"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("%YAML 1.1\n---\na: 1", 1, "directive"),
        ("a: 1\nb: .inf", 2, "finite"),
        ("b: .NaN", 1, "finite"),
        ("b: 1e999", 1, "finite"),
        ("b: " + "9" * 5000, 1, "2**64"),
        ("? [a]\n: 1", 1, "a key must be a word"),
        ("1: a", 1, "a key must be a word"),
        ("~: a", 1, "a key must be a word"),
        ("a: [1", 1, "not valid YAML"),
        ("a:\n\t- 1", 2, "tabs"),
        ("a: 1\nb: \x00", 2, "not allowed"),
        ("a: \ud800", 1, "not allowed"),
        ('a: "\\ud800"', 1, "surrogate"),
        ('a: 1\nb: "\\UFFFFFFFF"', 2, "the number of an escape"),
        ('a: 1\nb: "\\U00110000"', 2, "the number of an escape"),
        ('"\\U80000000": 1', 1, "the number of an escape"),
        ("%YAML 1." + "9" * 5000 + "\n---\na: 1", 1, "or of a directive is too large"),
        ("a: " + "[" * 100_000, 1, "nested more than 32 deep"),
    ],
)
def test_refuses_with_one_line_that_says_where(text: str, line: int, words: str) -> None:
    with pytest.raises(InvalidYaml) as caught:
        load(text, "dir/f.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("dir/f.yaml", line)
    assert words in problem.message
    assert "\n" not in str(problem)
    assert len(str(problem)) < 300


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_yaml, "MAX_NODES", 100)
    assert len(load("[" + "1," * 99 + "]", "f.yaml").data) == 99
    with pytest.raises(InvalidYaml, match="more than 100 values"):
        load("[" + "1," * 100 + "]", "f.yaml")


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_a_huge_text_is_refused_with_its_size_before_it_is_parsed(
    letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_yaml.yaml, "parse", None)
    text = letter * (strict_yaml.MAX_BYTES // len(letter.encode()) + 1)
    size = f"{len(text.encode()):,} bytes; at most 131,072 are allowed"
    with pytest.raises(InvalidYaml, match=f"too large: at least {size}"):
        load(text, "f.yaml")


def test_a_huge_file_is_refused_with_its_size_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_yaml.yaml, "parse", None)
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(3_000_000_000)  # a hole
    with pytest.raises(
        InvalidYaml, match=r"huge.yaml: too large: at least 3,000,000,000 bytes; at most 131,072"
    ):
        load_file(huge)


def test_what_comes_with_evonas_is_far_from_the_limit() -> None:
    root = Path(__file__).parents[2]
    sizes = [
        path.stat().st_size
        for folder in ("genomes", "configs")
        for path in (root / folder).rglob("*.yaml")
    ]
    assert 20 * max(sizes) < strict_yaml.MAX_BYTES


@given(st.text(alphabet=st.sampled_from("ab:-[]{}#&*!|>'\"%@`,?\n \t0.~<"), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = load(text, "f.yaml")
    except InvalidYaml:
        return
    assert document.text == text


def test_lines_of_keys_items_and_missing_keys() -> None:
    document = load("a:\n  b: 1\n  c:\n    - x\n    - y\n", "f.yaml")
    assert document.line(("a",)) == 1
    assert document.line(("a", "b")) == 2
    assert document.line(("a", "c", 1)) == 5
    assert document.line(("a", "c", 9)) == 3
    assert document.line(("a", "zz", "y")) == 1
    assert load("", "f.yaml").line(("a",)) == 0
    assert str(document.problem(("a", "c", 1), "wrong.")) == "f.yaml:5: a.c[1]: wrong."


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_bytes("\ufeffname: Zürich\n".encode())
    assert load_file(good).data == {"name": "Zürich"}
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: \xff\n")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (strict_yaml.MAX_BYTES + 1))
    for path, words in [
        (latin, "latin.yaml:2: not UTF-8"),
        (large, "too large"),
        (tmp_path, "is a directory"),
        (tmp_path / "none.yaml", "no such file"),
        (Path("a\0b"), "cannot be read"),
    ]:
        with pytest.raises(InvalidYaml, match=words):
            load_file(path)
