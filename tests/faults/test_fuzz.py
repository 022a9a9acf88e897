"""Whatever is read from outside, only evonas's own errors come out.

Read are configs, spaces, genomes and the words of workers.
"""

from __future__ import annotations

import copy
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evonas.errors import InvalidGenome, InvalidInput, Issue
from evonas.evaluate.contract.answers import BadAnswer, read_answer
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import encode
from evonas.evaluate.local.channel import Channel, LineTooLong
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools.local import LocalPool
from evonas.genome import (
    Genome,
    changes,
    load_genome,
    load_space,
    parse_genome,
    parse_space,
    sample,
    strict_yaml,
    validate,
)
from evonas.genome import encode as to_cube
from evonas.genome.library import find, names
from evonas.model.space_check import check_space
from evonas.runtime.config.config_file import check
from evonas.runtime.config.experiment_file import load_experiment
from evonas.runtime.config.families import dump
from evonas.runtime.config.run_config import FAMILIES, RunConfig, parse
from evonas.runtime.config.settings import Builder
from evonas.runtime.config.space_founders import settled
from evonas.search.registry import STRATEGIES
from evonas.testing.jobs import make_job, make_setup, stub_genome
from evonas.trial import Outcome, TrialState
from tests.slow import IS_FULL

FOLDER = [HealthCheck.function_scoped_fixture]  # a file that each example writes anew


def examples(short: int, full: int) -> settings:
    return settings(
        max_examples=full if IS_FULL else short, deadline=None, suppress_health_check=FOLDER
    )


WORDS = (
    "", "relu", "evolution", "random", "aging", "tournament", "digits", "convnet", "lenet5",
    "val_loss", "choice", "int", "float", "same_as", "style.activation", "off", "log", "skip",
    "dag", "chain", "input", "input 2", "conv2d", "dense", "../x", "/", "a.yaml", "\0",
    "\ud83d\ude00", "%s{}", "os:system", "no", "null", "x" * 300, "-", ".", "[", "é",
)  # fmt: skip
NUMBERS = (
    0,
    -1,
    1,
    2,
    3,
    1024,
    10**6,
    2**31,
    2**63,
    2**64,
    0.0,
    0.5,
    1.0,
    1e-300,
    1e308,
    -0.5,
    1.5,
)
scalars = (
    st.sampled_from(WORDS)
    | st.sampled_from(NUMBERS)
    | st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
keys = st.sampled_from(WORDS) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
edits = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(("set", "drop", "add", "move")), values),
    min_size=1,
    max_size=3,
)


def paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of everything inside, parents first."""
    inside = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [at, *(path for key, value in inside for path in paths(value, (*at, key)))]


def edited(data: Any, changes: list[tuple[int, str, Any]]) -> Any:
    """A copy in which things are replaced, dropped, added or moved."""
    data = copy.deepcopy(data)
    for number, kind, value in changes:
        known = paths(data)
        path = known[number % len(known)]
        if not path:
            continue
        parent = data
        for key in path[:-1]:
            parent = parent[key]
        if kind == "set":
            parent[path[-1]] = copy.deepcopy(value)
        elif kind == "drop":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            new = str(value)[:20] if kind == "add" else path[-1]
            parent[new] = copy.deepcopy(value) if kind == "add" else parent.pop(path[-1])
        else:
            parent.append(copy.deepcopy(value) if kind == "add" else parent.pop(path[-1]))
    return data


def scratched(content: bytes, scratches: list[tuple[int, int, bytes]]) -> bytes:
    """Bytes in which pieces are cut out and others put in."""
    for start, length, new in scratches:
        start %= len(content) + 1
        content = content[:start] + new + content[start + length :]
    return content


scratches = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 12), st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


def shipped(kind: Any) -> dict[str, Path]:
    return {name: find(kind, name) for name in names(kind)}


CONFIGS, SPACES, SEEDS = shipped("configs"), shipped("spaces"), shipped("seeds")
SPACE_OF = {name: strict_yaml.load_file(path).data["space"] for name, path in SEEDS.items()}


def check_config(path: Path, overrides: list[str]) -> None:
    checked = check(path, overrides)
    for problem in checked.problems:
        assert str(problem).isprintable()
        assert len(str(problem)) < 3000
        str(problem).encode()
    if checked.loaded is not None:
        config = checked.loaded.config
        assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@given(name=st.sampled_from(sorted(CONFIGS)), edits_made=edits)
@examples(40, 160)
def test_an_edited_config(tmp_path: Path, name: str, edits_made: list[Any]) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_text(json.dumps(edited(strict_yaml.load_file(CONFIGS[name]).data, edits_made)))
    check_config(path, [])


@given(name=st.sampled_from(sorted(CONFIGS)), where=scratches)
@examples(40, 160)
def test_a_scratched_config(tmp_path: Path, name: str, where: list[Any]) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_bytes(scratched(CONFIGS[name].read_bytes(), where))
    check_config(path, [])


KEYS = (
    "budget.trials",
    "strategy",
    "strategy.evolution.population",
    "pool.local",
    "data.path",
    "space",
    "a.b",
    "",
    ".",
    "seed",
)


@given(key=st.sampled_from(KEYS) | st.text(max_size=8), value=values | st.text(max_size=10))
@examples(40, 200)
def test_any_override(key: str, value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    check_config(CONFIGS["diabetes"], [f"{key}={text}", text])


def try_space(text: str) -> None:
    """What can be loaded can be sampled, encoded and written in words."""
    try:
        space = parse_space(text, "fuzz.yaml")
    except InvalidInput:
        return
    check_space(space, ["os"], "fuzz.yaml")
    rng = np.random.default_rng(0)
    genomes = [sample(space, rng) for _ in range(2)]
    for genome in genomes:
        validate(space, genome)
        to_cube(space, genome)
        assert Genome.from_dict(json.loads(json.dumps(genome.to_dict()))) == genome
    changes(*genomes)


@given(name=st.sampled_from(sorted(SPACES)), edits_made=edits)
@examples(40, 160)
def test_an_edited_space(name: str, edits_made: list[Any]) -> None:
    try_space(json.dumps(edited(strict_yaml.load_file(SPACES[name]).data, edits_made)))


@given(name=st.sampled_from(sorted(SPACES)), where=scratches)
@examples(40, 200)
def test_a_scratched_space(tmp_path: Path, name: str, where: list[Any]) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_bytes(scratched(SPACES[name].read_bytes(), where))
    try:
        text = load_space(path).text
    except InvalidInput:
        return
    try_space(text)


@given(name=st.sampled_from(sorted(SEEDS)), edits_made=edits, where=st.none() | scratches)
@examples(60, 200)
def test_a_spoilt_seed_genome(
    tmp_path: Path, name: str, edits_made: list[Any], where: list[Any] | None
) -> None:
    space = load_space(SPACES[SPACE_OF[name]])
    path = tmp_path / "fuzz.yaml"
    text = json.dumps(edited(strict_yaml.load_file(SEEDS[name]).data, edits_made)).encode()
    path.write_bytes(text if where is None else scratched(SEEDS[name].read_bytes(), where))
    try:
        genome = load_genome(path, space)
    except InvalidInput:
        return
    validate(space, genome)
    assert parse_genome(path.read_text(encoding="utf-8-sig"), "fuzz.yaml", space) == genome


@given(seed=st.integers(0, 20), edits_made=edits)
@examples(150, 600)
def test_a_spoilt_recorded_genome(small_space: Any, seed: int, edits_made: list[Any]) -> None:
    data = edited(sample(small_space, np.random.default_rng(seed)).to_dict(), edits_made)
    try:
        genome = Genome.from_dict(data)
    except InvalidGenome:
        return
    assert len(genome.digest) == 16
    assert Genome.from_dict(genome.to_dict()) == genome
    try:
        validate(small_space, genome)
    except InvalidGenome:
        return
    to_cube(small_space, genome)


JOB = make_job(3, checkpoint="checkpoints/3.npz")
ANSWER = {
    "outcome": {
        "trial": 3,
        "attempt": 0,
        "state": "ok",
        "metrics": {"val_loss": 0.5, "parameters": 7},
        "epochs": 2,
        "seconds": 1.5,
        "history": {"loss": [1.0, 0.5], "val_loss": [None, 0.5]},
        "message": "",
        "details": {"a": [1]},
        "files": {JOB.weights: "ab" * 32},
    }
}
PROGRESS = {"progress": {"trial": 3, "attempt": 0, "epoch": 1, "metrics": {"loss": 1.0}}}
anything = (
    values
    | st.floats()
    | st.integers(-(10**400), 10**400)
    | st.sampled_from(("\ud800", "\udfff" * 100))
)
wild_edits = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(("set", "drop", "add", "move")), anything),
    min_size=1,
    max_size=3,
)


def check_words(message: str) -> None:
    """Short, and of whole characters: it goes into the record."""
    assert len(message) < 400
    message.encode()


def read(line: bytes) -> None:
    """Refused, or something that the record takes."""
    try:
        answer = read_answer(line, JOB)
    except BadAnswer as error:
        check_words(str(error))
        return
    if isinstance(answer, Outcome):
        json.dumps(
            [answer.metrics, answer.history, answer.details.to_json(), answer.files],
            allow_nan=False,
        ).encode()
        answer.message.encode()
        float(answer.seconds)
        assert 0 <= answer.epochs < 2**63
        assert answer.state is not TrialState.WAITING


@given(message=st.sampled_from((ANSWER, PROGRESS)), edits_made=wild_edits)
@examples(200, 1200)
def test_an_edited_answer(message: Any, edits_made: list[Any]) -> None:
    read(json.dumps(edited(message, edits_made)).encode())


@given(where=scratches)
@examples(200, 1200)
def test_a_scratched_answer(where: list[Any]) -> None:
    read(scratched(encode(ANSWER).rstrip(), where))


@given(st.binary(max_size=100))
@examples(200, 1200)
def test_any_line(line: bytes) -> None:
    read(line)


@given(
    pieces=st.lists(st.binary(max_size=40) | st.just(b"\n"), max_size=10), limit=st.integers(0, 60)
)
@examples(100, 1000)
def test_any_bytes_come_out_of_a_channel_as_lines_or_as_too_long(
    pieces: list[bytes], limit: int
) -> None:
    ours, theirs = socket.socketpair()
    channel, lines, is_too_long = Channel(ours, limit), [], False
    try:
        for piece in pieces:
            theirs.sendall(piece)
            lines += channel.receive()
        theirs.close()
        while not channel.has_ended:
            lines += channel.receive()
    except LineTooLong:
        is_too_long = True
    finally:
        theirs.close()
        channel.close()
    *whole, rest = b"".join(pieces).split(b"\n")
    assert is_too_long == any(len(line) > limit for line in (*whole, rest))
    assert is_too_long or lines == whole


def test_a_real_worker_may_say_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process says words that hypothesis made up: after each, the slot is free again."""
    said: list[bytes] = []

    @given(
        st.lists(
            st.binary(max_size=60) | st.just(b"\n") | st.just(encode(ANSWER)),
            min_size=1,
            max_size=4,
        )
    )
    @settings(max_examples=200 if IS_FULL else 20, database=None, derandomize=False)
    def collect(pieces: list[bytes]) -> None:
        said.append(b"".join(pieces))

    collect()
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    launcher = start_launcher("babbling:serve", ["babbling"])
    with LocalPool(
        make_setup(tmp_path), [DeviceShare(0), DeviceShare(1)], launcher, tmp_path / "logs"
    ) as pool:
        for words in said:
            pool.submit(
                make_job(3, genome=stub_genome(say=words.hex()), checkpoint="checkpoints/3.npz")
            )
            outcomes = [report.outcome for report in poll_all(pool) if isinstance(report, Finished)]
            assert [outcome.state for outcome in outcomes] == [TrialState.CRASHED]


def poll_all(pool: LocalPool) -> list[Any]:
    reports: list[Any] = []
    while pool.running:
        reports += pool.poll(5.0)
    return reports


LONG = "x" * 5000
WRONG: tuple[Any, ...] = (
    *([], [[]], [{}], [None], [1], [LONG], [LONG, LONG], ["a\nb", "a\nb"], [{"name": [1]}]),
    *({}, {"": None}, {"a": [1]}, {LONG: 1, "b": 2}, {"a\nb": 1, "c": 2}, {LONG: {"max": 1}}),
    *({"name": []}, {"name": LONG}, {"weighted": {"val_loss": [1]}}, {"weighted": {"a\nb": LONG}}),
    *({"min": 1, "max": LONG}, {"a\nb": {"max": 1}}, {"evolution": [1]}, {"table": {"path": [1]}}),
    *(None, True, False, 0, -1, 10**19, 1.5, -2.5, 1e308, 1e-320),
    *("", "1", "\0", "a\nb", "\x1b[31m", "é", LONG),
    *("/", ".yaml", "a\nb.yaml", "\0.yaml", "~no_such_user/x.yaml"),
    *(f"{LONG}.yaml", f"/{'y' * 300}/x.npz"),
)
"""Wrong at most keys, for a reason of their own: the type, the size, or what a line can hold."""

DIGITS = {"space": "convnet", "data": {"name": "digits"}, "budget": {"trials": 30}}
JUDGED = {"space": "mlp", "budget": {"trials": 3, "epochs": 40, "seconds": 1.5}}
PLAIN: dict[str, Any] = {
    "a table": {
        **JUDGED,
        "evaluator": {"table": {"path": "t.csv"}},
        "objectives": ["val_loss", {"name": "z", "direction": "max"}],
        "constraints": {"z": {"min": 1, "max": 2}},
        "strategy": "nsga2",
    },
    "a function": {
        **JUDGED,
        "plugins": ["mine"],
        "evaluator": {"python": {"function": "mine:judge", "arguments": {"a": 1}}},
        "objective": {"weighted": {"val_loss": 1, "parameters": 1e-6}},
        "pool": {"simulated": {"workers": 2}},
    },
    "an earlier run": {
        **DIGITS,
        "strategy": {
            "seeded": {"run": "runs/digits", "inner": {"evolution": {"seeds": ["lenet5"]}}}
        },
    },
    "a stop": {
        **DIGITS,
        "strategy": "random",
        "training": {"epochs": 9, "stop": {"learning_curve": {"after": 0.3, "margin": 0.5}}},
    },
    "several objectives": {
        **DIGITS,
        "strategy": "nsga3",
        "objectives": [
            "val_loss",
            {"name": "parameters", "direction": "min"},
            {"weighted": {"flops": 1, "latency_ms": 2}},
        ],
        "constraints": {"parameters": {"max": 9.0}},
    },
}
"""Configs with the keys that the shipped ones do not have."""


def written_out() -> dict[str, Any]:
    """Configs with all of their keys: as they are written, and with every default."""
    found = dict(PLAIN)
    for name, path in CONFIGS.items():
        if loaded := check(path).loaded:
            found[name] = strict_yaml.load_file(path).data
            found[f"{name}, all keys"] = loaded.config.to_json()
    for name, kind in STRATEGIES.items():
        found[f"the strategy {name}"] = {
            **DIGITS,
            "strategy": {name: dump(kind(), FAMILIES)},
        }
    return found


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = json.loads(json.dumps(data))
    parent = data
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return data


def check_parsed(data: Any) -> None:
    """A config that can be recorded, or issues that fit on a line and on a screen."""
    builder = Builder(FAMILIES)
    config = parse(builder, data)
    assert builder.issues or config is not None
    for issue in builder.issues:
        told = str(Issue(issue.message, strict_yaml.key_text(issue.path)))
        assert told.isprintable(), told
        assert len(told) < 1500, told
    if config is not None:
        # A record names the founders of a space, or has none.
        recorded = replace(config, strategy=settled(config.strategy))
        assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == recorded


def test_every_wrong_value_at_every_key_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.yaml"
    number = 0
    for data in written_out().values():
        for place in paths(data)[1:]:
            for value in WRONG:
                number += 1
                # The short form takes a few of the values, at each key other ones.
                if not IS_FULL and number % 63:
                    continue
                spoilt = with_value(data, place, value)
                check_parsed(copy.deepcopy(spoilt))
                # Space, seeds and paths are read for these only, which takes thirty times as long.
                if len(place) == 1 and number % (3 if IS_FULL else 315) == 0:
                    path.write_text(json.dumps(spoilt))
                    check_config(path, [])


def test_every_wrong_value_at_every_key_of_an_experiment(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.yaml"
    data = strict_yaml.load_file(CONFIGS["compare-digits"]).data
    number = 0
    for place in paths(data)[1:]:
        for value in WRONG:
            number += 1
            if not IS_FULL and number % 11:
                continue
            path.write_text(json.dumps(with_value(data, place, value)))
            try:
                load_experiment(path)
            except InvalidInput as error:
                for problem in error.problems:
                    assert str(problem).isprintable()
                    assert len(str(problem)) < 3000


ESCAPED = [chr(code) for code in range(32, 127)] + ["\t", "\n", "é", "\U0001f600"]
NUMBERED = {"x": 2, "u": 4, "U": 8}


def escapes() -> list[str]:
    """Every escape of a text in double quotes, those with numbers at the ends of all ranges."""
    found = [f"\\{letter}" for letter in ESCAPED]
    for letter, digits in NUMBERED.items():
        for number in ("", "0", "7f", "80", "d800", "dfff", "ffff", "10ffff", "110000",
                       "7fffffff", "80000000", "ffffffff", "-1", "g", "é"):  # fmt: skip
            found.append(f"\\{letter}{number}")
            found.append(f"\\{letter}{number.zfill(digits)[-digits:]}")
            found.append(f"\\{letter}{number.zfill(digits)[-digits:]}".upper())
    return found


@pytest.mark.parametrize("text", ['"{}"', '"{}": 1', '["{}"]', '"a{}\n  b"', "%YAML {}\n---\na: 1"])
def test_every_escape_is_text_or_an_issue_with_its_line(text: str) -> None:
    for escape in escapes():
        try:
            document = strict_yaml.load("# a comment\n" + text.format(escape), "fuzz.yaml")
        except InvalidInput as error:
            (problem,) = error.problems
            assert (problem.file, problem.line >= 2) == ("fuzz.yaml", True), problem
            assert str(problem).isprintable()
        else:
            json.dumps(document.data).encode()
