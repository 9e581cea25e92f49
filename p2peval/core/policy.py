"""What this node's operator is willing to do for others."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.parts import Limits
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import (
    CHECKING,
    CONVICTION_DAYS,
    EPOCH,
    EVALUATION_DEADLINE,
    EVALUATION_MEMORY_MB,
    HONEST_SHARE,
    NEWCOMER_SHARE,
    OPINION,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """``accept_from``: requesters whose tasks are evaluated, empty for every member.

    ``computes``: models are run here at all. ``background_audits``: re-run samples of what the board shows as claims.
    ``trust_roots``: peers whose audits count here from the start; ``conviction_s``: how long a proof counts.
    ``epoch_s``: seconds between trust statements, one for all members. ``newcomer_share``: of places, to newcomers as
    one arm, times p₀. ``honest_share``: h, of blind auditors' weight. ``opinion``, ``checking``: names of the rules
    by which to choose whom to ask, and how much to check (trust/policies.py).
    ``memory_mb``, ``seconds``: a benchmark that allows its models more is neither evaluated nor checked here.
    """

    accept_from: tuple[PeerId, ...] = ()
    memory_mb: int = EVALUATION_MEMORY_MB
    seconds: int = int(EVALUATION_DEADLINE)
    computes: bool = True
    background_audits: bool = False
    trust_roots: tuple[PeerId, ...] = ()
    conviction_s: Seconds = CONVICTION_DAYS * 86_400.0
    epoch_s: Seconds = EPOCH
    newcomer_share: float = NEWCOMER_SHARE
    honest_share: float = HONEST_SHARE
    opinion: str = OPINION
    checking: str = CHECKING

    def runs(self, limits: Limits) -> bool:
        """Whether models that may take this much are run here, be it for a requester or to check what others say."""
        return self.computes and limits.memory_mb <= self.memory_mb and limits.seconds <= self.seconds
