"""What earlier sessions have left for the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas.trial import Trial

LastAsk = tuple[int, Mapping[str, Any]]
"""How many trials had been told at the last ask, and the strategy's state after it."""


@dataclass(frozen=True)
class Past:
    """Where a session begins: at the last step of the session before.

    Attributes:
        session: number of the session that begins, from 1.
        trials: all trials, by id.
        told: ids of the trials that the strategy has been told, in this order.
        begun: ids of waiting trials that were in a worker already.
        state: state of the strategy; None before the first step.
        last_ask: place to which the run goes back if its budget is given something back; None if no
            budget has kept the strategy from asking since its last ask.
        stops: each time that failures in a row have stopped the run: `told`, `state`, `why`.
        is_time_over: whether the budget in seconds is spent.
    """

    session: int = 1
    trials: Sequence[Trial] = ()
    told: Sequence[int] = ()
    begun: Collection[int] = ()
    state: Mapping[str, Any] | None = None
    last_ask: LastAsk | None = None
    stops: Sequence[Mapping[str, Any]] = ()
    is_time_over: bool = False
