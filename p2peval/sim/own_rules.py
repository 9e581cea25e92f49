"""A user's own defence: a Python file with an ``opinion`` rule, a ``checking`` rule, or both.

    import numpy as np

    def opinion(testimony):            # p2peval.trust.testimony: who says what of whom -> n opinions, higher is better
        good, bad = testimony.good[[testimony.me]].toarray()[0], testimony.bad[[testimony.me]].toarray()[0]
        return (1.0 + good) / (2.0 + good + bad)

    def checking(asked, answers, means, draw):    # p2peval.trust.checking: what is asked, what was answered -> a Step
        ...

Both stand behind the seams that our rules stand behind, so that the node cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from p2peval.errors import ConfigError
from p2peval.sim.own_file import loaded
from p2peval.trust.checkings import CHECKINGS
from p2peval.trust.policies import OPINIONS

OWN = "file"
"""Under which name the node finds them."""


@lru_cache
def rules(path: Path) -> dict[str, Callable[..., Any]]:
    """What a file defines: "opinion", "checking". Raises ConfigError where it is neither, or no function."""
    module = loaded(path, "opinion(testimony) or checking(asked, answers, means, draw)")
    found = {name: getattr(module, name) for name in ("opinion", "checking") if hasattr(module, name)}
    if not found:
        raise ConfigError(f"{path}: defines neither opinion nor checking", hint="see p2peval/sim/own_rules.py")
    for name, rule in found.items():
        if not callable(rule):
            raise ConfigError(f"{path}: {name} is no function, but {rule!r}")
    return found


def install(path: Path) -> frozenset[str]:
    """Let nodes of this process find the file's rules under OWN; which it defines. Raises ConfigError."""
    found = rules(path)
    if "opinion" in found:
        OPINIONS[OWN] = found["opinion"]
    if "checking" in found:
        CHECKINGS[OWN] = found["checking"]
    return frozenset(found)
