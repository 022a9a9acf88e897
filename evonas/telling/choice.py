"""Who tells of the progress: it depends on where the words go."""

from __future__ import annotations

from evonas.runtime.loop.observer import Observer
from evonas.telling.console import console


def observers() -> tuple[Observer, ...]:
    """One output in a notebook, a live line on a terminal, otherwise plain lines."""
    from rich.console import Console

    from evonas.telling.notebook import NotebookProgress
    from evonas.telling.progress import LineProgress, LiveProgress

    out = console()
    # rich knows the kernels of Jupyter, Colab and others.
    if Console().is_jupyter:
        return (NotebookProgress(out),)
    if out.is_terminal and not out.is_dumb_terminal:
        return (LiveProgress(out),)
    return (LineProgress(out),)
