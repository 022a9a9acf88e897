"""A `keras.Model` of the user's as a genome of a search space, read in a process of its own.

The file is loaded in safe mode, so it runs no code of its own. See `evonas.model.adopting`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evonas.errors import UserError
from evonas.evaluate.local.aside import answer, ask_aside
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.genome.strict_yaml import short
from evonas.words import listed

TIME_LIMIT = 300.0
"""Seconds that the process may take."""
MOST_SAID = 300
KINDS = {1: "vector", 2: "sequence", 3: "image"}
"""Axes of one sample at the first layer of a network -> kind of the input."""


@dataclass(frozen=True)
class Adopted:
    """What was found of a model in one space.

    Attributes:
        space: name of the space.
        genome: the genome as `Genome.to_dict` gives it; None if there are problems.
        problems: what the space cannot say, in sentences.
        changes: what the genome has instead of what the model has, in sentences.
        skipped: layers before the network, for which evonas has its own.
        head: layers behind the network, which the task decides.
        parameters: number of the genome's weights before the head.
        model_parameters: the same of the model.
        optimizer: op of the optimizer that the file names; empty if it names none of the space's.
        not_taken: what no genome can say of the layers, in words.
    """

    space: str
    genome: Mapping[str, Any] | None
    problems: Sequence[str]
    changes: Sequence[str]
    skipped: Sequence[str]
    head: Sequence[str]
    parameters: int
    model_parameters: int
    optimizer: str
    not_taken: Sequence[str] = ()


def adopt(path: Path, spaces: Mapping[str, SearchSpace], takes_nearest: bool = False) -> Adopted:
    """The genome of a model, in the first of the spaces that it fits best.

    Args:
        path: a `.keras` file.
        spaces: search spaces by the names that messages have for them, the likeliest first.
        takes_nearest: whether the nearest allowed value is taken for one that is not allowed, and
            what the space does otherwise is no problem.

    Raises:
        UserError: the file cannot be loaded, is no chain of layers, or fits no space. Each layer
            is named that does not fit the space that comes closest.
    """
    request = {
        "path": str(path),
        "spaces": {name: space.text for name, space in spaces.items()},
        "nearest": takes_nearest,
    }
    found = ask_aside(__name__, request, TIME_LIMIT)
    if not isinstance(found.report, dict):
        ended = f"took more than {TIME_LIMIT:g} s"
        if found.code is not None:
            ended = f"has ended with exit code {found.code}"
        said = found.said.strip().splitlines()[-1:]
        words = " ".join([f"{ended}.", *(short(line, MOST_SAID) for line in said)])
        raise UserError(f"the process that reads {path} {words}")
    if "refused" in found.report:
        raise UserError(f"{path} cannot be adopted: {found.report['refused']}")
    adopted = Adopted(**found.report)
    if adopted.problems:
        raise UserError(_refusal(path, adopted, spaces, takes_nearest))
    return adopted


def _refusal(
    path: Path, adopted: Adopted, spaces: Mapping[str, SearchSpace], takes_nearest: bool
) -> str:
    lines = [f"{path} does not fit the space {adopted.space}, and nothing is written:"]
    lines += [f"  {words}" for words in adopted.problems]
    kind = next(space.input for space in spaces.values() if space.name == adopted.space)
    others = [
        name
        for name, space in spaces.items()
        if space.input == kind and space.name != adopted.space
    ]
    if others:
        lines.append(f"No other space comes closer ({listed(others)}); --space names one.")
    if not takes_nearest:
        lines.append("--nearest takes what is nearest in the space, and says what it has changed.")
    return "\n".join(lines)


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    """In the process: the best that was found."""
    from evonas.evaluate.local.fork_server import preload

    preload(("tensorflow", "keras"))
    try:
        spaces = {name: parse_space(text, name) for name, text in request["spaces"].items()}
        return asdict(adopted_from(Path(request["path"]), spaces, request["nearest"]))
    except UserError as error:
        return {"refused": str(error)}


def adopted_from(path: Path, spaces: Mapping[str, SearchSpace], takes_nearest: bool) -> Adopted:
    """The same in this process, which imports Keras; a model that does not fit has `problems`.

    Raises:
        UserError: the file cannot be loaded, is no chain of layers, or no space takes its input.
    """
    from evonas.model.adopting.layers import chain_of, not_taken
    from evonas.model.adopting.recognition import ends_of

    model, optimizer = _loaded(path)
    skipped, network, head = ends_of(chain_of(model))
    if not head or not network:
        raise UserError(
            "the model must end in a Dense layer, the output, and have layers before it."
        )
    kind = KINDS.get(len(network[0].input_shape), "")
    fitting = {name: space for name, space in spaces.items() if space.input == kind}
    if not fitting:
        raise UserError(
            f"{network[0].label} takes samples of the shape {network[0].input_shape}"
            f"{f', {kind}s' if kind else ''}, and no space is for them: {listed(list(spaces))}."
        )
    found = [
        _in_space(space, kind, network, optimizer, takes_nearest) for space in fitting.values()
    ]
    best = min(found, key=lambda one: (len(one["problems"]), len(one["changes"])))
    weights = sum(layer.parameters for layer in network)
    return Adopted(
        **best,
        skipped=_labels(skipped),
        head=_labels(head),
        model_parameters=weights,
        not_taken=not_taken(network),
    )


def _labels(chain: Sequence[Any]) -> list[str]:
    return [layer.label for layer in chain]


def _loaded(path: Path) -> tuple[Any, Mapping[str, Any] | None]:
    """The model, and Keras's config of its optimizer if the file has one.

    Raises:
        UserError: Keras cannot load the file in safe mode.
    """
    import keras

    from evonas.model.adopting.foreign import foreign_in

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras raises what it likes, and a file may hold anything.
    except Exception as error:
        if foreign := foreign_in(_config(path)):
            raise UserError(
                f"{'; '.join(foreign)}. Only Keras's own layers can be adopted: code of others is"
                " not in the file, and is not run. Build the model of those, and save it again."
            ) from error
        text = short(" ".join(str(error).split()), MOST_SAID)
        raise UserError(f"Keras cannot load it in safe mode: {text}") from error
    return model, _optimizer(path)


def _optimizer(path: Path) -> Mapping[str, Any] | None:
    """The optimizer of a file, without the loss and the metrics, which may be of the user's own."""
    config = _config(path)
    optimizer = (config.get("compile_config") or {}).get("optimizer")
    if not isinstance(optimizer, dict):
        return None
    return {**optimizer.get("config", {}), "class_name": optimizer.get("class_name")}


def _config(path: Path) -> dict[str, Any]:
    """What a file says of its model, as Keras wrote it; empty if that cannot be read."""
    import json
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return {}
    return config if isinstance(config, dict) else {}


def _in_space(
    space: SearchSpace,
    kind: str,
    network: Sequence[Any],
    optimizer: Mapping[str, Any] | None,
    takes_nearest: bool,
) -> dict[str, Any]:
    """What is found of a network in one space."""
    from evonas.model.adopting.comparison import compare
    from evonas.model.adopting.recognition import Report, recognise

    report = Report()
    genome, placed = recognise(space, network, report, optimizer)
    parameters = 0
    if genome is not None:
        parameters = compare(space, genome, kind, placed, report)
    problems, changes = report.problems, report.changes
    if not takes_nearest:
        problems, changes = problems + changes, []
    return {
        "space": space.name,
        "genome": genome.to_dict() if genome is not None and not problems else None,
        "problems": problems,
        "changes": changes,
        "parameters": parameters,
        "optimizer": _word(space, genome, optimizer),
    }


def _word(space: SearchSpace, genome: Genome | None, optimizer: Mapping[str, Any] | None) -> str:
    from evonas.model.adopting.recognition import optimizer_word

    if genome is None or "optimizer" not in space.sections:
        return ""
    word = optimizer_word(optimizer or {})
    return word if word == genome["optimizer"][0].op else ""


if __name__ == "__main__":
    answer(sys.argv[1:], _read)
