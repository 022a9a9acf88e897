"""A run read back from its record, by one function for everybody who looks at runs.

A run is looked at far more often than it is worked on. So what takes long is decoded when it is
first asked for: the config with all its settings, the search space, the genomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.genome import Genome
from evonas.runtime.config.head import ConfigHead
from evonas.runtime.record.news import Event
from evonas.runtime.record.open_record import END, TIME_OVER, OpenRecord, decoding
from evonas.trial import Objective, Trial

if TYPE_CHECKING:
    from evonas.genome import SearchSpace
    from evonas.learning.interface import Interface
    from evonas.runtime.config.run_config import RunConfig

NOTED = "openings noted"
"""Key in `meta` of a run whose openings of the test data are all events.

A run of an older evonas has none, and may have had openings before the first event.
"""
LINEAGES = "lineages"
"""Key in `meta` of the rule by which the run names parents; an older evonas had rule 1."""
CHOSEN = "space chosen"
"""Key in `meta` of the sentence that says why the data have chosen the space, if they have."""


@dataclass(frozen=True)
class RunInputs:
    """What a run is made from: its config as it is now, and what never changes.

    Attributes:
        path: path of the record.
        config_file: the file that the config came from; it may have changed or gone.
        head: what those who look at a run need of its config.
        counts: number of samples of each part of the data, or of the genomes of a table.
        versions: versions of everything that made the record.
        fingerprint: what identifies the content of the data, or of the table.
        data_files: path -> sha256 of the arrays.
        lineages: version of the rule by which parents are named.
        gives_back: whether infeasible trials are given back to the budget.
        chosen: why the data have chosen the space; empty if the config named it.
    """

    path: Path
    config_file: Path
    head: ConfigHead
    counts: Mapping[str, int]
    versions: Mapping[str, str]
    fingerprint: str
    data_files: Mapping[str, str]
    lineages: int
    gives_back: bool
    config_json: Mapping[str, Any]
    interface_json: Mapping[str, Any] | None
    space_text: str
    seeds_json: Mapping[str, Any]
    chosen: str = ""

    @property
    def objective(self) -> Objective:
        """The first objective, by which the winner is the best."""
        return self.head.to_objectives()[0]

    @cached_property
    def config(self) -> RunConfig:
        """The config, whole.

        Raises:
            InvalidRecord: it is one of another version of evonas.
        """
        from evonas.runtime.config.run_config import RunConfig

        with decoding(self.path):
            return RunConfig.from_json(self.config_json)

    @cached_property
    def space(self) -> SearchSpace:
        """The search space of the run's genomes."""
        from evonas.genome import parse_space

        with decoding(self.path):
            return parse_space(self.space_text, "the recorded space")

    @cached_property
    def seeds(self) -> Mapping[str, Genome]:
        """The seed genomes that the strategy wants, by name."""
        with decoding(self.path):
            return {name: Genome.from_dict(data) for name, data in self.seeds_json.items()}

    @cached_property
    def interface(self) -> Interface | None:
        """The input and output of every network; None if the run has no networks."""
        from evonas.learning.interface import Interface

        if self.interface_json is None:
            return None
        with decoding(self.path):
            return Interface.from_json(self.interface_json)


@dataclass(frozen=True)
class RecordedRun:
    """A run as its record is at one moment.

    Attributes:
        inputs: what the run is made from.
        version: version of the record's schema.
        trials: all trials, by id.
        told: ids of the trials that the strategy has been told, in this order.
        told_before: for each trial, how many trials had been told when it was asked.
        state: state of the strategy; None before the first step.
        files: path -> sha256 of all files.
        events: what happened, in order.
        seconds: seconds that the sessions have worked.
        is_finished: whether the search has ended and its conclusion is written.
        end: how long the end of the run took: `seconds`, `reserve`; None before the end.
        result: card of the winner; None before the end.
        time_over: budget in seconds that was found to be spent, or None.
        has_all_openings: whether each opening of the test data is an event.
    """

    inputs: RunInputs
    version: int
    trials: Sequence[Trial]
    told: Sequence[int]
    told_before: Sequence[int]
    state: Mapping[str, Any] | None
    files: Mapping[str, str]
    events: Sequence[Event]
    seconds: float
    is_finished: bool
    end: Mapping[str, float] | None
    result: Mapping[str, Any] | None
    time_over: float | None
    has_all_openings: bool


def read_inputs(record: OpenRecord) -> RunInputs:
    """What a run is made from.

    Raises:
        InvalidRecord: the record is damaged, or of another version of evonas.
    """
    with decoding(record.path):
        config = record.meta("config")
        return RunInputs(
            path=record.path,
            config_file=Path(record.meta("config_file")),
            head=ConfigHead.from_json(config),
            counts=record.meta("counts"),
            versions=record.meta("versions"),
            fingerprint=record.meta("fingerprint"),
            data_files=record.meta("data_files"),
            lineages=record.meta(LINEAGES) if record.has_meta(LINEAGES) else 1,
            gives_back=record.gives_back,
            config_json=config,
            interface_json=record.meta("interface"),
            space_text=record.meta("space"),
            seeds_json=record.meta("seeds"),
            chosen=record.meta(CHOSEN) if record.has_meta(CHOSEN) else "",
        )


def read_run(record: OpenRecord, decoded: bool = False) -> RecordedRun:
    """A run, read back.

    Args:
        decoded: whether all genomes are decoded now; see `OpenRecord.trials`.

    Raises:
        InvalidRecord: the record is damaged, or of another version of evonas.
    """
    inputs = read_inputs(record)
    is_finished = bool(record.meta("sealed"))

    def known(key: str, is_there: bool = True) -> Any:
        return record.meta(key) if is_there and record.has_meta(key) else None

    return RecordedRun(
        inputs=inputs,
        version=record.version,
        trials=record.trials(inputs.objective, decoded),
        told=record.told_order(),
        told_before=record.told_before(),
        state=known("strategy"),
        files=record.files(),
        events=record.events(),
        seconds=record.worked_seconds(),
        is_finished=is_finished,
        end=known(END, is_finished),
        result=known("result", is_finished),
        time_over=known(TIME_OVER),
        has_all_openings=record.has_meta(NOTED),
    )
