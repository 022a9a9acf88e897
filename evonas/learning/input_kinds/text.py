"""Texts: the numbers of their words, 0 behind the last one."""

from __future__ import annotations

from evonas.learning.input_kinds.input_kind import InputKind

TEXT = InputKind(
    name="text",
    axes=(1,),
    axes_in_words="1 axis (words)",
    column="word",
    example=(12,),
    entrance=(),
    fitted=(),
    example_fitted={"vocabulary": tuple(f"word{number}" for number in range(100))},
)
