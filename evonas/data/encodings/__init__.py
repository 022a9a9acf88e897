"""Encodings: from raw samples to the one array that networks train on.

Each encoding has a file of its own. A new one needs a file and a line in `ENCODINGS`, and under the
same name the layers that do the same within an exported model, in `evonas.model.preprocessing`.
`table.py` is an example.
"""

from collections.abc import Mapping

from evonas.data.encodings.as_is import AsIs
from evonas.data.encodings.encoding import Encoding
from evonas.data.encodings.one_hot import OneHot
from evonas.data.encodings.padded import Padded
from evonas.data.encodings.pixels import Pixels
from evonas.data.encodings.table import Table
from evonas.data.encodings.text import Text
from evonas.data.raw import RawSamples

ENCODINGS: Mapping[str, Encoding] = {
    encoding.name: encoding for encoding in (Table(), OneHot(), Text(), Padded(), Pixels(), AsIs())
}

__all__ = ["ENCODINGS", "AsIs", "Encoding", "encoding_for"]


def encoding_for(x: RawSamples, kind: str) -> Encoding:
    """The first encoding that takes such samples for this kind of input; otherwise they stay."""
    for encoding in ENCODINGS.values():
        if encoding.takes(x, kind):
            return encoding
    return AsIs()
