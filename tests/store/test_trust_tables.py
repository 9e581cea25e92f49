"""What a node believes of ten thousand peers is there again a second after its start, to the last bit."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from p2peval.core import believing
from p2peval.core.parts import TrustEntry
from p2peval.core.policy import Policy
from p2peval.core.rows import EvidenceRow
from p2peval.core.state import State
from p2peval.core.trust_rows import HistoryRow, LocalEvidenceRow, PooledRow, StatementRow
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.store.database import Database
from p2peval.trust.evidence import Evidence

PEERS = [PeerId(f"12D3KooW{number:044}") for number in range(10_000)]
BENCHMARK = BenchmarkId("bafkbenchmark")
NOW = 1_800_000_000.0


def believed(seed: int) -> State:
    state, rng = State(), Random(seed)
    for number, peer in enumerate(PEERS):
        share = rng.random()
        evidence = Evidence(9 * share, share, 8 * share, share / 3, 9, 8, 1, 0, int(9 * share), NOW, number)
        state.evidence.put(EvidenceRow(peer, evidence))
        state.local_evidence.put(LocalEvidenceRow(peer, BENCHMARK, evidence))
        state.pooled.put(PooledRow(peer, 7, share, share / 7, share, share, share / 1e4, share / 3))
        state.history.put(HistoryRow(peer, 7, share, share / 2, 1.0, 9))
    for rater in PEERS[:500]:
        entries = tuple(TrustEntry(peer, rng.randrange(9000), 0) for peer in sorted(rng.sample(PEERS, 32)))
        state.statements.put(StatementRow(ObjectId(f"said by {rater}"), rater, BENCHMARK, 7, entries, NOW, True))
    return state


def test_a_table_of_ten_thousand_peers_is_read_in_a_second_and_gives_the_same_reputations(tmp_path: Path) -> None:
    before = believed(1)
    with Database(tmp_path / "state.db") as database:
        database.commit(before.drain())
    spent = []
    for _ in range(3):
        began, after = time.process_time(), State()
        with Database(tmp_path / "state.db") as database:
            after.load(database.load())
        spent.append(time.process_time() - began)
    for table in ("evidence", "local_evidence", "pooled", "history", "statements"):
        assert list(getattr(after, table)) == list(getattr(before, table))
    later, policy = NOW + 86_400.0, Policy()
    for peer in PEERS[::100]:
        told, was = (believing.reputation(state, policy, peer, later) for state in (after, before))
        assert told == was
    assert min(spent) < 1.0, f"seconds of one core: {spent}"
