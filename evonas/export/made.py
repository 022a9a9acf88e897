"""What evonas makes in a run's folder, where files of others may lie, too."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

from evonas.data.fitting import FITTED
from evonas.data.prepared import FILES, FOLDS, RAW_FILES, WEIGHTS
from evonas.data.sources.given import VALIDATION
from evonas.data.sources.handed import LIST, TABLE
from evonas.export.artefacts import ARTEFACTS
from evonas.runtime.openings import FRESH
from evonas.runtime.record.layout import FOLDERS, GIVEN, LOCK, ORDER, Layout

OWN_FOLDERS = frozenset({*FOLDERS, "data/test", GIVEN, FRESH.rstrip("/")})
"""Folders that evonas makes in that of a run. Other files may lie there, too."""

_ARRAYS = chain(*FILES.values(), WEIGHTS.values(), RAW_FILES.values(), (FOLDS, FITTED))
_OF_EVOLVE = (ORDER, *(f"{GIVEN}/{name}" for name in (LIST, TABLE, VALIDATION)))
_FILES = frozenset((*_ARRAYS, *_OF_EVOLVE, *(one.name for one in ARTEFACTS)))
"""Files that evonas makes under names that are always the same, relative to the run's folder."""

_NUMBERED = re.compile(
    rf"""
    logs/worker-\d+\.log
    | (weights|checkpoints)/\d{{5,}}(-refitted)?\.npz
    | {FRESH}\d+(\.refitted)?\.npz
    | {GIVEN}/\w+\.bin
    | exports/\d{{5,}}(\.\w+)*  # a file, or a folder as a format of its own
    """,
    re.VERBOSE,
)
"""Those of a trial, a worker or an array."""


def sorted_out(folder: Path, root: Path) -> tuple[list[Path], list[str]]:
    """What evonas has made in a folder of a run, and the names of all else in it.

    A folder comes after what is in it, and only if nothing is kept there.

    Args:
        folder: the folder, `root` or one in it.
        root: folder of the run.
    """
    made: list[Path] = []
    kept: list[str] = []
    for path in sorted(folder.iterdir()):
        name = name_in(path, root)
        if name in OWN_FOLDERS and path.is_dir() and not path.is_symlink():
            inside, others = sorted_out(path, root)
            made += inside if others else [*inside, path]
            kept += others
        elif _is_made(name, Layout(root)):
            made.append(path)
        elif name != LOCK:
            kept.append(name)
    return made, kept


def name_in(path: Path, root: Path) -> str:
    """The path relative to the run's folder."""
    return path.relative_to(root).as_posix()


def _is_made(name: str, layout: Layout) -> bool:
    """Whether evonas makes a file of this name, relative to the run's folder."""
    is_known = name in _FILES or name == layout.config.name
    return is_known or is_of_record(name) or _NUMBERED.fullmatch(name) is not None


def is_of_record(name: str) -> bool:
    """Whether it is the record, one of its logs, or a backup of it as an older evonas wrote it."""
    return re.fullmatch(r"run\.db(-(wal|shm|journal)|\.v\d+)?", name) is not None
