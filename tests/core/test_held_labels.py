"""Labels that an author holds back: outputs are audited without them, the author scores, the reveal lets everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_world import Host, World, blob

from p2peval.core.checking import LabelsReveal, Scores
from p2peval.core.commitment import labels_commitment
from p2peval.core.events import MessageReceived, RevealLabels
from p2peval.core.leaderboard import CLAIMED, MINE
from p2peval.core.messages import ResultRecord
from p2peval.core.parts import Defined, MetricReport
from p2peval.core.policy import Policy
from p2peval.core.rows import ResultRow, TaskState
from p2peval.core.types import BenchmarkId
from p2peval.defaults import NETWORK_ID

LABELS = blob("labels")


def world() -> tuple[World, Host, Host, Host, BenchmarkId]:
    """An author, a requester, an evaluator; the latter two never have the labels of their own accord."""
    found = World(3)
    author, requester, evaluator = found.all
    for host in found.all:
        host.policy = Policy(background_audits=False)
        host.restart()
    benchmark = found.publish(author, hold_labels=True)
    found.everybody_joins(benchmark, author)
    return found, author, requester, evaluator, benchmark


def result(host: Host, task: str) -> ResultRow:
    row = host.node.state.results.get(task)
    assert row is not None
    return row


def said(host: Host, kind: type) -> list[str]:
    return [row.id for row in host.node.state.objects if row.type == kind.__name__]


def refusal(host: Host, payload: LabelsReveal | Scores, signer: Host) -> str:
    sealed = signer.sealer.seal(replace(payload, author=signer.id))
    host.handle(MessageReceived(sealed, signer.id, "asked"))
    return host.replies["asked"].error


def test_nobody_but_the_author_learns_which_blob_the_labels_are() -> None:
    _, author, requester, evaluator, benchmark = world()
    for host in (author, requester, evaluator):
        spec = host.node.state.benchmarks[benchmark].spec
        assert (spec.labels, len(spec.labels_commitment)) == (None, 32)
    assert author.node.state.benchmarks[benchmark].known.labels == LABELS
    assert requester.node.state.benchmarks[benchmark].known.labels is None
    assert LABELS.cid not in requester.blobs | evaluator.blobs
    for envelope in (*requester.disk.envelopes.values(), *evaluator.disk.envelopes.values()):
        assert LABELS.cid.encode() not in envelope


def test_a_task_is_accepted_without_figures_and_gets_the_authors_as_a_claim() -> None:
    found, _, requester, evaluator, benchmark = world()
    task = found.start(requester, benchmark)
    found.run(5.0)
    assert requester.node.state.tasks[task].state is TaskState.ACCEPTED
    assert (result(requester, task).standing, result(requester, task).metrics) == (MINE, ())
    found.run(120.0)
    for host in (requester, evaluator):
        assert result(host, task).standing == CLAIMED
        assert [report.name for report in result(host, task).metrics] == ["accuracy"]
        assert len(said(host, Scores)) == 1


def test_after_the_reveal_the_requester_has_figures_of_its_own_and_keeps_its_certificate() -> None:
    found, author, requester, _, benchmark = world()
    task = found.start(requester, benchmark)
    found.run(60.0)
    certificate = result(requester, task).certificate
    author.handle(RevealLabels("reveal", benchmark))
    assert author.replies["reveal"].error == ""
    found.run(120.0)
    assert requester.node.state.benchmarks[benchmark].known.labels == LABELS
    assert LABELS.cid in requester.blobs
    assert (result(requester, task).standing, result(requester, task).certificate) == (MINE, certificate)
    assert [report.name for report in result(requester, task).metrics] == ["accuracy"]
    second = found.start(requester, benchmark, "another")
    found.run(60.0)
    assert [report.name for report in result(requester, second).metrics] == ["accuracy"]


def test_a_record_of_such_a_benchmark_must_not_claim_figures() -> None:
    found, _, requester, evaluator, benchmark = world()
    task = found.start(requester, benchmark)
    found.run(5.0)
    record = requester.sealer.open(requester.disk.envelopes[result(requester, task).record]).payload
    assert isinstance(record, ResultRecord)
    forged = replace(record, revision=2, metrics=(MetricReport("accuracy", Defined.VALUE, 10**9, None, None),))
    evaluator.handle(MessageReceived(requester.sealer.seal(forged), requester.id, "asked"))
    assert evaluator.replies["asked"].error == "wrong_metrics"


def test_only_the_author_can_reveal_and_only_what_it_committed_to() -> None:
    _, author, requester, evaluator, benchmark = world()
    nonce = author.secrets.nonce("labels", "digits", 1)
    spec = author.node.state.benchmarks[benchmark].spec
    assert labels_commitment(LABELS.cid, nonce) == spec.labels_commitment
    honest = LabelsReveal(NETWORK_ID, author.id, benchmark, LABELS, nonce)
    assert refusal(requester, honest, evaluator) == "not_its_author"
    assert refusal(requester, replace(honest, labels=blob("others")), author) == "does_not_open"
    assert refusal(requester, replace(honest, nonce=bytes(32)), author) == "does_not_open"
    requester.handle(RevealLabels("reveal", benchmark))
    assert requester.replies["reveal"].error == "not_found"
    assert requester.node.state.benchmarks[benchmark].labels is None


@pytest.mark.parametrize("by_author", [True, False])
def test_scores_are_the_authors_word_about_a_record_that_is_held(by_author: bool) -> None:
    found, author, requester, evaluator, benchmark = world()
    task = found.start(requester, benchmark)
    found.run(5.0)
    row = result(requester, task)
    figures = (MetricReport("accuracy", Defined.VALUE, 5, None, None),)
    scores = Scores(NETWORK_ID, author.id, benchmark, task, row.record, figures)
    if not by_author:
        assert refusal(requester, scores, evaluator) == "not_its_author"
        return
    assert refusal(requester, replace(scores, metrics=()), author) == "wrong_metrics"
    assert (
        refusal(requester, replace(scores, record=author.node.state.benchmarks[benchmark].id), author) == "superseded"
    )
