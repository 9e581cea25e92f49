"""Dense collective: all of a ring lie, and each says of all the others that they never did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import Rater


@dataclass
class Collective(Liar, Rater):
    """Always lies, and praises its whole ring each epoch, as loudly as a statement can.

    After rules that let trust flow along praise: a ring that praises itself is a trap for it (Kamvar 2003, threat
    model B: a malicious collective). It gives the ring away, too: a task's replicas go to peers who do not praise each
    other (core/assignment.py), so it gets less past a quorum than colluders who keep silent.
    """

    knows: ClassVar[str] = "who belongs to its ring"
    costs: ClassVar[str] = "an evaluation a task, to be right where nobody may see the lie; a statement an epoch"
