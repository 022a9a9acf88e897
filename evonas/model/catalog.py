"""What ops there are, which parameters they take and which values Keras accepts: plain data, no Keras.

The functions themselves are in `evonas.model.ops` and `evonas.model.optimizers`; a test holds both sides equal.
`evonas.model.space_check` holds a search space against this catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from evonas.genome import Value
from evonas.learning.interface import InputKind


@dataclass(frozen=True)
class OpSignature:
    """How an op is called, and what it accepts.

    Attributes:
        name: as in a search space.
        required: parameters that the space must give.
        optional: parameters that have a default.
        takes: kinds of tensors that go in; `image` is a map (height, width, channels), `sequence` is (steps, channels).
        gives: the kind that comes out: `same` as went in, or a `vector`.
        tensors: how many go in; more than one in a dag only.
    """

    name: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    takes: frozenset[InputKind] = frozenset(("image", "sequence", "vector"))
    gives: Literal["same", "vector"] = "same"
    tensors: int = 1

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameter names, required ones first."""
        return self.required + self.optional


_IMAGE: frozenset[InputKind] = frozenset(("image",))
_MAP: frozenset[InputKind] = frozenset(("image", "sequence"))
_SEQUENCE: frozenset[InputKind] = frozenset(("sequence",))
_STYLE = ("activation", "batch_normalization", "dropout", "kernel_initializer", "l1", "l2")
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
_SCHEDULE = ("schedule", "final_fraction")


def _catalog(*signatures: OpSignature) -> dict[str, OpSignature]:
    return {signature.name: signature for signature in signatures}


NETWORK_OPS: Mapping[str, OpSignature] = _catalog(
    OpSignature("conv2d", ("filters", "kernel_size"), _STYLE, takes=_IMAGE),
    OpSignature("separable_conv2d", ("filters", "kernel_size"), _STYLE, takes=_IMAGE),
    OpSignature("conv1d", ("filters", "kernel_size"), _STYLE, takes=_SEQUENCE),
    *(
        OpSignature(name, ("units",), _RECURRENT, takes=_SEQUENCE)
        for name in ("lstm", "gru", "simple_rnn")
    ),
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
)
"""Ops of the network sections, by name."""

CELL = OpSignature("cell", (), ("stride",), takes=_IMAGE)
"""How a network gene calls a cell, under the cell's own name."""

OPTIMIZERS: Mapping[str, OpSignature] = _catalog(
    OpSignature("sgd", ("learning_rate",), _SCHEDULE),
    OpSignature("momentum", ("learning_rate", "momentum"), ("nesterov", *_SCHEDULE)),
    OpSignature("adam", ("learning_rate",), (*_ADAM, *_SCHEDULE)),
    OpSignature("adamw", ("learning_rate",), ("weight_decay", *_ADAM, *_SCHEDULE)),
    OpSignature("rmsprop", ("learning_rate",), ("rho", "momentum", "epsilon", *_SCHEDULE)),
)
"""Ops of the settings section `optimizer`, by name."""

TRAINING = OpSignature("training", ("batch_size",), ("epochs",))
"""The op of the settings section `training`."""

STYLE = OpSignature(
    "style", (), tuple(sorted({p for op in NETWORK_OPS.values() for p in op.parameters}))
)
"""The op of any other settings section: a place for parameters that network ops take from it by `same_as`."""

SCHEDULES = ("constant", "cosine", "exponential")
"""How the learning rate goes from its start to `final_fraction` of it over a full training."""

HALVES = ("identity", "separable_3x3", "separable_5x5", "convolution_1x1", "average_3x3", "max_3x3")
"""What the op `pair` may do to each of its inputs."""

ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink",
)  # fmt: skip
"""Keras's activations, without `glu`, which halves the channels, and `threshold`, which has no defaults."""

KERNEL_INITIALIZERS = (
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "ones", "orthogonal",
    "random_normal", "random_uniform", "truncated_normal", "variance_scaling", "zeros",
)  # fmt: skip
"""Keras's initializers that fit a kernel of any rank, under their full names."""


@dataclass(frozen=True)
class Rule:
    """The values that a parameter may have.

    Attributes:
        allowed: in words, such as `a whole number of at least 1`.
        accepts: whether a value is one of them.
        words: the allowed values where they are a list of words; for a hint.
    """

    allowed: str
    accepts: Callable[[Value], bool]
    words: tuple[str, ...] = ()


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(words: tuple[str, ...]) -> Rule:
    return Rule(f"one of {', '.join(words)}", lambda value: value in words, words)


def _number(allowed: str, accepts: Callable[[float], bool]) -> Rule:
    return Rule(f"a number {allowed}", lambda value: _is_number(value) and accepts(float(value)))


_COUNT = Rule(
    "a whole number of at least 1",
    lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 1,
)
_SWITCH = Rule("true or false", lambda value: isinstance(value, bool))
_SHARE = _number("of at least 0 and below 1", lambda value: 0 <= value < 1)
_PENALTY = _number("of at least 0", lambda value: 0 <= value < float("inf"))
_POSITIVE = _number("above 0", lambda value: 0 < value < float("inf"))

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("filters", "kernel_size", "units", "pool_size", "batch_size", "epochs", "stride"), _COUNT
    ),
    **dict.fromkeys(("left", "right"), _word(HALVES)),
    **dict.fromkeys(("batch_normalization", "bidirectional", "nesterov"), _SWITCH),
    **dict.fromkeys(("dropout", "recurrent_dropout", "beta_1", "beta_2", "rho"), _SHARE),
    **dict.fromkeys(("l1", "l2", "weight_decay"), _PENALTY),
    **dict.fromkeys(("learning_rate", "epsilon"), _POSITIVE),
    "final_fraction": _number("above 0, at most 1", lambda value: 0 < value <= 1),
    "schedule": _word(SCHEDULES),
    "momentum": _number("from 0 to 1", lambda value: 0 <= value <= 1),
    "activation": _word(ACTIVATIONS),
    "kernel_initializer": _word(KERNEL_INITIALIZERS),
}
"""The rule of each parameter, by its name; a name means the same in every op."""
