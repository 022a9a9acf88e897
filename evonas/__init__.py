"""evonas: neural architecture search by evolution, for Keras.

    import evonas

    run = evonas.run("configs/digits.yaml")      # or evonas.load("runs/digits")
    run.best.model().summary()

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evonas.api import RecordedTrial, Run, load, resume, run
    from evonas.experiments import compare
    from evonas.insight.results import Comparison

__version__ = "0.1.0"
__all__ = ["Comparison", "RecordedTrial", "Run", "__version__", "compare", "load", "resume", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from evonas import api, experiments

        return getattr(experiments if hasattr(experiments, name) else api, name)
    raise AttributeError(f"module 'evonas' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
