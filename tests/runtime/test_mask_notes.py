"""An op of the user's that takes no mask is named by `check`, if sequences are padded."""

from __future__ import annotations

import pytest

from evonas.evaluate.local.plugin_check import Plugins
from evonas.genome import parse_space
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.runtime.plugins import about_masks

SPACE = """
space: s
input: KIND
network:
  encoder: {length: [1, 2], ops: {gru: {units: 8}, "my_ops:mixed": {}, "my_ops:masked": {}}}
settings:
  optimizer: {ops: {sgd: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 32}}}
"""


@pytest.mark.parametrize(
    ("kind", "encoding", "is_told"),
    [("sequence", "padded", True), ("text", "text", True), ("sequence", "", False)],
)
def test_ops_that_cannot_know_the_padding_are_named(
    kind: str, encoding: str, is_told: bool
) -> None:
    space = parse_space(SPACE.replace("KIND", kind), "s.yaml")
    ends = Interface(InputSpec(kind, (6, 2), encoding=encoding), "classification", (0, 1))
    found = Plugins(taken={"my_ops:mixed": ["name"], "my_ops:masked": ["mask"]})
    told = about_masks(space, ends, found)
    assert [words.partition(" takes")[0] for words in told] == (
        ["the op my_ops:mixed"] if is_told else []
    )
    assert about_masks(space, None, found) == []
