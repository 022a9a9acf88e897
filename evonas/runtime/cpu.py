"""The CPU of this machine: its model, and the widest instructions that decide results.

Libraries of linear algebra choose their kernels by these instructions. Each kernel adds up in an
order of its own, so the last digits differ. The model alone does not tell: a virtual machine may
call every CPU of a maker by the same name.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

INSTRUCTIONS: Mapping[str, frozenset[str]] = {
    # What oneDNN calls AVX512_CORE. The sets beyond it, such as AMX, are for other types than
    # float32 and float64.
    "avx512": frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    "avx2": frozenset({"avx2", "fma"}),
    "avx": frozenset({"avx"}),
    "sse4.1": frozenset({"sse4_1"}),
    "sve": frozenset({"sve"}),
    "neon": frozenset({"asimd"}),
}
"""The flags that a CPU has for each set of instructions, the widest first: x86, then ARM."""


def cpu(cpuinfo: Path = CPUINFO) -> str | None:
    """The CPU, such as `AMD EPYC 7B13 with avx2`; None if nothing is known of it.

    Args:
        cpuinfo: file in which Linux describes the CPUs.
    """
    described = _first(cpuinfo)
    model = _model(described)
    if model is None:
        # Not `platform.processor()`, which starts the program `uname` here.
        model = platform.machine() or None
    if model is None:
        return None
    # The key is `flags` on x86, and `Features` on ARM.
    flags = set(described.get("flags", described.get("Features", "")).split())
    for name, needed in INSTRUCTIONS.items():
        if needed <= flags:
            return f"{model} with {name}"
    return model


def _first(cpuinfo: Path) -> dict[str, str]:
    """What the file says of the first CPU; empty if it cannot be read."""
    found: dict[str, str] = {}
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                # An empty line ends each CPU, and a large machine has hundreds of them.
                if found and not line.strip():
                    break
                key, _, value = line.partition(":")
                found[key.strip()] = " ".join(value.split())
    except OSError:
        return {}
    return found


def _model(described: Mapping[str, str]) -> str | None:
    """The model's name; None if the CPU has none."""
    # ARM has no names, only the numbers of the maker and of the model.
    if "CPU implementer" in described and "CPU part" in described:
        maker = described["CPU implementer"]
        return f"{platform.machine()}, maker {maker}, part {described['CPU part']}"
    # The key is `cpu` on POWER.
    return described.get("model name") or described.get("cpu") or None
