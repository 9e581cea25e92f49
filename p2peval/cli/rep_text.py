"""How reputations look to people: tables, a history in one line, and parts that add up."""

from __future__ import annotations

import time

from p2peval.cli.output import Output
from p2peval.daemon.reputation_views import (
    BoundView,
    ExplainView,
    JudgementView,
    LocalView,
    PastView,
    ReputationDetail,
    ReputationView,
)
from p2peval.daemon.views import PeerName

BARS = "▁▂▃▄▅▆▇█"
SHOWN = 48
"""Epochs in a line of history."""


def reputation_table(out: Output, peers: tuple[ReputationView, ...]) -> str:
    rows = [
        [
            out.peer(view.peer, view.pet_name or view.name),
            f"{view.reputation:.3f}",
            f"{view.low:.2f}–{view.high:.2f}",
            str(view.resolved),
            _share(view.agreed),
            str(view.streak),
            out.ago(view.last_seen),
            ",".join(view.flags) or "-",
        ]
        for view in peers
    ]
    headings = ["PEER", "REPUTATION", "95 % CI", "RESOLVED", "AGREE", "IN A ROW", "LAST", "FLAGS"]
    return out.table(headings, rows, "no evidence about anybody yet")


def detail_text(out: Output, view: ReputationDetail) -> str:
    pairs = [
        ("peer", view.peer),
        ("pet name", view.pet_name),
        ("calls itself", view.name),
        ("reputation", f"{view.reputation:.3f}"),
        ("own evidence", f"{view.low:.3f}–{view.high:.3f} (95 %)"),
        ("re-run", _rerun(view)),
        ("in a row", f"{view.streak} accepted since the last reset"),
        ("others' word", f"weighs as much as {view.heard:.1f} outcomes of one's own" if view.heard else ""),
        ("silent", _count(view.silent, "time")),
        ("withheld", _count(view.withheld, "time")),
        ("last seen", out.ago(view.last_seen)),
        ("flags", ", ".join(view.flags)),
        ("trust held", "" if view.mass is None else f"{100 * view.mass:.3g} % of all that flows from here"),
        ("reach", "" if view.reach is None else f"{view.reach:.3g}"),
        ("as a rater", "" if view.credibility is None else f"credibility {view.credibility:.2f}"),
        ("your word", _judgement(view.judgement)),
        ("history", _history(view.history)),
    ]
    parts = [out.fields(pairs)]
    if view.benchmarks:
        parts.append(_locals(out, view.benchmarks))
    return "\n\n".join(parts)


def explain_text(out: Output, view: ExplainView) -> str:
    """The parts first, as a sum; then what they rest on."""
    own = f"own evidence: {view.own_agreed:.2f} agreed, {view.own_disagreed:.2f} differed"
    start = "where it starts, as two outcomes: strangers so far, or your trust"
    parts = [[start, f"{view.prior:+.4f}", ""], [own, f"{view.own:+.4f}", ""]]
    parts += [
        [
            f"word of {_called(out, rater.rater)}, at credibility {rater.credibility:.2f}:"
            f" counts as {rater.agreed:.2f} agreed, {rater.disagreed:.2f} differed",
            f"{rater.share:+.4f}",
            f"{rater.moves:+.4f}",
        ]
        for rater in view.raters
    ]
    if abs(view.pending) > 5e-5:
        parts.append(["told since the last epoch ended, so not yet counted", f"{view.pending:+.4f}", ""])
    parts.append(["opinion", f"{view.opinion:.4f}", ""])
    if view.because:
        parts.append([view.because, f"{view.reputation:.4f}", ""])
    sections = [f"{_called(out, view.peer)}  reputation {view.reputation:.3f}"]
    sections.append(out.table(["PART", "ADDS", "MOVES IT BY"], parts))
    if view.outcomes:
        rows = [[out.id(o.task), o.model_name or "-", o.outcome, o.by] for o in view.outcomes]
        sections.append(out.table(["TASK", "MODEL", "OUTCOME", "SEEN BY"], rows))
    if view.paths:
        rows = [[" → ".join(_called(out, peer) for peer in path.peers), f"{path.weight:.3g}"] for path in view.paths]
        sections.append(out.table(["STRONGEST PATHS OF TRUST", "WEIGHT"], rows))
    if view.proofs:
        rows = [[proof.kind, out.id(proof.id), out.ago(proof.at), _left(proof.until)] for proof in view.proofs]
        sections.append(out.table(["PROOF", "ID", "AGE", "COUNTS FOR"], rows))
    sections.append(bound_text(out, view.bound))
    return "\n\n".join(sections)


def bound_text(out: Output, view: BoundView) -> str:
    if not view.peers:
        return "nobody is known here whom neither own evidence nor a root vouches for"
    who = ", ".join(_called(out, peer) for peer in view.peers)
    return out.fields(
        [
            ("bound on", who),
            ("trust held", f"{view.mass:.4f} of the 1 that flows from here"),
            ("at most", f"{view.bound:.4f}, however many identities stand behind it"),
            ("flows in", f"{view.inflow:.4f} from peers outside it, this node among them"),
            ("slack", f"{view.slack:.4f} of trust that nobody has given away"),
            ("pre-trust", f"{view.pre_trust:.4f} given without evidence, to roots"),
        ]
    )


def _called(out: Output, peer: PeerName) -> str:
    return out.peer(peer.peer, peer.name, peer.me)


def _share(agreed: float | None) -> str:
    return "-" if agreed is None else f"{100 * agreed:.1f} %"


def _rerun(view: ReputationDetail) -> str:
    return f"{_count(view.resolved, 'result')}, {_share(view.agreed)} agreed" if view.resolved else "nothing yet"


def _locals(out: Output, benchmarks: tuple[LocalView, ...]) -> str:
    rows = [
        [
            local.name,
            f"{local.mean:.3f}",
            str(local.resolved),
            _share(local.agreed),
            f"{local.next_audit} of {local.samples}" if local.next_audit else "-",
        ]
        for local in benchmarks
    ]
    return out.table(["BENCHMARK", "OWN EVIDENCE", "RESOLVED", "AGREE", "NEXT AUDIT"], rows)


def _judgement(said: JudgementView | None) -> str:
    if said is None:
        return ""
    note = f": {said.note}" if said.note else ""
    return f"{'trusted' if said.trusted else 'distrusted'} for {_left(said.until)}{note}"


def _history(past: tuple[PastView, ...]) -> str:
    """A bar for each of the last epochs, lowest for 0 and highest for 1."""
    bars = "".join(BARS[min(int(one.reputation * len(BARS)), len(BARS) - 1)] for one in past[-SHOWN:])
    return f"{bars}  {past[0].reputation:.2f} → {past[-1].reputation:.2f}" if past else ""


def _left(until: float) -> str:
    hours = max(until - time.time(), 0.0) / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else _count(round(hours), "hour")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
