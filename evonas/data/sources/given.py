"""What `evonas.evolve` was given: arrays or a frame, laid into the run's folder once.

So every later session, and every command, reads the run's data like those of any other run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, Ragged
from evonas.data.sources.handed import LIST, TABLE, find, lay, write_list
from evonas.data.sources.path_source import PathSource
from evonas.data.sources.source import Source
from evonas.data.tables.cells import read_cells
from evonas.data.tables.reading import read_like, targets_like, to_arrays
from evonas.data.tables.roles import Wanted
from evonas.data.tables.schema import Kind, Schema
from evonas.files import flush
from evonas.memory import Memory

if TYPE_CHECKING:
    import polars as pl

VALIDATION = "validation.parquet"


@dataclass(frozen=True)
class Given(PathSource):
    """A folder of arrays, or of a table with arrays beside it, that `evonas.evolve` has written.

    Attributes:
        target: column of the table that is to be predicted, or columns. null if there is no table.
        text: column of the table that alone is the input.
        group: column that tells which samples belong together.
        time: column that tells when a sample was taken.
        columns: what columns hold, where it is not to be inferred.
    """

    target: str | tuple[str, ...] | None = None
    text: str | None = None
    group: str | None = None
    time: str | None = None
    columns: Mapping[str, Kind] = field(default_factory=dict)

    words: ClassVar[str] = "a folder that evonas.evolve has written"

    @classmethod
    def reads(cls, path: Path) -> bool:
        return (path / LIST).is_file()

    def read(self, memory: Memory) -> Arrays:
        folder = Path(self.path)
        found: dict[str, Any] = dict(find(folder))
        if not (folder / TABLE).is_file():
            return Arrays(self.path, **found)
        wanted = self._wanted()
        arrays = to_arrays(read_cells(folder / TABLE, memory, wanted.all_gaps), wanted)
        if (folder / VALIDATION).is_file():
            assert arrays.schema is not None, "a table has one"
            schema = Schema.from_json(arrays.schema)
            found["are_apart"] = self._groups_are_apart(folder)
            found["x_val"] = read_like(schema, folder / VALIDATION, memory)
            found["y_val"] = targets_like(schema, folder / VALIDATION, memory)
        return replace(arrays, origin=self.path, **found)

    def _groups_are_apart(self, folder: Path) -> bool:
        """Whether both tables have the groups: `evolve` has refused common ones then."""
        import polars as pl

        return self.group in pl.read_parquet_schema(folder / VALIDATION)

    def _wanted(self) -> Wanted:
        """What is said of the columns."""
        target = self.target or ()
        return Wanted(
            target=(target,) if isinstance(target, str) else target,
            text=self.text or "",
            group=self.group or "",
            time=self.time or "",
            columns=self.columns,
            usual_gaps=(),
        )

    def naming(self, group: str | None, time: str | None) -> Source | None:
        if self.target is None:
            return super().naming(group, time)
        return replace(self, group=group or self.group, time=time or self.time)


def lay_down(
    folder: Path,
    arrays: Mapping[str, Array | Ragged],
    table: pl.DataFrame | None = None,
    validation: pl.DataFrame | None = None,
) -> None:
    """Write what `Given` reads into a new folder, to the disk.

    Args:
        arrays: arrays by the names of `KEYS`.
        table: samples and targets as columns, instead of arrays.
        validation: more rows of that table, for validation.

    Raises:
        TypeError: an array has no plain bytes.
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True)
    for name, frame in ((TABLE, table), (VALIDATION, validation)):
        if frame is not None:
            frame.write_parquet(folder / name)
    write_list({name: lay(array, name, folder) for name, array in arrays.items()}, folder)
    flush(folder)
