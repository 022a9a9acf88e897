"""The contract of a strategy: its settings make it, and then it is asked and told.

A new strategy is one file in `strategies/` and one line in `registry.py`, or one file of a plugin.
The file has a frozen dataclass, which derives from `StrategySettings`, and the `Strategy` that its
`make` returns. `strategies/random_search.py` is a short example to copy. The contract tests run
over the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from evonas.genome import Genome, SearchSpace
from evonas.search.part import Part
from evonas.trial import Fidelity, Objective, Proposal, Trial

SEED_KEYS = ("founders", "seeds", "genomes")
"""Settings that hold names of seed genomes, in a list.

They are read from the plain data of a config, also if other settings beside them are wrong.
"""

SPACE: Literal["space"] = "space"
"""The word for the founders of the search space, which come in by themselves."""

FounderNames = tuple[str, ...] | Literal["none", "space"]


@dataclass(frozen=True)
class SearchProblem:
    """What every strategy is given.

    Attributes:
        space: the set of genomes that may be proposed.
        objective: the first objective, with the constraints.
        fidelity: length of a full training. Strategies without rungs propose nothing else.
        seed: seed of the run; the only source of randomness.
        seeds: seed genomes by name, already checked against the space.
        trials: the budget in trials, or None if the budget is counted in something else. Samplers
            and grids need it, because they must know the number of their points.
        objectives: all objectives, for strategies that search a front.
    """

    space: SearchSpace
    objective: Objective
    fidelity: Fidelity
    seed: int
    seeds: Mapping[str, Genome] = field(default_factory=dict)
    trials: int | None = None
    objectives: tuple[Objective, ...] = ()


def counters(count: int) -> list[tuple[int, ...]]:
    """Numbers to append to a proposal's counter, one tuple for each of `count` alternatives.

    The first tuple is empty, because the first alternative is the proposal itself.
    """
    others = [(i,) for i in range(1, count)]
    # The slice is for a count of 0, which asks for nothing, not even the proposal.
    return [(), *others][:count]


@dataclass(frozen=True)
class StrategySettings(Part, ABC):
    """A strategy as a config writes it: its fields are its settings in the YAML.

    Every field has a default, so that the bare name is enough. The class attributes and methods say
    what must be known before the strategy is made. All but `make` have a default.

    Attributes:
        founders: names of seed genomes that are proposed first; `space` for those of the search
            space, as far as they fit, or `none`.

    Class attributes:
        takes_founders: whether other genomes may take the place of its first proposals.
        places_founders: whether the strategy proposes them itself. Otherwise evonas puts them in
            the place of its first proposals. They are in `SearchProblem.seeds` by their names.
        sets_epochs: whether proposals may have another fidelity than the problem's. If so, the
            number of epochs cannot be a gene.
        has_alternatives: whether the strategy can say what else it could propose.
        takes_several: whether the strategy can run with several objectives.
        needs_several: whether the strategy can run only with several objectives.
        counts_infeasible: whether an infeasible proposal is one of a planned number, such as a
            place on a rung or a point of a grid. If so, the budget counts it like any other trial.
    """

    founders: FounderNames = field(default=SPACE, kw_only=True)

    older_keys: ClassVar[Mapping[str, str]] = {"seeds": "founders"}
    takes_founders: ClassVar[bool] = True
    places_founders: ClassVar[bool] = False
    sets_epochs: ClassVar[bool] = False
    has_alternatives: ClassVar[bool] = False
    takes_several: ClassVar[bool] = False
    needs_several: ClassVar[bool] = False
    counts_infeasible: ClassVar[bool] = False

    @property
    def founder_names(self) -> tuple[str, ...]:
        """The founders that the config names."""
        return () if isinstance(self.founders, str) else self.founders

    @abstractmethod
    def make(self, problem: SearchProblem) -> Strategy:
        """A new strategy, before the first ask."""

    def objective_problems(self, objective: Objective) -> dict[str, str]:
        """Which of these settings cannot work with this objective, by key; empty if all can."""
        return {}

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """Which of these settings do not fit a search problem, by key; empty if all do.

        An empty key stands for all settings together.
        """
        return {}

    def fidelities(self, epochs: int) -> tuple[int, ...]:
        """All numbers of epochs that a trial may have.

        Args:
            epochs: epochs of a full training.
        """
        return (epochs,)

    def first_generation(self) -> int | None:
        """Number of trials of the first generation; None if there is none, or it is not known."""
        return None

    def with_inner(self) -> tuple[StrategySettings, ...]:
        """This strategy and those that it wraps, the outer first."""
        return (self,)


class Strategy(ABC):
    """Proposes trials and learns from their outcomes.

    The engine numbers the proposals from 0, in the order in which they are asked. It tells each of
    them exactly once, in a final state. It tells them in the same order, or in the order of arrival
    if the config says `deterministic: false`. It may ask again before it tells. A strategy

    * draws random numbers only from `evonas.randomness.generator(seed, purpose, *counter)`. So its
      state is counters and trial ids, and the same asks and tells give the same proposals;
    * never makes a failed trial a parent, and names as a parent only a trial that the proposed
      genome still has something of;
    * may return fewer proposals than were asked for, which means: *wait for a tell*. An ask that
      returns nothing changes nothing.

    Attributes:
        problem: what it searches.
        settings: the `StrategySettings` that made it, and that can make another one like it.

    Class attributes:
        continues_trials: whether proposals may have a `resume_from`. If so, the checkpoints of
            `retained` are kept.
    """

    # No ClassVar: a strategy that wraps another one sets it on the instance.
    continues_trials: bool = False

    def __init__(self, problem: SearchProblem, settings: Any) -> None:
        self.problem = problem
        self.settings = settings

    @abstractmethod
    def ask(self, count: int) -> list[Proposal]:
        """Up to `count` (at least 1) new proposals."""

    def alternatives(self, count: int) -> list[Proposal]:
        """Up to `count` proposals, each of which may replace the next one.

        There are none if `ask` would return none. The first is what `ask(1)` would return.
        The call changes nothing. The caller may then train another of them and tell its trial. So a
        strategy has alternatives only if it remembers no genome of its proposals before they are
        told.
        """
        raise NotImplementedError(f"{type(self).__name__} has no alternatives")

    @abstractmethod
    def tell(self, trial: Trial) -> None:
        """Learn the outcome of one trial; see the class for the order of the trials."""

    @property
    def is_done(self) -> bool:
        """Whether the strategy will never propose again; most continue until the budget ends."""
        return False

    @property
    def retained(self) -> Collection[int]:
        """Ids of told trials whose files are kept: the population, and trials that may join it.

        A trial that a later proposal may resume from is named here from its tell to that proposal.
        The checkpoints of all other trials are deleted. If a deleted checkpoint is needed after
        all, the run continues, and the trial is trained again. The engine asks after every step, so
        this should be short and quick to compute.
        """
        return ()

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters and trial ids, as plain JSON: no genomes, no generators."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        """Continue where `state_dict` was taken; called on a new strategy.

        Args:
            trials: all trials that were asked until then, by id. Told trials come first, in the
                order in which they were told. The others follow; their state is `waiting`.
        """
