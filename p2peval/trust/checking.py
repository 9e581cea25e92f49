"""How much to check: what is asked, what was answered, and the next step, as data (trust.md §4).

A rule is a pure function of these. Ours is in ``rule``; those of others stand beside it behind the same signature,
so that a node can be set to any of them and the lab compares them on the very code that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum

from p2peval.defaults import AUDITOR_SAMPLES, AUDITORS_MOST, HONEST_SHARE


@dataclass(frozen=True, slots=True)
class Asked:
    """A task. ``samples`` n; ``epsilon_nano``: wrong accepts per execution that liars serve, in the long run;
    ``delta_nano``: Δ, the share of altered outputs from which a result is wrong, both in 1e-9.

    ``certify``: the number itself must carry a certificate, whoever answers. ``spread``: Σ b_i of the metric asked
    for, 1 for the mean of a per-sample figure in 0 … 1 (trust.md §4). ``wanted``: replicas that the user asked for.
    ``looks``: audits that this task's answers have been through; what a certificate promises is shared among them.
    """

    samples: int
    epsilon_nano: int
    delta_nano: int
    certify: bool = False
    spread: float = 1.0
    wanted: int = 1
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What this node has seen of one identity itself. ``streak``: k, results accepted since the last reset.

    ``agreed``, ``resolved``: results that held, and all that were re-run. ``caught``: it lied, provably.
    ``paid_nano``: Σ ε, in 1e-9, at which its streak was accepted; None: all of it at what is asked now.
    """

    streak: int = 0
    agreed: int = 0
    resolved: int = 0
    caught: bool = False
    paid_nano: int | None = None


class Finding(Enum):
    """What an audit of an answer showed."""

    UNCHECKED = "unchecked"
    HELD = "held"
    DIFFERED = "differed"


@dataclass(frozen=True, slots=True)
class Answer:
    """``said``: equal for answers that agree. ``opinion``: this node's opinion of ``peer``, 0 to 1."""

    peer: Hashable
    said: Hashable
    record: Record
    opinion: float
    finding: Finding = Finding.UNCHECKED


@dataclass(frozen=True, slots=True)
class Means:
    """What the requester can do. ``computes``: re-run samples itself. ``most_answers``: replicas in all at most.

    ``honest_share``: h, the share of honest auditors' weight that it counts on where it cannot compute itself, and
    ``auditors``: how many of them it can reach, for ``each`` samples at most. ``best``: the record of whom it would ask
    next.
    """

    computes: bool = True
    most_answers: int = 8
    honest_share: float = HONEST_SHARE
    auditors: int = AUDITORS_MOST
    each: int = AUDITOR_SAMPLES
    best: Record = Record()


class Do(Enum):
    ASK = "ask"
    AUDIT = "audit"
    CONSULT = "consult"
    ACCEPT = "accept"
    COMPUTE = "compute"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next, and why.

    ASK: ``count`` more replicas. AUDIT: re-run ``samples[i]`` samples of answer i, 0 for none. CONSULT: as AUDIT, by
    ``count`` blind auditors with ``samples[i]`` each. ACCEPT: answer number ``count``. COMPUTE: run it oneself.
    ``why``: a code from the rule's own list, and the numbers that it rests on, in the order to be told.
    """

    do: Do
    count: int = 0
    samples: tuple[int, ...] = ()
    why: str = ""
    numbers: tuple[tuple[str, float], ...] = ()


CheckingRule = Callable[[Asked, Sequence[Answer], Means, Callable[[], float]], Step]
"""(task, answers so far, means, uniform draws from [0, 1)) -> the next step. Asked again after each is done."""
