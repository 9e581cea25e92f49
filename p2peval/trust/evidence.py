"""Evidence about one peer from one's own eyes: decayed counts of agreement and disagreement (trust.md §2).

A Beta posterior over "its outputs hold when I re-run them". Silence is availability, never dishonesty.
Evidence fades by two clocks, the slower of which counts: days, and tasks that this node has resolved — five
friends who evaluate little must not forget each other in three weeks.
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
    """``alpha``, ``beta``: decayed counts as of ``updated`` (unix s) and of ``updated_resolved`` (tasks).

    ``resolved``, ``agreed``, ``silent``, ``withheld`` are plain totals that never fade.
    """

    alpha: float
    beta: float
    resolved: int
    agreed: int
    silent: int
    withheld: int
    updated: float
    updated_resolved: int

    @classmethod
    def none(cls, now: float, resolved_total: int) -> Evidence:
        """What is known of a newcomer."""
        return cls(0.0, 0.0, 0, 0, 0, 0, now, resolved_total)

    # ── what happens to it ────────────────────────────────────────────────────────────────────────

    def decayed(self, now: float, resolved_total: int) -> Evidence:
        """The same evidence as of a later time; an earlier one changes nothing."""
        half_lives = min(
            max(0.0, now - self.updated) / (HALF_LIFE_DAYS * DAY),
            max(0, resolved_total - self.updated_resolved) / HALF_LIFE_RESOLVED,
        )
        return replace(
            self,
            alpha=self.alpha * 0.5**half_lives,
            beta=self.beta * 0.5 ** (half_lives / BETA_SLOWER),
            updated=max(now, self.updated),
            updated_resolved=max(resolved_total, self.updated_resolved),
        )

    def agreed_at(self, now: float, resolved_total: int) -> Evidence:
        """Own re-run agreed."""
        old = self.decayed(now, resolved_total)
        return replace(
            old,
            alpha=min(old.alpha + 1.0, ALPHA_CAP),
            resolved=old.resolved + 1,
            agreed=old.agreed + 1,
        )

    def disagreed_at(self, now: float, resolved_total: int) -> Evidence:
        """Own re-run differed."""
        old = self.decayed(now, resolved_total)
        return replace(old, beta=old.beta + 1.0, resolved=old.resolved + 1)

    def withheld_at(self, now: float, resolved_total: int) -> Evidence:
        """Committed, then not revealed."""
        old = self.decayed(now, resolved_total)
        return replace(old, beta=old.beta + WITHHELD_BETA, withheld=old.withheld + 1)

    def silent_at(self, now: float, resolved_total: int) -> Evidence:
        """No commitment in time: counted, not held against its honesty."""
        old = self.decayed(now, resolved_total)
        return replace(old, silent=old.silent + 1)

    # ── what follows from it ──────────────────────────────────────────────────────────────────────

    @property
    def reputation(self) -> float:
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
