"""The audit: a run's decisions made once more, from its record, by a fresh strategy.

A strategy's proposals are a function of the run's seed and of what it was told, so that the recorded tells and asks
must give the recorded proposals. Where they do not, the strategy has drawn numbers from elsewhere, or remembers what
its state does not say, or another version of it made the record.

The record itself comes first: it is held against its checksum, so that a change that no replay can see (seconds, a
metric that is no objective, the last outcome) is no secret either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evonas.errors import InvalidRecord
from evonas.genome import Genome, changes, parse_space
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.checksum import FIRST_VERSION
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.session import make_strategy, versions
from evonas.search.strategy import Strategy
from evonas.trial import Proposal, Trial


@dataclass(frozen=True)
class Audit:
    """What an audit has found.

    Attributes:
        trials: how many proposals were compared.
        told: how many trials the strategy was told.
        trial: the first trial whose proposal differs; None where none does.
        difference: a sentence about the first difference, of a proposal or of the state after all of them; empty where
            there is none.
        versions: what the record was made with and is not what runs now: name -> (then, now).
        has_checksum: whether the record was held against a checksum; those of schema 1 have none.
    """

    trials: int
    told: int
    trial: int | None = None
    difference: str = ""
    versions: Mapping[str, tuple[str, str]] | None = None
    has_checksum: bool = False

    @property
    def is_repeated(self) -> bool:
        return not self.difference


def audit(root: Path) -> Audit:
    """Replay the strategy of a run, as far as its record goes; nothing is trained, and nothing is written.

    Raises:
        UserError: there is no run.
        InvalidRecord: the record is damaged, or is not what its checksum says.
    """
    with RecordReader(Layout(root).record) as record:
        record.verify()
        has_checksum = record.version >= FIRST_VERSION
        try:
            config = RunConfig.from_json(record.meta("config"))
            space = parse_space(record.meta("space"), f"{record.path} (space)")
            seeds = {name: Genome.from_dict(data) for name, data in record.meta("seeds").items()}
            made_with: Mapping[str, str] = record.meta("versions")
        except KeyError as error:
            raise InvalidRecord(f"{record.path} lacks the entry {error}: it is damaged") from error
        trials = record.trials(config.to_objective())
        told_before, told = record.told_before(), record.told_order()
        state = record.meta("strategy") if record.has_meta("strategy") else None
    found = replay(make_strategy(config, space, seeds), trials, told_before, told, state)
    now = versions()
    other = {
        name: (then, now[name]) for name, then in made_with.items() if now.get(name, then) != then
    }
    return replace(found, versions=other, has_checksum=has_checksum)


def replay(
    strategy: Strategy,
    trials: Sequence[Trial],
    told_before: Sequence[int],
    told: int | Sequence[int],
    state: Mapping[str, Any] | None = None,
) -> Audit:
    """Ask and tell a fresh strategy as the record says, and compare; it ends at the first difference.

    Args:
        trials: as recorded, by id.
        told_before: for each of them, how many had been told when it was asked.
        told: ids of those that have been told in the end, in the order of the telling; or how many, if by id.
        state: the strategy's state in the end; None to compare proposals only.
    """
    done, order = 0, [trials[id] for id in (range(told) if isinstance(told, int) else told)]
    for trial, before in zip(trials, told_before, strict=True):
        done = _tell(strategy, order, done, before)
        asked = strategy.ask(1)
        words = (
            _difference(trial.proposal, asked[0])
            if asked
            else "the replay proposes nothing, and waits"
        )
        if words:
            place = f"trial {trial.id}, asked when {before} trials had been told, differs from its replay"
            return Audit(trial.id + 1, done, trial.id, f"{place}: {words}.")
    done = _tell(strategy, order, done, len(order))
    if state is not None and json.loads(json.dumps(strategy.state_dict())) != state:
        now = strategy.state_dict()
        keys = sorted(key for key in {*state, *now} if state.get(key) != now.get(key))
        return Audit(
            len(trials),
            done,
            None,
            f"after all trials, the strategy's state differs in {', '.join(keys)}.",
        )
    return Audit(len(trials), done)


def _tell(strategy: Strategy, order: Sequence[Trial], done: int, until: int) -> int:
    for trial in order[done:until]:
        if not trial.state.is_final:
            raise InvalidRecord(
                f"trial {trial.id} is said to have been told, but is still {trial.state}"
            )
        strategy.tell(trial)
    return max(done, until)


def _difference(recorded: Proposal, replayed: Proposal) -> str:
    """What differs between two proposals, in words; empty where nothing does."""
    found = [
        f"its {name} is {then!r} in the record and {now!r} in the replay"
        for name, then, now in (
            ("operator", recorded.lineage.operator, replayed.lineage.operator),
            ("parents", list(recorded.lineage.parents), list(replayed.lineage.parents)),
            ("generation", recorded.lineage.generation, replayed.lineage.generation),
            ("epochs", recorded.fidelity.epochs, replayed.fidelity.epochs),
            ("repeat", recorded.repeat, replayed.repeat),
            ("resume_from", recorded.resume_from, replayed.resume_from),
        )
        if then != now
    ]
    if recorded.genome != replayed.genome:
        words = changes(recorded.genome, replayed.genome)
        more = f" and {len(words) - 3} more" if len(words) > 3 else ""
        found.append(f"its genome is another one ({'; '.join(words[:3])}{more})")
    elif recorded.genome.to_dict() != replayed.genome.to_dict():
        found.append("its genes have other innovation numbers")
    return "; ".join(found)
