"""What networks can be given: images, sequences, vectors, tables, texts.

Each kind has a file of its own. A new kind needs a file and a line in `INPUT_KINDS`. The layers of
its entrance are in `model/entrance.py`, and what is fitted to data is in `data/fitting.py`.
"""

from collections.abc import Mapping

from evonas.learning.input_kinds.image import IMAGE
from evonas.learning.input_kinds.input_kind import InputKind
from evonas.learning.input_kinds.sequence import SEQUENCE
from evonas.learning.input_kinds.table import TABLE
from evonas.learning.input_kinds.text import TEXT
from evonas.learning.input_kinds.vector import VECTOR

INPUT_KINDS: Mapping[str, InputKind] = {
    kind.name: kind for kind in (IMAGE, SEQUENCE, VECTOR, TABLE, TEXT)
}

__all__ = ["INPUT_KINDS", "InputKind"]
