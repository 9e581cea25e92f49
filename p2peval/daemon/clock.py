"""Wall-clock time that never falls: what the shell tells the node as ``now``."""

from __future__ import annotations

import time

from p2peval.core.types import Seconds


class Clock:
    """Unix seconds. A clock set back stands still until real time has caught up."""

    def __init__(self) -> None:
        self._last: Seconds = 0.0

    def __call__(self) -> Seconds:
        self._last = max(self._last, time.time())
        return self._last
