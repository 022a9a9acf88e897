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

__version__ = "0.1.0"
__all__ = ["RecordedTrial", "Run", "__version__", "load", "resume", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from evonas import api

        return getattr(api, name)
    raise AttributeError(f"module 'evonas' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
