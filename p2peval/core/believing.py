"""What this node believes of a peer right now: its own evidence, others' pooled word, proofs, its operator's word.

The one place that says what "reputation" is (trust.md §3). It reads the state alone, so that what is shown to a user
is what the node goes by.
"""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.conviction import is_convicted
from p2peval.core.policy import Policy
from p2peval.core.state import State
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import OPINION, ROOT_HONESTY
from p2peval.trust.evidence import Evidence
from p2peval.trust.opinions import opinion

RESOLVED = "resolved_total"
STRANGERS = "strangers"
STRANGERS_GOOD = "strangers_good"
"""Counters: audited replicas since this node's birth; of these, first ones of a peer, and those that agreed."""


@dataclass(frozen=True, slots=True)
class Belief:
    """Parts of an opinion: p₀, own counts, and others' as they weigh here."""

    prior: float
    good: float
    bad: float
    heard_good: float
    heard_bad: float

    @property
    def opinion(self) -> float:
        return opinion(self.prior, self.good, self.bad, self.heard_good, self.heard_bad)


def reputation(state: State, policy: Policy, peer: PeerId, now: Seconds) -> float:
    """Of ``peer``, by the rule in force: 0 to 1; 0 while a proof or the operator's word stands against it.

    Our own rule takes own counts as they are now. Rules of others are reckoned in ``pooling``, for all peers at once,
    and have no opinion of whom they have not met: 0.
    """
    if is_out(state, peer, now):
        return 0.0
    if policy.opinion == OPINION:
        return belief(state, policy, peer, now).opinion
    row = state.pooled.get(peer)
    return row.opinion if row is not None else 0.0


def is_out(state: State, peer: PeerId, now: Seconds) -> bool:
    """Whether nothing that this peer does or says counts."""
    return is_convicted(state, peer, now) or judged(state, peer, now) is False


def is_known(state: State, policy: Policy, peer: PeerId, now: Seconds) -> bool:
    """Whether there is anything to go by: met, or word that counts. Who is not known is a newcomer.

    Praise counts where trust flows to that peer. Credibility alone is cheap: names that repeat what this node says of
    peers nobody else speaks of have it, and would take each other out of the newcomers' arm.
    """
    heard = state.pooled.get(peer)
    if is_met(state, policy, peer, now) or heard is None:
        return is_met(state, policy, peer, now)
    return heard.bad > heard.good or (heard.good > 0.0 and heard.reach > 0.0)


def is_met(state: State, policy: Policy, peer: PeerId, now: Seconds) -> bool:
    """Whether this node has seen an outcome of this peer itself, or its operator trusts it.

    To have withheld is an outcome for our rule alone. Others do not hold it against anybody, and where nothing is
    re-run, whoever withholds would be all whom they know, and be asked first.
    """
    row = state.evidence.get(peer)
    withheld = row.evidence.withheld if row is not None and policy.opinion == OPINION else 0.0
    seen = row is not None and row.evidence.resolved + withheld > 0
    return seen or is_root(state, policy, peer, now)


def is_doubted(state: State, policy: Policy, peer: PeerId, now: Seconds) -> bool:
    """Below ½, and below what a stranger has here: where many strangers lie, not to be known is no reproach.

    Rules of others know no such line: with them, only who is out is doubted.
    """
    if is_out(state, peer, now) or policy.opinion != OPINION:
        return is_out(state, peer, now)
    return belief(state, policy, peer, now).opinion < min(0.5, prior(state))


def belief(state: State, policy: Policy, peer: PeerId, now: Seconds) -> Belief:
    seen, heard = evidence(state, peer, now), state.pooled.get(peer)
    good, bad = (heard.good, heard.bad) if heard is not None else (0.0, 0.0)
    return Belief(prior_of(state, policy, peer, now), seen.alpha, seen.beta, good, bad)


def evidence(state: State, peer: PeerId, now: Seconds) -> Evidence:
    """This node's own, of all benchmarks together, faded to ``now``."""
    total, row = state.counter(RESOLVED), state.evidence.get(peer)
    return row.evidence.decayed(now, total) if row is not None else Evidence.none(now, total)


def prior(state: State) -> float:
    """p₀: how strangers have done here so far, as the mean of Beta(1 + good, 1 + bad); ½ at first."""
    return (1.0 + state.counter(STRANGERS_GOOD)) / (2.0 + state.counter(STRANGERS))


def prior_of(state: State, policy: Policy, peer: PeerId, now: Seconds) -> float:
    """Where the opinion of ``peer`` begins: p₀, but for whom the operator trusts: no stranger's lie is held against it.

    Else a root would never be asked where strangers have lied, and could never show what it is.
    """
    return max(prior(state), ROOT_HONESTY) if is_root(state, policy, peer, now) else prior(state)


def newcomer_share(state: State, policy: Policy) -> float:
    """Of places, to newcomers as one arm: less where strangers have lied here.

    Whitewashers are newcomers for ever. With the whole share always theirs, 35 % of them cost 1.14 executions per task
    and .0005 wrong accepts; with p₀ of it 1.04 and .0001, and honest newcomers get all but as much (p2peval.sim).
    """
    return policy.newcomer_share * prior(state)


def judged(state: State, peer: PeerId, now: Seconds) -> bool | None:
    """The operator's own word: True is trusted, False is distrusted, None is neither or no longer."""
    row = state.judgements.get(peer)
    return row.trusted if row is not None and row.until > now else None


def roots(state: State, policy: Policy, now: Seconds) -> tuple[PeerId, ...]:
    """Whom this node trusts from the start: as configured, and as its operator said since; sorted."""
    said = {row.peer for row in state.judgements if row.trusted}
    return tuple(sorted(peer for peer in {*policy.trust_roots, *said} if is_root(state, policy, peer, now)))


def is_root(state: State, policy: Policy, peer: PeerId, now: Seconds) -> bool:
    """Whether ``peer`` is a trust root at this time."""
    if is_out(state, peer, now):
        return False
    return peer in policy.trust_roots or judged(state, peer, now) is True
