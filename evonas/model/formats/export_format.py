"""What an export format promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from evonas.settings import Settings

if TYPE_CHECKING:
    import keras

Array = np.ndarray[Any, Any]

Samples = Array | Mapping[str, Array]
"""Raw samples of shape (n, *shape), or columns by name, (n,) each."""

AnySamples = Samples | list[Array]
"""The same, or pictures of different sizes, (h, w, channels) each, which are predicted one by one.
"""

Predict = Callable[[Samples], Array]
"""From raw samples to predictions of shape (n, outputs)."""


@dataclass(frozen=True)
class ExportFormat(Settings, ABC):
    """One way to write a trained model to the disk, and to load it again.

    A format is its frozen settings, each with a default. The driver imports its module and the
    worker uses it. So Keras, and all else that is heavy, is imported within `write` and `load`.

    What was written counts only if it predicts what the model does. It must not need evonas.

    Class attributes:
        ending: what a path of this format ends in, such as `.keras`, with the dot; empty for any
            path.
        is_folder: whether `write` makes a folder instead of one file.
        is_compiled: whether Keras can evaluate what is loaded and train it further.
        is_loaded_apart: whether a process of its own loads the files to verify them. It has
            nothing of the worker's: no layers of plugins, no tensors.
    """

    ending: ClassVar[str] = ""
    is_folder: ClassVar[bool] = False
    is_compiled: ClassVar[bool] = False
    is_loaded_apart: ClassVar[bool] = True

    @abstractmethod
    def write(self, model: keras.Model, path: Path) -> None:
        """Write a model, and leave it as it is.

        Args:
            model: a compiled model, which takes raw samples.
            path: path of a new file or folder, in a folder that exists. Its name is a temporary
                one with the ending of the format.

        Raises:
            whatever goes wrong, also for a model that the format cannot hold; its message is told
            to the user.
        """

    @abstractmethod
    def load(self, path: Path) -> Predict:
        """Load what was written, and return the function that predicts."""

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        """What the card says about these files besides: plain JSON, such as what reads them.

        Args:
            versions: versions of the worker that wrote the files, by library.
        """
        return {}
