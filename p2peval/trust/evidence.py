"""Evidence about one peer from one's own eyes: decayed counts of agreement and disagreement (trust.md §2).

A Beta posterior over "its outputs hold when I re-run them". Silence is availability, never dishonesty.
Evidence fades by two clocks, days and tasks that this node has resolved, and the one that remembers more counts:
five friends who evaluate little must not forget each other in three weeks. Each clock is kept apart, so that it
does not matter how often anybody looked in between.

``streak`` is the k of trust.md §4: results accepted of this identity, each after an audit whose size the streak set.
It never fades and never comes from anybody's word, and one mismatch or one withheld result ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from p2peval.defaults import (
    ALPHA_CAP,
    BETA_SLOWER,
    HALF_LIFE_DAYS,
    HALF_LIFE_RESOLVED,
    LOWER_QUANTILE,
    WITHHELD_BETA,
)

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Counts as of ``updated`` (unix s) and of ``updated_resolved`` (tasks): faded by days, and faded by tasks.

    ``resolved``, ``agreed``, ``silent``, ``withheld`` are plain totals that never fade.
    """

    alpha_days: float
    beta_days: float
    alpha_tasks: float
    beta_tasks: float
    resolved: int
    agreed: int
    silent: int
    withheld: int
    streak: int
    updated: float
    updated_resolved: int

    @classmethod
    def none(cls, now: float, resolved_total: int) -> Evidence:
        """What is known of a newcomer."""
        return cls(0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, now, resolved_total)

    # ── what happens to it ────────────────────────────────────────────────────────────────────────

    def decayed(self, now: float, resolved_total: int) -> Evidence:
        """The same evidence as of a later time; an earlier one changes nothing."""
        days = max(0.0, now - self.updated) / (HALF_LIFE_DAYS * DAY)
        tasks = max(0, resolved_total - self.updated_resolved) / HALF_LIFE_RESOLVED
        return replace(
            self,
            alpha_days=self.alpha_days * 0.5**days,
            beta_days=self.beta_days * 0.5 ** (days / BETA_SLOWER),
            alpha_tasks=self.alpha_tasks * 0.5**tasks,
            beta_tasks=self.beta_tasks * 0.5 ** (tasks / BETA_SLOWER),
            updated=max(now, self.updated),
            updated_resolved=max(resolved_total, self.updated_resolved),
        )

    def agreed_at(self, now: float, resolved_total: int) -> Evidence:
        """Own re-run agreed. Whether that also lengthens the streak depends on its size: see ``accepted``."""
        old = self.decayed(now, resolved_total)
        return replace(
            old,
            alpha_days=min(old.alpha_days + 1.0, ALPHA_CAP),
            alpha_tasks=min(old.alpha_tasks + 1.0, ALPHA_CAP),
            resolved=old.resolved + 1,
            agreed=old.agreed + 1,
        )

    def disagreed_at(self, now: float, resolved_total: int) -> Evidence:
        """Own re-run differed: the streak is over."""
        old = self.decayed(now, resolved_total)
        return replace(
            old,
            beta_days=old.beta_days + 1.0,
            beta_tasks=old.beta_tasks + 1.0,
            resolved=old.resolved + 1,
            streak=0,
        )

    def withheld_at(self, now: float, resolved_total: int) -> Evidence:
        """Committed, then not revealed: the streak is over, without accusation (82 % wrong accepts if it were not)."""
        old = self.decayed(now, resolved_total)
        return replace(
            old,
            beta_days=old.beta_days + WITHHELD_BETA,
            beta_tasks=old.beta_tasks + WITHHELD_BETA,
            withheld=old.withheld + 1,
            streak=0,
        )

    def restored_at(self, now: float, resolved_total: int, withheld: float, withheld_resolved: int) -> Evidence:
        """What was withheld at that time (unix s, and tasks resolved by then) came after all: its cost is taken back.

        The streak is another matter: only who knows what else happened since can say (core/reputation.py).
        """
        old = self.decayed(now, resolved_total)
        days = max(0.0, now - withheld) / (HALF_LIFE_DAYS * DAY * BETA_SLOWER)
        tasks = max(0, resolved_total - withheld_resolved) / (HALF_LIFE_RESOLVED * BETA_SLOWER)
        return replace(
            old,
            beta_days=max(0.0, old.beta_days - WITHHELD_BETA * 0.5**days),
            beta_tasks=max(0.0, old.beta_tasks - WITHHELD_BETA * 0.5**tasks),
            withheld=old.withheld - 1,
        )

    def silent_at(self, now: float, resolved_total: int) -> Evidence:
        """No commitment in time: counted, not held against its honesty."""
        old = self.decayed(now, resolved_total)
        return replace(old, silent=old.silent + 1)

    def restarted(self) -> Evidence:
        """The streak is over, for a reason that is no evidence: others found a result false."""
        return replace(self, streak=0)

    def accepted(self) -> Evidence:
        """A result was accepted after an audit as large as the streak asks for (trust.md §4)."""
        return replace(self, streak=self.streak + 1)

    # ── what follows from it ──────────────────────────────────────────────────────────────────────

    @property
    def alpha(self) -> float:
        """Agreements that count, 0 to ALPHA_CAP."""
        return max(self.alpha_days, self.alpha_tasks)

    @property
    def beta(self) -> float:
        """Disagreements that count."""
        return max(self.beta_days, self.beta_tasks)

    @property
    def mean(self) -> float:
        """Posterior mean of Beta(1+α, 1+β), 0 to 1; 0.5 for a newcomer."""
        return (1.0 + self.alpha) / (2.0 + self.alpha + self.beta)

    def quantile(self, share: float) -> float:
        """The value below which the posterior has ``share`` of its mass."""
        from scipy.special import betaincinv  # 0.1 s to import, and most processes never ask

        return float(betaincinv(1.0 + self.alpha, 1.0 + self.beta, share))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed credible interval."""
        tail = (1.0 - level) / 2.0
        return self.quantile(tail), self.quantile(1.0 - tail)

    @property
    def weight(self) -> float:
        """w = max(q − ½, 0), q the lower quantile: what local trust is made of."""
        return max(self.quantile(LOWER_QUANTILE) - 0.5, 0.0)
