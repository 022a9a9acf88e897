"""Which genes of a space have the layers of a model. No Keras: layers are plain values here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evonas.genome import Gene, Genome, SearchSpace, Section
from evonas.genome.genome import Value
from evonas.genome.parameters import Choice, Number, Parameter, is_number
from evonas.genome.small import small_genome

if TYPE_CHECKING:
    from evonas.model.adopting.layers import Layer

LAYERS: Mapping[str, tuple[str, ...]] = {
    "conv2d": ("Conv2D",),
    "separable_conv2d": ("SeparableConv2D",),
    "conv1d": ("Conv1D",),
    "lstm": ("LSTM",),
    "gru": ("GRU",),
    "simple_rnn": ("SimpleRNN",),
    "dense": ("Dense",),
    "layer_normalization": ("LayerNormalization",),
    "max_pooling": ("MaxPooling1D", "MaxPooling2D"),
    "average_pooling": ("AveragePooling1D", "AveragePooling2D"),
    "flatten": ("Flatten",),
    "last": ("the last step", "the last states of both directions"),
    "global_average": ("GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    "global_max": ("GlobalMaxPooling1D", "GlobalMaxPooling2D"),
}
"""The Keras layers that each op begins with. An op that is missing here is never recognised."""

DROPOUTS = frozenset({"Dropout", "SpatialDropout1D", "SpatialDropout2D"})
WITHOUT_WEIGHTS = DROPOUTS | {"GaussianNoise", "GaussianDropout", "AlphaDropout"}
"""Layers that a network may lose and still be built of the same weights."""

PREPROCESSING = frozenset({"Rescaling", "Normalization", "Masking", "Reshape"})
"""Layers between the raw samples and the network. evonas has its own in their place."""

_SAME_NAME = ("filters", "units", "activation", "dropout", "recurrent_dropout", "bidirectional")
_SIZES = ("kernel_size", "pool_size")
_OF_OPTIMIZERS = (
    "learning_rate",
    "momentum",
    "nesterov",
    "weight_decay",
    "beta_1",
    "beta_2",
    "rho",
    "epsilon",
)
_OPTIMIZERS: Mapping[str, str] = {
    "Adam": "adam",
    "AdamW": "adamw",
    "RMSprop": "rmsprop",
    "Lion": "lion",
}


@dataclass(frozen=True)
class Placed:
    """The layers of one gene.

    Attributes:
        place: the gene's place in its section.
        given: what the layers say of the op's arguments.
    """

    section: str
    place: int
    op: str
    layers: tuple[Layer, ...]
    given: Mapping[str, Any]


@dataclass
class Report:
    """What stands against a genome, in sentences.

    Attributes:
        problems: what cannot be said in the words of the space.
        changes: where the genome is not the model, but the nearest to it.
    """

    problems: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def ends_of(chain: Sequence[Layer]) -> tuple[list[Layer], list[Layer], list[Layer]]:
    """The layers before the network, the network, and those behind it, which the task decides."""
    first = 0
    while first < len(chain) and chain[first].kind in PREPROCESSING:
        first += 1
    last = len(chain)
    # The units of a quantity.
    if last > first and chain[last - 1].kind == "Rescaling":
        last -= 1
    if last > first and chain[last - 1].kind == "Dense":
        last -= 1
    return list(chain[:first]), list(chain[first:last]), list(chain[last:])


def recognise(
    space: SearchSpace,
    network: Sequence[Layer],
    report: Report,
    optimizer: Mapping[str, Any] | None = None,
) -> tuple[Genome | None, list[Placed]]:
    """The genome with these layers, and which of them each gene has.

    Args:
        network: layers between preprocessing and head.
        report: takes what does not fit.
        optimizer: Keras's config of the optimizer, with its `class_name`; None if nobody knows.

    Returns:
        No genome if there is a problem. It is not compared with the model yet, see `comparison`.
    """
    placed = list(_placed(space, network, report))
    settings = _settings(space, placed, optimizer, report)
    sections = []
    for section in space.sections.values():
        if section.group == "network":
            genes = [_gene(section, one, report) for one in placed if one.section == section.name]
            sections.append((section.name, tuple(genes)))
        else:
            sections.append((section.name, settings[section.name]))
    return (None if report.problems else Genome(tuple(sections))), placed


def _placed(space: SearchSpace, network: Sequence[Layer], report: Report) -> Iterator[Placed]:
    """Each gene with its layers, in order; sections are filled one after the other."""
    sections = space.group("network")
    now = 0
    count = 0
    at = 0
    open_for_dropout: dict[str, Any] | None = None
    while at < len(network):
        layer = network[at]
        found = _section_for(layer, sections, now, count)
        if found is None:
            at += 1
            if layer.kind in WITHOUT_WEIGHTS:
                report.changes.append(_moved(layer, open_for_dropout))
            else:
                report.problems.append(_unplaced(layer, sections[now], count))
            continue
        number, op = found
        count = count + 1 if number == now else 1
        now = number
        section = sections[now]
        names = section.ops[op].names
        given = _read(layer)
        length = 1 + _behind(names, given, network[at + 1 :])
        if "dropout" in names and "recurrent_dropout" not in names:
            open_for_dropout = given
        layers = tuple(network[at : at + length])
        yield Placed(section.name, count - 1, op, layers, given)
        at += length
    for section in sections[now:]:
        least = section.low
        have = count if section is sections[now] else 0
        if have < least:
            report.problems.append(
                f"the section {section.name} needs one of {_allowed(section)}, and the model has"
                " no such layer there."
            )


def _section_for(
    layer: Layer, sections: Sequence[Section], now: int, count: int
) -> tuple[int, str] | None:
    """The first section from here on that takes a layer, and the op that begins with it."""
    for number in range(now, len(sections)):
        section = sections[number]
        have = count if number == now else 0
        if have < section.high:
            for op in section.ops:
                if layer.kind in LAYERS.get(op, ()):
                    return number, op
        # What must be there cannot be left out.
        if have < section.low:
            return None
    return None


def _unplaced(layer: Layer, section: Section, count: int) -> str:
    words = f"{layer.label}: no op of the space begins with such a layer here."
    full = f" ({count} of {section.high} genes are taken)" if count else ""
    return f"{words} The section {section.name}{full} takes {_allowed(section)}."


def _allowed(section: Section) -> str:
    """The Keras layers that a section takes; of other ops their names."""
    words: list[str] = []
    for op in section.ops:
        words += LAYERS.get(op, (f"the op {op}",))
    return ", ".join(dict.fromkeys(words))


def _moved(layer: Layer, given: dict[str, Any] | None) -> str:
    """What becomes of a layer without weights that has no place of its own."""
    rate = layer.config.get("rate")
    if layer.kind in DROPOUTS and given is not None and not given["dropout"]:
        given["dropout"] = rate
        return (
            f"{layer.label}: dropout comes directly behind a layer with weights only. The nearest"
            " place is behind the one before it."
        )
    return f"{layer.label}: has no place in the space. The nearest network is without it."


def _read(layer: Layer) -> dict[str, Any]:
    """What a layer says of the arguments of an op."""
    config = layer.config
    found = {name: config[name] for name in _SAME_NAME if name in config}
    for name in _SIZES:
        if name in config:
            sizes = config[name]
            found[name] = sizes[0] if len(set(sizes)) == 1 else "x".join(map(str, sizes))
    # A separable convolution has two kernels, which an op treats alike.
    for kernel in ("kernel", "depthwise"):
        if f"{kernel}_initializer" in config:
            word = config[f"{kernel}_initializer"]["class_name"]
            found["kernel_initializer"] = re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()
            penalty = config[f"{kernel}_regularizer"] or {}
            found["l1"] = penalty.get("l1", 0.0)
            found["l2"] = penalty.get("l2", 0.0)
    return found


def _behind(names: Collection[str], given: dict[str, Any], following: Sequence[Layer]) -> int:
    """How many of the following layers belong to the same op; what they say is added."""
    kinds = [layer.kind for layer in following[:3]]
    count = 0
    if "batch_normalization" in names:
        given["batch_normalization"] = kinds[:1] == ["BatchNormalization"]
        if given["batch_normalization"]:
            count = 1
            if kinds[1:2] == ["Activation"]:
                given["activation"] = following[1].config["activation"]
                count = 2
    if "dropout" in names and "dropout" not in given:
        given["dropout"] = 0.0
        if count < len(kinds) and kinds[count] in DROPOUTS:
            given["dropout"] = following[count].config["rate"]
            count += 1
    return count


def _gene(section: Section, placed: Placed, report: Report) -> Gene:
    op = section.ops[placed.op]
    values: dict[str, Value] = {}
    for name, parameter in op.parameters.items():
        received = placed.given.get(name, parameter.default)
        value = _value(parameter, received, f"{placed.layers[0].label}: {name}", report)
        if value is not None:
            values[name] = value
    # In a chain there is nothing to say, and in a dag each gene takes the one before.
    inputs = [placed.place] * section.inputs
    return Gene.make(placed.op, values, inputs, placed.place + 1)


def _value(parameter: Parameter, received: Any, what: str, report: Report) -> Value | None:
    """The allowed value that is meant, or the nearest one."""
    value = parameter.admit(received)
    if value is not None:
        return value
    nearest = _nearest(parameter, received)
    words = f"{what} must be {parameter.describe()}. Received: {received}."
    if nearest is None:
        report.problems.append(words)
    else:
        report.changes.append(f"{words} The nearest is {nearest}.")
    return nearest


def _nearest(parameter: Parameter, received: Any) -> Value | None:
    """The allowed number nearest to a number; None for words."""
    if not is_number(received):
        return None
    allowed: list[Any] = []
    if isinstance(parameter, Choice):
        allowed = [value for value in parameter.values if is_number(value)]
    elif isinstance(parameter, Number):
        inside = min(max(received, parameter.low), parameter.high)
        allowed = [parameter.admit(round(inside) if parameter.integer else inside)]
        if parameter.off is not None:
            allowed.append(parameter.off)
    return min(allowed, key=lambda value: abs(value - received), default=None)


def _settings(
    space: SearchSpace,
    placed: Sequence[Placed],
    optimizer: Mapping[str, Any] | None,
    report: Report,
) -> dict[str, tuple[Gene, ...]]:
    """The genes of the settings and of cells: what the model says, and usual values otherwise."""
    wanted = {}
    config = optimizer or {}
    word = optimizer_word(config)
    if "optimizer" in space.sections and word in space.sections["optimizer"].ops:
        wanted["optimizer"] = word
    usual = small_genome(space, wanted, level=0.5)
    wishes = _wishes(space, placed)
    found = {}
    for name, genes in usual.sections:
        section = space.sections[name]
        settled = list(genes)
        if section.group == "settings" and genes:
            is_known = wanted.get(name) == genes[0].op
            given = _of_optimizer(config) if is_known else {}
            settled[0] = _setting(section, genes[0], given, wishes, report)
        found[name] = tuple(settled)
    return found


def _setting(
    section: Section,
    gene: Gene,
    given: Mapping[str, Any],
    wishes: Mapping[tuple[str, str], Counter[Any]],
    report: Report,
) -> Gene:
    values = gene.parameters
    for name, parameter in section.ops[gene.op].parameters.items():
        asked = wishes.get((section.name, name))
        if asked:
            # Layers that differ from most others are found by the comparison.
            received = asked.most_common(1)[0][0]
        elif name in given:
            received = given[name]
        else:
            continue
        value = _value(parameter, received, f"{section.name}: {name}", report)
        if value is not None:
            values[name] = value
    return Gene.make(gene.op, values, (), gene.innovation)


def _wishes(space: SearchSpace, placed: Sequence[Placed]) -> dict[tuple[str, str], Counter[Any]]:
    """(section, parameter) that ops share -> what the layers have, and how many of them."""
    found: dict[tuple[str, str], Counter[Any]] = {}
    for one in placed:
        op = space.sections[one.section].ops[one.op]
        for name, source in op.shared.items():
            if name in one.given:
                found.setdefault(source, Counter())[one.given[name]] += 1
    return found


def optimizer_word(config: Mapping[str, Any]) -> str:
    """The op of an optimizer; empty if there is none."""
    kind = config.get("class_name", "")
    if kind == "SGD":
        return "momentum" if config.get("momentum") else "sgd"
    return _OPTIMIZERS.get(kind, "")


def _of_optimizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a config of Keras says of the parameters of an optimizer's op."""
    found = {}
    for name in _OF_OPTIMIZERS:
        # A schedule is no number, and what is not used is None.
        if isinstance(config.get(name), bool | int | float):
            found[name] = config[name]
    if "learning_rate" in found:
        found["schedule"] = "constant"
    if config.get("use_ema"):
        found["ema_momentum"] = config["ema_momentum"]
    return found
