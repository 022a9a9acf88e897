"""An ensemble as one model: shared preprocessing, and the weighted mean of its networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from evonas.learning.interface import Interface
from evonas.model.preprocessing import raw_inputs, stored_input

NAME = "ensemble"


def ensemble_model(
    networks: Sequence[tuple[keras.Model, int]], interface: Interface, takes_raw: bool = False
) -> keras.Model:
    """One model that answers with the mean of what its networks answer; not compiled.

    It has Keras's own layers only. The networks are layers of it, named `member_0` and so on.

    Args:
        networks: trained models that take stored samples, each with how often it counts; at least
            two, or one that counts twice.
        interface: the two ends of the model.
        takes_raw: whether it takes raw samples. The preprocessing is then in front, once.
    """
    spec = interface.input
    inputs: Any = stored_input(spec)
    x = inputs
    if takes_raw:
        inputs, x = raw_inputs(spec)
    answers = []
    for number, (network, count) in enumerate(networks):
        # The folds of one genome have one name, and names must differ within a model.
        member = keras.Model(network.inputs, network.outputs[0], name=f"member_{number}")
        answers += [member(x)] * count
    return keras.Model(inputs, layers.Average(name=NAME)(answers), name=NAME)
