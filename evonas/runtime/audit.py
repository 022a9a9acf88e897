"""The audit: a run's decisions made once more, from its record, by a fresh strategy.

A strategy's proposals depend only on the run's seed and on what it was told. So the recorded tells
and asks must give the recorded proposals. If they do not, there are three possible reasons: the
strategy draws numbers from elsewhere, it remembers something that its state does not say, or
another version of it made the record.

An older evonas also named parents of which nothing was left in the child. Such lineages are only
counted: the genomes were chosen in the same way.

The record itself comes first: it is compared with its checksum. A replay cannot see every change
(of seconds, of a metric that is no objective, of the last outcome); the checksum can.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evonas.errors import InvalidRecord
from evonas.genome import changes
from evonas.runtime.code_record import CodeChange, changed_code, code_changes
from evonas.runtime.config.recorded_run import read_run
from evonas.runtime.config.strategy_config import StrategyAsWritten
from evonas.runtime.plugins import check_plugins
from evonas.runtime.record.checksum import FIRST_VERSION
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.session import make_strategy
from evonas.runtime.versions import Changes, other_versions
from evonas.search.strategy import Strategy
from evonas.trial import LINEAGES, Lineage, Proposal, Trial
from evonas.words import counted


@dataclass(frozen=True)
class Audit:
    """What an audit has found.

    Attributes:
        trials: number of proposals that were compared.
        told: number of trials that the strategy was told.
        trial: first trial whose proposal differs; None if none does.
        difference: sentence about the first difference, of a proposal or of the state after all of
            them; empty if there is none.
        versions: versions that the run uses and that are not those of the record, the CPU among
            them, as name -> (then, now).
        has_checksum: whether the record was compared with a checksum; a record of schema 1 has
            none.
        code_changes: changes of the plugins' code that the user has accepted.
        code: sentence that the strategy's plugin has other code now; empty if it has not.
        other_lineages: number of proposals with other parents or another operator in the record of
            an evonas with another rule for them. In any other record, that is a difference.
    """

    trials: int
    told: int
    trial: int | None = None
    difference: str = ""
    versions: Changes = field(default_factory=dict)
    has_checksum: bool = False
    other_lineages: int = 0
    code_changes: Sequence[CodeChange] = ()
    code: str = ""

    @property
    def is_repeated(self) -> bool:
        """Whether the replay gave what was recorded."""
        return not self.difference


def audit(root: Path) -> Audit:
    """Replay the strategy of a run to the end of its record; nothing is trained or written.

    Raises:
        UserError: there is no run.
        InvalidRecord: the record is damaged, or is not what its checksum says.
        InvalidConfig: the strategy is of a plugin that cannot be used.
    """
    with RecordReader(Layout(root).record) as record:
        record.verify()
        # Decoded: what the genomes are is compared, whatever digest stands beside them.
        run = read_run(record, decoded=True)
        inputs = run.inputs
        config, space, file = inputs.config, inputs.space, inputs.config_file
        changed = code_changes(record)
        code = ""
        # No other plugin has a part in what is proposed.
        if isinstance(config.strategy, StrategyAsWritten):
            code = changed_code(record, check_plugins(config, space, file))
    strategy = make_strategy(config, space, inputs.seeds, file)
    is_same_rule = inputs.lineages == LINEAGES
    found = replay(strategy, run.trials, run.told_before, run.told, run.state, is_same_rule)
    return replace(
        found,
        versions=other_versions(inputs.versions, config),
        has_checksum=run.version >= FIRST_VERSION,
        code_changes=changed,
        code=code,
    )


def replay(
    strategy: Strategy,
    trials: Sequence[Trial],
    told_before: Sequence[int],
    told: int | Sequence[int],
    state: Mapping[str, Any] | None = None,
    is_same_rule: bool = True,
) -> Audit:
    """Ask and tell a fresh strategy as the record says, and compare, up to the first difference.

    Args:
        trials: recorded trials, by id.
        told_before: for each trial, how many trials had been told when it was asked.
        told: ids of all told trials, in the order of the telling; or their number, if that order
            is the one of the ids.
        state: the strategy's state in the end; None to compare proposals only.
        is_same_rule: whether the record names parents and operators by today's rule. If not, those
            that differ are only counted.
    """
    ids = range(told) if isinstance(told, int) else told
    order = [trials[id] for id in ids]
    done = 0
    other_lineages = 0
    for trial, before in zip(trials, told_before, strict=True):
        done = _tell(strategy, order, done, before)
        # The engine asks one by one, too.
        asked = strategy.ask(1)
        if asked:
            proposal = asked[0]
            if not is_same_rule and not _is_same_ancestry(proposal.lineage, trial.lineage):
                other_lineages += 1
                proposal = _with_ancestry(proposal, trial.lineage)
            words = _difference(trial.proposal, proposal)
        else:
            words = "the replay proposes nothing, and waits"
        if words:
            place = (
                f"trial {trial.id}, asked when {counted(before, 'trial')} had been told,"
                " differs from its replay"
            )
            return Audit(trial.id + 1, done, trial.id, f"{place}: {words}.")
    # Trials that were told after the last ask.
    done = _tell(strategy, order, done, len(order))
    if state is not None:
        # By JSON and back, as the recorded state went: it makes lists of tuples.
        now = json.loads(json.dumps(strategy.state_dict()))
        if now != state:
            return Audit(len(trials), done, None, _other_state(state, strategy.state_dict()))
    return Audit(len(trials), done, other_lineages=other_lineages)


def _is_same_ancestry(one: Lineage, other: Lineage) -> bool:
    """Whether two lineages name the same operator and parents."""
    return (one.operators, one.parents) == (other.operators, other.parents)


def _with_ancestry(proposal: Proposal, lineage: Lineage) -> Proposal:
    """The proposal with the operator and the parents of this lineage."""
    made = replace(proposal.lineage, operators=lineage.operators, parents=lineage.parents)
    return replace(proposal, lineage=made)


def _other_state(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Which keys of the strategy's state differ, as a sentence."""
    keys = []
    for key in sorted({*then, *now}):
        if then.get(key) != now.get(key):
            keys.append(key)
    return f"after all trials, the strategy's state differs in {', '.join(keys)}."


def _tell(strategy: Strategy, order: Sequence[Trial], done: int, until: int) -> int:
    """Tell the trials from `done` to `until`; returns how many are told then."""
    for trial in order[done:until]:
        if not trial.state.is_final:
            raise InvalidRecord(
                f"trial {trial.id} is said to have been told, but is still {trial.state}"
            )
        strategy.tell(trial)
    return max(done, until)


def _difference(recorded: Proposal, replayed: Proposal) -> str:
    """What differs between two proposals, in words; empty if nothing does."""
    then = _plain(recorded)
    now = _plain(replayed)
    found = []
    for name in then:
        if then[name] != now[name]:
            found.append(
                f"its {name} is {then[name]!r} in the record and {now[name]!r} in the replay"
            )
    if recorded.genome != replayed.genome:
        words = changes(recorded.genome, replayed.genome)
        more = f" and {len(words) - 3} more" if len(words) > 3 else ""
        found.append(f"its genome is another one ({'; '.join(words[:3])}{more})")
    # Innovation numbers are no part of a genome's identity, but later children depend on them.
    elif recorded.genome.to_dict() != replayed.genome.to_dict():
        found.append("its genes have other innovation numbers")
    return "; ".join(found)


def _plain(proposal: Proposal) -> dict[str, Any]:
    """What a proposal says besides its genome."""
    lineage = proposal.lineage
    return {
        "operator": lineage.operator,
        "parents": list(lineage.parents),
        "generation": lineage.generation,
        "epochs": proposal.fidelity.epochs,
        "repeat": proposal.repeat,
        "resume_from": proposal.resume_from,
    }
