"""Evaluations without models: what is true of a model, what each equivalence class makes of it, and what a lie is.

Outputs are real rows under real Merkle roots, so commitments open, audits find what they would find, and fraud proofs
hold or fall by the same comparison as in a worker. Only the numbers are drawn: the truth of a model by its CID; the
rounding of an equivalence class well within the tolerance; a mistake or a lie as rows that are far from the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from p2peval.core import merkle
from p2peval.core.benchmark import output_bytes
from p2peval.core.commitment import output_leaf, output_root
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Defined, MetricReport
from p2peval.core.types import Cid
from p2peval.errors import LocalProtocolError
from p2peval.wire.ids import cid_of

Rows = NDArray[np.float32]

ROUNDING = 0.1  # of the tolerance: how far classes differ from each other at most
FAR = 1.0  # how far a false row is from the true one; outputs are between 0 and 1
RIGHT = 0.9  # accuracy of every model by its true outputs; a lie claims more


@dataclass(frozen=True, slots=True)
class Outputs:
    """``wrong``: rows that are not true of the model, by index; empty for an honest run. ``roots``: by public key."""

    blob: Blob
    rows: Rows
    wrong: frozenset[int]
    roots: dict[bytes, bytes] = field(default_factory=dict, compare=False)


class Laboratory:
    """Runs models that do not exist. All hosts of one world share it: equal outputs are held once."""

    __slots__ = ("_held", "_leans", "_truths")

    def __init__(self) -> None:
        self._truths: dict[tuple[Cid, int, int], Rows] = {}
        self._held: dict[Cid, Outputs] = {}
        self._leans: dict[str, float] = {}

    def __getitem__(self, cid: Cid) -> Outputs:
        return self._held[cid]

    def true_rows(self, spec: BenchmarkSpec, model: Cid, equivalence_class: str) -> Rows:
        """What an honest evaluator of that class computes: samples × width, float32."""
        width = output_bytes(spec) // spec.samples // 4
        key = (model, spec.samples, width)
        truth = self._truths.get(key)
        if truth is None:
            truth = self._truths[key] = drawn_by("truth", model).random((spec.samples, width), dtype=np.float32)
        return truth + np.float32(ROUNDING * _atol(spec) * self._lean_of(equivalence_class))

    def _lean_of(self, equivalence_class: str) -> float:
        """How a class rounds: −½ to ½ of what classes may differ by."""
        lean = self._leans.get(equivalence_class)
        if lean is None:
            lean = self._leans[equivalence_class] = drawn_by("class", equivalence_class).random() - 0.5
        return lean

    def run(self, spec: BenchmarkSpec, model: Cid, equivalence_class: str) -> Outputs:
        return self._put(self.true_rows(spec, model, equivalence_class), frozenset())

    def altered(self, spec: BenchmarkSpec, model: Cid, equivalence_class: str, share: float, tag: str) -> Outputs:
        """Outputs of which ⌈``share`` · samples⌉ are false: the same ones for the same ``tag``, as colluders need."""
        count = ceil(share * spec.samples - 1e-9)
        places = drawn_by("lie", model, tag).permutation(spec.samples)[:count]
        rows = self.true_rows(spec, model, equivalence_class).copy()
        rows[places] += np.float32(FAR + drawn_by("by", tag).random())
        return self._put(rows, frozenset(map(int, places)))

    def _put(self, rows: Rows, wrong: frozenset[int]) -> Outputs:
        data = rows.tobytes()
        digest = sha256(data).digest()
        cid = cid_of(data)
        return self._held.setdefault(cid, Outputs(Blob(cid, len(data), digest), rows, wrong))

    # ── what a worker says of outputs ─────────────────────────────────────────────────────────────

    def differing(self, spec: BenchmarkSpec, model: Cid, claimed: Cid, own_class: str, drawn: list[int]) -> list[int]:
        """Which of ``drawn`` are further from our own run than the tolerance."""
        rows, ours = self._held[claimed].rows, self.true_rows(spec, model, own_class)
        far = np.abs(rows[drawn] - ours[drawn]).max(axis=1) > _atol(spec)
        return [index for index, differs in zip(drawn, far.tolist(), strict=True) if differs]

    def row_differs(self, spec: BenchmarkSpec, model: Cid, index: int, row: bytes, own_class: str) -> bool:
        """Whether a claimed row is further from our own run than the tolerance."""
        ours = self.true_rows(spec, model, own_class)[index]
        claimed = np.frombuffer(row, dtype=np.float32)
        if claimed.shape != ours.shape:
            raise LocalProtocolError(f"a row of {len(row)} bytes was let in for one of {ours.nbytes}")
        return bool(np.abs(claimed - ours).max() > _atol(spec))


def root(outputs: Outputs, public_key: bytes) -> bytes:
    """32 bytes: the tree that an evaluator of that key commits to; hashed once, though many look at it."""
    held = outputs.roots.get(public_key)
    if held is None:
        held = outputs.roots[public_key] = output_root(outputs.rows, public_key)
    return held


def path(outputs: Outputs, public_key: bytes, index: int) -> tuple[bytes, ...]:
    leaves = [output_leaf(public_key, at, row.tobytes()) for at, row in enumerate(outputs.rows)]
    return tuple(merkle.path(leaves, index))


def reports(spec: BenchmarkSpec, outputs: Outputs) -> tuple[MetricReport, ...]:
    """What the outputs are worth by the benchmark's metrics: a lie is worth more, or nobody would tell it."""
    if spec.labels is None:
        return ()
    value = min(1.0, RIGHT + len(outputs.wrong) / spec.samples)
    return tuple(MetricReport(name, Defined.VALUE, round(value * 1e9), None, None) for name in spec.metrics)


def _atol(spec: BenchmarkSpec) -> float:
    return spec.tolerance.atol_nano / 1e9


def drawn_by(*parts: str) -> Generator:
    """Chance that is the same for the same parts, in every process."""
    return Generator(PCG64(int.from_bytes(sha256("\x00".join(parts).encode()).digest()[:16], "big")))
