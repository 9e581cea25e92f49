"""What our rules are held to, and what a reference simulation had reached: both tables of trust.md §5."""

from __future__ import annotations

from dataclasses import dataclass

CHECKING, PICKING = "checking", "picking"
OURS = {CHECKING: "audit", PICKING: "p2peval"}
"""Table -> the policy that its goals are for."""


@dataclass(frozen=True, slots=True)
class Goal:
    """``most``: what the mean may be at most. ``reached``: by the reference simulation; None where it tried none.

    ``by``: the policy that it is for, where that is not the table's own of OURS.
    """

    table: str
    case: str
    measure: str
    most: float
    reached: float | None = None
    by: str = ""

    @property
    def policy(self) -> str:
        return self.by or OURS[self.table]


def _checking(case: str, wrong: float, reached: float | None, cost: float, paid: float | None) -> tuple[Goal, ...]:
    return (
        Goal(CHECKING, case, "wrong_accepts", wrong, reached),
        Goal(CHECKING, case, "executions", cost, paid),
    )


GOALS: tuple[Goal, ...] = (
    *_checking("always, 20 %", 0.0001, 0.00001, 1.05, 1.033),
    *_checking("always, 35 %", 0.0001, 0.00003, 1.05, 1.032),
    *_checking("one in ten", 0.0005, 0.00012, 1.05, 1.035),
    *_checking("sleeper 30", 0.001, 0.00026, 1.05, 1.036),
    *_checking("sleeper 300", 0.001, 0.00076, 1.05, 1.036),
    *_checking("on-off 50/10", 0.002, 0.00036, 1.05, 1.036),
    Goal(CHECKING, "refusing", "wrong_accepts", 0.002, 0.0015),
    *_checking("whitewash", 0.0005, 0.00019, 1.12, 1.075),
    *_checking("whitewash, wary", 0.0005, 0.00019, 1.12, 1.075),
    *_checking("whitewash, one lie at 30", 0.0005, 0.00028, 1.12, 1.038),
    *_checking("honest, n=200", 0.0, 0.0, 1.25, 1.251),
    *_checking("honest, n=1797", 0.0, 0.0, 1.035, 1.034),
    *_checking("honest, n=10000", 0.0, 0.0, 1.02, 1.02),
    *_checking("cannot compute, whitewash", 0.0005, 0.00017, 1.12, 1.104),
    Goal(CHECKING, "best response", "wrong_per_lie_served", 0.005, 0.005),
    Goal(PICKING, "A 40 %", "regret", 0.01, -0.001),
    Goal(PICKING, "A 70 %", "regret", 0.01, 0.0),
    Goal(PICKING, "B 40 %", "regret", 0.01),
    Goal(PICKING, "B 70 %", "regret", 0.01),
    Goal(PICKING, "C", "regret", 0.01, 0.0),
    Goal(PICKING, "D", "regret", 0.01, 0.006),
    Goal(PICKING, "B 40 %, 1 root bribed", "regret", 0.01, 0.0),
    Goal(PICKING, "B 40 %, 2 roots bribed", "regret", 0.01, 0.001),
    Goal(PICKING, "C copying", "regret", 0.02, 0.0),
    Goal(PICKING, "D copying", "regret", 0.02, 0.007),
    Goal(PICKING, "traitors", "bad_picks", 0.25, 0.398, by="p2peval + proofs"),  # as a node has them; without: .30
    *(Goal(PICKING, f"{case}, 8", "top5_load", 0.30) for case in ("B 40 %", "C", "D")),
)
