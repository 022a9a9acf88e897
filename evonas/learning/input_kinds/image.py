"""Images: height, width and channels, the channels last."""

from __future__ import annotations

from evonas.learning.input_kinds.input_kind import InputKind

IMAGE = InputKind(
    name="image",
    axes=(2, 3),
    axes_in_words="2 axes (height, width) or 3 axes (height, width, channels)",
    column="channel",
    example=(8, 8),
    entrance=("channel_axis", "normalization"),
    fitted=("moments",),
)
