"""Labels that an author holds back, and alone scores until it reveals them (protocol.md, Labels).

Outputs are audited as ever, for that needs no labels; the record then has no metrics. The author, whose own audits
have the labels, publishes its Scores of every record: its word, and shown as such. With the reveal, which opens the
commitment in the spec, every member scores what it has audited, or audits anew.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import membership, watch
from p2peval.core.benchmark import reports_of
from p2peval.core.checking import LabelsReveal, Scores
from p2peval.core.commitment import labels_commitment
from p2peval.core.context import Context
from p2peval.core.events import RevealLabels
from p2peval.core.leaderboard import CLAIMED, MINE
from p2peval.core.messages import Sealed


def reveal(ctx: Context, command: RevealLabels) -> None:
    """The author opens its commitment, for good."""
    row = ctx.state.benchmarks.get(command.benchmark)
    if row is None or row.spec.author != ctx.me:
        return ctx.reply(command.reply_id, "", "not_found", "only its author can reveal a benchmark's labels")
    if row.spec.labels is not None or row.labels is None:
        return ctx.reply(command.reply_id, "", "usage", "the labels of this benchmark are public already")
    nonce = membership.labels_nonce(ctx, row.spec)
    sealed = ctx.seal(LabelsReveal(ctx.network, ctx.me, row.id, row.labels, nonce), row.id)
    ctx.publish(sealed, row.id)
    ctx.notify("bench.revealed", row.id, name=row.spec.name)
    ctx.reply(command.reply_id, row.id)


def on_reveal(ctx: Context, sealed: Sealed[LabelsReveal]) -> str:
    said, row = sealed.payload, ctx.state.benchmarks[sealed.payload.benchmark]
    if sealed.signer != row.spec.author:
        return "not_its_author"
    if row.spec.labels is not None or labels_commitment(said.labels.cid, said.nonce) != row.spec.labels_commitment:
        return "does_not_open"
    membership.fetch_data(ctx, ctx.state.benchmarks.put(replace(row, labels=said.labels)))
    ctx.notify("bench.revealed", row.id, name=row.spec.name)
    watch.score_anew(ctx, row.id)
    return ""


def on_scores(ctx: Context, sealed: Sealed[Scores]) -> str:
    """The author's word on a record: it stands as a claim, whoever audited the outputs."""
    said, spec = sealed.payload, ctx.state.benchmarks[sealed.payload.benchmark].spec
    if sealed.signer != spec.author:
        return "not_its_author"
    if spec.labels is not None or tuple((m.name, m.group) for m in said.metrics) != reports_of(spec):
        return "wrong_metrics"
    result = ctx.state.results.get(said.task)
    if result is None or result.benchmark != said.benchmark:
        return "unknown_task"
    if result.record != said.record:
        return "superseded"
    if not (result.standing == MINE and result.metrics):  # our own figures stay
        standing = CLAIMED if result.standing == MINE else result.standing
        ctx.state.results.put(replace(result, metrics=said.metrics, standing=standing))
        ctx.notify("record.scored", said.task, by=sealed.signer)
    return ""
