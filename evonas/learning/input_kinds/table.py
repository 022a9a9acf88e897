"""Tables: a value for each column, numbers with gaps beside words as their codes."""

from __future__ import annotations

from evonas.learning.input_kinds.input_kind import InputKind

_NUMBER = {"mean": 0.0, "variance": 1.0, "has_gaps": True}
_QUANTILES = tuple(-2 + k / 4 for k in range(17))

TABLE = InputKind(
    name="table",
    axes=(1,),
    axes_in_words="1 axis (columns)",
    column="column",
    example=(4,),
    entrance=(),
    fitted=(),
    example_fitted={
        "columns": (
            {"name": "age", **_NUMBER, "quantiles": _QUANTILES},
            {"name": "pay", **_NUMBER, "has_gaps": False, "quantiles": _QUANTILES},
            {"name": "colour", "words": ("red", "green", "blue")},
            {"name": "size", "words": ("small", "large")},
        )
    },
)
