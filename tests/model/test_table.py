from __future__ import annotations

import json

import keras

from evonas.genome import SearchSpace, parse_genome
from evonas.learning.interface import Interface
from evonas.model import ops
from evonas.model.assembly import build_model
from evonas.model.table import layer_table


def test_rows_read_well(space: SearchSpace, interface: Interface) -> None:
    genome = parse_genome(
        """
        space: small
        features:
          - conv2d: {filters: 4, kernel_size: 5, l2: 0.001}
          - max_pooling: {}
          - conv2d: {filters: 2, kernel_size: 3, batch_normalization: true, dropout: 0.25,
                     inputs: [0], merge: concat}
        bridge: [global_max: {}]
        head: [dense: {units: 10, activation: relu}]
        style: [style: {activation: tanh, kernel_initializer: he_normal}]
        optimizer: [adam: {learning_rate: 0.01}]
        training: [training: {batch_size: 16}]
        """,
        "genome.yaml",
        space,
    )
    rows = layer_table(build_model(space, genome, interface))
    assert json.loads(json.dumps(rows)) == rows
    assert [tuple(row.values()) for row in rows] == [
        ("input", "InputLayer", [8, 8], 0, ""),
        ("channel_axis", "Reshape", [8, 8, 1], 0, ""),
        ("normalization", "Normalization", [8, 8, 1], 0, ""),
        ("features_0_conv2d", "Conv2D", [8, 8, 4], 104, "4 filters 5x5, tanh, l2 0.001"),
        ("features_1_max_pooling", "MaxPooling2D", [4, 4, 4], 0, "2x2"),
        ("features_2_skip_0_average_pooling", "AveragePooling2D", [4, 4, 4], 0, "2x2"),
        ("features_2_concat", "Concatenate", [4, 4, 8], 0, ""),
        ("features_2_conv2d", "Conv2D", [4, 4, 2], 144, "2 filters 3x3, no bias"),
        ("features_2_batch_normalization", "BatchNormalization", [4, 4, 2], 8, ""),
        ("features_2_activation", "Activation", [4, 4, 2], 0, "tanh"),
        ("features_2_dropout", "SpatialDropout2D", [4, 4, 2], 0, "rate 0.25"),
        ("bridge_0_global_max", "GlobalMaxPooling2D", [2], 0, ""),
        ("head_0_dense", "Dense", [10], 30, "10 units, relu"),
        ("output", "Dense", [3], 33, "3 units, softmax"),
    ]
    assert list(rows[0]) == ["name", "kind", "output_shape", "parameters", "settings"]


def test_what_recurrent_and_separable_layers_are() -> None:
    steps = keras.Input((6, 2))
    assert (
        layer_table(keras.Model(steps, ops.gru(steps, units=3)))[1]["settings"] == "3 units, tanh"
    )
    x = keras.Input((6, 6, 2))
    model = keras.Model(x, ops.separable_conv2d(x, filters=5, kernel_size=3, l1=0.5, name="c"))
    assert layer_table(model)[1]["settings"] == "5 filters 3x3, relu, l1 0.5"
    both = ops.simple_rnn(
        steps, units=4, bidirectional=True, dropout=0.25, recurrent_dropout=0.5, l2=0.125, name="d"
    )
    words = layer_table(keras.Model(steps, both))[1]["settings"]
    # The kind of this row is `Bidirectional`.
    assert words.startswith("SimpleRNN, 4 units, dropout 0.25, recurrent dropout 0.5")
    assert words.endswith("in both directions")
