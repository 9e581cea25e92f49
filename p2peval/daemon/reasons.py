"""Why so many samples were audited, in words, from the code and numbers that the rule gave (trust.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from p2peval.daemon.views import CertificateView

CERTIFIED = "certified"
BY_RECORD = "record"
SAMPLED = "sample"
UNCHECKED = "none"

Numbers = Mapping[str, float]

WORDS: dict[str, Callable[[Numbers], str]] = {
    "newcomer": lambda _: "newcomer",
    "streak": lambda told: f"{told['streak']:.0f} accepted in a row",
    "certificate": lambda _: "for a certificate",
    "in_full": lambda _: "fewer than all would not do",
    "late": lambda told: f"revealed late, {told['streak']:.0f} accepted in a row before",
    "cheaper_alone": lambda _: "run here: to check anybody's would take all samples",
    "blind_auditors": lambda told: f"by {told['auditors']:.0f} blind auditors",
    "spot_check": lambda _: "a spot-check by chance",
    "quorum": lambda told: f"{told['agreeing']:.0f} evaluators agree, nothing re-run",
    "trusted": lambda told: f"{told['streak']:.0f} confirmed in a row, nothing re-run",
    "credible": lambda told: f"credible to {100 * told['credibility']:.4g} %, nothing re-run",
}


def because(why: str, numbers: Numbers) -> str:
    """E.g. "30 accepted in a row"; "" where no reason was kept."""
    told = WORDS.get(why)
    return told(numbers) if told else why.replace("_", " ")


def basis(certificate: CertificateView) -> str:
    """What stands behind the number: "certified", or the record of who evaluated, as far as it is known here."""
    if certificate.basis == BY_RECORD:
        return "by record" if certificate.streak is None else f"by record, k={certificate.streak}"
    return {CERTIFIED: "certified", SAMPLED: "a sample of mine"}.get(certificate.basis, "unchecked")
