"""The page about Python: its blocks run, its arguments are there, its sentence is the one told."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evonas
from evonas.data.handing import gathered
from evonas.errors import InvalidData
from evonas.sklearn import EvolvedClassifier

GUIDE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_every_argument_that_it_names_is_one() -> None:
    known = {*inspect.signature(evonas.evolve).parameters, *EvolvedClassifier().get_params()}
    outside_of_blocks = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
    # A key of a config stands in quotation marks.
    named = set(re.findall(r"(?<!\")\b([a-z_]+)=", outside_of_blocks)) - {"epochs"}
    assert len(named) >= 7
    assert named <= known


def test_the_refusal_is_what_is_told() -> None:
    with pytest.raises(InvalidData) as raised:
        gathered(np.zeros((300, 4)), np.zeros(299))
    assert f"    {raised.value}\n" in GUIDE


@pytest.mark.full
def test_its_blocks_run(tmp_path: Path) -> None:
    text = "\n".join(BLOCKS).replace("minutes=1", "trials=2, overrides=['training.epochs=2']")
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    words = done.stdout.split("\n")
    assert "(3, 2)" in words
    assert "(2,) (2, 2)" in words
