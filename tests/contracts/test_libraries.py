"""Every strategy names the libraries that decide its proposals; its calls are watched here."""

from __future__ import annotations

import functools
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import evonas
from evonas.genome import SearchSpace, sample
from evonas.search.registry import STRATEGIES
from evonas.search.sampling import SAMPLERS
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import SURROGATES
from evonas.testing import Driver
from evonas.trial import Fidelity, Objective
from tests.contracts.test_strategy import VARIANTS

PACKAGES = {
    "deap": "deap",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "optuna": "optuna",
}
"""The folders of the libraries, with the names of their packages."""

SITE = Path(sysconfig.get_paths()["purelib"])
OURS = Path(evonas.__file__).parent / "search"
RANDOM = RandomSettings()
PARTS = {
    **{f"sampler {name}": RandomSettings(kind()) for name, kind in SAMPLERS.items()},
    **{
        f"surrogate {name}": ScreenedSettings(RANDOM, kind(), factor=2, warmup=6)
        for name, kind in SURROGATES.items()
    },
}
CASES = {**{name: VARIANTS[name] for name in STRATEGIES}, **PARTS}


@functools.cache
def package_of(file: str) -> str:
    """The package that a file of code belongs to; empty if it is none of the libraries."""
    path = Path(file)
    if not path.is_relative_to(SITE):
        return ""
    return PACKAGES.get(path.relative_to(SITE).parts[0], "")


@functools.cache
def counts(file: str) -> bool:
    """Whether a call from this file is one of the search's."""
    path = Path(file)
    return path.is_relative_to(OURS) or package_of(file) == "optuna"


@contextmanager
def calls() -> Iterator[set[str]]:
    """The packages whose functions are called by evonas's search, or by Optuna for it."""
    found: set[str] = set()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        caller = frame.f_back
        if event != "call" or caller is None:
            return
        package = package_of(frame.f_code.co_filename)
        if package and counts(caller.f_code.co_filename):
            found.add(package)

    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_strategy_names_the_libraries_that_it_calls(
    name: str, small_space: SearchSpace, oracle: Any
) -> None:
    seeds = {
        word: sample(small_space, np.random.default_rng(i))
        for i, word in enumerate(["first", "second", "third"])
    }
    settings = CASES[name]
    objectives = (oracle.objective, Objective("parameters", "min"))
    problem = SearchProblem(
        small_space, oracle.objective, Fidelity(9), 0, seeds, trials=25, objectives=objectives
    )
    with calls() as found:
        # A model is fitted for each proposal after the sixth, so a few steps show all of its calls.
        driver = Driver(settings.make(problem), oracle.settle, 5)
        driver.step(10 if name == "model_based" or name.startswith("surrogate") else 25)
    named = settings.all_libraries()
    assert found <= named, "a note about another version of these would be missing"
    # Compiled functions are not watched, and a surrogate may call no others of SciPy's.
    assert named - found <= {"scipy"}, "a note about another version of these would be false"
