"""The guide to outcomes: its table has every state and the engine's retries; its config works."""

from __future__ import annotations

import re
from pathlib import Path

from evonas.errors import NothingFeasible, NotRepeatable, RepeatedFailures
from evonas.runtime.config.config_file import check
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.loop.failures import FAILURES_OF_ONE_CAUSE
from evonas.runtime.loop.retries import ALONE, FRUITLESS_LIMIT, RETRIES, SUSPICIOUS
from evonas.trial import TrialState

GUIDE = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")
ROWS = {
    cells[1].strip(" `"): cells[3].strip()
    for line in GUIDE.splitlines()
    if len(cells := line.split("|")) == 6
}
TEXT = " ".join(GUIDE.split())


def test_the_table_has_every_state():
    assert set(ROWS) - {"state", "---"} == {str(state) for state in TrialState if state.is_final}


def test_the_table_has_the_retries():
    words = {1: "once", 3: "3 times"}
    for state in TrialState:
        if state.is_final and state is not TrialState.OK:
            alone = ", alone" if state in ALONE else ""
            expected = f"{words[RETRIES[state]]}{alone}" if state in RETRIES else "no"
            assert ROWS[state] == (
                "once, with cut batches" if state is TrialState.OOM_DEVICE else expected
            )


def test_the_numbers_are_those_of_the_code():
    assert f"after {SUSPICIOUS} such attempts it runs alone" in TEXT
    assert f"after {FRUITLESS_LIMIT} it is set aside" in TEXT
    (default,) = re.findall(r"max_failures_in_a_row: (\d+)", TEXT)
    assert int(default) == RunConfig.__dataclass_fields__["max_failures_in_a_row"].default
    for kind in (RepeatedFailures, NothingFeasible, NotRepeatable):
        assert f"exit code {kind.exit_code}" in TEXT
    (listed,) = re.findall(r"the same one of (.*?) are no property", TEXT)
    assert set(re.findall(r"`(\w+)`", listed)) == {str(state) for state in FAILURES_OF_ONE_CAUSE}


def test_the_config_is_accepted(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "limits.yaml").write_text(block)
    assert check(tmp_path / "limits.yaml").problems == ()
