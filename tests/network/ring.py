"""Evaluators that are not what they should be, ``ring.py ROLE HOME``; everything but the workshop is the real daemon.

``ring``: all of this role say the same wrong thing. ``sleeper``: honest for its first AWAKE tasks, then of the ring.
``refuser``: commits, and never reveals. ``slow``: honest, and takes its time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
import trio

from p2peval.config import load
from p2peval.core.commitment import output_root
from p2peval.core.messages import BenchmarkSpec, CommitmentSet
from p2peval.core.node import JUDGES
from p2peval.core.parts import Blob
from p2peval.core.types import PeerId
from p2peval.daemon.daemon import run
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.evaluation.answers import Evaluated
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.turns import OWN
from p2peval.paths import Paths, locate
from p2peval.store.disk import make_private
from p2peval.wire.ids import public_key_of

AWAKE = 30
"""Tasks that a sleeper does well."""

ALTERED = 10
"""Every so many-th row is altered: five times the share from which a result is wrong by default."""

SLOW = 1.0
"""Seconds that a slow evaluator takes more than others."""


class Ring(Workshop):
    def __init__(self, sandbox: Sandbox, library: Library, public_key: bytes, scratch: Path) -> None:
        super().__init__(sandbox, library, public_key, scratch)
        self._shelf = library
        self._key = public_key
        self._done = 0

    async def outputs(self, spec: BenchmarkSpec, model: Blob, queue: str = OWN) -> tuple[Evaluated, Blob]:
        answer, true = await super().outputs(spec, model, queue)
        self._done += 1
        return await self.said(spec, answer, true)

    async def said(self, spec: BenchmarkSpec, answer: Evaluated, true: Blob) -> tuple[Evaluated, Blob]:
        rows = np.fromfile(await self._shelf.path(true.cid), np.float32).reshape(spec.samples, -1)
        rows[::ALTERED] = np.roll(rows[::ALTERED], 1, axis=1)
        lie = self._shelf.store.add_bytes(rows.tobytes())
        return msgspec.structs.replace(answer, root=output_root(rows, self._key)), lie


class Sleeper(Ring):
    async def said(self, spec: BenchmarkSpec, answer: Evaluated, true: Blob) -> tuple[Evaluated, Blob]:
        return (answer, true) if self._done <= AWAKE else await super().said(spec, answer, true)


class Slow(Ring):
    async def said(self, spec: BenchmarkSpec, answer: Evaluated, true: Blob) -> tuple[Evaluated, Blob]:
        await trio.sleep(SLOW)
        return answer, true


ROLES: dict[str, type[Workshop]] = {"ring": Ring, "sleeper": Sleeper, "refuser": Workshop, "slow": Slow}


def main(role: str, home: str) -> int:
    def workshop(sandbox: Sandbox, library: Library, me: PeerId, paths: Paths) -> Workshop:
        scratch = paths.data / "scratch"
        make_private(scratch)
        return ROLES[role](sandbox, library, public_key_of(me), scratch)

    if role == "refuser":
        JUDGES[CommitmentSet] = lambda ctx, sealed: ""  # it reads that its commitment counts, and keeps quiet
    paths = locate(home)
    return run(load(paths.config, required=True), paths, 0.0, workshop)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
