"""Which GPUs there are, found without TensorFlow, and how workers share them."""

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
        index: number in `nvidia-smi`.
        uuid: identifier by which a worker is pinned to the GPU.
        name: such as `NVIDIA H200`.
        memory: in bytes; 0 if the driver does not tell.
    """

    index: int
    uuid: str
    name: str
    memory: int

    def __str__(self) -> str:
        size = ""
        if self.memory:
            gibibytes = self.memory / 2**30
            size = f", {gibibytes:.0f} GiB"
        return f"{self.index} ({self.name}{size})"


@dataclass(frozen=True)
class DeviceShare:
    """One worker's share of a device.

    Attributes:
        number: counted from 0.
        device: the GPU; None for the CPU.
        threads: number of threads that TensorFlow may use inside an op, and between ops.
    """

    number: int
    device: Device | None = None
    threads: int = 1

    def environment(self) -> dict[str, str]:
        """The variables that pin a worker to this share; to be set before TensorFlow starts."""
        threads = str(self.threads)
        # A UUID, because a number means another GPU if the driver has a CUDA_VISIBLE_DEVICES.
        visible_devices = "-1" if self.device is None else self.device.uuid
        variables = {
            "CUDA_VISIBLE_DEVICES": visible_devices,
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        # Otherwise TensorFlow takes all of a GPU's memory at its start, and leaves none to the
        # other workers on the same GPU.
        if self.device is not None:
            variables["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        return variables


def inventory(environment: Mapping[str, str] | None = None) -> list[Device]:
    """The NVIDIA GPUs that this process may use; empty if no driver answers.

    Args:
        environment: where `CUDA_VISIBLE_DEVICES` is looked up; by default the process's own.
    """
    variables = os.environ if environment is None else environment
    # Job schedulers set this variable to the GPUs of a job. What they hide stays hidden here.
    listed = variables.get("CUDA_VISIBLE_DEVICES")
    return visible(_all_devices(), listed)


def visible(devices: Sequence[Device], listed: str | None) -> list[Device]:
    """The devices that a `CUDA_VISIBLE_DEVICES` names, in its order.

    Args:
        devices: all devices of the machine.
        listed: numbers, UUIDs or beginnings of UUIDs, joined by commas; None means all devices.
    """
    if listed is None:
        return list(devices)
    found: list[Device] = []
    for word in listed.split(","):
        entry = word.strip()
        if not entry:
            continue
        # The UUID of a MIG instance belongs to a part of a device, so it cannot be looked up.
        if entry.startswith("MIG-"):
            found.append(Device(len(found), entry, "MIG instance", 0))
            continue
        matches = _matches(devices, entry)
        # CUDA's own rule: the list ends at the first entry that does not name one device.
        if len(matches) != 1:
            break
        found.append(matches[0])
    return found


def _matches(devices: Sequence[Device], entry: str) -> list[Device]:
    """The devices that an entry of `CUDA_VISIBLE_DEVICES` may mean: one, unless it is wrong."""
    by_number = [device for device in devices if entry == str(device.index)]
    if by_number or not entry.startswith("GPU-"):
        return by_number
    return [device for device in devices if device.uuid.startswith(entry)]


def device_shares(
    workers: int, devices: Devices, found: Sequence[Device], threads: int = 1
) -> list[DeviceShare]:
    """Spread workers over devices, in turn: 3 workers on GPUs 0 and 1 are on 0, 1, 0.

    Args:
        workers: number of workers, at least 1.
        devices: `auto` for every GPU found (the CPU if there is none), `cpu`, or numbers of GPUs.
        found: result of `inventory()`.
        threads: number of TensorFlow threads of each worker.

    Raises:
        UserError: a number is out of range, or a word is unknown.
        NoWorker: a device does not exist.
    """
    if workers < 1 or threads < 1:
        raise UserError(
            "`workers` and `threads` must be at least 1. "
            f"Received: workers={workers}, threads={threads}."
        )
    chosen = _choose(devices, found)
    shares = []
    for number in range(workers):
        device = None
        if chosen:
            device = chosen[number % len(chosen)]
        shares.append(DeviceShare(number, device, threads))
    return shares


def _choose(devices: Devices, found: Sequence[Device]) -> list[Device]:
    """The GPUs that the config asks for; empty for the CPU."""
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
    """What the NVIDIA driver lists, through its management library, which opens no CUDA device."""
    # Imported here: a run without the local pool does not need it.
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        count = pynvml.nvmlDeviceGetCount()
        return [_describe(index) for index in range(count)]
    finally:
        pynvml.nvmlShutdown()


def _describe(index: int) -> Device:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    try:
        memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    # Devices that share the host's memory do not tell.
    except pynvml.NVMLError:
        memory = 0
    uuid = str(pynvml.nvmlDeviceGetUUID(handle))
    name = str(pynvml.nvmlDeviceGetName(handle))
    return Device(index, uuid, name, memory)
