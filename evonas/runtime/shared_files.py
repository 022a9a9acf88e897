"""Large data lie once on the disk: a new run links the files that a run beside it has already.

Files of a run's data are written once and never changed: what is made again is written under
another name, and renamed. So two runs may have one file under two names, and either may be deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from evonas.files import is_whole, temporary_beside

LARGE = 2**20
"""Bytes of a file for which it is worth looking."""


def share_files(root: Path, files: Mapping[str, str], least: int = LARGE) -> int:
    """Put links in the place of files that another run in the same folder has, byte for byte.

    Never raises: where links are not possible, the files stay as they are.

    Args:
        root: directory of the run.
        files: sha256 of its files, by their paths in it.
        least: bytes of the smallest file that is looked for.

    Returns:
        bytes that are no longer taken.
    """
    saved = 0
    for name, sha256 in files.items():
        with suppress(OSError):
            path = root / name
            size = path.stat().st_size
            if size >= least and _linked(path, _twins(root, name, size), sha256):
                saved += size
    return saved


def _twins(root: Path, name: str, size: int) -> Iterator[Path]:
    """Files of other runs that may be the same: of this name and size."""
    for record in sorted(root.absolute().parent.glob("*/run.db")):
        twin = record.parent / name
        # A link could lead anywhere.
        if record.parent.name == root.absolute().name or twin.is_symlink():
            continue
        if twin.is_file() and twin.stat().st_size == size:
            yield twin


def _linked(path: Path, twins: Iterator[Path], sha256: str) -> bool:
    """Whether the first twin that is whole is now the file itself."""
    for twin in twins:
        if not is_whole(twin, sha256):
            continue
        temporary = temporary_beside(path)
        os.link(twin, temporary)
        try:
            temporary.replace(path)
        except OSError:
            temporary.unlink()
            raise
        return True
    return False
