"""What may change a run's numbers besides its config and its seed: versions, and the CPU.

The record keeps all of them as they were when the run began. A difference is told only of what the
run uses: another version of Optuna changes nothing in a run that Optuna has no part in.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata

from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.cpu import cpu

CPU = "cpu"

LIBRARIES = (
    "evonas",
    "tensorflow",
    "keras",
    "numpy",
    "scipy",
    "scikit-learn",
    "deap",
    "optuna",
)

Versions = Mapping[str, str | None]
"""A version by name; None for a library that is not installed, and for an unknown CPU."""

Changes = Mapping[str, tuple[str, str | None]]
"""What differs, as name -> (then, now)."""


def versions() -> dict[str, str | None]:
    """The versions of this process, and the CPU under the name `cpu`."""
    found: dict[str, str | None] = {CPU: cpu(), "python": platform.python_version()}
    for name in LIBRARIES:
        # From the package's metadata: the driver never imports TensorFlow or Keras.
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def used(config: RunConfig) -> set[str]:
    """The names of the versions that a run's numbers may depend on."""
    # A plugin may import anything, and so may the user's function, whose module is a plugin.
    if config.plugins:
        return {CPU, "python", *LIBRARIES}
    libraries = config.strategy.all_libraries() | config.evaluator.libraries
    return {CPU, "python", "evonas", "numpy", *libraries}


def other_versions(made_with: Versions, config: RunConfig) -> dict[str, tuple[str, str | None]]:
    """What the run uses and is not as it was recorded, as name -> (then, now).

    An older evonas recorded fewer names. What is not in the record cannot be compared.
    """
    now = versions()
    names = used(config)
    found = {}
    for name, then in made_with.items():
        # A library that was not installed had no part in the run.
        if name not in names or name not in now or then is None or now[name] == then:
            continue
        # An unknown CPU may be the same one.
        if name == CPU and now[name] is None:
            continue
        found[name] = (then, now[name])
    return found


def changes_in_words(changes: Changes) -> list[str]:
    """A sentence for each change, for a run that goes on."""
    found = []
    for name, (then, now) in changes.items():
        found.append(
            f"{_label(name)} is {_shown(now)} now and was {then} when the run began:"
            " results may differ"
        )
    return found


def made_with_in_words(changes: Changes) -> str:
    """One sentence with a space before it, beside a difference that it may explain.

    It is empty if nothing has changed.
    """
    others = []
    for name, (then, now) in changes.items():
        others.append(f"{_label(name)} {then} (now {_shown(now)})")
    if not others:
        return ""
    return f" The record was made with {', '.join(others)}."


def _label(name: str) -> str:
    return "CPU" if name == CPU else name


def _shown(version: str | None) -> str:
    return "not installed" if version is None else version
