"""What a reputation rests on, reckoned when somebody asks: raters' shares, paths of trust, the Sybil bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from p2peval.core import believing
from p2peval.core.conviction import is_convicted
from p2peval.core.policy import Policy
from p2peval.core.pooling import Heard
from p2peval.core.state import State
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import OPINION
from p2peval.trust.claims import claims
from p2peval.trust.credibility import credibility
from p2peval.trust.eigentrust import eigentrust, pre_trusted
from p2peval.trust.evidence import Evidence
from p2peval.trust.explain import Explanation, explain, words_about
from p2peval.trust.local_trust import local_trust
from p2peval.trust.paths import strongest_paths
from p2peval.trust.sybil_bound import SybilBound, sybil_bound
from p2peval.trust.testimony import Testimony, Vector


@dataclass(frozen=True)
class Reasons:
    """``peers``: those that the testimony's numbers stand for."""

    peers: tuple[PeerId, ...]
    numbers: dict[PeerId, int]
    testimony: Testimony

    @classmethod
    def of(cls, heard: Heard) -> Reasons:
        return cls(heard.peers, {peer: number for number, peer in enumerate(heard.peers)}, heard.testimony)

    def told(self, peer: PeerId, prior: float, own: Evidence) -> Explanation:
        """The opinion of ``peer``, which begins at ``prior``, as it follows from what is held now."""
        said = claims(self.testimony)
        credible = credibility(said, self.testimony.prior)
        number = self.numbers.get(peer)
        words = () if number is None else words_about(number, said, credible)
        return explain(prior, own.alpha, own.beta, words)

    def paths(self, peer: PeerId) -> tuple[tuple[tuple[PeerId, ...], float], ...]:
        """The strongest chains of trust from this node to ``peer``, with their strengths."""
        number = self.numbers.get(peer)
        if number is None:
            return ()
        found = strongest_paths(self._local, self.testimony.me, number)
        return tuple((tuple(self.peers[each] for each in path.peers), path.strength) for path in found)

    def bound(self, peers: Sequence[PeerId]) -> SybilBound:
        """What these peers hold of all trust, and the most they could; whom nobody speaks of adds nothing."""
        inside = sorted({self.numbers[peer] for peer in peers if peer in self.numbers})
        return sybil_bound(self._local, eigentrust(self._local, self._home).mass, self._home, inside)

    @cached_property
    def _local(self) -> Any:
        return local_trust(self.testimony.good, self.testimony.bad)

    @cached_property
    def _home(self) -> Vector:
        return pre_trusted(self.testimony.size, self.testimony.me, self.testimony.roots)


def standing_against(state: State, policy: Policy, peer: PeerId, now: Seconds) -> str:
    """Why a reputation is not the opinion: a proof, the operator's word, another rule in force; or ""."""
    if is_convicted(state, peer, now):
        return "a proof against it holds"
    if believing.judged(state, peer, now) is False:
        return "you distrust it"
    return "" if policy.opinion == OPINION else f"the rule in force is {policy.opinion!r}"
