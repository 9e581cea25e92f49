"""What nobody wants any more is given up at once, and is not done again after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import trio
import trio.lowlevel

from p2peval.core.effects import Effect, RunEvaluation, Stop
from p2peval.core.events import Event, PeerDown, PeerUp
from p2peval.core.node import Node
from p2peval.core.state import State
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.feed import Feed
from p2peval.daemon.inbox import Incoming, Rank
from p2peval.store.database import Database
from tests.wire.wire_examples import ASSIGNMENT_ID, ME, OTHER, SPEC, TASK, TASK_ID

RUN = RunEvaluation("run/1", TASK_ID, ASSIGNMENT_ID, SPEC, TASK.model, OTHER)


class Scripted:
    """A node that wants an evaluation when a peer comes, and does not want it any more when it goes."""

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, event: Event, now: float) -> Sequence[Effect]:
        return [RUN] if isinstance(event, PeerUp) else [Stop(("run/1", "inputs/1"))]

    def resume(self, now: float) -> Sequence[Effect]:
        return []


class Endless:
    def __init__(self) -> None:
        self.started, self.stopped = trio.Event(), trio.Event()

    async def evaluate(self, effect: RunEvaluation) -> None:
        self.started.set()
        try:
            await trio.sleep_forever()
        finally:
            self.stopped.set()


async def test_a_stopped_evaluation_ends_and_leaves_the_outbox(tmp_path: Path) -> None:
    workshop, nothing = Endless(), cast(Any, None)
    with Database(tmp_path / "state.db") as database:
        driver = Driver(database, lambda state, _: cast(Node, Scripted(state)), lambda: 0.0, Feed())  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.run, Hands(nothing, nothing, nothing, cast(Any, workshop)))
            with trio.fail_after(10):
                assert driver.inbox.put(Incoming(PeerUp(ME)), Rank.OWN)
                await workshop.started.wait()
                assert [id_ for id_, _ in database.pending()] == ["run/1"]
                assert driver.inbox.put(Incoming(PeerDown(ME)), Rank.OWN)
                await workshop.stopped.wait()
                while database.pending():
                    await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
