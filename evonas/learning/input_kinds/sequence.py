"""Sequences of one length: time and channels."""

from __future__ import annotations

from evonas.learning.input_kinds.input_kind import InputKind

SEQUENCE = InputKind(
    name="sequence",
    axes=(1, 2),
    axes_in_words="1 axis (time) or 2 axes (time, channels)",
    column="channel",
    example=(8, 8),
    entrance=("channel_axis", "normalization"),
    fitted=("moments",),
)
