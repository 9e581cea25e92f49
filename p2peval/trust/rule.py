"""Exactly as much checking as certainty needs: our rule (trust.md §4).

For each evaluator, k = results that this node accepted of this identity since its last reset. With x = ε(k+1), audit
the least s such that C(n−d, s) / C(n, s) ≤ x / (1+x), d = ⌈Δn⌉. A mismatch, or a commitment that is not revealed,
sets k to 0; an accepted result adds one.

Guarantee: liars get at most ε wrong results accepted per execution that they serve, in the long run, whatever their
share, their strategy and the number of their identities. Potential V(k) = εk: an honest step pays ε and gains
V(k+1) − V(k) = ε; a lie pays ε and yields miss·(1 + V(k+1)) ≤ V(k) + ε exactly when miss ≤ x/(1+x); a reset leaves 0.
``best_response`` computes it. Each execution pays for itself, so replicas and attempts of one task share nothing here;
a certificate on one number does share its ε among them.

A streak is spent once. Were every audit that is under way sized by the whole of k, a liar would climb to k, take m
tasks at a time and lie in all: m·miss wrong accepts for V(k). So audits of one identity wait for each other. (Or they
divide its streak, Σ k_i ≤ k, and one that began before a reset adds nothing: then the bound holds for any mixture of m
lies and honest results. miss_i ≤ ε(k_i+1)(1 − miss_i) and Π = Π_lies miss ≤ miss_i, so Σ_lies miss_i + Π·V(k+m) ≤
ε(k+m)(1 − Π) + Π·ε(k+m) = V(k) + mε.) A late, correct reveal may set k to the larger of what it is and what it was:
both were paid for.

A streak is worth what was paid for it. Where tasks ask for different ε, V is the sum of those at which it was accepted,
and x = ε + min(V, εk) (``counts_as``). An honest step pays ε and gains ε; a lie pays ε and yields miss·(1 + V + ε), at
most V + ε, for x ≤ V + ε. So wrong accepts are at most Σ ε over all that liars serve. Were k itself taken, a hundred
results at ε = 10⁻⁴, .01 in all, would let a lie at ε = .1 pass nine times in ten.

No float decides here: every size follows from integers, and from the exact value of ``spread``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from p2peval.defaults import ALWAYS_CERTIFIED
from p2peval.trust.checking import Answer, Asked, Do, Finding, Means, Record, Step
from p2peval.trust.consulting import Panel, least_panel
from p2peval.trust.hypergeometric import NANO, least_samples, look_epsilon, miss_probability, sample_size
from p2peval.trust.weighted_draw import draws_knowing_sum

Numbers = tuple[tuple[str, float], ...]


def audit_rule(asked: Asked, answers: Sequence[Answer], means: Means, draws: Callable[[], float]) -> Step:
    """Accept what held; else check what is unchecked, each answer by its own streak; else ask on.

    Whoever can compute runs the task itself where checking the best that it could ask would take every sample. ``why``
    is one of ``held``, ``newcomer``, ``streak``, ``certificate``, ``in_full``, ``cheaper_alone``, ``nobody_held``,
    ``blind_auditors``, ``too_few_auditors``, ``first``, ``again``, ``most_answers``.
    """
    held = [i for i, answer in enumerate(answers) if answer.finding is Finding.HELD]
    if held:
        return Step(Do.ACCEPT, held[0], why="held", numbers=_streak(asked, answers[held[0]].record))
    if any(answer.finding is Finding.UNCHECKED for answer in answers):
        return _audit(asked, answers) if means.computes else _consult(asked, answers, means)
    return _ask(asked, answers, means)


# ── how many samples ──────────────────────────────────────────────────────────────────────────────


def samples_for(n: int, delta_nano: int, epsilon_nano: int, streak: int, spread: float = 1.0) -> int:
    """s(k): samples to audit of a result of ``n`` by an identity with this ``streak``, from 1 to ``n``.

    Exact. For a metric that is no mean of a per-sample figure in 0 … 1: what is enough for any b_i that add up to
    ``spread``, drawn ∝ b_i (``weighted_draw``, which takes fewer where the b_i are known). ``n`` ≥ 1; ε and Δ in 1e-9,
    above 0 and below 1.
    """
    share, of = allowed(epsilon_nano, streak)
    if spread == 1.0:
        return least_samples(n, wrong_from(n, delta_nano), share, of)
    return min(n, draws_knowing_sum(spread, delta_nano, share, of))


def counts_as(record: Record, epsilon_nano: int) -> int:
    """The streak as it counts where this ε, in 1e-9, is asked: the whole of it, as far as that much was paid for it."""
    return record.streak if record.paid_nano is None else min(record.streak, record.paid_nano // epsilon_nano)


def allowed(epsilon_nano: int, streak: int) -> tuple[int, int]:
    """x / (1+x) as (numerator, denominator): the probability with which a lie may escape."""
    x = epsilon_nano * (streak + 1)
    return x, NANO + x


def wrong_from(n: int, delta_nano: int) -> int:
    """d = ⌈Δn⌉, at least 1: altered outputs from which a result is wrong."""
    return max(1, -(-delta_nano * n // NANO))


def audit_size(asked: Asked, record: Record, sharing: int = 1) -> tuple[int, str, Numbers]:
    """Samples to audit of an answer by somebody with this ``record``, why, and the numbers that this rests on.

    A certificate takes what it needs whoever answers, and no less than the streak needs. Its ε is shared by the
    ``sharing`` answers of this look, and by all looks (``look_epsilon``).
    """
    streak = counts_as(record, asked.epsilon_nano)
    s = samples_for(asked.samples, asked.delta_nano, asked.epsilon_nano, streak, asked.spread)
    why = "streak" if streak else "newcomer"
    epsilon_nano = asked.epsilon_nano
    if asked.certify or asked.samples >= ALWAYS_CERTIFIED:
        epsilon_nano = max(1, look_epsilon(asked.epsilon_nano, asked.looks + 1) // sharing)
        certificate = sample_size(asked.samples, epsilon_nano, asked.delta_nano)
        if certificate > s or (certificate == s and streak):
            s, why = certificate, "certificate"
    if s >= asked.samples:
        why = "in_full"
    missed = miss_probability(asked.samples, wrong_from(asked.samples, asked.delta_nano), s)
    return s, why, (*_streak(asked, record), ("audited", s), ("miss", missed))


# ── the steps ─────────────────────────────────────────────────────────────────────────────────────


def _audit(asked: Asked, answers: Sequence[Answer]) -> Step:
    unchecked = [answer.finding is Finding.UNCHECKED for answer in answers]
    sizes = [audit_size(asked, answer.record, sum(unchecked)) for answer in answers]
    most = max((i for i, open_ in enumerate(unchecked) if open_), key=lambda i: sizes[i][0])
    samples = tuple(size[0] if open_ else 0 for size, open_ in zip(sizes, unchecked, strict=True))
    return Step(Do.AUDIT, samples=samples, why=sizes[most][1], numbers=sizes[most][2])


def _consult(asked: Asked, answers: Sequence[Answer], means: Means) -> Step:
    """One answer at a time: the one with the longest streak needs the fewest auditors."""
    unchecked = [i for i, answer in enumerate(answers) if answer.finding is Finding.UNCHECKED]
    chosen = max(unchecked, key=lambda i: (counts_as(answers[i].record, asked.epsilon_nano), -i))
    record = answers[chosen].record
    panel = panel_for(asked, record, means)
    told = (*_streak(asked, record), ("honest_share", means.honest_share))
    if panel is None:
        return Step(Do.GIVE_UP, why="too_few_auditors", numbers=(*told, ("auditors", means.auditors)))
    told = (*told, ("auditors", panel.auditors), ("each", panel.samples), ("miss", panel.miss))
    samples = tuple(panel.samples if i == chosen else 0 for i in range(len(answers)))
    return Step(Do.CONSULT, panel.auditors, samples, "blind_auditors", told)


def panel_for(asked: Asked, record: Record, means: Means) -> Panel | None:
    """Blind auditors for an answer by somebody with this ``record``; None where ``means.auditors`` are too few."""
    streak = 0 if asked.certify or asked.samples >= ALWAYS_CERTIFIED else counts_as(record, asked.epsilon_nano)
    return least_panel(
        asked.samples,
        wrong_from(asked.samples, asked.delta_nano),
        allowed(asked.epsilon_nano, 0),
        allowed(asked.epsilon_nano, streak),
        round(means.honest_share * NANO),
        means.auditors,
        lie_share(asked),
        means.each,
    )


def lie_share(asked: Asked) -> Fraction | None:
    """Δ / Σ b_i, the least share of a draw's weight that a lie has; None where samples are drawn uniformly."""
    return None if asked.spread == 1.0 else Fraction(asked.delta_nano, NANO) / Fraction(asked.spread)


def _ask(asked: Asked, answers: Sequence[Answer], means: Means) -> Step:
    """Nothing is left to check: the first question, or the next after all that was said proved wrong."""
    s, _, told = audit_size(asked, means.best)
    if means.computes and s >= asked.samples:
        return Step(Do.COMPUTE, why="cheaper_alone", numbers=told)
    if not answers:
        return Step(Do.ASK, max(1, min(asked.wanted, means.most_answers)), why="first")
    told = (("answers", len(answers)),)
    if len(answers) < means.most_answers:
        return Step(Do.ASK, 1, why="again", numbers=told)
    if means.computes:
        return Step(Do.COMPUTE, why="nobody_held", numbers=told)
    return Step(Do.GIVE_UP, why="most_answers", numbers=told)


def _streak(asked: Asked, record: Record) -> Numbers:
    return (
        ("streak", counts_as(record, asked.epsilon_nano)),
        ("samples", asked.samples),
        ("epsilon", asked.epsilon_nano / NANO),
        ("delta", asked.delta_nano / NANO),
    )
