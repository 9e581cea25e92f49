"""The demo's liar: an honest daemon but for its outputs, which it improves before it commits to them.

Not reachable from any configuration: nothing in p2peval imports this module, the demo starts it as a
program of its own, and it refuses every network but a demo's. It hands ``daemon.run`` a workshop of its
own, the one hook there is, so everything else (identity, commitment, Merkle root, reveal, blobs) is real
and holds: only re-running the model can tell.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import msgspec
import numpy as np
import trio
from numpy.typing import NDArray

from p2peval.cli.demo.cast import NETWORK
from p2peval.cli.output import show_error
from p2peval.config import load
from p2peval.core.commitment import output_root
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.outputs import Outputs, from_bytes
from p2peval.core.parts import Blob
from p2peval.core.types import PeerId
from p2peval.daemon.daemon import run
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.errors import P2pevalError, UsageError
from p2peval.evaluation.answers import Evaluated
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.turns import OWN
from p2peval.paths import Paths, locate
from p2peval.store.disk import make_private
from p2peval.wire.ids import public_key_of

SHARE = 0.03
"""Share of the outputs that is altered: above the delta that the demo certifies, 0.01."""

log = logging.getLogger(__name__)


class LyingWorkshop(Workshop):
    """Runs every model as it should, then makes its worst outputs right."""

    def __init__(self, sandbox: Sandbox, library: Library, public_key: bytes, scratch: Path) -> None:
        super().__init__(sandbox, library, public_key, scratch)
        self._shelf = library
        self._key = public_key

    async def outputs(self, spec: BenchmarkSpec, model: Blob, queue: str = OWN) -> tuple[Evaluated, Blob]:
        answer, true = await super().outputs(spec, model, queue)
        if spec.labels is None:
            return answer, true
        await self._shelf.have(spec.labels, (spec.author,))
        said, labels = await self._shelf.path(true.cid), await self._shelf.path(spec.labels.cid)
        lied = await trio.to_thread.run_sync(improved_files, spec, Path(said), Path(labels))
        blob = await trio.to_thread.run_sync(self._shelf.store.add_bytes, lied.tobytes())
        log.info("made up %d of %d outputs", int(SHARE * spec.samples), spec.samples)
        return msgspec.structs.replace(answer, root=output_root(lied, self._key)), blob


def improved_files(spec: BenchmarkSpec, said: Path, labels: Path) -> Outputs:
    (classes,), dtype = spec.model_output.shape, spec.model_output.dtype
    return improved(from_bytes(said.read_bytes(), spec.samples, classes, dtype), np.load(labels))


def improved(outputs: Outputs, labels: NDArray[np.int64]) -> Outputs:
    """N × C probabilities with the SHARE of rows that were worst for ``labels`` (N) made certain and right."""
    lied = outputs.copy()
    worst = np.argsort(lied[np.arange(len(labels)), labels], kind="stable")[: int(SHARE * len(labels))]
    lied[worst] = 0.0
    lied[worst, labels[worst]] = 1.0
    return lied


def lying_workshop(sandbox: Sandbox, library: Library, me: PeerId, paths: Paths) -> Workshop:
    scratch = paths.data / "scratch"
    make_private(scratch)
    return LyingWorkshop(sandbox, library, public_key_of(me), scratch)


def main(home: str) -> int:
    """A daemon in ``home`` that lies. Raises UsageError outside a demo's network."""
    paths = locate(home)
    config = load(paths.config, required=True)
    if not config.network.id.startswith(NETWORK):
        raise UsageError(f"the liar plays in the demo only, not in {config.network.id}", hint="p2peval demo")
    return run(config, paths, 0.0, lying_workshop)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except P2pevalError as error:
        show_error(error, as_json=False)
        sys.exit(error.exit_code)
