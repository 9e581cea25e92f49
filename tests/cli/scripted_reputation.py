"""What a scripted Service says about peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import asdict

from p2peval.daemon import reputation_views, views

ANN = "12D3KooWAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAKq9f"
BOB = "12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobBt1aZ"
BENCH = "bafkreibenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbe"
TASK = "bafkreitasktasktasktasktasktasktasktasktasktasktasktasktasq3"
MODEL = "bafkreimodelmodelmodelmodelmodelmodelmodelmodelmodelmodelmo"

ANN_NAME = views.PeerName(peer=ANN, name="ann")
REPUTATION = reputation_views.ReputationView(
    peer=ANN,
    name="ann",
    pet_name="",
    reputation=0.871,
    low=0.79,
    high=0.93,
    resolved=41,
    agreed=0.976,
    streak=12,
    heard=2.5,
    silent=0,
    withheld=0,
    last_seen=1.0,
    flags=("differed(1)",),
)
DETAIL = reputation_views.ReputationDetail(
    **asdict(REPUTATION) | {"pet_name": "annie"},
    mass=0.2,
    reach=0.3,
    credibility=0.8,
    judgement=reputation_views.JudgementView(trusted=True, until=4e9, note="met in Ghent"),
    benchmarks=(
        reputation_views.LocalView(
            benchmark=BENCH, name="digits", mean=0.9, resolved=41, agreed=0.976, next_audit=97, samples=1797
        ),
    ),
    history=tuple(
        reputation_views.PastView(at=3600.0 * hour, reputation=0.5 + hour / 10, low=0.2, high=0.9, resolved=hour)
        for hour in range(4)
    ),
)
BOUND = reputation_views.BoundView(peers=(ANN_NAME,), mass=0.2, bound=0.25, inflow=0.1, slack=0.3, pre_trust=0.0)
EXPLAINED = reputation_views.ExplainView(
    peer=ANN_NAME,
    reputation=0.871,
    opinion=0.871,
    because="",
    prior=0.05,
    own=0.7,
    own_agreed=20.0,
    own_disagreed=1.0,
    pending=0.0,
    raters=(
        reputation_views.RaterView(
            rater=views.PeerName(peer=BOB, me=True), credibility=0.8, agreed=3.0, disagreed=0.0, share=0.121, moves=0.01
        ),
    ),
    paths=(reputation_views.PathView(peers=(views.PeerName(peer=BOB, me=True), ANN_NAME), weight=0.4),),
    outcomes=(
        reputation_views.OutcomeView(task=TASK, benchmark=BENCH, model_name="logreg", outcome="agrees", by="audit"),
    ),
    proofs=(),
    bound=BOUND,
)


class ScriptedReputations:
    """What a Scripted says about peers, through its ``say``."""

    def __init__(self, say: Callable[..., Awaitable[Any]]) -> None:
        self._say = say

    async def ls(self, benchmark: str | None) -> tuple[reputation_views.ReputationView, ...]:
        return await self._say((REPUTATION,), "reputation", benchmark)

    async def show(self, peer: str) -> reputation_views.ReputationDetail:
        return await self._say(DETAIL, "reputation_of", peer)

    async def explain(self, peer: str) -> reputation_views.ExplainView:
        return await self._say(EXPLAINED, "explain", peer)

    async def bound(self, peers: tuple[str, ...]) -> reputation_views.BoundView:
        return await self._say(BOUND, "bound", peers)

    async def export(self) -> reputation_views.ReputationExport:
        said = reputation_views.StatementView(
            rater=BOB,
            benchmark=BENCH,
            epoch_end=3600.0,
            entries=(reputation_views.EntryView(peer=ANN, agreed=2.0, disagreed=0.0),),
        )
        view = reputation_views.ReputationExport(
            peer=BOB, at=7200.0, epoch_s=3600.0, roots=(), peers=(DETAIL,), statements=(said,)
        )
        return await self._say(view, "export")

    async def judge(
        self, peer: str, trusted: bool | None, seconds: float | None, note: str
    ) -> reputation_views.ReputationDetail:
        return await self._say(DETAIL, "judge", peer, trusted, seconds, note)

    async def name(self, peer: str, name: str) -> reputation_views.ReputationDetail:
        return await self._say(DETAIL, "name", peer, name)
