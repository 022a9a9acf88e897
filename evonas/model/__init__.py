"""The *model* room turns a genome into a `keras.Model`, and writes it for the user.

A model is the built network of one genome. It takes one raw sample of the user's data, and answers
with one prediction in the user's units. The genome's network sections become its layers, in order;
the search space's `interface` decides its two ends. An *op* is an ordinary function from Keras
tensor to Keras tensor. An *export format* is one way to write a trained model to the disk.

Without Keras: `catalog` says which ops there are, `space_check` holds a search space against it,
`formats` are the export formats, and `evonas.learning.interface` says what the ends are. All other
modules here import Keras, so a driver does not import them: `ops`, `recurrent`, `cells`, `parts`
and `merging` make the layers, `assembly` the model, `optimizers` the optimizer. `size` counts
parameters and flops, and `table` lists the layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.lazy import exports

if TYPE_CHECKING:
    from evonas.learning.input_spec import InputSpec
    from evonas.learning.interface import Interface
    from evonas.model.assembly import build_model
    from evonas.model.formats import FORMATS, ExportFormat

__all__ = ["FORMATS", "ExportFormat", "InputSpec", "Interface", "build_model"]

# Lazy: a driver imports `evonas.model.catalog`, and `assembly` would bring Keras with it.
__getattr__, __dir__ = exports(
    __name__,
    {
        "FORMATS": "evonas.model.formats",
        "ExportFormat": "evonas.model.formats",
        "InputSpec": "evonas.learning.input_spec",
        "Interface": "evonas.learning.interface",
        "build_model": "evonas.model.assembly",
    },
)
