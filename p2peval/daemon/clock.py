"""Wall-clock time that never falls: what the shell tells the node as ``now``."""

from __future__ import annotations

import time

from p2peval.core.types import Seconds


class Clock:
    """Unix seconds. When the wall clock is set back this one runs on at its own pace, so no timer stops."""

    def __init__(self) -> None:
        self._now: Seconds = 0.0
        self._looked = time.monotonic()

    def __call__(self) -> Seconds:
        looked = time.monotonic()
        self._now = max(self._now + looked - self._looked, time.time())
        self._looked = looked
        return self._now
