"""One peer of the lab: a real ``core.Node`` with what a shell keeps beside it, and nothing decided here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from p2peval.core.effects import External
from p2peval.core.node import Node
from p2peval.core.policy import Policy
from p2peval.core.ports import Dice, Sealer, Secrets
from p2peval.core.state import State
from p2peval.core.types import Cid, PeerId, Seconds
from p2peval.defaults import NETWORK_ID

if TYPE_CHECKING:
    from p2peval.sim.adversary import Adversary


class Host:
    """``number``: its place in the world. ``life``: rises when it goes down; what was under way then is lost.

    ``neighbours``: places of hosts that it is connected to. ``outbox``: external effects that are not done, by id, as
    the daemon's store keeps them; ``performing``: those under way. ``timers``: key -> ticket of the one that counts.
    ``blobs``: what it serves. ``busy_until``: when its worker is free. ``pace``: how long an evaluation takes it, as a
    multiple of the benchmark's. ``adversaries``: filters over all that it hears and does.
    """

    __slots__ = (
        "adversaries",
        "blobs",
        "busy_until",
        "equivalence_class",
        "id",
        "life",
        "neighbours",
        "node",
        "number",
        "outbox",
        "pace",
        "performing",
        "policy",
        "rng",
        "sealer",
        "secrets",
        "timers",
        "up",
    )

    def __init__(
        self,
        number: int,
        sealer: Sealer,
        secrets: Secrets,
        rng: Dice,
        policy: Policy,
        *,
        equivalence_class: str = "class",
        pace: float = 1.0,
    ) -> None:
        self.number = number
        self.sealer = sealer
        self.secrets = secrets
        self.rng = rng
        self.policy = policy
        self.id: PeerId = sealer.peer_id
        self.equivalence_class = equivalence_class
        self.pace = pace
        self.life = 0
        self.neighbours: dict[int, None] = {}
        self.up = False
        self.busy_until: Seconds = 0.0
        self.outbox: dict[str, External] = {}
        self.performing: dict[str, None] = {}
        self.timers: dict[str, int] = {}
        self.blobs: dict[Cid, None] = {}
        self.adversaries: tuple[Adversary, ...] = ()
        self.node = self.reborn(State())

    def reborn(self, state: State) -> Node:
        """A node around ``state``, as after a start of the process."""
        return Node(
            state=state,
            sealer=self.sealer,
            secrets=self.secrets,
            rng=self.rng,
            network=NETWORK_ID,
            policy=self.policy,
        )

    def set_policy(self, policy: Policy) -> None:
        """For a host that is not up yet."""
        self.policy = policy
        self.node = self.reborn(self.node.state)

    def take(self, effects: Iterable[External]) -> None:
        """Into the outbox, as a commit does."""
        for effect in effects:
            self.outbox[effect.id] = effect

    def done(self, effect_id: str) -> None:
        self.outbox.pop(effect_id, None)
        self.performing.pop(effect_id, None)
