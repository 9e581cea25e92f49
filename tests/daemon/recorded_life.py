"""A daemon's node around a real database, with hands that do nothing: something to record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import trio

from p2peval.core.effects import Effect
from p2peval.core.events import Introduced, NamePeer, PeerUp, PublishBenchmark
from p2peval.core.node import Node
from p2peval.core.policy import Policy
from p2peval.core.state import Change, State
from p2peval.core.types import Seconds
from p2peval.daemon.clock import Clock
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.feed import Feed
from p2peval.daemon.recorder import Recorder
from p2peval.defaults import NETWORK_ID
from p2peval.errors import StoreError
from p2peval.store.database import Database
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.secrets import NodeSecrets, choices_from
from tests.wire.wire_examples import OTHER, SEED, SPEC

PROBE = 0.01
"""Seconds between looks at a disk that is full, here."""

POLICY = Policy(computes=False, trust_roots=(OTHER,))


class Idle:
    """Hands that do nothing, and say at once that it is done."""

    def __getattr__(self, name: str) -> Any:
        return self._nothing

    async def _nothing(self, effect: Effect) -> None:
        pass

    def connected(self) -> tuple[str, ...]:
        return (OTHER,)


class Refusing(Database):
    """Its disk refuses the commits whose number is in ``refused``, from 1."""

    def __init__(self, path: Path, refused: Sequence[int] = ()) -> None:
        super().__init__(path)
        self.tries = 0
        self.refused = refused

    def commit(self, delta: Sequence[Change], *more: Any) -> None:
        self.tries += 1
        if self.tries in self.refused:
            raise StoreError("no space left")
        super().commit(delta, *more)


def make_node(state: State, at: Seconds) -> Node:
    secrets = NodeSecrets(SEED)
    return Node(
        state=state,
        sealer=EnvelopeSealer(SEED),
        secrets=secrets,
        rng=choices_from(secrets, at),
        network=NETWORK_ID,
        policy=POLICY,
    )


async def live(home: Path, recorder: Recorder | None, refused: Sequence[int] = ()) -> State:
    """A daemon's node from its start to its end: it publishes, meets somebody, and gives him a name."""
    idle = cast(Any, Idle())
    with Refusing(home / "state.db", refused) as database:
        shell = Driver(database, make_node, Clock(), Feed(), recorder)
        shell.inbox.own(Introduced("ada", (), ("class", "canonical"), 1, 1000))
        shell.inbox.own(PeerUp(OTHER))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shell.run, Hands(idle, idle, idle, idle))
            with trio.fail_after(30):
                await asked(shell, lambda reply: PublishBenchmark(reply, SPEC))
                await asked(shell, lambda reply: NamePeer(reply, OTHER, "bob"))
            nursery.cancel_scope.cancel()
        return shell.node.state


async def asked(shell: Driver, make: Any) -> None:
    """Until it is stored: as a person would who is told that the disk is full."""
    while True:
        try:
            await shell.ask(make)
            return
        except StoreError:
            await trio.sleep(PROBE)
