"""Settings: built strictly from plain data, told in sentences, and written back."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Lt

import evonas
from evonas.runtime.config import run_config
from evonas.runtime.config.data_config import DataConfig
from evonas.runtime.config.families import dump
from evonas.runtime.config.settings import FAILED, Builder
from evonas.runtime.config.type_hints import describe, misfit
from evonas.settings import Check, Settings


class Shape(Settings, ABC):
    pass


@dataclass(frozen=True)
class Circle(Shape):
    radius: Annotated[float, Gt(0)] = 1.0


@dataclass(frozen=True)
class Dot(Shape):
    pass


class Choice(Settings, ABC):
    pass


@dataclass(frozen=True)
class Point(Choice):
    pass


@dataclass(frozen=True)
class Ring(Choice):
    radius: float = 1.0


@dataclass(frozen=True)
class Drawing(Settings):
    title: str
    count: Annotated[int, Ge(1)] = 1
    filled: bool = False
    share: Annotated[float, Interval(ge=0, le=1)] = 0.5
    limit: Annotated[int, Ge(1)] | None = None
    devices: Literal["auto", "cpu"] | tuple[int, ...] = "auto"
    names: tuple[str, ...] = ()
    weights: Mapping[str, Annotated[float, Ge(0)]] = field(default_factory=dict)
    shape: Shape = field(default_factory=Circle)
    choice: Choice = field(default_factory=Point)
    even: Annotated[int | None, Check(lambda value: "is odd." if value and value % 2 else "")] = (
        None
    )

    def problems(self) -> dict[str, str]:
        return {"shape.circle": "too many."} if self.count > 8 else {}


FAMILIES = {Shape: {"circle": Circle, "dot": Dot}, Choice: {"dot": Point, "circle": Ring}}


def build(**data: Any) -> tuple[Any, list[str]]:
    builder = Builder(FAMILIES)
    built = builder.build(Drawing, {"title": "a", **data})
    assert (built is FAILED) == bool(builder.issues)
    return built, [f"{'.'.join(map(str, issue.path))}: {issue.message}" for issue in builder.issues]


def refusal(**data: Any) -> str:
    _, (message,) = build(**data)
    return message


def test_values_of_every_kind_are_built() -> None:
    built, _ = build(
        count=3,
        filled=True,
        share=1,
        limit=4,
        devices=[0, 1],
        names=["b"],
        weights={"x": 2},
        shape={"circle": {"radius": 2}},
    )
    assert built == Drawing("a", 3, True, 1.0, 4, (0, 1), ("b",), {"x": 2.0}, Circle(2.0))
    assert isinstance(built.share, float)


@pytest.mark.parametrize("shape", ["dot", {"dot": {}}, {"dot": None}])
def test_a_name_may_stand_alone(shape: Any) -> None:
    assert build(shape=shape)[0].shape == Dot()
    assert build(choice=shape)[0].choice == Point()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"colour": 1}, ["colour: unknown key", "Allowed: title, count"]),
        ({"cuont": 1}, ["cuont: unknown key", "Did you mean 'count'?"]),
        ({"count": "3"}, ["count: must be a whole number of at least 1", 'Received: "3"']),
        ({"count": True}, ["count: must be a whole number", "Received: true"]),
        ({"count": 1.0}, ["count: must be a whole number", "Received: 1.0"]),
        ({"count": 0}, ["of at least 1. Received: 0"]),
        ({"count": None}, ["Received: null"]),
        ({"filled": "no"}, ["filled: must be true or false", 'Received: "no"', "write false"]),
        ({"filled": "Yes"}, ["write true"]),
        ({"filled": 1}, ["must be true or false. Received: 1"]),
        ({"share": 1.5}, ["a number from 0 to 1. Received: 1.5"]),
        ({"limit": "x"}, ["a whole number of at least 1, or null. Received"]),
        (
            {"devices": "atuo"},
            ["auto or cpu, or a list, each item a whole number", "Did you mean 'auto'?"],
        ),
        ({"devices": ["a"]}, ["devices: must be auto or cpu, or a list"]),
        ({"title": 12}, ["title: must be a word", "in quotes"]),
        ({"names": ["a", 1]}, ["names.1: must be a word"]),
        (
            {"names": "a"},
            ['must be a list, each item a word. Received: "a". Perhaps you mean `names: [a]`.'],
        ),
        ({"names": 1}, ["names: must be a list, each item a word. Received: 1."]),
        ({"weights": 0.5}, ["Received: 0.5. Perhaps you mean `weights: {NAME: 0.5}`."]),
        ({"weights": -1}, ["weights: must be a mapping, each value a number of at least 0"]),
        ({"weights": {"x": -1}}, ["weights.x: must be a number of at least 0"]),
        ({"weights": [1]}, ["weights: must be a mapping"]),
        (
            {"shape": "cirlce"},
            ["shape: unknown name", "Allowed: circle, dot", "Did you mean 'circle'?"],
        ),
        ({"shape": {"cirlce": {}}}, ["shape.cirlce: unknown name", "Did you mean 'circle'?"]),
        ({"shape": {"circle": {"radius": 0}}}, ["shape.circle.radius: must be a number above 0"]),
        ({"shape": {"circle": {"size": 1}}}, ["shape.circle.size: unknown key. Allowed: radius"]),
        ({"shape": {"dot": {"size": 1}}}, ["shape.dot.size: unknown key. Allowed: none"]),
        (
            {"shape": {"circle": [1]}},
            ["shape.circle: must be a mapping with the keys radius. Received: [1]"],
        ),
        (
            {"shape": {"circle": {}, "dot": {}}},
            [
                "shape.dot: only one name can be given here."
                " Received: circle, dot. Allowed: circle, dot."
            ],
        ),
        ({"shape": {"dto": {}, "circle": {}}}, ["shape.dto: only one name", "Did you mean 'dot'?"]),
        ({"shape": None}, ["shape: must be one name", "Received: null"]),
        ({"choice": "dto"}, ["choice: unknown name", "Did you mean 'dot'?"]),
        ({"shape": 2.5}, ["Received: 2.5. Perhaps you mean `shape: {circle: {radius: 2.5}}`."]),
        ({"shape": {"circle": 2}}, ["Received: 2. Perhaps you mean `circle: {radius: 2}`."]),
        ({"shape": "2.5"}, ['Received: "2.5".']),
        ({"count": 9}, ["shape.circle: too many."]),
        ({"even": 3}, ["even: is odd."]),
        ({"even": "a"}, ["even: must be a whole number, or null"]),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(data: dict[str, Any], words: list[str]) -> None:
    message = refusal(**data)
    assert all(word in message for word in words), message


@dataclass(frozen=True)
class Bounds(Settings):
    low: float | None = None
    high: float | None = None
    word: str = ""


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (3, "Received: 3. Perhaps you mean `bounds: {low: 3}` or `bounds: {high: 3}`."),
        ("1e-3", "Received: \"1e-3\". Perhaps you mean `bounds: {word: '1e-3'}`."),
        (True, "Received: true."),
        (None, "Received: null."),
        ([3], "Received: [3]."),
        ("x" * 90, f'Received: "{"x" * 76}....'),
    ],
)
def test_a_value_in_place_of_a_mapping_is_shown_under_the_key_that_may_have_it(
    value: Any, hint: str
) -> None:
    builder = Builder({})
    assert builder.build(Bounds, value, ("bounds",)) is FAILED
    (issue,) = builder.issues
    assert issue.message == f"must be a mapping with the keys low, high, word. {hint}"


def test_a_missing_key_is_told_with_what_it_must_be() -> None:
    builder = Builder(FAMILIES)
    assert builder.build(Drawing, {}) is FAILED
    assert builder.issues[0].path == ("title",)
    assert builder.issues[0].message == "is missing. It must be a word."


def test_all_problems_are_told_at_once() -> None:
    _, found = build(count=0, colour=1, names=[1, "b", 2], shape={"circle": {"radius": 0, "x": 1}})
    assert len(found) == 6


def test_long_values_are_cut() -> None:
    assert len(refusal(count="x" * 1000)) < 200


def test_dumped_settings_are_built_again() -> None:
    built, _ = build(
        devices=[2], weights={"x": 2}, shape="dot", choice={"circle": {"radius": 3}}, names=["b"]
    )
    plain = dump(built, FAMILIES)
    assert plain["shape"] == {"dot": {}}
    assert plain["choice"] == {"circle": {"radius": 3.0}}
    assert plain["count"] == 1
    assert Builder(FAMILIES).build(Drawing, plain) == built


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Annotated[float, Gt(0), Lt(1)], "a number above 0 and below 1"),
        (Annotated[int, Ge(1)] | None, "a whole number of at least 1, or null"),
        (Literal["a", "b"], "a or b"),
        (Literal[1, 3], "1 or 3"),
        (Mapping[str, int], "a mapping, each value a whole number"),
        (Dot | None, "an empty mapping, or null"),
    ],
)
def test_hints_are_described(hint: Any, words: str) -> None:
    assert describe(hint) == words


def test_a_word_for_one_of_several_numbers_is_told() -> None:
    hint = Literal[1, 3] | None
    assert misfit(hint, "3") == 'must be 1 or 3, or null. Received: "3". Write 3, without quotes.'
    assert misfit(hint, "three") == 'must be 1 or 3, or null. Received: "three".'


def test_no_limit_is_lost_around_an_optional_number() -> None:
    """`Annotated[int | None, Ge(1)]` takes 0; the limit belongs to the number."""
    package = Path(evonas.__file__).parent
    lost = re.compile(r"Annotated\[[^\[\]]*\| None, (?:Ge|Gt|Le|Lt|Interval)\b")
    found = [path.name for path in package.rglob("*.py") if lost.search(path.read_text("utf-8"))]
    assert found == []
    assert lost.search("steps: Annotated[int | None, Ge(1)] = None")


@pytest.mark.parametrize("key", ["window", "steps"])
def test_a_forecast_needs_rows_and_steps(key: str) -> None:
    data = {"path": "s.npz", "window": 3, "steps": 1, key: 0}
    builder = Builder(run_config.FAMILIES)
    builder.build(DataConfig, data)
    assert [str(issue.message) for issue in builder.issues] == [
        "must be a whole number of at least 1, or null. Received: 0."
    ]
