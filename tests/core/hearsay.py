"""Hosts that know and tell things of each other, without a task having to run for each of them."""

from __future__ import annotations

from small_world import Host, World

from p2peval.core import reputation
from p2peval.core.checking import TrustStatement
from p2peval.core.events import MessageReceived
from p2peval.core.messages import PeerProfile
from p2peval.core.parts import Membership, TrustEntry
from p2peval.core.rows import EvidenceRow
from p2peval.core.trust_rows import LocalEvidenceRow
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import EPOCH, NETWORK_ID
from p2peval.trust.evidence import Evidence
from p2peval.wire.envelope import EnvelopeSealer


def settled(size: int, *, seed: int = 0) -> tuple[World, BenchmarkId]:
    """A world whose hosts are members of one benchmark, at the beginning of an epoch."""
    world = World(size, seed=seed)
    benchmark = world.publish(world.all[0])
    world.everybody_joins(benchmark, world.all[0])
    to_epoch(world)
    return world, benchmark


def to_epoch(world: World) -> None:
    """A second into the next epoch."""
    world.run((world.now // EPOCH + 1) * EPOCH + 1.0 - world.now)


def epoch(world: World) -> int:
    return int(world.now // EPOCH)


def saw(host: Host, peer: PeerId, benchmark: BenchmarkId, good: int, bad: int = 0) -> None:
    """``host`` re-ran so many results of ``peer`` itself; on its disk too."""
    ctx = host.node._ctx
    ctx.now = host.world.now
    evidence = Evidence.none(ctx.now, reputation.resolved_total(ctx))
    for outcome, count in (("agreed_at", good), ("disagreed_at", bad)):
        for _ in range(count):
            evidence = getattr(evidence, outcome)(ctx.now, reputation.resolved_total(ctx))
    ctx.state.evidence.put(EvidenceRow(peer, evidence))
    ctx.state.local_evidence.put(LocalEvidenceRow(peer, benchmark, evidence))
    host.disk.commit(host.node.state.drain(), [], "")


def tells(
    host: Host, rater: EnvelopeSealer, benchmark: BenchmarkId, said: dict[PeerId, tuple[int, int]], at: int
) -> str:
    """``host`` hears of ``rater`` what it says of peers: (agreed, disagreed). Returns the reason of a refusal."""
    entries = tuple(TrustEntry(peer, good * 1000, bad * 1000) for peer, (good, bad) in sorted(said.items()))
    sealed = rater.seal(TrustStatement(NETWORK_ID, rater.peer_id, benchmark, at, entries))
    host.handle(MessageReceived(sealed, rater.peer_id, sealed.id))
    return host.replies[sealed.id].error


def introduce(host: Host, rater: EnvelopeSealer, benchmark: BenchmarkId) -> None:
    """``host`` hears that there is such a peer, and that it calls itself a member."""
    sequence = int(host.world.now * 1000)
    membership = (Membership(benchmark, True, True),)
    profile = PeerProfile(NETWORK_ID, rater.peer_id, "somebody", (), (), membership, 1, 1024, sequence)
    host.handle(MessageReceived(rater.seal(profile), rater.peer_id))
