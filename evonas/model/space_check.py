"""Holds a search space against the catalog of ops: finds, without Keras, what would make every trial fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from evonas.errors import Issue, did_you_mean, switch_hint
from evonas.genome import Choice, Number, Op, SearchSpace, Section, Value, strict_yaml
from evonas.model.catalog import CELL, NETWORK_OPS, OPTIMIZERS, RULES, STYLE, TRAINING, OpSignature

Key = tuple[str, ...]
Found = Iterator[tuple[Key, str]]
"""Key paths and what is wrong there."""


def check_space(space: SearchSpace, plugins: Sequence[str] = (), file: str = "") -> list[Issue]:
    """Everything in a search space that no network could be built from or trained with.

    Args:
        plugins: modules that may be imported for ops named `package.module:function`; nothing is imported here, so the
            parameters of such an op are not checked.
        file: the space's file, for the problems' places.

    Returns:
        the problems, each once, with key paths such as `network.features.ops.conv2d.kernel`.
    """
    document = strict_yaml.load(space.text, file)
    if space.input is None and space.group("network"):
        message = (
            "must be image, sequence or vector, for Keras is to train networks here. Received: none"
        )
        return [
            document.problem(("input",), f"{message}, which is for an evaluator besides Keras.")
        ]
    found = [*_missing_sections(space), *_misplaced_ops(space), *_misused_cells(space)]
    for section in space.sections.values():
        for op in section.ops.values():
            signature = _signatures(space, section).get(op.name)
            found += _name_problems(space, section, op, plugins)
            found += _tensor_problems(section, op, signature)
            found += _parameter_problems(space, section, op, signature)
            found += _value_problems(space, section, op)
    return [document.problem(key, message) for key, message in dict.fromkeys(found)]


def _signatures(space: SearchSpace, section: Section) -> Mapping[str, OpSignature]:
    """The ops that a section may have, by name."""
    if section.group == "cells":
        return NETWORK_OPS
    if section.group == "network":
        return {
            **NETWORK_OPS,
            **{cell.name: replace(CELL, name=cell.name) for cell in space.group("cells")},
        }
    special = {"optimizer": OPTIMIZERS, "training": {"training": TRAINING}}
    return special.get(section.name, {"style": STYLE})


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
    for section in space.group("cells"):
        yield from _refused_kinds(
            section, [NETWORK_OPS[op] for op in section.ops if op in NETWORK_OPS], {"image"}
        )
        for op in section.ops:
            if op in NETWORK_OPS and NETWORK_OPS[op].gives != "same":
                yield (
                    _key(section, "ops", op),
                    "ends a map; a cell gives a map, so that the next one can take it.",
                )
    kinds = {str(space.input)}
    for section in space.group("network"):
        known = [_signatures(space, section).get(op) for op in section.ops]
        signatures = [signature for signature in known if signature is not None]
        if len(signatures) < len(known):
            return  # an op of the user's own may give anything
        inside = kinds | {op.gives for op in signatures if op.gives != "same" and section.high > 1}
        yield from _refused_kinds(section, signatures, inside)
        left = {
            kind
            for op in signatures
            for kind in ({op.gives} if op.gives != "same" else inside & op.takes)
        }
        kinds = left | kinds if section.low == 0 else left


def _refused_kinds(section: Section, signatures: Iterable[OpSignature], given: set[str]) -> Found:
    for op in signatures:
        for kind in sorted(given - op.takes):
            takes = " or ".join(sorted(op.takes))
            message = f"takes tensors of kind {takes}, but here it can be given a {kind}."
            yield _key(section, "ops", op.name), message


def _misused_cells(space: SearchSpace) -> Found:
    """Cells that no network section calls, that hide an op, or that stand where two inputs are not to be had."""
    called = {op for section in space.group("network") for op in section.ops}
    for cell in space.group("cells"):
        if cell.name in NETWORK_OPS:
            yield _key(cell), f"the op {cell.name} has this name already."
        if cell.name not in called:
            yield _key(cell), "no section of the network has this cell among its ops."
    for section in space.group("network"):
        for op in section.ops:
            if space.is_cell(op) and section.wiring != "chain":
                yield (
                    _key(section, "ops", op),
                    f"a cell is one of a chain. Received: wiring {section.wiring}",
                )


def _tensor_problems(section: Section, op: Op, signature: OpSignature | None) -> Found:
    given = max(1, section.inputs)
    if signature is not None and signature.tensors != given and section.group != "settings":
        where = (
            f"a gene of this dag has {given}"
            if section.wiring == "dag"
            else f"a {section.wiring} gives it one"
        )
        yield _key(section, "ops", op.name), f"takes {signature.tensors} tensors, and {where}."


def _name_problems(space: SearchSpace, section: Section, op: Op, plugins: Sequence[str]) -> Found:
    known = _signatures(space, section)
    if op.name in known:
        return
    module, colon, _ = op.name.partition(":")
    if not colon or section.group == "settings":
        own = (
            ""
            if section.group == "settings"
            else ", or package.module:function for an op of your own"
        )
        hint = did_you_mean(op.name, tuple(known))
        yield _key(section, "ops", op.name), f"unknown op.{hint} Known: {', '.join(known)}{own}."
    elif module not in plugins:
        allowed = ", ".join(plugins) or "none"
        message = (
            f"the module {module!r} is not among the plugins that the config allows: {allowed}."
        )
        yield _key(section, "ops", op.name), message + did_you_mean(module, tuple(plugins))


def _parameter_problems(
    space: SearchSpace, section: Section, op: Op, signature: OpSignature | None
) -> Found:
    given = {**op.parameters, **op.constants, **op.shared}
    if signature is None:
        if "name" in given:
            yield (
                _key(section, "ops", op.name, "name"),
                "is reserved: evonas gives it the prefix of the layers' names.",
            )
        return
    for name in given:
        if name not in signature.parameters and (section.name, name) not in _lent(space):
            allowed = ", ".join(signature.parameters) or "none"
            hint = did_you_mean(name, signature.parameters)
            yield (
                _key(section, "ops", op.name, name),
                f"{op.name} has no parameter {name!r}.{hint} It has: {allowed}.",
            )
    for name in signature.required:
        if name not in given:
            yield (
                _key(section, "ops", op.name),
                f"the parameter {name!r} is missing; {op.name} needs it.",
            )


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
            hint = did_you_mean(str(value), rule.words) or (
                switch_hint(value) if "true" in rule.allowed else ""
            )
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
