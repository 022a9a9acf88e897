"""The ops, their parameters, and the values that Keras accepts: plain data, no Keras.

The functions themselves are in `evonas.model.ops` and `evonas.model.optimizers`; a test holds both
sides equal. `evonas.model.space_check` holds a search space against this catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from evonas.genome import Value

TensorKind = Literal["image", "sequence", "vector", "table", "text"]
"""What flows through a network."""


@dataclass(frozen=True)
class OpSignature:
    """How an op is called, and what it accepts.

    Attributes:
        name: the op's name in a search space.
        required: parameters that the space must give.
        optional: parameters that have a default.
        takes: kinds of tensors that go in; `image` is a map (height, width, channels), `sequence`
            is (steps, channels), `text` is (words).
        gives: kind of the tensor that comes out: `same` as went in, or another.
        tensors: number of tensors that go in; more than one in a dag only.
    """

    name: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    takes: frozenset[TensorKind] = frozenset(("image", "sequence", "vector"))
    gives: Literal["same", "vector", "sequence"] = "same"
    tensors: int = 1

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameter names, required ones first."""
        return self.required + self.optional


_IMAGE: frozenset[TensorKind] = frozenset(("image",))
_MAP: frozenset[TensorKind] = frozenset(("image", "sequence"))
_SEQUENCE: frozenset[TensorKind] = frozenset(("sequence",))
_TABLE: frozenset[TensorKind] = frozenset(("table",))
_TEXT: frozenset[TensorKind] = frozenset(("text",))
_STYLE = ("activation", "batch_normalization", "dropout", "kernel_initializer", "l1", "l2")
_BLOCK = (
    "activation",
    "kernel_initializer",
    "kernel_size",
    "l1",
    "l2",
    "squeeze_excitation",
    "stochastic_depth",
    "stride",
)
_RECURRENT = (
    "activation",
    "bidirectional",
    "dropout",
    "kernel_initializer",
    "l1",
    "l2",
    "recurrent_dropout",
)
_ADAM = ("beta_1", "beta_2", "epsilon")
_SCHEDULE = ("schedule", "final_fraction", "warmup")
_COMMON = (*_SCHEDULE, "clip_norm", "ema_momentum")
FINAL_FRACTION = 0.01
"""To which part of its start a learning rate falls, where the space does not say it."""


def _catalog(*signatures: OpSignature) -> dict[str, OpSignature]:
    by_name = {}
    for signature in signatures:
        by_name[signature.name] = signature
    return by_name


NETWORK_OPS: Mapping[str, OpSignature] = _catalog(
    OpSignature("conv2d", ("filters", "kernel_size"), _STYLE, takes=_IMAGE),
    OpSignature("separable_conv2d", ("filters", "kernel_size"), _STYLE, takes=_IMAGE),
    OpSignature("conv1d", ("filters", "kernel_size"), _STYLE, takes=_SEQUENCE),
    OpSignature("lstm", ("units",), _RECURRENT, takes=_SEQUENCE),
    OpSignature("gru", ("units",), _RECURRENT, takes=_SEQUENCE),
    OpSignature("simple_rnn", ("units",), _RECURRENT, takes=_SEQUENCE),
    OpSignature(
        "temporal_block",
        ("filters", "kernel_size"),
        ("dilation_rate", "padding", *_STYLE),
        takes=_SEQUENCE,
    ),
    OpSignature("inception", ("filters", "kernel_size"), _STYLE, takes=_SEQUENCE),
    OpSignature(
        "transformer",
        ("num_heads",),
        ("mlp_ratio", "activation", "dropout"),
        takes=_SEQUENCE,
    ),
    OpSignature("positions", takes=_SEQUENCE),
    OpSignature("patches", ("patch_size", "filters"), takes=_IMAGE, gives="sequence"),
    OpSignature("embedding", ("output_dim",), ("dropout",), takes=_TEXT, gives="sequence"),
    OpSignature("dense", ("units",), _STYLE),
    OpSignature("layer_normalization"),
    OpSignature("max_pooling", (), ("pool_size",), takes=_MAP),
    OpSignature("average_pooling", (), ("pool_size",), takes=_MAP),
    OpSignature("flatten", gives="vector"),
    OpSignature("last", takes=_SEQUENCE, gives="vector"),
    OpSignature("attention_pooling", takes=_SEQUENCE, gives="vector"),
    OpSignature("global_average", takes=_MAP, gives="vector"),
    OpSignature("global_max", takes=_MAP, gives="vector"),
    OpSignature("pair", ("left", "right"), takes=_IMAGE, tensors=2),
    OpSignature("residual", ("filters",), _BLOCK, takes=_IMAGE),
    OpSignature("bottleneck", ("filters",), _BLOCK, takes=_IMAGE),
    OpSignature("inverted_residual", ("filters",), ("expansion", *_BLOCK), takes=_IMAGE),
    OpSignature(
        "embed_columns",
        ("embedding_size",),
        ("numbers", "frequencies", "dropout"),
        takes=_TABLE,
        gives="vector",
    ),
    OpSignature("residual_dense", ("units",), ("expansion", "activation", "dropout", "l2")),
    OpSignature("gated_dense", ("units",), ("dropout", "l2")),
)
"""Ops of the network sections, by name."""

CELL = OpSignature("cell", (), ("stride",), takes=_IMAGE)
"""How a network gene calls a cell, under the cell's own name."""

OPTIMIZERS: Mapping[str, OpSignature] = _catalog(
    OpSignature("sgd", ("learning_rate",), _COMMON),
    OpSignature("momentum", ("learning_rate", "momentum"), ("nesterov", *_COMMON)),
    OpSignature("adam", ("learning_rate",), (*_ADAM, *_COMMON)),
    OpSignature("adamw", ("learning_rate",), ("weight_decay", *_ADAM, *_COMMON)),
    OpSignature("rmsprop", ("learning_rate",), ("rho", "momentum", "epsilon", *_COMMON)),
    OpSignature("lion", ("learning_rate",), ("weight_decay", "beta_1", "beta_2", *_COMMON)),
)
"""Ops of the settings section `optimizer`, by name."""

AUGMENTATIONS: Mapping[str, OpSignature] = _catalog(
    OpSignature("horizontal_flip", takes=_IMAGE),
    OpSignature("translation", ("factor",), takes=_IMAGE),
    OpSignature("rotation", ("factor",), takes=_IMAGE),
    OpSignature("zoom", ("factor",), takes=_IMAGE),
    OpSignature("contrast", ("factor",), takes=_IMAGE),
    OpSignature("cutout", ("area",), takes=_IMAGE),
    OpSignature("mixup", ("alpha",), takes=_IMAGE),
    OpSignature("cutmix", ("alpha",), takes=_IMAGE),
)
"""Ops of the settings section `augmentation`, by name."""

TRAINING = OpSignature("training", ("batch_size",), ("epochs", "label_smoothing"))
"""The op of the settings section `training`."""

_OF_NETWORK = {name for op in NETWORK_OPS.values() for name in op.parameters}

STYLE = OpSignature("style", (), tuple(sorted(_OF_NETWORK)))
"""The op of any other settings section: its parameters are lent to network ops by `same_as`."""

SCHEDULES = ("constant", "cosine", "exponential")
"""How the learning rate falls over a full training, from its start to `final_fraction` of it."""

NUMBERS = ("plain", "piecewise", "periodic")
"""How the op `embed_columns` may tell the numbers of a table."""

PADDINGS = ("causal", "same")
"""What a convolution over time sees of later steps: none, or as many as of earlier ones."""

HALVES = ("identity", "separable_3x3", "separable_5x5", "convolution_1x1", "average_3x3", "max_3x3")
"""What the op `pair` may do to each of its inputs."""

# Without `glu`, which halves the channels, and `threshold`, which has no defaults.
ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
)  # fmt: skip
"""Keras's activations."""

KERNEL_INITIALIZERS = (
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
    "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal", "variance_scaling",
    "zeros",
)  # fmt: skip
"""Keras's initializers that fit a kernel of any rank, under their full names."""


@dataclass(frozen=True)
class Rule:
    """The values that a parameter may have.

    Attributes:
        allowed: the allowed values in words, such as `a whole number of at least 1`.
        accepts: function that tells whether a value is allowed.
        words: the allowed values if they are a list of words; for a hint.
    """

    allowed: str
    accepts: Callable[[Value], bool]
    words: tuple[str, ...] = ()


def _is_number(value: Value) -> bool:
    # For Python, True and False are integers.
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float)


def _is_count(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return value >= 1


def _word(words: tuple[str, ...]) -> Rule:
    return Rule(
        f"one of {', '.join(words)}",
        lambda value: value in words,
        words,
    )


def _number(allowed: str, accepts: Callable[[float], bool]) -> Rule:
    def accepts_value(value: Value) -> bool:
        return _is_number(value) and accepts(float(value))

    return Rule(f"a number {allowed}", accepts_value)


_COUNT = Rule("a whole number of at least 1", _is_count)
_SWITCH = Rule("true or false", lambda value: isinstance(value, bool))
_SHARE = _number("of at least 0 and below 1", lambda value: 0 <= value < 1)
_PENALTY = _number("of at least 0", lambda value: 0 <= value < float("inf"))
_PART = _number("above 0 and below 1", lambda value: 0 < value < 1)
# Keras divides one random number by the sum of two. Below 0.2, both may be 0 for a 32-bit float.
_MIXING = _number("of at least 0.2 and at most 1", lambda value: 0.2 <= value <= 1)
_POSITIVE = _number("above 0", lambda value: 0 < value < float("inf"))

_HALF = _word(HALVES)

RULES: Mapping[str, Rule] = {
    "filters": _COUNT,
    "kernel_size": _COUNT,
    "units": _COUNT,
    "pool_size": _COUNT,
    "batch_size": _COUNT,
    "epochs": _COUNT,
    "stride": _COUNT,
    "embedding_size": _COUNT,
    "frequencies": _COUNT,
    "expansion": _COUNT,
    "numbers": _word(NUMBERS),
    "dilation_rate": _COUNT,
    "num_heads": _COUNT,
    "output_dim": _COUNT,
    "patch_size": _COUNT,
    "mlp_ratio": _POSITIVE,
    "padding": _word(PADDINGS),
    "left": _HALF,
    "right": _HALF,
    "batch_normalization": _SWITCH,
    "bidirectional": _SWITCH,
    "squeeze_excitation": _SWITCH,
    "nesterov": _SWITCH,
    "dropout": _SHARE,
    "recurrent_dropout": _SHARE,
    "stochastic_depth": _SHARE,
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "rho": _SHARE,
    "l1": _PENALTY,
    "l2": _PENALTY,
    "weight_decay": _PENALTY,
    "learning_rate": _POSITIVE,
    "epsilon": _POSITIVE,
    "warmup": _SHARE,
    "ema_momentum": _SHARE,
    "label_smoothing": _SHARE,
    "clip_norm": _PENALTY,
    "factor": _PART,
    "area": _PART,
    "alpha": _MIXING,
    "final_fraction": _number("above 0, at most 1", lambda value: 0 < value <= 1),
    "schedule": _word(SCHEDULES),
    "momentum": _number("from 0 to 1", lambda value: 0 <= value <= 1),
    "activation": _word(ACTIVATIONS),
    "kernel_initializer": _word(KERNEL_INITIALIZERS),
}
"""The rule of each parameter, by its name; a name means the same in every op."""
