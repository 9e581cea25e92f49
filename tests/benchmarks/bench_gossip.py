"""Milliseconds from publishing an announcement until all other members of five have opened and checked it.

Five processes on loopback, each with the daemon's own network and Exchange; all publish in turn.
"""

from __future__ import annotations

import math
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from report import Row
from worlds import Child

MEMBERS = 5
EACH = 60  # announcements of one member
RATE = 20.0  # announcements a second, of all members together
STRETCHES = 3  # of equal length; the median of their quantiles, so that one hiccup of the machine is one of three
SETTLE = 3.0  # seconds: first until meshes stand, at the end until the last message is through


def run(scratch: Path) -> list[Row]:
    published, arrived = _measure()
    took: list[float] = []
    for task, sent in sorted(published.items(), key=lambda item: item[1]):
        times = [at[task] for at in arrived if task in at]
        if len(times) == MEMBERS - 1:
            took.append(1000 * (max(times) - sent))
    against = f"{len(published)} announcements at {RATE:.0f}/s, {MEMBERS} processes on loopback"
    lost = len(published) - len(took)
    against += f"; {lost} not at every member, which is for sync to mend" if lost else "; all arrived"
    return [
        Row(f"gossip.all_ms_p{percent}.{MEMBERS}", _typical(took, percent / 100), "ms", against) for percent in (50, 99)
    ]


def _measure() -> tuple[dict[str, float], list[dict[str, float]]]:
    """When each announcement was published, and for each member when it had the others'."""
    pause = MEMBERS / RATE
    with ExitStack() as stack:
        members = [
            stack.enter_context(Child("gossip_member.py", f"member {number}", str(EACH), str(pause)))
            for number in range(MEMBERS)
        ]
        addresses = [member.hear() for member in members]
        for number, member in enumerate(members):
            member.tell({"dial": addresses[:number], "members": MEMBERS})
        for member in members:
            assert member.hear() == "ready"
        start = time.monotonic() + SETTLE
        for number, member in enumerate(members):
            member.tell(start + number / RATE)
        published = {task: at for member in members for task, at in member.hear().items()}
        time.sleep(SETTLE)
        for member in members:
            member.tell("enough")
        return published, [member.hear() for member in members]


def _typical(took: list[float], share: float) -> float:
    """Median over the stretches of the smallest value that at least ``share`` of a stretch do not exceed."""
    length = math.ceil(len(took) / STRETCHES)
    stretches = [sorted(took[start : start + length]) for start in range(0, len(took), length)]
    return statistics.median(ordered[math.ceil(share * len(ordered)) - 1] for ordered in stretches)
