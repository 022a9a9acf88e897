"""Every pool keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.evaluate.contract.pool import Pool
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher
from evonas.evaluate.local.launcher import Launcher
from evonas.evaluate.local.subprocess_launcher import SubprocessLauncher
from evonas.evaluate.pools.inline import InlineSettings
from evonas.evaluate.pools.local import LocalPool
from evonas.evaluate.pools.simulated import SimulatedSettings
from evonas.runtime.reuse import ReusingPool
from evonas.testing import PoolSuite, StubPool

STUB = "evonas.testing.stub_worker"


def reusing(setup: Setup) -> Pool:
    return ReusingPool(StubPool(setup, 2), {}, Path(setup.directory))


def local(setup: Setup, launcher: Launcher) -> Pool:
    logs = Path(setup.directory) / "logs"
    return LocalPool(setup, [DeviceShare(0), DeviceShare(1)], launcher=launcher, logs=logs)


def forked(setup: Setup) -> Pool:
    return local(setup, ForkServerLauncher(f"{STUB}:serve", [STUB]))


def started(setup: Setup) -> Pool:
    return local(setup, SubprocessLauncher(f"{STUB}:serve"))


class TestInDriver(PoolSuite):
    members = {
        "inline": lambda setup: InlineSettings().open(setup, Path(setup.directory)),
        "stub": lambda setup: StubPool(setup, 2),
        "reusing": reusing,
    }


class TestSimulated(PoolSuite):
    members = {
        "simulated": lambda setup: SimulatedSettings(2).open(setup, Path(setup.directory)),
    }
    works_at_submit = True


class TestSubprocesses(PoolSuite):
    members = {"subprocess": started}
    tells_meanwhile = True


@pytest.mark.skipif(
    "not __import__('sys').platform.startswith('linux')", reason="the fork server needs Linux"
)
class TestForkServer(PoolSuite):
    members = {"fork_server": forked}
    tells_meanwhile = True
