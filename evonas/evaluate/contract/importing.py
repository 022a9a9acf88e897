"""Where a run's plugins may be: what Python finds anyway, and the folder of the config."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder


def add_folder(folder: str) -> None:
    """Have this process find modules in a folder, too; nothing happens for an empty name."""
    # Last: a file of the user's must not hide a library of the same name.
    if folder and folder not in sys.path:
        sys.path.append(folder)


def is_there(module: str, folder: str) -> bool:
    """Whether Python would find a module, also in a folder; nothing is imported."""
    if module in sys.modules:
        return True
    parts = module.split(".")
    path: Sequence[str] | None = None
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        # Not only by path: packages that are installed to be edited have finders of their own.
        found = [finder.find_spec(name, path) for finder in sys.meta_path]
        if path is None and folder:
            found.append(PathFinder.find_spec(name, [folder]))
        spec = next((one for one in found if one is not None), None)
        if spec is None:
            return False
        path = spec.submodule_search_locations
        if path is None:
            return end == len(parts)
    return True
