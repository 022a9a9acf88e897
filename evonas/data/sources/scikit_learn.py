"""What the data sets have in common that are in scikit-learn's own files."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import ClassVar

from evonas.data.sources.source import Source


class ScikitLearnSet(Source):
    """A data set of scikit-learn. Its subclasses import scikit-learn in `read`, for that takes 1 s.

    Class attributes:
        name: name of the data set.
    """

    name: ClassVar[str]

    def mark(self) -> Mapping[str, str]:
        return {"name": self.name, "scikit-learn": metadata.version("scikit-learn")}
