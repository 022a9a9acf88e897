"""Which GPUs there are, seen without TensorFlow, and how they are shared among the workers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evonas.errors import NoWorker, UserError

Devices = Literal["auto", "cpu"] | Sequence[int]


@dataclass(frozen=True)
class Device:
    """A GPU.

    Attributes:
        index: its number in `nvidia-smi`.
        uuid: by which a worker is pinned to it; numbers mean other devices where `CUDA_VISIBLE_DEVICES` is set.
        name: such as `NVIDIA H200`.
        memory: in bytes; 0 where the driver does not tell.
    """

    index: int
    uuid: str
    name: str
    memory: int

    def __str__(self) -> str:
        size = f", {self.memory / 2**30:.0f} GiB" if self.memory else ""
        return f"{self.index} ({self.name}{size})"


@dataclass(frozen=True)
class DeviceShare:
    """One worker's share of a device.

    Attributes:
        number: counted from 0.
        device: the GPU; None for the CPU.
        threads: that TensorFlow may use, inside and between ops.
    """

    number: int
    device: Device | None = None
    threads: int = 1

    def environment(self) -> dict[str, str]:
        """The variables that pin a worker process to this slot; they must be set before TensorFlow starts its devices.

        A GPU's memory grows as needed: TensorFlow would else take all of it, and workers that share a GPU would starve.
        """
        threads = str(self.threads)
        variables = {
            "CUDA_VISIBLE_DEVICES": "-1" if self.device is None else self.device.uuid,
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        return (
            variables if self.device is None else {**variables, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        )


def inventory(environment: Mapping[str, str] | None = None) -> list[Device]:
    """The NVIDIA GPUs that this process may use; empty where no driver answers.

    Args:
        environment: where `CUDA_VISIBLE_DEVICES` is looked up; by default the process's own. Job schedulers set it to
            the GPUs that a job was given, and what they hide stays hidden here.
    """
    variables = os.environ if environment is None else environment
    return visible(_all_devices(), variables.get("CUDA_VISIBLE_DEVICES"))


def visible(devices: Sequence[Device], listed: str | None) -> list[Device]:
    """The devices named by a `CUDA_VISIBLE_DEVICES`, in its order; all where it is not set.

    As CUDA does, the list ends at the first entry that names no device. Entries are numbers, UUIDs or the beginnings
    of UUIDs; a MIG instance is taken on trust, since its UUID belongs to a part of a device.
    """
    if listed is None:
        return list(devices)
    found: list[Device] = []
    for entry in filter(None, (word.strip() for word in listed.split(","))):
        if entry.startswith("MIG-"):
            found.append(Device(len(found), entry, "MIG instance", 0))
            continue
        matches = [device for device in devices if entry == str(device.index)]
        matches = matches or [
            device
            for device in devices
            if entry.startswith("GPU-") and device.uuid.startswith(entry)
        ]
        if len(matches) != 1:
            break
        found.append(matches[0])
    return found


def device_shares(
    workers: int, devices: Devices, found: Sequence[Device], threads: int = 1
) -> list[DeviceShare]:
    """Spread workers over devices, in turn: 3 workers on GPUs 0 and 1 are on 0, 1, 0.

    Args:
        workers: at least 1.
        devices: `auto` for every GPU found, or the CPU where there is none; `cpu`; or GPUs by their number.
        found: `inventory()`.
        threads: of each worker.

    Raises:
        UserError: a number is out of range, or an unknown word.
        NoWorker: a device is asked for that does not exist.
    """
    if workers < 1 or threads < 1:
        raise UserError(
            f"`workers` and `threads` must be at least 1. Received: workers={workers}, threads={threads}."
        )
    chosen = _choose(devices, found)
    return [
        DeviceShare(number, chosen[number % len(chosen)] if chosen else None, threads)
        for number in range(workers)
    ]


def _choose(devices: Devices, found: Sequence[Device]) -> list[Device]:
    if devices == "cpu":
        return []
    if devices == "auto":
        return list(found)
    if isinstance(devices, str) or not devices or len(set(devices)) != len(devices):
        allowed = "`auto`, `cpu` or a list of different GPU numbers such as [0, 1]"
        raise UserError(f"`devices` must be {allowed}. Received: {devices!r}.")
    by_index = {device.index: device for device in found}
    missing = [index for index in devices if index not in by_index]
    if missing:
        asked = f"Devices {list(devices)} are asked for, but {missing} do not exist."
        there = ", ".join(map(str, found)) or "no GPU is visible to this process"
        raise NoWorker(f"{asked} There are: {there}. `devices: cpu` needs none.")
    return [by_index[index] for index in devices]


def _all_devices() -> list[Device]:
    """What the NVIDIA driver lists, through its management library; touches nothing of CUDA."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_describe(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _describe(index: int) -> Device:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    try:
        memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError:  # devices that share the host's memory do not tell
        memory = 0
    return Device(
        index, str(pynvml.nvmlDeviceGetUUID(handle)), str(pynvml.nvmlDeviceGetName(handle)), memory
    )
