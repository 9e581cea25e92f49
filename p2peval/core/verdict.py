"""What a re-run of claimed outputs says of them, and of whom (evaluation.md, Commitment and proof, rules a–c)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from p2peval.core.parts import Tolerance
from p2peval.core.types import to_nano
from p2peval.defaults import ATOL, CONDITION_SHARE, RTOL


class Verdict(Enum):
    """Only DIFFERS and NOT_AUTHENTIC speak against an evaluator, only AGREES for one."""

    AGREES = "agrees"
    DIFFERS = "differs"
    """Beyond doubt: in the same equivalence class, or by more than the fraud margin."""
    NOT_AUTHENTIC = "not_authentic"
    """The outputs are not those that were committed to."""
    DOUBTFUL = "doubtful"
    """Not the same, yet not by enough to blame anybody."""
    BATCH_DEPENDENT = "batch_dependent"
    """A sample's output depends on the others in its batch: the model is invalid."""
    ILL_CONDITIONED = "ill_conditioned"
    """Rounding alone moves the output too far: the model is invalid."""


INVALID = frozenset({Verdict.BATCH_DEPENDENT, Verdict.ILL_CONDITIONED})
"""Verdicts that speak against the model, and for or against nobody."""

REASONS = {
    Verdict.AGREES: "",
    Verdict.DIFFERS: "lied",
    Verdict.NOT_AUTHENTIC: "outputs do not have the root it signed",
    Verdict.DOUBTFUL: "not the same, but by too little to blame anybody",
    Verdict.BATCH_DEPENDENT: "invalid: batch-dependent: a sample's output depends on the others in its batch",
    Verdict.ILL_CONDITIONED: "invalid: ill-conditioned: rounding alone moves the model's outputs too far",
}
"""For people."""

BLAMED = frozenset({Verdict.DIFFERS, Verdict.NOT_AUTHENTIC})
"""Verdicts that speak against the evaluator."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A benchmark's. ``fraud_margin``: tolerances by which a row of another class must differ to be a lie."""

    tolerance: Tolerance
    fraud_margin: int

    @property
    def beyond_doubt(self) -> Tolerance:
        """Nobody is blamed for less than the usual tolerance, however strict the benchmark: it is mere rounding."""
        usual, own = Tolerance(to_nano(ATOL), to_nano(RTOL)), self.tolerance
        return Tolerance(max(usual.atol_nano, own.atol_nano), max(usual.rtol_nano, own.rtol_nano))

    @property
    def margin(self) -> Tolerance:
        return self.beyond_doubt.times(self.fraud_margin)

    @property
    def steadiness(self) -> Tolerance:
        """How far rounding alone may move an output by which somebody is to be blamed: a tenth of the margin."""
        return self.beyond_doubt.times(self.fraud_margin // CONDITION_SHARE)
