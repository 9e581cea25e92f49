"""What this node's operator is willing to do for others."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.types import PeerId
from p2peval.defaults import EVALUATION_DEADLINE, EVALUATION_MEMORY_MB


@dataclass(frozen=True, slots=True)
class Policy:
    """``accept_from``: requesters whose tasks are evaluated, empty for every member.

    ``background_audits``: re-run samples of what the board shows as claims.
    ``memory_mb``, ``seconds``: a benchmark that allows its models more is not evaluated here.
    """

    accept_from: tuple[PeerId, ...] = ()
    memory_mb: int = EVALUATION_MEMORY_MB
    seconds: int = int(EVALUATION_DEADLINE)
    background_audits: bool = False
