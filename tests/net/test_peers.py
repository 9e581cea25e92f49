"""Dialling again and heartbeats, on a mock clock."""

from __future__ import annotations

from collections import Counter

import pytest
import trio

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import NetworkError
from p2peval.net.peers import AddressBook, Changes, Healer, Heartbeat

A, B = PeerId("A"), PeerId("B")


class Dialler:
    """Fails until ``answers_from``, and remembers when it was asked."""

    def __init__(self, answers_from: float = float("inf")) -> None:
        self.at: list[float] = []
        self._answers_from = answers_from
        self._start = trio.current_time()

    async def __call__(self, peer: PeerId) -> None:
        now = trio.current_time() - self._start
        self.at.append(now)
        if now < self._answers_from:
            raise NetworkError("out of reach")

    @property
    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.at, self.at[1:], strict=False)]


async def heal_for(seconds: float, healer: Healer) -> None:
    with trio.move_on_after(seconds):
        await healer.run()


async def test_bootstrap_peer_is_dialled_at_once_and_for_ever_with_a_growing_pause(
    autojump_clock: trio.testing.MockClock,
) -> None:
    dial = Dialler()
    healer = Healer(dial=dial, is_connected=lambda peer: False)
    healer.keep(A)
    await heal_for(86_400, healer)
    assert dial.at[0] == pytest.approx(0)
    assert dial.pauses[0] < dial.pauses[2] < dial.pauses[4]
    assert max(dial.pauses) <= 1.25 * defaults.REDIAL_LAST
    assert len(dial.at) > 86_400 / (1.25 * defaults.REDIAL_LAST)


async def test_other_peer_is_given_up_after_some_tries(autojump_clock: trio.testing.MockClock) -> None:
    dial = Dialler()
    healer = Healer(dial=dial, is_connected=lambda peer: False)
    healer.lost(A)
    await heal_for(86_400, healer)
    assert len(dial.at) == defaults.REDIAL_TRIES


async def test_peer_that_answers_is_dialled_no_more(autojump_clock: trio.testing.MockClock) -> None:
    dial = Dialler(answers_from=20)
    healer = Healer(dial=dial, is_connected=lambda peer: False)
    healer.keep(A)
    await heal_for(3600, healer)
    assert sum(at >= 20 for at in dial.at) == 1


async def test_peer_that_came_back_by_itself_is_not_dialled(autojump_clock: trio.testing.MockClock) -> None:
    dial = Dialler()
    healer = Healer(dial=dial, is_connected=lambda peer: True)
    healer.lost(A)
    await heal_for(3600, healer)
    assert dial.at == []


async def test_peer_that_misses_pings_is_dropped_and_one_that_answers_is_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    dropped: list[PeerId] = []

    async def ping(peer: PeerId) -> float:
        if peer == A:
            await trio.sleep_forever()
        return 0.02

    async def drop(peer: PeerId) -> None:
        dropped.append(peer)

    heartbeat = Heartbeat(lambda: [peer for peer in (A, B) if peer not in dropped], ping, drop)
    with trio.move_on_after(60):
        await heartbeat.run()
    assert dropped == [A]
    assert heartbeat.rtt_ms == {B: 20.0}


async def test_single_missed_ping_is_forgiven(autojump_clock: trio.testing.MockClock) -> None:
    rounds: list[int] = []

    async def ping(peer: PeerId) -> float:
        rounds.append(1)
        if len(rounds) % 2:
            raise NetworkError("lost")
        return 0.02

    async def drop(peer: PeerId) -> None:
        raise AssertionError("dropped for one miss")

    with trio.move_on_after(300):
        await Heartbeat(lambda: [A], ping, drop).run()
    assert len(rounds) > 20


async def test_connections_become_one_change_per_peer() -> None:
    changes = Changes()
    for connected in (True, True, False, False, True):
        changes.note(A, connected)
    assert [(await changes.next()).connected for _ in range(3)] == [True, False, True]


def test_address_book_is_bounded_and_drops_nonsense() -> None:
    counters: Counter[str] = Counter()
    book = AddressBook(counters)
    book.learn(A, ["nonsense", *(f"/ip4/10.0.0.1/tcp/{port}" for port in range(1, 100))])
    assert len(book.of(A)) <= defaults.MAX_ADDRESSES
    assert counters["addresses.malformed"] == 1
    for number in range(defaults.MAX_KNOWN_PEERS + 5):
        book.learn(PeerId(f"peer{number}"), ["/ip4/10.0.0.1/tcp/1"])
    assert book.of(A) == ()
    assert book.of(PeerId("peer10"))
