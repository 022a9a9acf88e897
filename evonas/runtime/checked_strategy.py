"""A strategy of a plugin, of which everything is checked before evonas goes on with it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.genome import Genome
from evonas.runtime.config.families import name_of
from evonas.runtime.config.plugin_members import is_member_name
from evonas.runtime.config.strategy_config import INNER, SECTION
from evonas.runtime.member_border import MemberBorder, is_count
from evonas.search.registry import NAMES
from evonas.search.strategies.wrapping import WrappingSettings
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.trial import Expected, Fidelity, Lineage, Proposal, Trial, TrialState


def checked(settings: StrategySettings, file: Path, section: str = SECTION) -> StrategySettings:
    """The settings, made so that a plugin's strategy, also one inside, is checked.

    Args:
        file: the config's file.
        section: where the config names the strategy.
    """
    name = name_of(settings, NAMES)
    if is_member_name(name):
        return CheckedSettings(settings, MemberBorder(str(name), section, str(file)))
    if isinstance(settings, WrappingSettings):
        inner = checked(settings.inner, file, f"{section}.{name}.{INNER}")
        return dataclasses.replace(settings, inner=inner)
    return settings


@dataclass(frozen=True)
class CheckedSettings(StrategySettings):
    """Makes a strategy of a plugin that is checked. What is asked before is asked elsewhere.

    Attributes:
        settings: the plugin's.
        border: tells what is wrong.
    """

    settings: StrategySettings
    border: MemberBorder

    def make(self, problem: SearchProblem) -> Strategy:
        made = self.border.make(Strategy, "make", self.settings.make, problem)
        return CheckedStrategy(problem, self, made)

    def with_inner(self) -> tuple[StrategySettings, ...]:
        return self.settings.with_inner()


class CheckedStrategy(Strategy):
    """Passes on what it is asked and told, and refuses what is not as `Strategy` says.

    Raises:
        InvalidConfig: from any method; nothing of the refused is recorded.
    """

    def __init__(
        self, problem: SearchProblem, settings: CheckedSettings, strategy: Strategy
    ) -> None:
        super().__init__(problem, settings)
        self._border = settings.border
        self._strategy = strategy
        self.continues_trials = strategy.continues_trials
        self._told: dict[int, Trial] = {}
        # Whether anything was ever proposed.
        self._has_begun = False
        lengths: set[int] = set()
        for layer in settings.with_inner():
            lengths |= set(layer.fidelities(problem.fidelity.epochs))
        self._lengths = sorted(lengths)

    def ask(self, count: int) -> list[Proposal]:
        found = self._proposals("ask", self._strategy.ask, count)
        if not found and not self._has_begun:
            allowed = "a Proposal before anything was told, unless is_done is true"
            self._border.expect(self.is_done, "ask", allowed, found)
        self._has_begun = True
        return found

    def alternatives(self, count: int) -> list[Proposal]:
        return self._proposals("alternatives", self._strategy.alternatives, count)

    def tell(self, trial: Trial) -> None:
        self._border.call("tell", self._strategy.tell, trial)
        self._told[trial.id] = trial

    @property
    def is_done(self) -> bool:
        found: Any = self._strategy.is_done
        self._border.expect(isinstance(found, bool), "is_done", "True or False", found)
        return bool(found)

    @property
    def retained(self) -> Collection[int]:
        found: Any = self._strategy.retained
        is_met = isinstance(found, Collection) and all(map(is_count, found))
        self._border.expect(is_met, "retained", "a collection of trial ids", found)
        return tuple(found)

    def state_dict(self) -> dict[str, Any]:
        found = self._border.call("state_dict", self._strategy.state_dict)
        allowed = "a dict of plain JSON, with finite numbers"
        self._border.expect(isinstance(found, dict), "state_dict", allowed, found)
        for key, value in found.items():
            item = {key: value}
            self._border.expect(_is_json(item), "state_dict", allowed, item)
        return dict(found)

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._border.call("load_state_dict", self._strategy.load_state_dict, state, trials)
        self._has_begun = bool(trials)
        self._told = {id: trial for id, trial in trials.items() if trial.state.is_final}

    def _proposals(
        self, method: str, function: Callable[[int], list[Proposal]], count: int
    ) -> list[Proposal]:
        found = self._border.call(method, function, count)
        is_met = isinstance(found, list | tuple) and len(found) <= count
        self._border.expect(is_met, method, f"a list of at most {count} of Proposal", found)
        for proposal in found:
            is_met = isinstance(proposal, Proposal)
            self._border.expect(is_met, method, "a list of Proposal", proposal)
            for is_met, allowed, received in self._checks(proposal):
                self._border.expect(is_met, method, f"Proposals with {allowed}", received)
        return list(found)

    def _checks(self, proposal: Proposal) -> list[tuple[bool, str, object]]:
        """What is asked of a proposal: whether it is met, what is allowed, and what there is."""
        genome: Any = proposal.genome
        lineage: Any = proposal.lineage
        if not isinstance(lineage, Lineage):
            return [(False, "a Lineage", lineage)]
        parents: Any = lineage.parents
        repeat = proposal.repeat
        lengths = ", ".join(map(str, self._lengths))
        return [
            (isinstance(genome, Genome), "a Genome", genome),
            (
                self._may_last(proposal.fidelity),
                f"a Fidelity whose epochs are among those of the settings, {lengths}",
                proposal.fidelity,
            ),
            (
                isinstance(parents, list | tuple) and all(map(self._is_parent, parents)),
                "parents that are ids of trials that were told, and that have succeeded",
                parents,
            ),
            (is_count(lineage.generation), "a generation of at least 0", lineage.generation),
            (is_count(repeat), "a repeat of at least 0", repeat),
            (
                self._may_continue(proposal),
                "a resume_from that is None, or the id of a told, shorter trial of the same genome"
                " if continues_trials is true",
                proposal.resume_from,
            ),
            (
                proposal.expected is None or isinstance(proposal.expected, Expected),
                "an expected that is None or an Expected",
                proposal.expected,
            ),
        ]

    def _may_last(self, fidelity: Any) -> bool:
        if not isinstance(fidelity, Fidelity) or not is_count(fidelity.epochs, 1):
            return False
        return fidelity.epochs in self._lengths

    def _is_parent(self, id: object) -> bool:
        trial = self._told.get(id) if type(id) is int else None
        return trial is not None and trial.state is TrialState.OK

    def _may_continue(self, proposal: Proposal) -> bool:
        id = proposal.resume_from
        if id is None:
            return True
        trial = self._told.get(id) if type(id) is int and self.continues_trials else None
        if trial is None or trial.genome != proposal.genome:
            return False
        return trial.proposal.fidelity < proposal.fidelity


def _is_json(value: object) -> bool:
    """Whether the record can hold this."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
