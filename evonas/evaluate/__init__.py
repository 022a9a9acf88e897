"""The room where networks are trained.

A *pool* runs *tasks* on *slots*. A slot is one worker's share of a device; a worker is a process of its own that is
told paths and numbers, trains one network at a time and answers with an outcome. The driver never imports Keras: what
trains lives behind a socket, so that no network can take the driver down.
"""

from __future__ import annotations

from evonas.evaluate.pool import Finished, Pool, Progress, Report
from evonas.evaluate.protocol import Setup, Task

__all__ = ["Finished", "Pool", "Progress", "Report", "Setup", "Task"]
