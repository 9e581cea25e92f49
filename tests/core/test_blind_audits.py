"""Blind audits, and what they are worth to members who have not looked themselves: me, trusted n, claimed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from belief_world import BeliefWorld, truth, watchful
from small_world import Host

from p2peval.core import blind, conviction, reputation, watch
from p2peval.core.audit import miss_probability
from p2peval.core.belief_rows import WatchState
from p2peval.core.checking import AuditCommitment, AuditReport
from p2peval.core.events import MessageReceived
from p2peval.core.leaderboard import CLAIMED, MINE, TRUSTED, board
from p2peval.core.messages import Sealed
from p2peval.core.standing import Word, word_on
from p2peval.core.types import ObjectId
from p2peval.core.verdict import Verdict
from p2peval.defaults import NETWORK_ID, ROOT_HONESTY, SYNC_INTERVAL, WATCH_PAUSE, WATCH_SAMPLES


class Gallery(BeliefWorld):
    """Host 0 asks, host 1 evaluates, host 2 and 3 audit what others claim, host 4 only reads."""

    def __init__(self) -> None:
        super().__init__(5)
        self.requester, self.evaluator, self.ada, self.bob, self.reader = self.all
        for auditor in (self.ada, self.bob):
            watchful(auditor)
        watchful(self.reader)
        self.reader.node._ctx.policy = replace(self.reader.node._ctx.policy, background_audits=False)
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        self.task = self.start(self.requester, self.benchmark)
        self.run_until(lambda: self.task in self.reader.node.state.results)

    @property
    def record(self) -> ObjectId:
        return self.reader.node.state.results[self.task].record

    def word(self, *roots: Host) -> Word | None:
        state = self.reader.node.state
        return word_on(state, state.results[self.task], self.reader.id, {root.id for root in roots}, self.now)

    def shown(self, *roots: Host) -> str:
        trusted = {self.record} if self.word(*roots) else set()
        (line,) = board(self.reader.node.state, self.benchmark, trusted)
        return line.standing


def told(host: Host, sealed: Sealed[Any]) -> str:
    host.handle(MessageReceived(sealed, sealed.signer, sealed.id))
    return host.replies[sealed.id].error


# ── ours ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_auditor_commits_before_it_fetches_the_outputs_and_opens_that_afterwards() -> None:
    world = Gallery()
    world.run_until(lambda: bool(world.ada.node.state.watches[world.task].commitment))
    outputs = world.ada.node.state.watches[world.task].outputs.cid
    assert outputs not in world.ada.blobs
    world.run(4 * WATCH_PAUSE)
    assert outputs in world.ada.blobs
    for auditor in (world.ada, world.bob):
        held = world.reader.node.state.audits[f"{world.record}/{auditor.id}"]
        assert held.report
        assert (held.audited, held.differing) == (WATCH_SAMPLES, 0)


def test_auditors_draw_samples_of_their_own() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    reports = [
        world.reader.sealer.open(envelope).payload
        for id_, envelope in world.reader.disk.envelopes.items()
        if (row := world.reader.node.state.objects.get(id_)) and row.type == "AuditReport"
    ]
    drawn = {report.indices for report in reports if isinstance(report, AuditReport)}
    assert len(drawn) == len(reports) == 2


def test_an_auditor_killed_between_commitment_and_report_signs_nothing_twice() -> None:
    world = Gallery()
    world.run_until(lambda: bool(world.ada.node.state.watches[world.task].commitment))
    world.ada.restart()
    watchful(world.ada)
    world.run(6 * WATCH_PAUSE)
    assert world.reader.node.state.audits[f"{world.record}/{world.ada.id}"].report
    assert not len(world.reader.node.state.convictions)


def test_a_member_that_comes_later_gets_commitments_and_reports_by_sync() -> None:
    world = Gallery()
    world.disconnect(world.reader)
    world.run(4 * WATCH_PAUSE)
    assert not len(world.reader.node.state.audits)
    world.reconnect(world.reader)
    world.run(3 * SYNC_INTERVAL)
    assert sum(bool(row.report) for row in world.reader.node.state.audits) == 2


# ── of others ─────────────────────────────────────────────────────────────────────────────────────


def statements(world: Gallery, **changes: Any) -> tuple[Sealed[AuditCommitment], Sealed[AuditReport]]:
    """A commitment of the requester's to what the truth is at two samples, and a report changed by ``changes``."""
    spec = world.reader.node.state.benchmarks[world.benchmark].spec
    me, indices = world.requester, (3, 8)
    rows = tuple(truth(spec)[index].tobytes() for index in indices)
    bound = blind.digest(me.id, world.record, "class", indices, rows, bytes(32))
    committed = me.sealer.seal(AuditCommitment(NETWORK_ID, me.id, world.benchmark, world.task, world.record, bound))
    report = AuditReport(
        network=NETWORK_ID,
        author=me.id,
        benchmark=world.benchmark,
        task=world.task,
        record=world.record,
        commitment=committed.id,
        equivalence_class="class",
        nonce=bytes(32),
        indices=indices,
        rows=rows,
        differing=(),
    )
    return committed, me.sealer.seal(replace(report, **changes))


def test_a_report_that_opens_its_commitment_is_taken() -> None:
    world = Gallery()
    assert [told(world.reader, said) for said in statements(world)] == ["", ""]


def test_a_report_before_its_commitment_is_not_taken_until_that_comes() -> None:
    world = Gallery()
    committed, report = statements(world)
    assert told(world.reader, report) == "uncommitted"
    assert told(world.reader, committed) == ""
    assert told(world.reader, report) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": (b"\0" * 40, b"\0" * 40)}, "does_not_open"),
        ({"nonce": b"\1" * 32}, "does_not_open"),
        ({"equivalence_class": "another"}, "does_not_open"),
        ({"indices": (3, 9)}, "does_not_open"),
        ({"indices": (8, 3)}, "wrong_indices"),
        ({"indices": (3, 3)}, "wrong_indices"),
        ({"indices": (3, 200)}, "wrong_indices"),
        ({"differing": (4,)}, "wrong_indices"),
        ({"rows": (b"\0" * 40,)}, "wrong_size"),
        ({"rows": (b"\0" * 40, b"\0" * 36)}, "wrong_size"),
    ],
)
def test_a_report_that_does_not_fit_is_refused(changes: dict[str, Any], reason: str) -> None:
    world = Gallery()
    committed, report = statements(world, **changes)
    assert told(world.reader, committed) == ""
    assert told(world.reader, report) == reason


# ── standing ──────────────────────────────────────────────────────────────────────────────────────


def test_audits_of_peers_that_nobody_trusts_leave_a_claim_a_claim() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    assert world.word() is None
    assert world.shown() == CLAIMED


def test_audits_of_trust_roots_lift_a_line_above_the_claims_with_the_chance_that_a_lie_escaped() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    assert world.shown(world.ada, world.bob) == TRUSTED
    one, both = world.word(world.ada), world.word(world.ada, world.bob)
    assert one is not None
    assert both is not None
    miss = miss_probability(200, 3, WATCH_SAMPLES)
    assert one.undetected == pytest.approx(1 - ROOT_HONESTY + ROOT_HONESTY * miss)
    assert both.undetected == pytest.approx(one.undetected**2)
    assert (one.auditors, both.auditors) == ((world.ada.id,), tuple(sorted((world.ada.id, world.bob.id))))


def test_an_auditor_whose_outputs_held_when_i_ran_them_counts_without_being_a_root() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    for _ in range(10):
        reputation.agreed(world.reader.node._ctx, world.ada.id, world.benchmark)
    word = world.word()
    assert word is not None
    assert word.auditors == (world.ada.id,)
    assert 0.5 < word.undetected < 1.0


def test_neither_side_of_a_record_vouches_for_it() -> None:
    world = Gallery()
    for said in statements(world):
        told(world.reader, said)
    assert world.word(world.requester, world.evaluator) is None


def test_one_trusted_objection_takes_the_others_word_away() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    held = world.reader.node.state.audits[f"{world.record}/{world.bob.id}"]
    world.reader.node.state.audits.put(replace(held, differing=1))
    assert world.shown(world.ada) == TRUSTED
    assert world.shown(world.ada, world.bob) == CLAIMED


def test_a_trusted_objection_is_settled_by_my_own_larger_audit_and_another_peers_is_not() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    watches = world.ada.node.state.watches
    committed, report = statements(world, differing=(3,))
    assert [told(world.ada, said) for said in (committed, report)] == ["", ""]
    assert (watches[world.task].state, watches[world.task].reopened) == (WatchState.DONE, 0)
    for said in (committed, report):
        world.bob.node._ctx.policy = replace(world.bob.node._ctx.policy, trust_roots=(world.requester.id,))
        assert told(world.bob, said) == ""
    assert world.bob.node.state.results[world.task].standing == CLAIMED
    world.run(4 * WATCH_PAUSE)
    result = world.bob.node.state.results[world.task]
    assert result.standing == MINE
    assert result.certificate is not None
    assert result.certificate.audited > WATCH_SAMPLES


def test_a_convicted_auditor_counts_for_nothing_though_it_is_a_root() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    conviction.convict(world.reader.node._ctx, ObjectId("proof"), world.ada.id, conviction.FRAUD, "where")
    assert world.word(world.ada) is None


def test_what_i_audited_myself_is_ranked_whatever_others_say() -> None:
    world = Gallery()
    world.run(4 * WATCH_PAUSE)
    state = world.ada.node.state
    (line,) = board(state, world.benchmark, {world.record})
    assert line.standing == MINE


def test_a_second_look_tells_nothing_of_a_first_one_that_was_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are gone by then: a report without them opens nothing, and its slot is filled for good."""
    world = Gallery()
    monkeypatch.setattr(world, "verdict", lambda *_: Verdict.DOUBTFUL)
    world.run_until(lambda: world.ada.node.state.watches[world.task].state is WatchState.DONE)
    monkeypatch.undo()
    watch.score_anew(world.ada.node._ctx, world.benchmark)
    world.run(6 * WATCH_PAUSE)
    assert world.ada.node.state.results[world.task].standing == MINE
    assert world.ada.node.state.in_slot(world.ada.id, AuditReport.__name__, world.record) is None


def test_a_report_speaks_of_the_task_that_its_commitment_named_and_of_no_other() -> None:
    """Else one trusted auditor could have any record audited anew as often as it can commit to others."""
    world = Gallery()
    second = world.start(world.requester, world.benchmark, "another")
    world.run_until(lambda: second in world.reader.node.state.results)
    committed, report = statements(world, task=second, differing=(3,))
    assert [told(world.reader, said) for said in (committed, report)] == ["", "superseded"]
    assert not world.reader.node.state.audits[f"{world.record}/{report.signer}"].report
