"""Files of tables, known by their names; and what to say where a folder of them is named."""

from __future__ import annotations

from pathlib import Path

from evonas.words import listed

ENDINGS = (".csv", ".tsv", ".tab", ".parquet")


def is_table(path: str | Path) -> bool:
    """Whether a path is that of a table by its name, whether or not there is a file."""
    return str(path).lower().removesuffix(".gz").endswith(ENDINGS)


MOST_NAMED = 3


def tables_in(folder: Path) -> str:
    """What to write instead of a folder in which tables lie, in a sentence; empty if none do.

    Raises:
        OSError: the folder cannot be read.
    """
    names = sorted(one.name for one in folder.iterdir() if is_table(one) and one.is_file())
    if not names:
        return ""
    if len(names) == 1:
        return f"The folder holds {names[0]}; write the path of the file: {folder / names[0]}"
    more = len(names) - MOST_NAMED
    told = listed([*names[:MOST_NAMED], *([f"{more:,} more"] if more > 0 else [])])
    return f"The folder holds {told}; write the path of one file, such as {folder / names[0]}"
