"""What ops there are, which parameters they take and which values Keras accepts: plain data, no Keras.

The functions themselves are in `evonas.model.ops` and `evonas.model.optimizers`; a test holds both sides equal. With
this catalog `check_space` finds in milliseconds, in a process without Keras, what would make every trial of a run fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evonas.errors import Problem, did_you_mean, switch_hint
from evonas.genome import Choice, Number, Op, SearchSpace, Section, Value, strict_yaml
from evonas.model.interface import InputKind


@dataclass(frozen=True)
class OpSignature:
    """How an op is called, and what it accepts.

    Attributes:
        name: as in a search space.
        required: parameters that the space must give.
        optional: parameters that have a default.
        takes: kinds of tensors that go in; `image` is a map (height, width, channels), `sequence` is (steps, channels).
        gives: the kind that comes out: `same` as went in, or a `vector`.
    """

    name: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    takes: frozenset[InputKind] = frozenset(("image", "sequence", "vector"))
    gives: Literal["same", "vector"] = "same"

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameter names, required ones first."""
        return self.required + self.optional


_IMAGE: frozenset[InputKind] = frozenset(("image",))
_MAP: frozenset[InputKind] = frozenset(("image", "sequence"))
_STYLE = ("activation", "batch_normalization", "dropout", "kernel_initializer", "l1", "l2")


def _catalog(*signatures: OpSignature) -> dict[str, OpSignature]:
    return {signature.name: signature for signature in signatures}


NETWORK_OPS: Mapping[str, OpSignature] = _catalog(
    OpSignature("conv2d", ("filters", "kernel_size"), _STYLE, takes=_IMAGE),
    OpSignature("max_pooling", (), ("pool_size",), takes=_MAP),
    OpSignature("average_pooling", (), ("pool_size",), takes=_MAP),
    OpSignature("flatten", gives="vector"),
    OpSignature("global_average", takes=_MAP, gives="vector"),
    OpSignature("global_max", takes=_MAP, gives="vector"),
    OpSignature("dense", ("units",), _STYLE),
)
"""Ops of the network sections, by name."""

OPTIMIZERS: Mapping[str, OpSignature] = _catalog(
    OpSignature("sgd", ("learning_rate",)),
    OpSignature("momentum", ("learning_rate", "momentum"), ("nesterov",)),
    OpSignature("adam", ("learning_rate",), ("beta_1", "beta_2", "epsilon")),
)
"""Ops of the settings section `optimizer`, by name."""

TRAINING = OpSignature("training", ("batch_size",), ("epochs",))
"""The op of the settings section `training`."""

STYLE = OpSignature("style", (), tuple(sorted({p for op in NETWORK_OPS.values() for p in op.parameters})))
"""The op of any other settings section: a place for parameters that network ops take from it by `same_as`."""

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


_COUNT = Rule("a whole number of at least 1", lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 1)
_SWITCH = Rule("true or false", lambda value: isinstance(value, bool))
_SHARE = _number("of at least 0 and below 1", lambda value: 0 <= value < 1)
_PENALTY = _number("of at least 0", lambda value: 0 <= value < float("inf"))
_POSITIVE = _number("above 0", lambda value: 0 < value < float("inf"))

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("filters", "kernel_size", "units", "pool_size", "batch_size", "epochs"), _COUNT),
    **dict.fromkeys(("batch_normalization", "nesterov"), _SWITCH),
    **dict.fromkeys(("dropout", "beta_1", "beta_2"), _SHARE),
    **dict.fromkeys(("l1", "l2"), _PENALTY),
    **dict.fromkeys(("learning_rate", "epsilon"), _POSITIVE),
    "momentum": _number("from 0 to 1", lambda value: 0 <= value <= 1),
    "activation": _word(ACTIVATIONS),
    "kernel_initializer": _word(KERNEL_INITIALIZERS),
}
"""The rule of each parameter, by its name; a name means the same in every op."""


Key = tuple[str, ...]
Found = Iterator[tuple[Key, str]]
"""Key paths and what is wrong there."""


def check_space(space: SearchSpace, plugins: Sequence[str] = (), file: str = "") -> list[Problem]:
    """Everything in a search space that no network could be built from or trained with.

    Args:
        plugins: modules that may be imported for ops named `package.module:function`; nothing is imported here, so the
            parameters of such an op are not checked.
        file: the space's file, for the problems' places.

    Returns:
        the problems, each once, with key paths such as `network.features.ops.conv2d.kernel`.
    """
    found = [*_missing_sections(space), *_misplaced_ops(space)]
    for section in space.sections.values():
        for op in section.ops.values():
            signature = _signatures(section).get(op.name)
            found += _name_problems(section, op, plugins)
            found += _parameter_problems(space, section, op, signature)
            found += _value_problems(space, section, op)
    document = strict_yaml.load(space.text, file)
    return [document.problem(key, message) for key, message in dict.fromkeys(found)]


def _signatures(section: Section) -> Mapping[str, OpSignature]:
    """The ops that a section may have, by name."""
    if section.group != "settings":
        return NETWORK_OPS
    return (
        OPTIMIZERS
        if section.name == "optimizer"
        else {"training": TRAINING}
        if section.name == "training"
        else {"style": STYLE}
    )


def _key(section: Section, *rest: str) -> Key:
    return (section.group, section.name, *rest)


def _missing_sections(space: SearchSpace) -> Found:
    if not any(section.group == "network" for section in space.sections.values()):
        yield ("network",), "a network needs at least one section here."
    for name, ops in (("optimizer", tuple(OPTIMIZERS)), ("training", ("training",))):
        section = space.sections.get(name)
        if section is None or section.group != "settings":
            yield ("settings",), f"the section {name!r} is missing; its ops are {' | '.join(ops)}."
        elif (section.low, section.high) != (1, 1):
            yield _key(section, "length"), f"must be 1. Received: [{section.low}, {section.high}]"


def _misplaced_ops(space: SearchSpace) -> Found:
    """Ops that may be given a kind of tensor which they do not take, such as a convolution after `flatten`."""
    kinds = {str(space.input)}
    for section in space.sections.values():
        if section.group != "network":
            continue
        known = [NETWORK_OPS.get(op) for op in section.ops]
        signatures = [signature for signature in known if signature is not None]
        if len(signatures) < len(known):
            return  # an op of the user's own may give anything
        inside = kinds | {op.gives for op in signatures if op.gives != "same" and section.high > 1}
        for op in signatures:
            for kind in sorted(inside - op.takes):
                takes = " or ".join(sorted(op.takes))
                yield (
                    _key(section, "ops", op.name),
                    f"takes tensors of kind {takes}, but here it can be given a {kind}.",
                )
        left = {kind for op in signatures for kind in ({op.gives} if op.gives != "same" else inside & op.takes)}
        kinds = left | kinds if section.low == 0 else left


def _name_problems(section: Section, op: Op, plugins: Sequence[str]) -> Found:
    known = _signatures(section)
    if op.name in known:
        return
    module, colon, _ = op.name.partition(":")
    if not colon or section.group == "settings":
        own = "" if section.group == "settings" else ", or package.module:function for an op of your own"
        hint = did_you_mean(op.name, tuple(known))
        yield _key(section, "ops", op.name), f"unknown op.{hint} Known: {', '.join(known)}{own}."
    elif module not in plugins:
        allowed = ", ".join(plugins) or "none"
        message = f"the module {module!r} is not among the plugins that the config allows: {allowed}."
        yield _key(section, "ops", op.name), message + did_you_mean(module, tuple(plugins))


def _parameter_problems(space: SearchSpace, section: Section, op: Op, signature: OpSignature | None) -> Found:
    given = {**op.parameters, **op.constants, **op.shared}
    if signature is None:
        if "name" in given:
            yield _key(section, "ops", op.name, "name"), "is reserved: evonas gives it the prefix of the layers' names."
        return
    for name in given:
        if name not in signature.parameters and (section.name, name) not in _lent(space):
            allowed = ", ".join(signature.parameters) or "none"
            hint = did_you_mean(name, signature.parameters)
            yield _key(section, "ops", op.name, name), f"{op.name} has no parameter {name!r}.{hint} It has: {allowed}."
    for name in signature.required:
        if name not in given:
            yield _key(section, "ops", op.name), f"the parameter {name!r} is missing; {op.name} needs it."


def _lent(space: SearchSpace) -> set[tuple[str, str]]:
    """(section, parameter) of all parameters that another op takes by `same_as`."""
    ops = [op for section in space.sections.values() for op in section.ops.values()]
    return {source for op in ops for source in op.shared.values()}


def _value_problems(space: SearchSpace, section: Section, op: Op) -> Found:
    """Values that Keras would refuse; those of a shared parameter are reported where they stand."""
    for name, values in _values(op).items():
        yield from _refused(name, values, _key(section, "ops", op.name, name))
    for name, (source, other) in op.shared.items():
        for lender in space.sections[source].ops.values():
            key = _key(space.sections[source], "ops", lender.name, other)
            yield from _refused(name, _values(lender).get(other, ()), key)


def _refused(name: str, values: Iterable[Value], key: Key) -> Found:
    rule = RULES.get(name)
    for value in values:
        if rule is not None and not rule.accepts(value):
            hint = switch_hint(value) if rule is _SWITCH else did_you_mean(str(value), rule.words)
            yield key, f"{name} must be {rule.allowed}. Received: {value!r}.{hint}"


def _values(op: Op) -> dict[str, tuple[Value, ...]]:
    """The values that tell whether all values of a parameter are allowed: all of a choice, the ends of a range."""
    values: dict[str, tuple[Value, ...]] = {name: (value,) for name, value in op.constants.items()}
    for name, parameter in op.parameters.items():
        if isinstance(parameter, Choice):
            values[name] = parameter.values
        elif isinstance(parameter, Number):
            kind = int if parameter.integer else float
            off = () if parameter.off is None else (parameter.off,)
            values[name] = (kind(parameter.low), kind(parameter.high), *off)
    return values
