"""What this node's operator is willing to do for others."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.parts import Limits
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import CONVICTION_DAYS, EVALUATION_DEADLINE, EVALUATION_MEMORY_MB


@dataclass(frozen=True, slots=True)
class Policy:
    """``accept_from``: requesters whose tasks are evaluated, empty for every member.

    ``background_audits``: re-run samples of what the board shows as claims.
    ``trust_roots``: peers whose audits count here from the start; ``conviction_s``: how long a proof counts.
    ``memory_mb``, ``seconds``: a benchmark that allows its models more is neither evaluated nor checked here.
    """

    accept_from: tuple[PeerId, ...] = ()
    memory_mb: int = EVALUATION_MEMORY_MB
    seconds: int = int(EVALUATION_DEADLINE)
    background_audits: bool = False
    trust_roots: tuple[PeerId, ...] = ()
    conviction_s: Seconds = CONVICTION_DAYS * 86_400.0

    def runs(self, limits: Limits) -> bool:
        """Whether models that may take this much are run here, be it for a requester or to check what others say."""
        return limits.memory_mb <= self.memory_mb and limits.seconds <= self.seconds
