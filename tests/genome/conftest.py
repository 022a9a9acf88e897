"""Search spaces that together use every feature of the form, and genomes of many origins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evonas.genome import Genome, SearchSpace, cross, load_space, mutate, parse_space, sample

ROOT = Path(__file__).parents[2]

MLP = """
space: mlp
input: vector
network:
  layers:
    length: [0, 9]
    wiring: skip
    max_skips: 3
    merge: {choice: [add, concat]}
    weights: {dense: 3, noise: 0.25}
    ops:
      dense: {units: {int: [8, 256], log: true}, rate: {float: [0.1, 0.9], off: 0.0},
              use_bias: {choice: [true, false]}, activation: {same_as: style.activation},
              kernel_initializer: orthogonal}
      noise: {rate: {choice: [0.1, 0.5, 1.0]}}
      bottleneck: {units: {int: [-3, 3]}, scale: {float: [-2, 2]}}
  fixed: {length: 4, ops: {none: {}, left: {k: {choice: [1, 2]}}, right: {}}}
settings:
  style: {ops: {style: {activation: {choice: [relu, tanh, "true", "1"]}}}}
  adam:
    ops:
      adam: {learning_rate: {float: [1e-5, 1e-1], log: true}}
      plug.in:adam: {decay: {int: [1, 9], off: -1}}
"""

TABLE = """
space: table
settings:
  config:
    ops:
      config:
        batch_size: {int: [16, 512], log: true}
        learning_rate: {float: [0.00012345678, 0.1], log: true}
        momentum: {float: [0.123456789, 0.99]}
        layers: {int: [1, 5]}
        big: {int: [1, 1000000000000], log: true}
        far: {float: [-1e300, 1e300]}
        near: {float: [1e-300, 2e-300], log: true}
"""


DAG = """
space: dag
input: image
cells:
  even: {length: [1, 4], wiring: dag, inputs: 2, ops: {pair: {k: {choice: [a, b]}}}}
  odd: {like: even, length: 3, ops: {pair: {}, plug.in:other: {m: {int: [1, 5]}}}}
  plain: {length: [1, 3], ops: {x: {}, y: {k: {choice: [1, 2]}}}}
network:
  trunk: {length: [1, 6], wiring: dag, inputs: 1, ops: {x: {}, y: {k: {choice: [1, 2]}}}}
  stack: {length: [1, 4], ops: {even: {}, odd: {stride: 2}, plain: {}}}
  three: {length: 4, wiring: dag, inputs: 3, ops: {x: {k: {float: [0, 1]}}}}
"""

SHIPPED = sorted(path.stem for path in (ROOT / "genomes/spaces").glob("*.yaml"))


@pytest.fixture(scope="session")
def convnet() -> SearchSpace:
    return load_space(ROOT / "genomes/spaces/convnet.yaml")


@pytest.fixture(scope="session")
def mlp() -> SearchSpace:
    return parse_space(MLP, "mlp.yaml")


@pytest.fixture(scope="session")
def dag() -> SearchSpace:
    return parse_space(DAG, "dag.yaml")


@pytest.fixture(scope="session", params=["every feature", "table", "dag", *SHIPPED])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    texts = {"every feature": MLP, "table": TABLE, "dag": DAG}
    if request.param in texts:
        return parse_space(texts[request.param], f"{request.param}.yaml")
    return load_space(ROOT / f"genomes/spaces/{request.param}.yaml")


@pytest.fixture(scope="session")
def bred() -> Callable[[SearchSpace, int], Genome]:
    """A genome that was sampled, crossed and mutated, as a function of the space and a seed."""

    def breed(space: SearchSpace, seed: int) -> Genome:
        rng = np.random.default_rng(seed)
        first, second = sample(space, rng), sample(space, rng)
        for _ in range(int(rng.integers(6))):
            second = mutate(space, cross(space, first, second, rng), rng)[0]
            first = mutate(space, second, rng)[0]
        return cross(space, first, second, rng)

    return breed
