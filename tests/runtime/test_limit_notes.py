"""Limits that no random network is within: refused by `check`, noted by `run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evonas.errors import InvalidConfig
from evonas.evaluate.local.limit_check import Measured, count
from evonas.runtime import preparation
from evonas.runtime.config.config_file import load_config
from tests.command import run_evonas

LIMITS = {"parameters": 20, "flops": 10**9}
LARGE = {"parameters": 244, "flops": 3606}


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Prepares a run whose networks have been measured already."""

    def prepare(measured: Measured, every_op: bool) -> preparation.Checked:
        monkeypatch.setattr(preparation, "try_networks", lambda *_: ([], measured))
        overrides = [f"limits.{name}={limit}" for name, limit in LIMITS.items()]
        return preparation.prepare_run(load_config("digits", overrides), tmp_path, every_op)

    return prepare


def test_a_check_refuses_limits_that_no_network_is_within(prepare: Any) -> None:
    with pytest.raises(InvalidConfig) as raised:
        prepare(count(LIMITS, [LARGE] * 3, {}), every_op=True)
    (issue,) = raised.value.problems
    assert issue.key == "limits.parameters"
    assert "none of 3 random networks is within" in issue.message
    # A run may be lucky, and knows only what is remembered.
    prepare(count(LIMITS, [LARGE] * 3, {}), every_op=False)


def test_a_check_takes_limits_that_a_seed_genome_is_within(prepare: Any) -> None:
    small = {"parameters": 20, "flops": 300}
    checked = prepare(count(LIMITS, [LARGE] * 3, {"a": small}), every_op=True)
    assert checked.measured.share().endswith("and 1 of 1 seed genome.")


def test_a_run_says_what_is_remembered_of_such_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = count(LIMITS, [LARGE] * 3, {})
    monkeypatch.setattr(preparation, "try_networks", lambda *_: ([], measured))
    prepared = preparation.create_run(load_config("digits"), tmp_path / "run")
    assert prepared.notes[-1] == f"limits: {measured.refusal()}"


def test_what_was_measured_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"parameters": 20, "flops": 300}
    measured = count(LIMITS, [LARGE, small, None], {})
    monkeypatch.setattr(preparation, "try_networks", lambda *_: ([], measured))
    told = run_evonas("check", "digits").stdout
    words = "1 of 3 random networks have at most 20 parameters and 1,000,000,000 flops."
    assert f"limits: {words}" in told
    plain = json.loads(run_evonas("check", "digits", "--json").stdout)
    assert plain["within_limits"] == {
        "networks": 1,
        "of": 3,
        "beyond": {"parameters": 1, "flops": 0},
        "least": {"parameters": 20, "flops": 300},
    }


def test_a_check_names_the_founders_that_are_beyond(prepare: Any) -> None:
    loaded = load_config("digits")
    small = {"parameters": 20, "flops": 300}
    sizes = {genome.digest: small for genome in loaded.seeds.values()}
    assert not any(
        "founder" in note for note in prepare(count(LIMITS, [small], sizes), True).prepared.notes
    )
    name, genome = next(iter(loaded.seeds.items()))
    told = prepare(count(LIMITS, [small], sizes | {genome.digest: LARGE}), True).prepared.notes
    assert told[-1] == (
        f"limits: the founder {name} has 244 parameters, and at most 20 are allowed. Its trial will"
        " be infeasible."
    )
