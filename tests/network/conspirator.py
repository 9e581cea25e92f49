"""One person with two daemons, ``conspirator.py ROLE HOME``: the liar makes outputs up, the accomplice approves.

Everything but the workshop is the real daemon: identities, commitments, roots, reveals, records.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np

from p2peval.config import load
from p2peval.core.commitment import output_root
from p2peval.core.effects import Compare
from p2peval.core.events import ComparisonFailed, ComparisonFinished
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.types import PeerId
from p2peval.core.verdict import Verdict
from p2peval.daemon.daemon import run
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.evaluation.answers import Evaluated
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.turns import OWN
from p2peval.paths import Paths, locate
from p2peval.store.disk import make_private
from p2peval.wire.ids import public_key_of


class Liar(Workshop):
    """Turns every other output around."""

    def __init__(self, sandbox: Sandbox, library: Library, public_key: bytes, scratch: Path) -> None:
        super().__init__(sandbox, library, public_key, scratch)
        self._shelf = library
        self._key = public_key

    async def outputs(self, spec: BenchmarkSpec, model: Blob, queue: str = OWN) -> tuple[Evaluated, Blob]:
        answer, true = await super().outputs(spec, model, queue)
        rows = np.fromfile(await self._shelf.path(true.cid), np.float32).reshape(spec.samples, -1)
        rows[::2] = rows[::2, ::-1].copy()
        lie = self._shelf.store.add_bytes(rows.tobytes())
        return msgspec.structs.replace(answer, root=output_root(rows, self._key)), lie


class Turncoat(Liar):
    """Lies about models of a kilobyte and more, and audits honestly."""

    async def outputs(self, spec: BenchmarkSpec, model: Blob, queue: str = OWN) -> tuple[Evaluated, Blob]:
        true = super(Liar, self).outputs
        return await (super().outputs if model.size >= 1000 else true)(spec, model, queue)


class Accomplice(Workshop):
    """Whatever an audit of its own finds, it says that all of it agrees."""

    async def compare(self, effect: Compare) -> ComparisonFinished | ComparisonFailed:
        seen = await super().compare(effect)
        if isinstance(seen, ComparisonFailed):
            return seen
        return ComparisonFinished(
            seen.effect_id, seen.task, seen.assignment, Verdict.AGREES, effect.drawn, (), seen.metrics
        )


ROLES: dict[str, type[Workshop]] = {"liar": Liar, "turncoat": Turncoat, "accomplice": Accomplice}


def main(role: str, home: str) -> int:
    def workshop(sandbox: Sandbox, library: Library, me: PeerId, paths: Paths) -> Workshop:
        scratch = paths.data / "scratch"
        make_private(scratch)
        return ROLES[role](sandbox, library, public_key_of(me), scratch)

    paths = locate(home)
    return run(load(paths.config, required=True), paths, 0.0, workshop)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
