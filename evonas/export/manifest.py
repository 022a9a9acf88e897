"""The manifest of a bundle: the sha256 of each of its files, so that damage is seen."""

from __future__ import annotations

import json
from pathlib import Path

from evonas.errors import UserError
from evonas.files import files_within, write_text_whole

MANIFEST = "manifest.json"


def write_manifest(folder: Path) -> None:
    """Write the sha256 of all that lies in a folder."""
    text = json.dumps({"sha256": files_within(folder)}, indent=2) + "\n"
    write_text_whole(folder / MANIFEST, text)


def damaged(folder: Path) -> list[str]:
    """The files of a bundle that are missing, or not what the manifest says; sorted.

    Raises:
        UserError: there is no manifest.
    """
    path = folder / MANIFEST
    try:
        wanted = json.loads(path.read_bytes())["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no manifest of a bundle: {error}") from error
    found = files_within(folder)
    return sorted(name for name, sha256 in wanted.items() if found.get(name) != sha256)
