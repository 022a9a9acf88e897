"""The CPU as Linux describes it in a file, here made up."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from evonas.runtime.cpu import cpu

XEON = """\
processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 85
model name\t: Intel(R) Xeon(R)  CPU @ 2.00GHz
flags\t\t: fpu sse4_1 avx {flags}
bugs\t\t:

processor\t: 1
model name\t: another one
flags\t\t: fpu avx512f avx512bw avx512dq avx512vl avx2 fma
"""

GRAVITON = """\
processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd {features}
CPU implementer\t: 0x41
CPU part\t: 0xd0c
"""


@pytest.fixture
def described(tmp_path: Path) -> Path:
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize(
    ("flags", "instructions"),
    [
        ("", "avx"),
        ("avx2", "avx"),
        ("avx2 fma", "avx2"),
        ("avx2 fma avx512f", "avx2"),
        ("avx2 fma avx512f avx512bw avx512dq avx512vl", "avx512"),
        ("avx2 fma avx512f avx512bw avx512dq avx512vl amx_tile avx512_bf16", "avx512"),
    ],
)
def test_model_and_widest_instructions_of_the_first_cpu(
    described: Path, flags: str, instructions: str
) -> None:
    described.write_text(XEON.format(flags=flags))
    assert cpu(described) == f"Intel(R) Xeon(R) CPU @ 2.00GHz with {instructions}"


@pytest.mark.parametrize(("features", "instructions"), [("sve", "sve"), ("", "neon")])
def test_arm_has_numbers_for_names(described: Path, features: str, instructions: str) -> None:
    described.write_text(GRAVITON.format(features=features))
    machine = platform.machine()
    assert cpu(described) == f"{machine}, maker 0x41, part 0xd0c with {instructions}"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\0no colon", b"flags : none\n"])
def test_a_cpu_that_is_not_described_is_called_by_its_architecture(
    described: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        described.write_bytes(content)
    assert cpu(described) == platform.machine()
    monkeypatch.setattr(platform, "machine", lambda: "")
    assert cpu(described) is None


def test_no_program_is_started(described: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    # `platform.processor` starts one, and remembers its answer.
    monkeypatch.setattr(platform, "_uname_cache", None, raising=False)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert cpu(described)
    assert cpu()
