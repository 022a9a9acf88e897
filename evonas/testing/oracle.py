"""A small search space, and answers to its genomes that need no training."""

from __future__ import annotations

import functools
import hashlib

from evonas.genome import SearchSpace, parse_space
from evonas.testing.driving import settled
from evonas.trial import Objective, Proposal, Trial

_SMALL = """
space: small
about: Few enough decisions that twins are frequent.
input: vector
network:
  layers:
    length: [1, 2]
    ops:
      dense: {units: {choice: [4, 8, 16]}, activation: {choice: [relu, tanh]}}
settings:
  optimizer:
    ops: {sgd: {learning_rate: {float: [1e-3, 1.0], log: true}}, adam: {learning_rate: 0.01}}
  training: {ops: {training: {batch_size: {choice: [16, 32]}}}}
"""


@functools.cache
def small_space() -> SearchSpace:
    """A space with so few decisions that duplicates are frequent."""
    return parse_space(_SMALL, "small.yaml")


class Oracle:
    """Answers for a worker: the value is a pure function of the genome, and some genomes fail.

    Args:
        objective: objective of the search.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def settle(self, id: int, proposal: Proposal) -> Trial:
        """The finished trial of a proposal; its metric `parameters` is below 1,000."""
        number = int(hashlib.sha256(proposal.genome.canonical().encode()).hexdigest(), 16)
        value = None if number % 7 == 0 else number % 1000 / 1000
        more = {"parameters": number // 1000 % 1000}
        return settled(self.objective, id, proposal, value, more)
