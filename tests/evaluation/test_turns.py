"""Who waits is served in turn, by requester; what the node wants itself goes first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from p2peval.evaluation.turns import OWN, Turns


async def served(places: int, queues: Sequence[str]) -> list[str]:
    """The order in which ``queues``, that asked in this order while all was taken, have their turn."""
    turns, order, hold = Turns(places), [], trio.Event()

    async def holder() -> None:
        async with turns.place("holder"):
            await hold.wait()

    async def one(queue: str) -> None:
        async with turns.place(queue):
            order.append(queue)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for _ in range(places):
            nursery.start_soon(holder)
        await wait_all_tasks_blocked()
        for queue in queues:
            nursery.start_soon(one, queue)
            await wait_all_tasks_blocked()
        assert order == []
        hold.set()
    return order


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("aaab", "abaa"),
        ("aaabbc", "abcaba"),
        ("ab", "ab"),
    ],
)
async def test_nobody_who_asks_often_makes_others_wait_longer(asked: str, got: str) -> None:
    assert "".join(await served(1, asked)) == got


async def test_the_nodes_own_go_first() -> None:
    assert await served(1, ["a", "b", OWN, "a", OWN]) == [OWN, OWN, "a", "b", "a"]


async def test_all_places_are_used_and_no_more(autojump_clock: trio.testing.MockClock) -> None:
    turns, now, most = Turns(3), 0, 0

    async def one(queue: str) -> None:
        nonlocal now, most
        async with turns.place(queue):
            now += 1
            most = max(most, now)
            await trio.sleep(1)
            now -= 1

    async with trio.open_nursery() as nursery:
        for number in range(12):
            nursery.start_soon(one, str(number % 5))
    assert most == 3
    assert trio.current_time() == pytest.approx(4)


async def test_who_gives_up_waiting_leaves_no_gap() -> None:
    turns, reached, scope = Turns(1), [], trio.CancelScope()
    async with trio.open_nursery() as nursery, turns.place("holder"):
        nursery.start_soon(_wait, turns, "a", scope, reached)
        nursery.start_soon(_wait, turns, "b", trio.CancelScope(), reached)
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
    assert reached == ["b"]


async def test_a_turn_that_comes_as_its_owner_gives_up_goes_to_the_next() -> None:
    turns, reached, scope = Turns(1), [], trio.CancelScope()
    async with trio.open_nursery() as nursery, turns.place("holder"):
        nursery.start_soon(_wait, turns, "a", scope, reached)
        nursery.start_soon(_wait, turns, "b", trio.CancelScope(), reached)
        await wait_all_tasks_blocked()
        scope.cancel()  # and the place is free before it can leave the queue
    assert reached == ["b"]


async def _wait(turns: Turns, queue: str, scope: trio.CancelScope, reached: list[str]) -> None:
    with scope:
        async with turns.place(queue):
            reached.append(queue)
