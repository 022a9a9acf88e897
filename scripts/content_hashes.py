"""Hashes of what must not change when code is moved or rewritten.

    .venv/bin/python scripts/content_hashes.py > before.json
    ... change the code ...
    .venv/bin/python scripts/content_hashes.py > after.json
    diff before.json after.json

There is one for each shipped config and one for each strategy. Configs are made short and train
real networks. Strategies search with stub workers, in a second each.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import evonas
from evonas.testing import runs as stub_runs

CONFIGS = Path(__file__).parents[1] / "configs"
SHORT = ["training.epochs=2", "training.patience=null", "budget.trials=10"]
FRONT_STRATEGIES = ("nsga2", "nsga3")
STRATEGIES = (
    "aging", "asha", "cma_es", "differential_evolution", "dngo", "evolution", "forest",
    "gaussian_process", "grid", "hyperband", "local_search", "nelder_mead", "nsga2",
    "nsga3", "optuna", "particle_swarm", "random", "screened", "seeded", "successive_halving",
)  # fmt: skip


def content_hash(directory: Path) -> str:
    """The sha256 of everything in a record that the config and the seed decide."""
    content = json.dumps(stub_runs.content(directory))
    return hashlib.sha256(content.encode()).hexdigest()


def hash_of_config(config: Path, runs: Path) -> dict[str, str]:
    """One hash, or one for each run of an experiment."""
    if "experiment:" in config.read_text(encoding="utf-8"):
        changes = ["training.epochs=3", "budget.epochs=18"]
        comparison = evonas.compare(config, overrides=changes, runs=runs)
        records = comparison.directory.glob("*/run.db")
        directories = sorted(path.parent for path in records)
    else:
        run = evonas.run(config, overrides=SHORT, runs=runs)
        directories = [run.directory]
    return {f"{config.stem}: {path.name}": content_hash(path) for path in directories}


def hash_of_strategy(name: str, folder: Path) -> str:
    # the grid of this space has 84 genomes
    trials = 84 if name == "grid" else 30
    strategy = name
    if name == "seeded":
        # its seeds are the best genomes of the run with `evolution`, which comes before it
        strategy = "{seeded: {run: %s}}" % (folder.parent / "evolution" / "stub")
    changes = [f"strategy={strategy}", f"budget.trials={trials}"]
    if name in FRONT_STRATEGIES:
        changes.append("objectives=[val_accuracy, parameters, flops]")
    run = stub_runs.make_run(folder, *changes)
    stub_runs.work(run)
    return content_hash(run)


def main() -> None:
    hashes = {}
    # always the same folder: the record of `seeded` holds the path of the run that it starts from
    scratch = Path(tempfile.gettempdir()) / "evonas-content-hashes"
    shutil.rmtree(scratch, ignore_errors=True)
    for name in STRATEGIES:
        hashes[f"strategy {name}"] = hash_of_strategy(name, scratch / name)
    for config in sorted(CONFIGS.glob("*.yaml")):
        # The data of some are not shipped.
        if "~/evonas_data" not in config.read_text(encoding="utf-8"):
            hashes |= hash_of_config(config, scratch / "runs")
    shutil.rmtree(scratch)
    json.dump(hashes, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
