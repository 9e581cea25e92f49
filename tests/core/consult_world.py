"""A requester that cannot compute, an evaluator, and members that audit for it: honest, colluding, framing or slow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from belief_world import BeliefWorld, Rows, truth
from small_world import Host, blob

from p2peval.core.commitment import output_root
from p2peval.core.consult_rows import ConsultRow, ConsultState
from p2peval.core.effects import Compare, Sample, Send
from p2peval.core.events import Sampled, StartTask
from p2peval.core.messages import BenchmarkSpec, Offer
from p2peval.core.parts import Blob
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow
from p2peval.core.task import OVER
from p2peval.core.types import PeerId, TaskId
from p2peval.wire.ids import cid_of, public_key_of

EPSILON_NANO = 5_000_000
DELTA_NANO = 20_000_000


class ConsultWorld(BeliefWorld):
    """Host 0 asks and cannot compute; host 1 evaluates; the others only audit, for whoever asks.

    ``altered``: how many outputs a lie of host 1's alters. ``colluding`` auditors answer as it lies, ``framing`` ones
    say that all is false, ``mute`` ones nothing.
    """

    def __init__(
        self, members: int, *, seed: int = 0, samples: int = 200, altered: int = 4, lies: bool = False
    ) -> None:
        self.altered = altered
        self.colluding: set[PeerId] = set()
        self.framing: set[PeerId] = set()
        self.sampled = 0
        self.own_draws: list[int] = []
        self.auditors: list[Host] = []
        super().__init__(2 + members, seed=seed, samples=samples)
        self.requester, self.evaluator, *self.auditors = self.all
        self.evaluator.lies = lies
        self.set_policy(self.requester, computes=False)
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)

    def set_policy(self, host: Host, **changes: object) -> None:
        host.node._ctx.policy = replace(host.node._ctx.policy, **changes)  # type: ignore[arg-type]

    def false_rows(self, spec: BenchmarkSpec) -> Rows:
        rows = truth(spec)
        places = np.random.default_rng(self.seed).permutation(spec.samples)[: self.altered]
        rows[places] += 1
        return rows

    def _outputs(self, host_id: PeerId, spec: BenchmarkSpec, lies: bool) -> tuple[bytes, Blob]:
        if not lies:
            return super()._outputs(host_id, spec, lies)
        rows = self.false_rows(spec)
        data = rows.tobytes()
        self.outputs[cid_of(data)] = rows
        made = blob("")
        return output_root(rows, public_key_of(host_id)), replace(made, cid=cid_of(data), size=len(data))

    def _compare(self, host: Host, effect: Compare) -> None:
        self.own_draws.append(effect.drawn)
        super()._compare(host, effect)

    def _sample(self, host: Host, effect: Sample) -> None:
        if not host.up or host.mute:
            return
        self.sampled += len(effect.indices)
        rows = self.false_rows(effect.spec) if host.id in self.colluding else truth(effect.spec)
        if host.id in self.framing:
            rows = rows + 1
        told = tuple(rows[index].tobytes() for index in effect.indices)
        host.handle(Sampled(effect.id, self.class_of(host), told))

    def _deliver(self, host: Host, effect: Send) -> None:
        """Offers of auditors get lost, so that host 1 runs every task."""
        if host in self.auditors and isinstance(host.sealer.open(effect.envelope).payload, Offer):
            host.disk.outbox.pop(effect.id, None)
        else:
            super()._deliver(host, effect)

    def ask(self, model: str = "model", patience: float = 900.0) -> TaskRow:
        """Until the task is over, or would be asked of others: there are none."""
        task, state = self.begin(model), self.requester.node.state
        judged = (ReplicaState.AGREES, ReplicaState.DIFFERS, ReplicaState.DOUBTFUL)
        self.run_until(
            lambda: state.tasks[task].state in OVER or any(row.state in judged for row in state.replicas.of(task)),
            patience=patience,
        )
        return state.tasks[task]

    def begin(self, model: str = "model") -> TaskId:
        self.requester.blobs.add(blob(model).cid)
        command = StartTask("start", self.benchmark, blob(model), model, EPSILON_NANO, DELTA_NANO, 1)
        self.requester.handle(command)
        return list(self.requester.node.state.tasks)[-1].id

    def replica(self, task: TaskRow) -> ReplicaRow:
        return self.requester.node.state.replicas.of(task.id)[-1]

    def consults(self, task: TaskRow) -> tuple[ConsultRow, ...]:
        return self.requester.node.state.consults.of(self.replica(task).id)

    def of(self, task: TaskRow, state: ConsultState) -> set[PeerId]:
        return {row.auditor for row in self.consults(task) if row.state is state}
