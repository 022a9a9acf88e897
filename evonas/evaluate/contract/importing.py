"""Where a run's plugins may be: what Python finds anyway, and the folder of the config."""

from __future__ import annotations

import sys


def add_folder(folder: str) -> None:
    """Have this process find modules in a folder, too; nothing happens for an empty name."""
    # Last: a file of the user's must not hide a library of the same name.
    if folder and folder not in sys.path:
        sys.path.append(folder)
