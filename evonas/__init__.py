"""evonas: neural architecture search by evolution, for Keras.

    import evonas

    run = evonas.evolve(x, y, minutes=10)        # or evonas.run("configs/digits.yaml")
    run.best.model().summary()

A name is public if it stands in `__all__` of one of these modules. Everything else is private and
may change in any release.

    evonas              run a search, continue it, look at its results
    evonas.errors       what can go wrong
    evonas.sklearn      estimators for scikit-learn
    evonas.genome       search spaces and genomes
    evonas.strategies   write a strategy, or a part of evolution
    evonas.sources      write a source of data, or a split
    evonas.pools        write a pool, which runs jobs
    evonas.evaluators   write an evaluator, which judges genomes
    evonas.model        from a genome to a `keras.Model`; write an export format
    evonas.insight      what happened in a run: numbers, texts and pictures
    evonas.testing      stubs and contract suites for tests

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.lazy import exports

if TYPE_CHECKING:
    from evonas.api import RecordedTrial, Run, load, resume, run
    from evonas.evolving import evolve
    from evonas.experiments import compare
    from evonas.insight.results import Comparison
    from evonas.runtime.loop.observer import Observer

__version__ = "0.2.0.dev0"
__all__ = [
    "Comparison",
    "Observer",
    "RecordedTrial",
    "Run",
    "__version__",
    "compare",
    "evolve",
    "load",
    "resume",
    "run",
]

__getattr__, _ = exports(
    __name__,
    {
        "Comparison": "evonas.insight.results",
        "Observer": "evonas.runtime.loop.observer",
        "RecordedTrial": "evonas.view",
        "Run": "evonas.view",
        "compare": "evonas.experiments",
        "evolve": "evonas.evolving",
        "load": "evonas.view",
        "resume": "evonas.api",
        "run": "evonas.api",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
