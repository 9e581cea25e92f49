"""A requester, its one evaluator, an accuser, and members that look on: where fraud proofs are tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from belief_world import BeliefWorld, lie, path_of, truth
from small_world import Host

from p2peval.core import reputation
from p2peval.core.checking import FraudProof
from p2peval.core.events import MessageReceived
from p2peval.core.policy import Policy
from p2peval.core.rows import TaskState
from p2peval.core.types import PeerId, TaskId
from p2peval.defaults import (
    NETWORK_ID,
)

NOBODY = (PeerId("nobody"),)


class Court(BeliefWorld):
    """Host 0 asks, host 1 alone evaluates, host 2 accuses, the others are members that look on."""

    def __init__(self, *, lies: bool, size: int = 5) -> None:
        super().__init__(size)
        self.requester, self.evaluator, self.accuser, *self.members = self.all
        for host in (self.accuser, *self.members):
            host.node._ctx.policy = Policy(accept_from=NOBODY)
        self.evaluator.lies = lies
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        self.task = self.ask("model")

    def ask(self, model: str) -> TaskId:
        task = self.start(self.requester, self.benchmark, model)
        over = (TaskState.ACCEPTED, TaskState.FAILED, TaskState.ANNOUNCED)
        tasks = self.requester.node.state.tasks
        self.run_until(lambda: tasks[task].state in over and len(self.requester.node.state.replicas.of(task)) > 0)
        self.run(5.0)
        return task

    def proof(self, index: int = 3, **changes: Any) -> FraudProof:
        """What is true of the evaluator's outputs at ``index``, but for ``changes``."""
        spec = self.requester.node.state.benchmarks[self.benchmark].spec
        (replica,) = self.requester.node.state.replicas.of(self.task)
        rows = lie(spec) if self.evaluator.lies else truth(spec)
        said = FraudProof(
            network=NETWORK_ID,
            author=self.accuser.id,
            benchmark=self.benchmark,
            task=self.task,
            assignment=replica.id,
            announcement=self.requester.node.state.tasks[self.task].announcement,
            reveal=replica.reveal,
            index=index,
            row=rows[index].tobytes(),
            path=path_of(self.evaluator.id, rows, index),
        )
        return replace(said, **changes)

    def accuse(self, proof: FraudProof) -> list[str]:
        """Every member's answer to ``proof``, handed over by the requester, who did not sign it."""
        sealed = self.accuser.sealer.seal(proof)
        for member in self.members:
            member.handle(MessageReceived(sealed, self.requester.id, "proof"))
        self.run(5.0)
        return [member.replies["proof"].error for member in self.members]

    def believed(self, peer: Host) -> list[float]:
        """What the members make of ``peer``; a half is what they make of a stranger."""
        return [reputation_of(member, peer) for member in self.members]


def reputation_of(member: Host, peer: Host) -> float:
    return reputation.of(member.node._ctx, peer.id)


def kinds(member: Host, peer: Host) -> list[str]:
    return [row.kind for row in member.node.state.convictions.of(peer.id)]


def unharmed(world: Court) -> bool:
    """Nobody but the accuser lost anything, with anybody."""
    honest = [world.requester, world.evaluator, *world.members]
    return all(reputation_of(member, peer) >= 0.5 for member in honest for peer in honest) and all(
        not kinds(member, peer) for member in honest for peer in honest
    )
