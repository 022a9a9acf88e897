from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from evonas.errors import NoWorker, UserError
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.local.devices import (
    Device,
    Devices,
    DeviceShare,
    device_shares,
    inventory,
    visible,
)
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools.local import LocalPool
from evonas.testing.jobs import make_job, make_setup
from evonas.testing.stub_worker import VARIABLE

THREE = [
    Device(index, f"GPU-{letter}{letter}11", "NVIDIA H200", 141 * 2**30)
    for index, letter in enumerate("abc")
]
MIG = Device(0, "MIG-77", "MIG instance", 0)


def places(found: Sequence[DeviceShare]) -> list[int | None]:
    return [share.device.index if share.device else None for share in found]


@pytest.mark.parametrize(
    ("workers", "devices", "expected"),
    [
        (1, "auto", [0]),
        (3, "auto", [0, 1, 2]),
        (5, "auto", [0, 1, 2, 0, 1]),
        (3, [2, 0], [2, 0, 2]),
        (2, "cpu", [None, None]),
    ],
)
def test_workers_are_spread_over_devices_in_turn(
    workers: int, devices: Devices, expected: list[int | None]
) -> None:
    found = device_shares(workers, devices, THREE)
    assert places(found) == expected
    assert [share.number for share in found] == list(range(workers))


def test_auto_without_a_gpu_is_the_cpu() -> None:
    assert places(device_shares(2, "auto", [])) == [None, None]


def test_a_device_that_is_missing_is_named_with_those_that_exist() -> None:
    with pytest.raises(
        NoWorker,
        match=r"\[0, 7, 9\] are asked for, but \[7, 9\] do not exist.*0 \(NVIDIA H200, 141 GiB\)",
    ):
        device_shares(2, [0, 7, 9], THREE)
    with pytest.raises(NoWorker, match="no GPU is visible"):
        device_shares(1, [0], [])


@pytest.mark.parametrize(
    ("workers", "devices", "threads"),
    [(0, "auto", 1), (1, "auto", 0), (1, "gpu", 1), (1, [], 1), (1, [0, 0], 1)],
)
def test_nonsense_is_refused(workers: int, devices: Devices, threads: int) -> None:
    with pytest.raises(UserError):
        device_shares(workers, devices, THREE, threads)


def test_the_environment_of_a_slot() -> None:
    gpu = DeviceShare(0, THREE[1], threads=3).environment()
    assert gpu["CUDA_VISIBLE_DEVICES"] == "GPU-bb11"
    assert gpu["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    cpu = DeviceShare(0, None, threads=3).environment()
    assert cpu["CUDA_VISIBLE_DEVICES"] == "-1"
    assert "TF_FORCE_GPU_ALLOW_GROWTH" not in cpu
    for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        assert gpu[variable] == cpu[variable] == "3"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, THREE),
        ("", []),
        ("-1", []),
        ("1", [THREE[1]]),
        ("2, 0", [THREE[2], THREE[0]]),
        ("0,9,1", [THREE[0]]),
        ("GPU-c", [THREE[2]]),
        ("GPU-", []),
        ("MIG-77", [MIG]),
    ],
)
def test_what_the_scheduler_hides_stays_hidden(listed: str | None, expected: list[Device]) -> None:
    assert visible(THREE, listed) == expected


class NvmlError(Exception):
    pass


def fake_nvml(monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    module = ModuleType("pynvml")

    def start() -> None:
        if not works:
            raise NvmlError("Driver Not Loaded")

    def memory(handle: int) -> SimpleNamespace:
        if handle == 1:
            raise NvmlError("Not Supported")
        return SimpleNamespace(total=2**30)

    functions = {
        "NVMLError": NvmlError,
        "nvmlInit": start,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
        "nvmlDeviceGetName": lambda handle: "Fake",
    }
    for name, function in functions.items():
        setattr(module, name, function)
    monkeypatch.setitem(sys.modules, "pynvml", module)


def test_the_inventory_is_what_the_driver_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvml(monkeypatch, works=True)
    assert inventory({}) == [Device(0, "GPU-0", "Fake", 2**30), Device(1, "GPU-1", "Fake", 0)]
    assert [device.index for device in inventory({"CUDA_VISIBLE_DEVICES": "1"})] == [1]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert [device.index for device in inventory()] == [0]


def test_without_a_driver_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvml(monkeypatch, works=False)
    assert inventory({}) == []


def test_each_worker_sees_exactly_its_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        VARIABLE, json.dumps({"environment": ["CUDA_VISIBLE_DEVICES"], "diverge": 0.0})
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")  # the driver's own must not shine through
    places = [*device_shares(3, "auto", THREE), DeviceShare(3)]
    launcher = start_launcher("evonas.testing.stub_worker:serve", ["evonas.testing.stub_worker"])
    seen: dict[int, str] = {}
    with LocalPool(make_setup(tmp_path), places, launcher, tmp_path / "logs") as pool:
        for trial in range(len(places)):
            pool.submit(
                make_job(trial, attempt=1)
            )  # a retry gets a worker of its own, even where one is idle
        while pool.running:
            for report in pool.poll(1.0):
                if isinstance(report, Finished):
                    seen[report.job.trial] = report.outcome.details.more["environment"][
                        "CUDA_VISIBLE_DEVICES"
                    ]
    assert seen == {0: "GPU-aa11", 1: "GPU-bb11", 2: "GPU-cc11", 3: "-1"}
