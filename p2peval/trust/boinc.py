"""BOINC's adaptive replication: whoever was confirmed ten times in a row is mostly taken at its word (trust.md §5).

The rule of its scheduler (BOINC, wiki "AdaptiveReplication"; sched_send.cpp, ``set_trust``): with CV < 10 results in a
row that replication confirmed, an answer is replicated; else it is replicated with probability 1/CV, and otherwise
accepted unseen. CV grows by a confirmed replica only, not by what was accepted unseen (validator.cpp, ``is_valid``),
and a refuted replica sets it to 0: ``checkings.settled`` keeps ``Record.streak`` so. A replicated task takes quorum-2.
The scheduler throws the die when it sends a job, here it is thrown when the answer is in: nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from p2peval.trust.checking import Answer, Asked, Do, Means, Step
from p2peval.trust.quorum import accept_or_ask

CONFIRMED: Final = 10  # confirmed results in a row from which a host may go unreplicated; BOINC's sched_config.h
QUORUM: Final = 2  # replicas that must agree; BOINC's target_nresults for adaptive replication


def boinc_rule(asked: Asked, answers: Sequence[Answer], means: Means, draws: Callable[[], float]) -> Step:
    """Ask one, and a second one unless the first is trusted; then quorum-2."""
    if not answers:
        return Step(Do.ASK, 1, why="first")
    if len(answers) > 1:
        return accept_or_ask(QUORUM, answers, means)
    confirmed = answers[0].record.streak
    told = (("streak", confirmed),)
    if confirmed >= CONFIRMED and draws() > 1.0 / confirmed:
        return Step(Do.ACCEPT, 0, why="trusted", numbers=told)
    why = "replicated_by_chance" if confirmed >= CONFIRMED else "not_trusted"
    return Step(Do.ASK, QUORUM - 1, why=why, numbers=told)
