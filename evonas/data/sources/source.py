"""The contract of a source. `wine.py` is a short example to copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from evonas.data.arrays import Arrays
from evonas.memory import Memory
from evonas.settings import Settings


class Source(Settings, ABC):
    """Where samples come from. Its fields are its settings in the YAML.

    The driver reads a source, so neither `read` nor the module of a source may import Keras or
    TensorFlow.
    """

    @abstractmethod
    def read(self, memory: Memory) -> Arrays:
        """Samples and targets as they are. Nothing is checked, converted or split here.

        Reading twice gives the same arrays, as long as `mark` is the same.

        Args:
            memory: tells how much memory is free, for sources that can be larger than that.

        Raises:
            InvalidData: nothing can be read; the issues say where and why.
        """

    def read_into(self, folder: Path, memory: Memory) -> Arrays:
        """`read`, with a folder for files of samples that do not fit into memory.

        A source that lays samples into files overrides this. It maps the files, and deletes them
        before it returns: what is mapped stays until nobody needs it.
        """
        return self.read(memory)

    @abstractmethod
    def mark(self) -> Mapping[str, str]:
        """What identifies the content, and is cheap to make: a sha256, or a version.

        Empty if there is nothing to be read now. A run then continues with its own copy of the
        data.
        """

    def naming(self, group: str | None, time: str | None) -> Source | None:
        """The same, which fills `Arrays.groups` and `Arrays.time` from what has these names.

        None if it has nothing by other names than `groups` and `time`. A source of named columns
        overrides this.

        Args:
            group: name of what samples have in common, or None.
            time: name of when each sample was taken, or None.
        """
        return self if group in (None, "groups") and time in (None, "time") else None

    def placed(self, folder: Path) -> Source:
        """The same with absolute paths. A source whose settings have a path overrides this.

        Args:
            folder: folder of the config, from which its paths start.
        """
        return self
