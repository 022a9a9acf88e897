"""Published tables and surrogates of others, from the folder that EVONAS_DATA names.

The README of that folder describes the formats. Converted tables are kept in build/tables. Nothing
of this is part of evonas.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import itertools
import json
import os
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.errors import UserError
from evonas.files import write_whole
from evonas.genome import Genome

CHECKOUT = Path(__file__).parent.parent
SPACES = Path(__file__).parent / "spaces"
TABLES = CHECKOUT / "build" / "tables"

NASBENCH201 = {"cifar10": "c10", "cifar100": "c100", "imagenet16": "in16"}
"""The data sets of NAS-Bench-201, and their names in its columns."""
OPS_201 = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
OPS_MACRO = ("identity", "mb3_k3", "mb6_k5")
LCBENCH_OUTPUTS = (
    "seconds",
    "val_accuracy",
    "val_cross_entropy",
    "val_balanced_accuracy",
    "test_cross_entropy",
    "test_balanced_accuracy",
)
LCBENCH_INPUTS = (
    "batch_size",
    "learning_rate",
    "momentum",
    "weight_decay",
    "num_layers",
    "max_units",
    "max_dropout",
)


def data_folder() -> Path:
    """The folder with the published tables.

    Raises:
        UserError: EVONAS_DATA does not name a folder.
    """
    named = os.environ.get("EVONAS_DATA", "")
    if not named or not Path(named).is_dir():
        raise UserError(
            f"EVONAS_DATA must name the folder with the published tables. Received: {named!r}"
        )
    return Path(named)


def skipped_without_data() -> bool:
    """Whether there is no folder with published tables; if so, prints it."""
    try:
        data_folder()
    except UserError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return True
    return False


def nasbench201(data_set: str) -> Path:
    """The table of a data set of NAS-Bench-201.

    It has validation and test accuracy in percent after 12 and after 200 epochs. `val_accuracy@200`
    is the mean of two or three seeds. `seconds@12` are 12/200 of the seconds of 200 epochs.
    """
    folder = data_folder() / "nas" / "nasbench201"
    source = folder / "nasbench201.csv.gz"
    short = NASBENCH201[data_set]
    target = TABLES / f"nasbench201-{data_set}.csv.gz"
    if target.exists():
        return target
    header = [f"cell.{edge}.op" for edge in range(6)]
    header += ["val_accuracy@12", "val_accuracy@200", "test_accuracy@12", "test_accuracy@200"]
    header += ["seconds@12", "seconds@200", "parameters"]
    rows = [_row_201(row, short) for row in _packed_rows(source)]
    return _write(target, header, rows)


def _packed_rows(path: Path) -> Iterator[Mapping[str, str]]:
    """The rows of a packed table, by the names of its columns."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _row_201(row: Mapping[str, str], short: str) -> list[object]:
    def value(name: str) -> float:
        return float(row[f"{short}_{name}"])

    ops = [OPS_201[int(digit)] for digit in row["ops"]]
    seeds = []
    for seed in range(3):
        # not every network was trained with a third seed
        if text := row[f"{short}_val200_s{seed}"]:
            seeds.append(float(text))
    accuracies = [value("val12"), statistics.fmean(seeds), value("test12"), value("test200")]
    seconds = value("time200_s")
    parameters = round(value("params_m") * 1e6)
    return [*ops, *accuracies, seconds * 12 / 200, seconds, parameters]


LATENCIES_201 = {"raspi4_ms": "raspi4", "gtx1080ti_ms": "1080ti_1"}
"""Latencies of NAS-Bench-201's cells, by their names here and in HELP (Lee et al., 2021)."""


def nasbench201_latencies() -> Path:
    """The table of CIFAR-10: mean validation accuracy after 200 epochs, and two latencies.

    The accuracy is in percent.
    """
    folder = data_folder() / "nas" / "nasbench201"
    target = TABLES / "nasbench201-latencies.csv.gz"
    if target.exists():
        return target
    header = [f"cell.{edge}.op" for edge in range(6)]
    header.append("val_accuracy@200")
    header += [f"{name}@200" for name in LATENCIES_201]
    devices = {}
    for row in _packed_rows(folder / "latency_help.csv.gz"):
        latencies = [row[column] for column in LATENCIES_201.values()]
        devices[row["index"]] = latencies
    rows = []
    for row in _packed_rows(folder / "nasbench201.csv.gz"):
        cells = _row_201(row, "c10")
        ops = cells[:6]
        accuracy = cells[7]
        latencies = devices[row["index"]]
        rows.append([*ops, accuracy, *latencies])
    return _write(target, header, rows)


def nasbench_macro() -> Path:
    """The table of NAS-Bench-Macro: mean accuracy of three trainings on CIFAR-10, in percent."""
    folder = data_folder() / "nas" / "nasbench_macro"
    source = folder / "nas-bench-macro_cifar10.json.gz"
    target = TABLES / "nasbench-macro.csv.gz"
    if target.exists():
        return target
    with gzip.open(source, "rt", encoding="utf-8") as file:
        nets: Mapping[str, Mapping[str, Any]] = json.load(file)
    header = [f"layers.{layer}.op" for layer in range(8)]
    header += ["accuracy@50", "parameters", "flops"]
    rows = []
    for key, net in nets.items():
        # a key has one digit for each layer
        ops = [OPS_MACRO[int(digit)] for digit in key]
        values = [net["mean_acc"], net["params"], net["flops"]]
        rows.append([*ops, *values])
    return _write(target, header, rows)


def _write(target: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    # without the time, the same table gives the same bytes
    packed = gzip.compress(text.getvalue().encode(), mtime=0)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, lambda file: file.write(packed))
    return target


def lcbench_tasks() -> list[str]:
    """The OpenML tasks of LCBench with published results."""
    path = data_folder() / "nas" / "yahpo_lcbench" / "config_space.json"
    space = json.loads(path.read_text(encoding="utf-8"))
    for item in space["hyperparameters"]:
        if item["name"] == "OpenML_task_id":
            found: list[str] = item["choices"]
            return found
    raise UserError(f"{path} names no tasks")


def lcbench_best(task: str, metric: str = "val_accuracy") -> float:
    """The published best of 500,000 random configurations."""
    return _published("yahpo_lcbench", task, metric)


def nasbench301_best() -> float:
    """The published best of the surrogate of NAS-Bench-301: validation accuracy in percent."""
    return _published("yahpo_nb301", "CIFAR10", "val_accuracy")


def _published(folder: str, task: str, metric: str) -> float:
    name = data_folder() / "nas" / folder / "instance_target_statistics.csv"
    with name.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = (row["metric"], row["statistic"], row["instance"])
            if found == (metric, "max", task):
                return float(row["value"])
    raise UserError(f"there is no published {metric} of task {task}")


def lcbench(genome: Genome, epochs: int, task: str) -> dict[str, float]:
    """The surrogate of LCBench (YAHPO Gym; Pfisterer et al., 2022).

    It knows 1 to 52 epochs. Accuracies are in percent.
    """
    outputs = _lcbench(genome, [epochs], task)
    found = {name: values[0] for name, values in outputs.items()}
    # a surrogate can answer with negative seconds
    found["seconds"] = max(0.0, found["seconds"])
    return found


def lcbench_accuracies(genomes: Sequence[Genome], task: str) -> list[float]:
    """The validation accuracies of many genomes after 52 epochs, in one look-up."""
    rows = [_lcbench_inputs(genome) for genome in genomes]
    outputs = _lcbench_outputs([[52, *row] for row in rows], task)
    return outputs["val_accuracy"]


def lcbench_curve(genome: Genome, epochs: int, task: str) -> dict[str, list[float]]:
    """Each metric after 1, 2, ... epochs, in one look-up."""
    return _lcbench(genome, range(1, epochs + 1), task)


def _lcbench(genome: Genome, epochs: Sequence[int], task: str) -> dict[str, list[float]]:
    inputs = _lcbench_inputs(genome)
    return _lcbench_outputs([[count, *inputs] for count in epochs], task)


def _lcbench_inputs(genome: Genome) -> list[Any]:
    genes = {**genome["perceptron"][0].parameters, **genome["training"][0].parameters}
    return [genes[name] for name in LCBENCH_INPUTS]


def _lcbench_outputs(numbers: Sequence[Sequence[Any]], task: str) -> dict[str, list[float]]:
    """The outputs by name, of rows that have the epochs and then the inputs."""
    import numpy as np

    session, encoding = _surrogate("yahpo_lcbench/model.onnx", "yahpo_lcbench/encoding.json")
    code = encoding["OpenML_task_id"][str(task)]
    given = {
        "x_cat": np.full((len(numbers), 1), code, np.int32),
        "x_cont": np.array(numbers, np.float32),
    }
    (output,) = session.run(None, given)
    columns = output.T.astype(float).tolist()
    return dict(zip(LCBENCH_OUTPUTS, columns, strict=True))


def nasbench301(genome: Genome, epochs: int) -> dict[str, float]:
    """The surrogate of NAS-Bench-301 (YAHPO Gym): 1 to 98 epochs."""
    import numpy as np

    session, encoding = _surrogate("yahpo_nb301/model_v2.onnx", "yahpo_nb301/encoding_v2.json")
    chosen = _darts(genome)
    codes = []
    for name, table in encoding.items():
        # its names have a prefix, and an edge that the cell lacks has a category of its own
        _, _, short = name.rpartition("_COLON_")
        codes.append(table[chosen.get(short, "#na#")])
    given = {
        "x_cat": np.array([codes], np.int32),
        "x_cont": np.array([[epochs]], np.float32),
    }
    (output,) = session.run(None, given)
    accuracy, cross_entropy, runtime, _ = map(float, output[0])
    return {
        "val_accuracy": accuracy,
        "val_cross_entropy": cross_entropy,
        "seconds": max(0.0, runtime),
    }


def _darts(genome: Genome) -> dict[str, str]:
    """The surrogate's categories of a genome: the op of each edge, and the sources of each node.

    Absent edges have no entry. The edges of a cell are counted node by node. Node 2 has the edges 0
    and 1, node 3 has the edges 2 to 4, and so on.
    """
    found: dict[str, str] = {}
    first_edges = list(itertools.accumulate((0, 2, 3, 4)))
    for cell in ("normal", "reduce"):
        for node, start in zip(range(2, 6), first_edges, strict=True):
            gene = genome[f"{cell}_{node}"][0].parameters
            # node 2 has no choice: only the two inputs of the cell come before it
            sources = str(gene.get("sources", "0_1"))
            if node > 2:
                found[f"inputs_node_{cell}_{node}"] = sources
            ops = (gene["first"], gene["second"])
            for source, op in zip(sources.split("_"), ops, strict=True):
                found[f"edge_{cell}_{start + int(source)}"] = str(op)
    return found


@functools.cache
def _surrogate(model: str, encoding: str) -> tuple[Any, Mapping[str, Mapping[str, int]]]:
    """The session of a model, on one thread, and the encoding of its inputs; cached."""
    # only the benchmarks depend on it
    import onnxruntime

    folder = data_folder() / "nas"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = str(folder / model)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    codes = json.loads((folder / encoding).read_text(encoding="utf-8"))
    return session, codes
