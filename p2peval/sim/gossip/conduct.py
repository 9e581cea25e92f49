"""What an adversarial host does in gossip: a few questions that an honest router would answer in the default way.

``Mesh.act(host, conduct)`` puts one in charge of a host. What it may send unasked: ``Mesh.send_graft``,
``send_prune``, ``send_ihave``, ``send_iwant`` and ``send``.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from p2peval.core.types import Seconds

if TYPE_CHECKING:
    from p2peval.sim.gossip.mesh import Mesh


class Conduct:
    """Honest in all.

    ``swallows``: messages sent to it come to nothing, and are not even carried. ``listens``: to announcements.
    ``judges``: whether it keeps standings of its peers.
    """

    swallows: bool = False
    listens: bool = True
    judges: bool = True

    def connected(self, mesh: Mesh, host: int, peer: int) -> None:
        """A connection stands."""

    def joined(self, mesh: Mesh, host: int, peer: int, topic: int) -> None:
        """A connected peer is in ``topic``; told when either side connects or joins."""

    def received(self, mesh: Mesh, host: int, sender: int, message: int) -> bool:
        """Whether to treat a new message as an honest host would: hand it up, keep it, forward it."""
        return True

    def relays(self, mesh: Mesh, host: int, message: int, peers: Sequence[int]) -> Sequence[int]:
        """To which of ``peers`` to forward."""
        return peers

    def answers(self, mesh: Mesh, host: int, peer: int) -> bool:
        """Whether to send what a peer asks for by IWANT."""
        return True

    def grafted(self, mesh: Mesh, host: int, peer: int, topic: int) -> bool:
        """Whether to treat a peer's GRAFT as an honest host would."""
        return True

    def pruned(self, mesh: Mesh, host: int, peer: int, topic: int) -> None:
        """A peer pruned this host, which has left its mesh."""

    def beat(self, mesh: Mesh, host: int) -> bool:
        """At each heartbeat: whether to look after the mesh and gossip as an honest host would."""
        return True


class Silent(Conduct):
    """The paper's Sybil: in every mesh that takes it, where it forwards nothing.

    Until ``quiet`` it forwards to whom it has grafted, though it never announces nor answers (its authors' own test
    code, "badboy"). It GRAFTs each member that it meets, and once pruned again ``backoff`` + U(0, ``delay``) later.
    Knows: who is in the topic. Costs: one connection per peer, and until ``quiet`` the traffic of a mesh.
    """

    listens = False
    judges = False

    def __init__(self, rng: Random, quiet: Seconds = 0.0, backoff: Seconds = 60.0, delay: Seconds = 15.0) -> None:
        self.swallows = quiet <= 0.0
        self._quiet = quiet
        self._rng = rng
        self._backoff = backoff
        self._delay = delay

    def joined(self, mesh: Mesh, host: int, peer: int, topic: int) -> None:
        mesh.send_graft(host, peer, topic)

    def received(self, mesh: Mesh, host: int, sender: int, message: int) -> bool:
        if mesh.heap.now >= self._quiet:
            self.swallows = True
        return not self.swallows

    def answers(self, mesh: Mesh, host: int, peer: int) -> bool:
        return False

    def grafted(self, mesh: Mesh, host: int, peer: int, topic: int) -> bool:
        mesh.take(host, peer, topic)
        return False

    def pruned(self, mesh: Mesh, host: int, peer: int, topic: int) -> None:
        again = self._backoff + self._rng.random() * self._delay
        mesh.heap.later(again, mesh.send_graft, host, peer, topic)

    def beat(self, mesh: Mesh, host: int) -> bool:
        return False


class GraftFlooder(Silent):
    """GRAFTs every member at every heartbeat, backoff or not. Costs: ``peers`` control messages a second."""

    def beat(self, mesh: Mesh, host: int) -> bool:
        for peer, topic in mesh.known_members(host):
            mesh.send_graft(host, peer, topic)
        return False

    def pruned(self, mesh: Mesh, host: int, peer: int, topic: int) -> None:
        """The next heartbeat comes anyway."""


class Announcer(Silent):
    """Announces ``ids`` messages that do not exist to every member at every heartbeat, and sends none of them."""

    def __init__(self, rng: Random, ids: int, announcements: int = 1) -> None:
        super().__init__(rng)
        self._ids = ids
        self._announcements = announcements
        self._next = -1

    def beat(self, mesh: Mesh, host: int) -> bool:
        for peer, topic in mesh.known_members(host):
            for _ in range(self._announcements):
                ids = range(self._next, self._next - self._ids, -1)
                self._next -= self._ids
                mesh.send_ihave(host, peer, topic, ids)
        return False
