"""What the local API says of peers: whom this node believes, and why; words as in ``views``."""

from __future__ import annotations

from msgspec import Struct

from p2peval.daemon.views import PeerName


class ReputationView(Struct, frozen=True, kw_only=True):
    """This node's estimate of a peer: ``reputation``, 0 to 1, and the 95 % interval of its own evidence alone.

    ``pet_name``: what this node's operator calls it, ``name``: what it calls itself. ``resolved``: undecayed count of
    own re-runs; ``agreed``: share of them that agreed, None without any. ``streak``: results accepted in a row.
    ``heard``: what others' word weighs in it, in outcomes of one's own. ``silent`` and ``withheld`` count missed
    windows. ``flags``: short codes, e.g. "fraud-proof(1)" or "distrusted", with which reputation is 0, "root" or
    "differed(2)".
    """

    peer: str
    name: str
    pet_name: str
    reputation: float
    low: float
    high: float
    resolved: int
    agreed: float | None
    streak: int
    heard: float
    silent: int
    withheld: int
    last_seen: float | None
    flags: tuple[str, ...] = ()


class PastView(Struct, frozen=True, kw_only=True):
    """How a peer's reputation stood at the end of an epoch, ``at`` unix seconds."""

    at: float
    reputation: float
    low: float
    high: float
    resolved: int


class LocalView(Struct, frozen=True, kw_only=True):
    """Own evidence from one benchmark; ``next_audit`` of its ``samples`` would be re-run of the next result."""

    benchmark: str
    name: str
    mean: float
    resolved: int
    agreed: float | None
    next_audit: int
    samples: int


class JudgementView(Struct, frozen=True, kw_only=True):
    """The operator's own word, until ``until`` (unix seconds)."""

    trusted: bool
    until: float
    note: str


class ReputationDetail(ReputationView, frozen=True, kw_only=True):
    """``mass``: share of all trust that flows from here to the peer; ``reach``: how probably a walk of trust from here
    ever visits it; ``credibility``: of its word about others; all 0 to 1, None before the first epoch's end."""

    mass: float | None
    reach: float | None
    credibility: float | None
    judgement: JudgementView | None
    benchmarks: tuple[LocalView, ...]
    history: tuple[PastView, ...]


class OutcomeView(Struct, frozen=True, kw_only=True):
    """What this node saw of a peer in one task. ``outcome``: "agrees", "differs", "doubtful", "withheld", "silent"…

    ``by``: "audit" of an own task, or "background audit" of somebody else's record.
    """

    task: str
    benchmark: str
    model_name: str
    outcome: str
    by: str


class RaterView(Struct, frozen=True, kw_only=True):
    """Another peer's word. ``agreed``, ``disagreed``: its counts as they weigh here; ``share``: its part of the figure;
    ``moves``: the figure as it is, less what it would be without this rater."""

    rater: PeerName
    credibility: float
    agreed: float
    disagreed: float
    share: float
    moves: float


class PathView(Struct, frozen=True, kw_only=True):
    """A chain of trust from this node to the peer, and the product of its local trusts."""

    peers: tuple[PeerName, ...]
    weight: float


class ProofView(Struct, frozen=True, kw_only=True):
    """A proof against a peer that this node has settled itself; until ``until`` it leaves no trust."""

    id: str
    kind: str
    where: str
    at: float
    until: float


class BoundView(Struct, frozen=True, kw_only=True):
    """What a set of peers holds of all trust (``mass``) and could hold at most, however many they are (``bound``).

    ``inflow``: F, honest trust flowing into it; ``slack``: σ, trust that nobody has given away; ``pre_trust``: p(S).
    ``peers`` none: all peers that no own evidence and no root vouches for.
    """

    peers: tuple[PeerName, ...]
    mass: float
    bound: float
    inflow: float
    slack: float
    pre_trust: float


class ExplainView(Struct, frozen=True, kw_only=True):
    """Why a peer's reputation is what it is: ``prior`` + ``own`` + ``pending`` + the raters' shares = ``opinion``.

    ``pending``: what was said since the last epoch ended, and what was forgotten, does not count before the next ends.
    ``reputation`` is the opinion, unless ``because`` says why not: a proof, the operator's word, another rule.
    """

    peer: PeerName
    reputation: float
    opinion: float
    because: str
    prior: float
    own: float
    own_agreed: float
    own_disagreed: float
    pending: float
    raters: tuple[RaterView, ...]
    paths: tuple[PathView, ...]
    outcomes: tuple[OutcomeView, ...]
    proofs: tuple[ProofView, ...]
    bound: BoundView


class EntryView(Struct, frozen=True, kw_only=True):
    """Counts that a rater states of a peer, decayed."""

    peer: str
    agreed: float
    disagreed: float


class StatementView(Struct, frozen=True, kw_only=True):
    """The newest trust statement of a rater, as held here; ``epoch_end``: unix seconds."""

    rater: str
    benchmark: str
    epoch_end: float
    entries: tuple[EntryView, ...]


class ReputationExport(Struct, frozen=True, kw_only=True):
    """Everything that this node holds about peers. ``roots``: whom its operator trusts from the start."""

    peer: str
    at: float
    epoch_s: float
    roots: tuple[str, ...]
    peers: tuple[ReputationDetail, ...]
    statements: tuple[StatementView, ...]
