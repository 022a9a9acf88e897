"""What an engine is given: the rules of the run, and the surroundings of this session."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evonas.errors import InvalidConfig
from evonas.evaluate.contract.user_code import Source
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.reserve import Reserve
from evonas.runtime.loop.stopping import StopRequest
from evonas.trial import Objective

Refusal = Callable[[], InvalidConfig]
"""Makes the error of a session that ends because the user's code has changed."""


@dataclass(frozen=True)
class Rules:
    """What decides the content of a run, besides its strategy and its workers.

    Attributes:
        objective: the first objective, by which trials are compared.
        seed: seed of the run.
        limits: limits of the run.
        in_order: whether trials are told in the order of proposals; False for that of arrival.
        incumbent_of: gives the incumbent that a trial's job carries as the value to be reached.
    """

    objective: Objective
    seed: int
    limits: RunLimits
    in_order: bool = True
    incumbent_of: Callable[[int], float | None] = lambda trial: None


@dataclass(frozen=True)
class Surroundings:
    """What a session has around it. None of it decides what is proposed.

    Attributes:
        observers: told what happens.
        stop: notes the signals.
        clock: gives seconds.
        spent: seconds of earlier sessions, and of this one so far.
        guard: says whether there is space for another trial; None if there always is.
        reserve: measures how long the end of the run will take; None keeps nothing for it.
        check_place: raises a UserError if the run's folder is no longer where it was.
        refusal_of: says whether code that was imported may judge trials of this run: None, or what
            makes the error with which the session ends.
    """

    observers: Sequence[Observer] = ()
    stop: StopRequest = field(default_factory=StopRequest)
    clock: Callable[[], float] = time.monotonic
    spent: float = 0.0
    guard: DiskGuard | None = None
    reserve: Reserve | None = None
    check_place: Callable[[], None] = lambda: None
    refusal_of: Callable[[Mapping[str, Source]], Refusal | None] = lambda sources: None
