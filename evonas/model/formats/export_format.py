"""What an export format promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from evonas.errors import UserError
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


TOLERANCE = 1e-6
"""The greatest difference between the predictions of a model and of its loaded file.

It is a share of the largest prediction, if that is above 1.
"""

_READERS = Path(__file__).parent / "readers"


class CannotCarry(UserError):
    """The model holds something that this format cannot carry; says what."""


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
        tolerance: greatest difference between predictions, see `TOLERANCE`; None if the format
            does not promise to repeat them, and tells a score of its own.
        reader: name of the module in `readers` that loads the files without evonas; empty if
            `load` does it.
        bundled_as: name of the file or folder in a bundle; empty for a format that is in none.
        extra: what is installed besides for this format, `pip install evonas[EXTRA]`.
        modules: modules that writing and loading need, besides those of evonas.
        packages: what another machine installs to load the files.
    """

    ending: ClassVar[str] = ""
    is_folder: ClassVar[bool] = False
    is_compiled: ClassVar[bool] = False
    is_loaded_apart: ClassVar[bool] = True
    tolerance: ClassVar[float | None] = TOLERANCE
    reader: ClassVar[str] = ""
    bundled_as: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    modules: ClassVar[tuple[str, ...]] = ()
    packages: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def write(self, model: keras.Model, path: Path) -> None:
        """Write a model, and leave it as it is.

        Args:
            model: a compiled model, which takes raw samples.
            path: path of a new file or folder, in a folder that exists. Its name is a temporary
                one with the ending of the format.

        Raises:
            CannotCarry: the model holds something that the format cannot.
            Exception: anything else goes wrong; its message is told to the user.
        """

    @abstractmethod
    def load(self, path: Path) -> Predict:
        """Load what was written, and return the function that predicts."""

    @property
    def reader_path(self) -> Path | None:
        """The file of the reader, if there is one."""
        return _READERS / f"{self.reader}.py" if self.reader else None

    def missing(self) -> tuple[str, ...]:
        """The modules that the format needs and that are not installed; imports none of them."""
        return tuple(name for name in self.modules if find_spec(name) is None)

    def check_carried(self, model: keras.Model) -> None:
        """Check that others can load what is written of this model, with the format's libraries.

        A bundle asks before it writes.

        Raises:
            CannotCarry: they need something of the user's, too.
        """
        return

    def calibrated_on(self, samples: Path) -> ExportFormat:
        """The same format, which may look at samples of the training to fit what it writes.

        Args:
            samples: path of an `.npy` file, (n, *shape).
        """
        return self

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        """What the card says about these files besides: plain JSON, such as what reads them.

        Args:
            versions: versions of the worker that wrote the files, by library.
        """
        return {}
