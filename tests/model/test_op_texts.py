"""What is read of the ops without Keras is what the functions have."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from evonas.model.augmenting import AUGMENTATIONS
from evonas.model.op_texts import OpText, op_texts
from evonas.model.ops import OPS
from evonas.model.optimizers import OPTIMIZERS

FUNCTIONS = {**OPS, **OPTIMIZERS, **AUGMENTATIONS}


@pytest.mark.parametrize("op", op_texts(), ids=lambda op: op.name)
def test_each_op_says_what_it_is_and_what_it_takes(op: OpText) -> None:
    assert op.summary.endswith((".", ":")), op.summary
    assert all(one.allowed for one in op.parameters)
    # A name that says it all has no sentence: `beta_1`.
    if op.group == "network":
        assert [one.name for one in op.parameters if not (one.default or one.is_required)] == []
    if op.name not in FUNCTIONS:
        return
    for name, given in inspect.signature(FUNCTIONS[op.name]).parameters.items():
        known = [one for one in op.parameters if one.name == name]
        if known and given.default is not inspect.Parameter.empty:
            assert known[0].default.lower() == str(given.default).lower()


def test_keras_is_not_imported() -> None:
    code = (
        "import sys; from evonas.model.op_texts import op_texts; op_texts();"
        "assert 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
