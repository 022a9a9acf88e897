"""A run's config as a file for people: every default written out, and ready for another run.

The record is the truth. Evonas never reads this copy, and writes it again if it is not there.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from evonas.files import write_text_whole
from evonas.runtime.config.plain_yaml import as_yaml
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.wanted_seeds import strategies_in
from evonas.search.strategy import SEED_KEYS

HEADER = """\
# The config of this run: what was written, what --set changed, and every default.
# `evonas run` takes this file as it is, and makes another run.
# This run itself keeps to run.db, and never reads this file.

"""

# What a reader looks for first. The other keys follow in the order of `RunConfig`.
_FIRST = (
    "run",
    "seed",
    "space",
    "data",
    "evaluator",
    "objective",
    "objectives",
    "constraints",
    "strategy",
    "training",
    "budget",
    "limits",
)


def write_copy(config: RunConfig, config_file: Path, path: Path) -> None:
    """Write the copy, unless the file says the very same.

    Args:
        config: config of the record.
        config_file: file that it was read from; relative paths in the config start in its folder.
        path: path of the copy.

    Raises:
        DiskFailure: the file cannot be written.
    """
    text = HEADER + as_yaml(portable(config, config_file))
    with suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return
    write_text_whole(path, text)


def portable(config: RunConfig, config_file: Path) -> dict[str, Any]:
    """The config as plain data that mean the same in a file of any other folder."""
    data = config.to_json()
    folder = config_file.absolute().parent
    data["space"] = _anywhere(data["space"], folder)
    for strategy in strategies_in(data):
        # These are the very mappings in `data`, which are this function's own.
        settings: Any = strategy.settings
        for key in SEED_KEYS:
            # In `successive_halving`, `genomes` is a number and not a list of names.
            if isinstance(settings.get(key), list):
                settings[key] = [_anywhere(name, folder) for name in settings[key]]
        if strategy.name == "seeded" and settings["run"] is not None:
            settings["run"] = str(folder / Path(settings["run"]).expanduser())
    # The first objective stands for all of them, and a file has either.
    if data["objectives"]:
        del data["objective"]
    ordered = {key: data[key] for key in _FIRST if key in data}
    ordered |= data
    return {key: value for key, value in ordered.items() if value not in (None, [], {})}


def _anywhere(name: str, folder: Path) -> str:
    """A path made absolute; a name of what evonas ships as it is."""
    is_path = "/" in name or name.endswith((".yaml", ".yml"))
    if not is_path:
        return name
    path = folder / Path(name).expanduser()
    return str(path)
