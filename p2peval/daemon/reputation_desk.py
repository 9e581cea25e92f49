"""What the local API asks about peers: whom this node believes, why, and the operator's own word.

Reads go past ``Node.handle``; what changes something becomes a Command, as in ``service``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from p2peval.core.effects import Reply
from p2peval.core.events import Event, JudgePeer, NamePeer
from p2peval.core.state import State
from p2peval.core.types import PeerId
from p2peval.daemon import refs
from p2peval.daemon.present_trust import TrustPresenter
from p2peval.daemon.reputation_views import (
    BoundView,
    ExplainView,
    ReputationDetail,
    ReputationExport,
    ReputationView,
)


@dataclass(frozen=True, slots=True)
class ReputationDesk:
    """``connected``: who may be named though nothing is known of them; ``command``: as NodeService has it."""

    state: State
    present: TrustPresenter
    connected: tuple[PeerId, ...]
    command: Callable[[Callable[[str], Event]], Awaitable[Reply]]
    usual_seconds: float

    async def ls(self, benchmark: str | None) -> tuple[ReputationView, ...]:
        row = refs.held_benchmark(self.state, benchmark) if benchmark else None
        return self.present.table(row.id if row else None)

    async def show(self, peer: str) -> ReputationDetail:
        return self.present.detail(self._known(peer))

    async def explain(self, peer: str) -> ExplainView:
        return self.present.explain(self._known(peer))

    async def bound(self, peers: tuple[str, ...]) -> BoundView:
        return self.present.bound(tuple(self._known(peer) for peer in peers))

    async def export(self) -> ReputationExport:
        return self.present.export()

    async def judge(self, peer: str, trusted: bool | None, seconds: float | None, note: str) -> ReputationDetail:
        who = self._known(peer)
        await self.command(lambda reply_id: JudgePeer(reply_id, who, trusted, seconds or self.usual_seconds, note))
        return self.present.detail(who)

    async def name(self, peer: str, name: str) -> ReputationDetail:
        who = self._known(peer)
        await self.command(lambda reply_id: NamePeer(reply_id, who, name))
        return self.present.detail(who)

    def _known(self, ref: str) -> PeerId:
        return refs.peer(self.state, ref, self.connected)
