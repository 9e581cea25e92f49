"""A requester under random faults: its books on every evaluator stay those of what it audited, and every task ends."""

from __future__ import annotations

from random import Random

import pytest
from belief_world import BeliefWorld
from small_world import Host

from p2peval.core import reputation
from p2peval.core.effects import Compare, Effect, FetchBlob, Prove, Send
from p2peval.core.events import BlobFailed, CancelTask, ComparisonFailed, JobFailed
from p2peval.core.messages import Reveal
from p2peval.core.rows import EvidenceRow, ReplicaRow, ReplicaState, TaskState
from p2peval.core.task import OVER
from p2peval.core.withholding import HOLDS, is_made_good

NANO = 10_000_000
ACTIONS = 30
SETTLING = 3 * 3600.0


class Chaos(BeliefWorld):
    """Host 0 asks, four others evaluate: they lie, hang, go away and are late; workers die, blobs are gone, hosts are
    killed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.faults = False
        super().__init__(5, seed=seed)
        self.requester, *self.evaluators = self.all
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        self.faults, self.job_s = True, 2.0

    # ── what goes wrong ───────────────────────────────────────────────────────────────────────────

    def perform(self, host: Host, effect: Effect) -> None:
        delay = self._goes_wrong(host, effect) if self.faults else 0.0
        if delay:
            return self.later(delay, lambda: super(Chaos, self).perform(host, effect))
        if delay == 0.0:
            super().perform(host, effect)

    def _goes_wrong(self, host: Host, effect: Effect) -> float | None:
        """Seconds by which it is late; None: it failed."""
        luck = self.dice.random()
        match effect:
            case FetchBlob() if host is self.requester and luck < 0.1:
                failed = BlobFailed(effect.id, effect.blob.cid, "gone", ours=luck < 0.05)
                self.later(70.0 * self.dice.random(), lambda: host.handle(failed))
            case Compare() if host is self.requester and luck < 0.1:
                dead = ComparisonFailed(effect.id, effect.task, effect.assignment, "the worker died")
                self.later(1.0, lambda: host.handle(dead))
            case Prove() if luck < 0.2:
                self.later(1.0, lambda: host.handle(JobFailed(effect.id, "the worker died")))
            case Compare() if luck < 0.4:
                return 60.0 * self.dice.random()
            case Send() if luck < 0.25 and isinstance(host.sealer.open(effect.envelope).payload, Reveal):
                return 4000.0 * self.dice.random()
            case _:
                return 0.0
        return None

    def act(self) -> None:
        luck, host = self.dice.random(), self.dice.choice(self.evaluators)
        live = [task.id for task in self.requester.node.state.tasks if task.state not in OVER]
        if not self.requester.up and luck < 0.5:
            self.reconnect(self.requester)
        elif luck < 0.5:
            for _ in range(self.dice.randint(1, 3)):
                name, replicas = f"model-{self.dice.random()}", self.dice.choice((1, 1, 2, 3))
                self.start(self.requester, self.benchmark, name, replicas)
        elif luck < 0.6:
            host.lies = not host.lies
        elif luck < 0.65:
            host.mute = not host.mute
        elif luck < 0.8:
            host = self.dice.choice((host, host, self.requester))
            (self.disconnect if host.up else self.reconnect)(host)
        elif luck < 0.95:
            self.kill_at = self.performed + self.dice.randint(1, 30)
            self.victim = self.dice.choice((self.requester.id, host.id))
        elif live and self.requester.up:
            self.requester.handle(CancelTask("cancel", self.dice.choice(live)))
        self.run(self.dice.choice((0.05, 0.3, 1.0, 5.0, 30.0, 100.0)))

    def calm(self) -> None:
        self.faults, self.kill_at = False, 0
        for host in self.all:
            host.lies = host.mute = False
            if not host.up:
                self.reconnect(host)
        self.run(SETTLING)

    # ── the books ─────────────────────────────────────────────────────────────────────────────────

    def of(self, row: EvidenceRow) -> list[ReplicaRow]:
        return [replica for replica in self.requester.node.state.replicas if replica.peer == row.peer]

    def balance(self) -> None:
        state = self.requester.node.state
        for row in state.evidence:
            seen, replicas = row.evidence, self.of(row)
            held = sum(replica.state is ReplicaState.AGREES for replica in replicas)
            false = sum(r.state is ReplicaState.DIFFERS or bool(r.differing) for r in replicas)
            late = [r for r in replicas if r.state in (ReplicaState.WITHHELD, ReplicaState.LATE)]
            assert (seen.agreed, seen.resolved - seen.agreed) == (held, false)
            assert seen.withheld == sum(not is_made_good(replica) for replica in late)
            assert 0 <= seen.streak <= held
            assert reputation.paid(state, row.peer) == NANO * seen.streak
            local = [here.evidence for here in state.local_evidence.of(row.peer)]
            assert [(here.agreed, here.resolved) for here in local] == [(seen.agreed, seen.resolved)]

    def audited_at_once(self) -> list[str]:
        state = self.requester.node.state
        return [
            replica.peer
            for task in state.tasks.of(TaskState.AUDITING)
            for replica in state.replicas.of(task.id)
            if replica.state is ReplicaState.FETCHED and replica.drawn and replica.peer != self.requester.id
        ]


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 24))])
def test_whatever_goes_wrong_each_audit_counts_once_and_no_identity_is_audited_twice_at_once(seed: int) -> None:
    world = Chaos(seed)
    for _ in range(ACTIONS):
        world.act()
        world.balance()
        assert len(set(world.audited_at_once())) == len(world.audited_at_once())
    world.calm()
    world.balance()
    state = world.requester.node.state
    assert len(list(state.tasks)) > ACTIONS // 4
    assert not any(task.state is TaskState.AUDITING for task in state.tasks)
    assert not any(
        replica.state is ReplicaState.LATE and HOLDS not in dict(replica.numbers) for replica in state.replicas
    )
