"""Forecasting: the next values of a series, from a window of its past."""

from __future__ import annotations

from evonas.learning.formulas import Array
from evonas.learning.tasks.quantities import Quantities


class Forecasting(Quantities):
    """Targets are the next values of one series or of several, (samples, steps * series).

    All series of the first step come first, then those of the second step. A sample is a window of
    the past, (moments, channels), whose last channels are the series themselves. `data/windows.py`
    makes both of arrays in order of time.
    """

    name = "forecasting"

    def guess(self, y: Array) -> str:
        # That samples are in order of time cannot be seen.
        return ""
