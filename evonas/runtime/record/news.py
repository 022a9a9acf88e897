"""What is new in a record since it was last looked at: for those who follow a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evonas.trial import Attempt, Trial

Event = tuple[float, str, Any]
"""Something that happened: time, kind, detail."""


@dataclass(frozen=True)
class Mark:
    """A moment of a record; by default the one before everything.

    Attributes:
        checksum: the record's sum at that moment. Each transaction gives it another one.
        trials: number of trials.
        open: trials whose outcome may still change -> whether they wait for their first one.
            Otherwise a deadline has interrupted them.
        events: number of events.
    """

    checksum: str = ""
    trials: int = 0
    open: Mapping[int, bool] = field(default_factory=dict)
    events: int = 0


@dataclass(frozen=True)
class News:
    """What has happened in a record since a mark.

    Attributes:
        mark: the moment of this news; whatever comes later is new since then.
        trials: trials that are new, or whose outcome has changed, by id.
        attempts: all attempts at these trials and at those that waited, in order.
        events: events, in order.
    """

    mark: Mark
    trials: Sequence[Trial]
    attempts: Sequence[Attempt]
    events: Sequence[Event]
