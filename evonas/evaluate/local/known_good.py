"""What was tried and found, remembered by digest in the user's cache.

Without a folder that can be written, nothing is remembered, and everything is tried again.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

MOST = 1000
"""Bytes of what is remembered of one thing."""


def is_known_good(digest: str) -> bool:
    """Whether what has this digest was found good before."""
    return remembered(digest) is not None


def remembered(digest: str) -> str | None:
    """What was found of the thing with this digest; None if nothing was."""
    folder = _folder()
    if folder is None:
        return None
    try:
        # A pipe in the place of a file would be waited for.
        descriptor = os.open(folder / digest, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.read(descriptor, MOST).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def remember_good(digest: str, found: str = "") -> None:
    """Remember that what has this digest was found good, and what else was found."""
    folder = _folder()
    if folder is None:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    # A home may be missing, full or read-only: then it is tried again the next time.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / digest, flags, 0o644)
        try:
            os.write(descriptor, found.encode("ascii"))
        finally:
            os.close(descriptor)


def _folder() -> Path | None:
    """The folder of small files, one for each digest; None for a user without a home."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path is to be ignored, by the convention that the variable is from.
    if cache.startswith("/"):
        return Path(cache) / "evonas" / "good"
    try:
        return Path.home() / ".cache" / "evonas" / "good"
    except RuntimeError:
        return None
