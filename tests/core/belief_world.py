"""A small world in which outputs are real rows under real Merkle roots, so that proofs can be made, sent and judged."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from small_world import Host, World

from p2peval.core import audit, merkle
from p2peval.core.commitment import output_leaf, output_root
from p2peval.core.effects import Compare, Effect, Excerpt, Prove, Recall, Sample, Settle
from p2peval.core.events import (
    ComparisonFinished,
    Excerpted,
    JobFailed,
    Proven,
    Recalled,
    Sampled,
    Settled,
)
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Defined, MetricReport
from p2peval.core.policy import Policy
from p2peval.core.types import Cid, PeerId
from p2peval.core.verdict import Verdict
from p2peval.wire.ids import cid_of, public_key_of

CLASS = "class"
Rows = NDArray[np.float32]


def truth(spec: BenchmarkSpec) -> Rows:
    return np.random.default_rng(1).random((spec.samples, 10), dtype=np.float32)


def lie(spec: BenchmarkSpec) -> Rows:
    """Every other row is made up."""
    rows = truth(spec)
    rows[::2] += 1
    return rows


class BeliefWorld(World):
    """``classes``: the equivalence class of each host, CLASS unless named; another class never convicts here.

    ``job_s``: how long a worker is busy with each job; ``settled``: how many proofs were re-run, by all hosts.
    """

    def __init__(self, size: int, *, seed: int = 0, samples: int = 200) -> None:
        self.outputs: dict[Cid, Rows] = {}
        self.classes: dict[PeerId, str] = {}
        self.settled = 0
        self.job_s = 0.1
        super().__init__(size, seed=seed, samples=samples)

    def class_of(self, host: Host) -> str:
        return self.classes.get(host.id, CLASS)

    def perform(self, host: Host, effect: Effect) -> None:
        match effect:
            case Compare():
                self.later(self.job_s, lambda: self._compare(host, effect))
            case Sample():
                self.later(self.job_s, lambda: self._sample(host, effect))
            case Excerpt():
                self.later(0.01, lambda: self._excerpt(host, effect))
            case Prove():
                self.later(0.1, lambda: self._prove(host, effect))
            case Settle():
                self.later(self.job_s, lambda: self._settle(host, effect))
            case Recall():
                self.later(0.01, lambda: self._recall(host, effect))
            case _:
                super().perform(host, effect)

    def _outputs(self, host_id: PeerId, spec: BenchmarkSpec, lies: bool) -> tuple[bytes, Blob]:
        rows = lie(spec) if lies else truth(spec)
        data = rows.tobytes()
        self.outputs[cid_of(data)] = rows
        return output_root(rows, public_key_of(host_id)), Blob(cid_of(data), len(data), sha256(data).digest())

    def _compare(self, host: Host, effect: Compare) -> None:
        if not host.up:
            return
        rows, true = self.outputs[effect.outputs.cid], truth(effect.spec)
        drawn = audit.draw(effect.nonce, effect.task, effect.root, effect.spec.samples, effect.drawn)
        if effect.known is not None:
            true, drawn = self.outputs[effect.known.cid], list(range(effect.spec.samples))
        wrong = tuple(index for index in drawn if (rows[index] != true[index]).any())
        names = () if effect.spec.labels is None else effect.spec.metrics
        reports = tuple(MetricReport(name, Defined.VALUE, 900_000_000, None, None) for name in names)
        verdict = self.verdict(host, effect.equivalence_class, bool(wrong))
        wrong = () if verdict is Verdict.AGREES else wrong  # an audit that misses names nothing
        host.handle(
            ComparisonFinished(effect.id, effect.task, effect.assignment, verdict, len(drawn), wrong[:64], reports)
        )

    def verdict(self, host: Host, claimed_class: str, differs: bool) -> Verdict:
        if not differs:
            return Verdict.AGREES
        return Verdict.DIFFERS if claimed_class == self.class_of(host) else Verdict.DOUBTFUL

    def _sample(self, host: Host, effect: Sample) -> None:
        if host.up:
            true = truth(effect.spec)
            rows = tuple(true[index].tobytes() for index in effect.indices)
            host.handle(Sampled(effect.id, self.class_of(host), rows))

    def _excerpt(self, host: Host, effect: Excerpt) -> None:
        if host.up:
            rows = self.outputs[effect.outputs.cid]
            host.handle(Excerpted(effect.id, tuple(rows[index].tobytes() for index in effect.indices)))

    def _prove(self, host: Host, effect: Prove) -> None:
        if not host.up:
            return
        rows, true = self.outputs[effect.outputs.cid], truth(effect.spec)
        false = (index for index in effect.differing if (rows[index] != true[index]).any())
        index = next(false, None) if effect.rerun else effect.differing[0]
        if index is None:
            return host.handle(JobFailed(effect.id, "nothing to prove"))
        host.handle(
            Proven(
                effect.id,
                effect.benchmark,
                effect.task,
                effect.assignment,
                effect.announcement,
                effect.reveal,
                index,
                rows[index].tobytes(),
                path_of(effect.evaluator, rows, index),
            )
        )

    def _settle(self, host: Host, effect: Settle) -> None:
        if host.up:
            self.settled += 1
            differs = effect.row != truth(effect.spec)[effect.index].tobytes()
            host.handle(Settled(effect.id, self.verdict(host, effect.equivalence_class, differs), self.class_of(host)))

    def _recall(self, host: Host, effect: Recall) -> None:
        if host.up:
            host.handle(Recalled(effect.id, host.disk.envelopes.get(effect.object, b""), effect.beside))


def path_of(evaluator: PeerId, rows: Rows, index: int) -> tuple[bytes, ...]:
    leaves = [output_leaf(public_key_of(evaluator), at, row.tobytes()) for at, row in enumerate(rows)]
    return tuple(merkle.path(leaves, index))


def watchful(member: Host, *roots: PeerId) -> None:
    """``member`` audits what others claim, and evaluates for nobody."""
    member.node._ctx.policy = Policy(background_audits=True, accept_from=(PeerId("nobody"),), trust_roots=roots)
    member.perform(member.node.resume(member.world.now))
