"""Holds a search space against the catalog of ops: finds, without Keras, what fails every trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from evonas.errors import Issue, did_you_mean, switch_hint
from evonas.genome import Choice, Number, Op, SearchSpace, Section, Value, strict_yaml
from evonas.genome.strict_yaml import short
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.model.catalog import (
    AUGMENTATIONS,
    CELL,
    NETWORK_OPS,
    OPTIMIZERS,
    RULES,
    STYLE,
    TRAINING,
    OpSignature,
)

RESERVED = {
    "name": "the prefix of the layers' names",
    "spec": "what is known of the input",
    "mask": "the real steps of padded sequences",
}
"""Parameters that evonas itself gives an op which has them."""

Key = tuple[str, ...]
Found = Iterator[tuple[Key, str]]
"""Key paths and what is wrong there."""


def check_space(space: SearchSpace, plugins: Sequence[str] = (), file: str = "") -> list[Issue]:
    """Everything in a search space that no network could be built from or trained with.

    Args:
        plugins: modules that may be imported for ops named `package.module:function`. Nothing is
            imported here, so the parameters of such an op are not checked.
        file: the space's file, for the places of the issues.

    Returns:
        the issues, each once, with key paths such as `network.features.ops.conv2d.kernel`.
    """
    document = strict_yaml.load(space.text, file)
    if space.input is None and space.group("network"):
        message = (
            f"must be one of {', '.join(INPUT_KINDS)}, for Keras is to train networks here. "
            "Received: none, which is for an evaluator besides Keras."
        )
        return [document.problem(("input",), message)]
    found = [
        *_missing_sections(space),
        *_misplaced_ops(space),
        *_misused_cells(space),
        *_misplaced_augmentation(space),
    ]
    for section in space.sections.values():
        for op in section.ops.values():
            signature = _signatures(space, section).get(op.name)
            found += _name_problems(space, section, op, plugins)
            found += _tensor_problems(section, op, signature)
            found += _parameter_problems(space, section, op, signature)
            found += _value_problems(space, section, op)
    # The values of a lent parameter are found once for each op that takes it.
    distinct = dict.fromkeys(found)
    return [document.problem(key, message) for key, message in distinct]


def smoothing_problem(space: SearchSpace, whose: str, can_smooth: bool) -> tuple[Key, str] | None:
    """Why a space does not fit a loss, with the key: it smooths labels; or None.

    Args:
        whose: the task or the loss, in words.
        can_smooth: whether the loss has labels that can be smoothed.
    """
    name = "label_smoothing"
    section = space.sections.get("training")
    if section is None or can_smooth:
        return None
    for op in section.ops.values():
        if any(_values(op).get(name, ())) or name in op.shared:
            message = f"smooths labels, which the loss of {whose} cannot. Leave it out."
            return _key(section, "ops", op.name, name), message
    return None


def scheduled_optimizers(space: SearchSpace) -> Mapping[str, bool]:
    """The optimizers whose learning rate may have a schedule, and whether it always has one."""
    section = space.sections.get("optimizer")
    found = {}
    for op in () if section is None else section.ops.values():
        values = _values(op)
        courses = {course != "constant" for course in values.get("schedule", ("constant",))}
        rises = {warmup != 0 for warmup in values.get("warmup", (0,))}
        if True in courses | rises:
            found[op.name] = courses == {True} or rises == {True}
    return found


def to_list(module: str, plugins: Sequence[str]) -> str:
    """A hint at how a config lists a module, beside its other plugins."""
    return f" To allow it, write `plugins: [{short(', '.join([*plugins, module]), 200)}]`."


def _signatures(space: SearchSpace, section: Section) -> Mapping[str, OpSignature]:
    """The ops that a section may have, by name."""
    if section.group == "cells":
        return NETWORK_OPS
    if section.group == "network":
        signatures = dict(NETWORK_OPS)
        for cell in space.group("cells"):
            signatures[cell.name] = replace(CELL, name=cell.name)
        return signatures
    if section.name == "optimizer":
        return OPTIMIZERS
    if section.name == "augmentation":
        return AUGMENTATIONS
    if section.name == "training":
        return {"training": TRAINING}
    return {"style": STYLE}


def _key(section: Section, *rest: str) -> Key:
    return (
        section.group,
        section.name,
        *rest,
    )


def _missing_sections(space: SearchSpace) -> Found:
    groups = [section.group for section in space.sections.values()]
    if "network" not in groups:
        yield ("network",), "a network needs at least one section here."
    needed = {"optimizer": " | ".join(OPTIMIZERS), "training": "training"}
    for name, ops in needed.items():
        section = space.sections.get(name)
        if section is None or section.group != "settings":
            yield ("settings",), f"the section {name!r} is missing; its ops are {ops}."
        elif (section.low, section.high) != (1, 1):
            received = f"[{section.low}, {section.high}]"
            yield _key(section, "length"), f"must be 1. Received: {received}"


def _misplaced_ops(space: SearchSpace) -> Found:
    """Ops that may be given a kind of tensor that they do not take.

    An example is a convolution after `flatten`.
    """
    for section in space.group("cells"):
        yield from _misplaced_in_cell(section)
    # The kinds of tensors that may come out of the sections so far.
    kinds = {str(space.input)}
    for section in space.group("network"):
        known = _signatures(space, section)
        signatures = []
        for op in section.ops:
            signature = known.get(op)
            if signature is None:
                # An op of the user's own may give anything: nothing is known from here on.
                return
            signatures.append(signature)
        inside = set(kinds)
        # In a section of several genes, one op may follow another one.
        if section.high > 1:
            inside |= {op.gives for op in signatures if op.gives != "same"}
        yield from _refused_kinds(section, signatures, inside)
        left = _kinds_given(signatures, inside)
        # An empty section lets everything through.
        kinds = left | kinds if section.low == 0 else left


def _misplaced_in_cell(cell: Section) -> Found:
    known = [NETWORK_OPS[op] for op in cell.ops if op in NETWORK_OPS]
    yield from _refused_kinds(cell, known, {"image"})
    for op in known:
        if op.gives != "same":
            message = "ends a map; a cell gives a map, so that the next one can take it."
            yield _key(cell, "ops", op.name), message


def _kinds_given(signatures: Iterable[OpSignature], inside: set[str]) -> set[str]:
    """The kinds that may come out of these ops, for the kinds that may go in."""
    given: set[str] = set()
    for op in signatures:
        if op.gives == "same":
            given |= inside & op.takes
        else:
            given.add(op.gives)
    return given


def _refused_kinds(section: Section, signatures: Iterable[OpSignature], given: set[str]) -> Found:
    for op in signatures:
        takes = " or ".join(sorted(op.takes))
        for kind in sorted(given - op.takes):
            message = f"takes tensors of kind {takes}, but here it can be given a {kind}."
            yield _key(section, "ops", op.name), message


def _misused_cells(space: SearchSpace) -> Found:
    """Cells that no network section calls, that hide an op, or that do not get two inputs."""
    called = {op for section in space.group("network") for op in section.ops}
    for cell in space.group("cells"):
        if cell.name in NETWORK_OPS:
            yield _key(cell), f"the op {cell.name} has this name already."
        if cell.name not in called:
            yield _key(cell), "no section of the network has this cell among its ops."
    for section in space.group("network"):
        # A cell takes the outputs of the two genes before it, which are clear in a chain only.
        if section.wiring == "chain":
            continue
        for op in section.ops:
            if space.is_cell(op):
                message = f"a cell is one of a chain. Received: wiring {section.wiring}"
                yield _key(section, "ops", op), message


def _misplaced_augmentation(space: SearchSpace) -> Found:
    """A section `augmentation` in a space whose samples are no images."""
    section = space.sections.get("augmentation")
    if section is None or section.group != "settings" or space.input == "image":
        return
    message = f"changes images, and samples here are of the kind {space.input}. Leave it out."
    yield _key(section), message


def _tensor_problems(section: Section, op: Op, signature: OpSignature | None) -> Found:
    """An op that takes another number of tensors than the section's wiring gives."""
    if signature is None or section.group == "settings":
        return
    given = max(1, section.inputs)
    if signature.tensors == given:
        return
    if section.wiring == "dag":
        where = f"a gene of this dag has {given}"
    else:
        where = f"a {section.wiring} gives it one"
    message = f"takes {signature.tensors} tensors, and {where}."
    yield _key(section, "ops", op.name), message


def _name_problems(space: SearchSpace, section: Section, op: Op, plugins: Sequence[str]) -> Found:
    known = _signatures(space, section)
    if op.name in known:
        return
    key = _key(section, "ops", op.name)
    module, colon, _ = op.name.partition(":")
    in_settings = section.group == "settings"
    if not colon or in_settings:
        # Only the network may have ops of the user's own.
        own = "" if in_settings else ", or package.module:function for an op of your own"
        hint = did_you_mean(op.name, tuple(known))
        yield key, f"unknown op.{hint} Known: {', '.join(known)}{own}."
    elif module not in plugins:
        allowed = ", ".join(plugins) or "none"
        hint = did_you_mean(module, tuple(plugins)) or to_list(module, plugins)
        message = (
            f"the module {module!r} is not among the plugins that the config allows: {allowed}."
        )
        yield key, message + hint


def _parameter_problems(
    space: SearchSpace, section: Section, op: Op, signature: OpSignature | None
) -> Found:
    given = {**op.parameters, **op.constants, **op.shared}
    if signature is None:
        # The parameters of a user's op are its own, except for these.
        for name, what in RESERVED.items():
            if name in given:
                yield _key(section, "ops", op.name, name), f"is reserved: evonas gives it {what}."
        return
    for name in given:
        # A parameter that another op takes by `same_as` may stand anywhere.
        if name in signature.parameters or (section.name, name) in _lent(space):
            continue
        allowed = ", ".join(signature.parameters) or "none"
        hint = did_you_mean(name, signature.parameters)
        message = f"{op.name} has no parameter {name!r}.{hint} It has: {allowed}."
        yield _key(section, "ops", op.name, name), message
    for name in signature.required:
        if name not in given:
            message = f"the parameter {name!r} is missing; {op.name} needs it."
            yield _key(section, "ops", op.name), message


def _lent(space: SearchSpace) -> set[tuple[str, str]]:
    """(section, parameter) of all parameters that another op takes by `same_as`."""
    lent: set[tuple[str, str]] = set()
    for section in space.sections.values():
        for op in section.ops.values():
            lent.update(op.shared.values())
    return lent


def _value_problems(space: SearchSpace, section: Section, op: Op) -> Found:
    """Values that Keras would refuse."""
    for name, values in _values(op).items():
        key = _key(section, "ops", op.name, name)
        yield from _refused(name, values, key)
    # The rule of a shared parameter is that of the op which takes it. Its values stand with the
    # lender, so the key path is the lender's.
    for name, (source, other) in op.shared.items():
        lending = space.sections[source]
        for lender in lending.ops.values():
            values = _values(lender).get(other, ())
            key = _key(lending, "ops", lender.name, other)
            yield from _refused(name, values, key)


def _refused(name: str, values: Iterable[Value], key: Key) -> Found:
    rule = RULES.get(name)
    if rule is None:
        return
    for value in values:
        if rule.accepts(value):
            continue
        hint = did_you_mean(str(value), rule.words)
        # YAML 1.2 reads `yes` and `on` as words.
        if not hint and "true" in rule.allowed:
            hint = switch_hint(value)
        yield key, f"{name} must be {rule.allowed}. Received: {value!r}.{hint}"


def _values(op: Op) -> dict[str, tuple[Value, ...]]:
    """For each parameter the values that decide whether all of its values are allowed.

    They are all values of a choice, and the ends of a range.
    """
    values: dict[str, tuple[Value, ...]] = {}
    for name, constant in op.constants.items():
        values[name] = (constant,)
    for name, parameter in op.parameters.items():
        if isinstance(parameter, Choice):
            values[name] = parameter.values
        elif isinstance(parameter, Number):
            # The bounds are kept as floats, but a range of integers has integer values.
            kind = int if parameter.integer else float
            ends = (kind(parameter.low), kind(parameter.high))
            off = () if parameter.off is None else (parameter.off,)
            values[name] = (*ends, *off)
    return values
