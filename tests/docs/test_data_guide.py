"""The blocks of docs/data.md that write files, and the configs that read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evonas.data.prepared import prepare
from evonas.runtime.config.config_file import load_config
from tests.test_guides import BLOCK, DOCS

GUIDE = (DOCS / "data.md").read_text(encoding="utf-8")
BLOCKS = {
    found.group(1): text
    for _, text in BLOCK.findall(GUIDE)
    if (found := re.match(r"# (\w+\.(?:yaml|py))\n", text))
}


@pytest.mark.parametrize(
    ("script", "config", "space", "counts", "words"),
    [
        (
            "write_loans.py",
            "loans.yaml",
            "tabular",
            {"train": 200, "test": 50},
            [
                "column counts: what a row counts, 0.5 to 2, and no feature",
                "rows of loans_2026.csv",
            ],
        ),
        (
            "write_steps.py",
            "steps.yaml",
            "recurrent",
            {"train": 48, "test": 12},
            ["column walk: its 60 values are sequences of 5 to 19 steps, in order by the column"],
        ),
    ],
)
def test_what_a_script_writes_is_read(
    script: str,
    config: str,
    space: str,
    counts: dict[str, int],
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[script], script, "exec"), {})
    (tmp_path / config).write_text(BLOCKS[config])
    loaded = load_config(tmp_path / config)
    assert loaded.space.name == space
    prepared = prepare(loaded.data_settings(), tmp_path / "run")
    # Few samples are in folds, so that there is no part for validation.
    assert dict(prepared.counts) == counts
    said = "\n".join(prepared.notes)
    assert all(word in said for word in words), said
