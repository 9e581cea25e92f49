"""What a re-run of claimed outputs says of them, and of whom (evaluation.md, Commitment and proof, rules a–c)."""

from __future__ import annotations

from enum import Enum


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
