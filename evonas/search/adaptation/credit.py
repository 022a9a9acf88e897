"""Credit assignment: from told trials to the weights of the mutation operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evonas.genome import MutationRates
from evonas.search.adaptation.adaptation import Adaptation
from evonas.trial import Fitness, Trial


class Credit:
    """Follows the trials of a run in the order in which they are told.

    The rates are a pure function of these trials. So there is no state to save, and `restore` is
    given the trials again.

    Args:
        adaptation: how rewards change the shares of the operators.
        rates: rates of the config. The learned shares multiply the weights of the operators. An
            operator with weight 0 stays off.
    """

    def __init__(self, adaptation: Adaptation, rates: MutationRates) -> None:
        self._adaptation = adaptation
        self._given = rates
        self._start()

    def _start(self) -> None:
        """Forget all trials."""
        weights = self._given.operators
        names = [name for name in weights if weights[name] > 0]
        self._first = self._adaptation.start(names)
        self._learned = self._first
        self._fitness: dict[int, Fitness] = {}

    @property
    def rates(self) -> MutationRates:
        """The rates after the trials that were told so far."""
        # Until something is learned the config's own weights are used, unscaled. `Fixed` never
        # learns, so a run without adaptation has exactly these.
        if self._learned is self._first:
            return self._given
        shares = self._learned.shares
        weights = {}
        for name, weight in self._given.operators.items():
            share = shares.get(name, 0.0)
            weights[name] = weight * share
        return replace(self._given, operators=weights)

    def tell(self, trial: Trial) -> None:
        """Reward each operator that took part in making this trial, once."""
        if trial.fitness is not None:
            self._fitness[trial.id] = trial.fitness
        # The lineage names only trials that the child still has something of. So a partner that
        # gave nothing is no rival of the child, and its operators are not judged by it.
        parents = [self._fitness[id] for id in trial.lineage.parents]
        # Random and seed genomes have no parents, so no operator made them.
        if not parents:
            return
        better_parent = min(parents, key=lambda fitness: fitness.order)
        reward = gain(trial, better_parent)
        words = trial.lineage.operators
        # `dict.fromkeys` drops repeated words and keeps their order, on which the result depends.
        for word in dict.fromkeys(words):
            # Words such as `crossover` are in the lineage too, but have no rate to adapt.
            if word in self._learned.shares:
                self._learned = self._adaptation.learn(self._learned, word, reward)

    def restore(self, trials: Mapping[int, Trial]) -> None:
        """Start again, and be told all of these trials that are final, in their order."""
        self._start()
        for trial in trials.values():
            if trial.state.is_final:
                self.tell(trial)


def gain(child: Trial, parent: Fitness) -> float:
    """How much better a child is than its better parent, relative to the greater value of the two.

    If the parent violates constraints, the gain is the share of the violation that is gone.

    Returns:
        A number in [0, 1]; 0 for a failed child, a duplicate, or a child that is no better.
    """
    # A duplicate repeats a known result: its operators have found nothing new.
    if child.fitness is None or child.twin_of is not None:
        return 0.0
    if not child.fitness > parent:
        return 0.0
    if child.fitness.violation < parent.violation:
        removed = parent.violation - child.fitness.violation
        return removed / parent.violation
    scale = max(abs(child.fitness.value), abs(parent.value))
    # Values of opposite signs differ by more than the greater of them.
    return min(1.0, (parent.key - child.fitness.key) / scale)
