"""Gossip flooder: announces tasks that it never means to have done, as fast as it can sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.messages import TaskAnnouncement
from p2peval.core.types import Seconds, to_nano
from p2peval.defaults import DELTA, EPSILON, NETWORK_ID, TASK_LIFETIME
from p2peval.sim.adversary import Adversary
from p2peval.sim.stage import made_up


@dataclass
class GossipFlooder(Adversary):
    """Every ``every_s`` seconds, ``burst`` announcements of tasks with models that nobody has.

    After everybody's time and memory: each announcement is kept by all members, and answered by whoever could evaluate
    it. Budgets of objects are for who has no profile, and a profile is free (Vyzovitis et al. 2020; reliability.md, row
    10).
    """

    knows: ClassVar[str] = "nothing"
    costs: ClassVar[str] = "a signature and one message an announcement"
    every_s: Seconds = field(default=20.0, metadata={"above": 0.0})
    burst: int = field(default=1, metadata={"least": 1})
    _sent: int = field(default=0, init=False)

    def begin(self) -> None:
        self._flood()

    def _flood(self) -> None:
        grip = self.grip
        grip.later(self.every_s, self._flood)
        if not grip.host.up:
            return
        for row in grip.node.state.benchmarks:
            for _ in range(self.burst if row.joined else 0):
                self._sent += 1
                created = int(grip.now * 1000) + self._sent
                said = TaskAnnouncement(
                    network=NETWORK_ID,
                    author=grip.me,
                    benchmark=row.id,
                    model=made_up(f"nothing {grip.me} {self._sent}"),
                    model_name="nothing",
                    epsilon_nano=to_nano(EPSILON),
                    delta_nano=to_nano(DELTA),
                    replicas=1,
                    created_ms=created,
                    deadline_ms=created + int(TASK_LIFETIME * 1000),
                )
                grip.ring.spend("announcements")
                grip.do(grip.publish(grip.seal(said), row.id))
