"""What a played world was like: plain numbers by name, each the same question to every attack and every defence.

Who is honest, and which outputs are true, the lab knows; nodes are only read. Shares lie between 0 and 1; where there
is nothing to take a share of, the measure is left out, and a claim on it does not hold.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from statistics import fmean, median

from p2peval.core import believing
from p2peval.core.effects import Notify
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.types import PeerId, Seconds, TaskId
from p2peval.sim.claims import quantile
from p2peval.sim.host import Host
from p2peval.sim.stage import Stage

BAD = frozenset({ReplicaState.SILENT, ReplicaState.WITHHELD, ReplicaState.LATE, ReplicaState.DECLINED})
"""Ways for an assignment to come to nothing."""

MEASURES: dict[str, str] = {
    "accepted": "share of honest requesters' tasks that were accepted",
    "failed": "share of them that failed",
    "wrong_accepts": "share of accepted results that are false in at least a share Δ of their samples",
    "bad_picks": "share of assignments that went to a false result or came to nothing",
    "captured_tasks": "share of assignments that went to adversaries",
    "executions": "evaluations per accepted task, an audited sample counting 1/n",
    "latency_s": "median seconds from asking to the accepted result",
    "latency_p95_s": "seconds from asking to the accepted result that one task in twenty exceeds",
    "captured": "share of all reputation, in honest requesters' tables, that adversaries hold",
    "honest_reputation": "mean reputation of honest peers in honest requesters' tables",
    "adversary_reputation": "mean reputation of adversaries in honest requesters' tables",
    "detection_auc": "chance that an honest peer's reputation is above an adversary's in an honest requester's table",
    "caught": "share of adversaries that at least one honest peer convicted",
    "false_convictions": "honest peers convicted by an honest one, per honest peer",
    "time_to_catch_s": "median seconds from an adversary's first lie that was answered with to its first conviction",
    "wasted": "share of honest peers' evaluations that ended in no record",
    "objects_held": "objects in the largest honest node",
    "messages_per_task": "messages of all hosts, per task asked",
    "records_delivered": "share of honest requesters' records that honest members hold at the end",
    "identities": "identities that adversaries have had",
    "lies": "false results that adversaries answered with",
    "harm": "false results accepted, tasks failed and honest evaluations wasted, together",
    "cost_per_harm": "evaluations that adversaries made, per unit of harm",
}
"""Name -> what it says."""


@dataclass(slots=True)
class Observer:
    """Listens to the nodes of a stage while it plays. ``curve``: (time, mean reputation of honest, of adversaries)."""

    stage: Stage
    began: dict[TaskId, Seconds] = field(default_factory=dict)
    waited: list[Seconds] = field(default_factory=list)
    first_lie: dict[PeerId, Seconds] = field(default_factory=dict)
    first_conviction: dict[PeerId, Seconds] = field(default_factory=dict)
    blamed: set[tuple[PeerId, PeerId]] = field(default_factory=set)
    curve: list[tuple[Seconds, float, float]] = field(default_factory=list)
    honest: frozenset[int] = frozenset()
    asking: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.honest = frozenset(host.number for host in self.stage.honest)
        self.asking = frozenset(host.number for host in self.stage.requesters)
        self.stage.world.on_notice = self.heard

    def heard(self, host: Host, notice: Notify) -> None:
        now = self.stage.world.now
        if host.number not in self.honest:
            if notice.kind == "duty.revealed" and self._lied(host, TaskId(notice.subject)):
                self.first_lie.setdefault(host.id, now)
        elif notice.kind == "peer.convicted":
            self.first_conviction.setdefault(PeerId(notice.subject), now)
            self.blamed.add((host.id, PeerId(notice.subject)))
        elif host.number in self.asking and notice.kind in ("task.announced", "task.alone"):
            self.began.setdefault(TaskId(notice.subject), now)
        elif notice.kind == "task.accepted" and (begun := self.began.get(TaskId(notice.subject))) is not None:
            self.waited.append(now - begun)

    def _lied(self, host: Host, task: TaskId) -> bool:
        duty = host.node.state.duties.get(task)
        if duty is None or duty.outputs is None:
            return False
        return bool(self.stage.world.workshop.laboratory[duty.outputs.cid].wrong)

    def sample(self) -> None:
        """One point of the curve."""
        good, bad = reputations(self.stage)
        now = self.stage.world.now
        self.curve.append((now, fmean(good) if good else 0.0, fmean(bad) if bad else 0.0))


def measures(observer: Observer) -> dict[str, float]:
    """All measures that have something to measure, in the order of MEASURES."""
    stage = observer.stage
    found: dict[str, float] = {}
    found |= _of_tasks(stage, observer)
    found |= _of_trust(stage)
    found |= _of_convictions(stage, observer)
    found |= _of_traffic(stage)
    found |= _of_harm(stage, found)
    return {name: found[name] for name in MEASURES if name in found}


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────


def _tasks(stage: Stage) -> Iterator[tuple[Host, TaskRow]]:
    for host in stage.requesters:
        for task in host.node.state.tasks:
            yield host, task


def _of_tasks(stage: Stage, observer: Observer) -> dict[str, float]:
    tasks = list(_tasks(stage))
    accepted = [(host, task) for host, task in tasks if task.state is TaskState.ACCEPTED]
    replicas = [replica for host, task in tasks for replica in host.node.state.replicas.of(task.id)]
    picked = [replica for replica in replicas if replica.state is not ReplicaState.ASSIGNED]
    dishonest = {stage.world.places[peer] for peer in _ever(stage)}
    work = stage.world.work
    found: dict[str, float] = {}
    if tasks:
        found["accepted"] = len(accepted) / len(tasks)
        found["failed"] = sum(task.state is TaskState.FAILED for _, task in tasks) / len(tasks)
        found["messages_per_task"] = work["messages"] / len(tasks)
    if accepted:
        found["wrong_accepts"] = sum(_wrongly_accepted(stage, *each) for each in accepted) / len(accepted)
        found["executions"] = (work["RunEvaluation"] + work["checked_nano"] / 1e9) / len(accepted)
    if picked:
        found["bad_picks"] = sum(_is_bad(stage, replica) for replica in picked) / len(picked)
        found["captured_tasks"] = sum(stage.world.places[r.peer] in dishonest for r in picked) / len(picked)
    if observer.waited:
        found["latency_s"] = median(observer.waited)
        found["latency_p95_s"] = quantile(observer.waited, 0.95)
    return found


def _ever(stage: Stage) -> list[PeerId]:
    """All identities that adversaries have had."""
    numbers = {number for ring in stage.rings for number in ring.numbers}
    return [peer for peer, number in stage.world.places.items() if number in numbers]


def _is_bad(stage: Stage, replica: ReplicaRow) -> bool:
    return replica.state in BAD or _is_false(stage, replica)


def _is_false(stage: Stage, replica: ReplicaRow) -> bool:
    """False in at least ⌈Δn⌉ samples."""
    if replica.outputs is None:
        return False
    work = stage.scenario.workload
    wrong = stage.world.workshop.laboratory[replica.outputs.cid].wrong
    return len(wrong) >= max(1, ceil(work.delta * work.samples - 1e-9))


def _wrongly_accepted(stage: Stage, host: Host, task: TaskRow) -> bool:
    agreeing = [r for r in host.node.state.replicas.of(task.id) if r.state is ReplicaState.AGREES]
    return any(_is_false(stage, replica) for replica in agreeing)


# ── trust ─────────────────────────────────────────────────────────────────────────────────────────


def reputations(stage: Stage) -> tuple[list[float], list[float]]:
    """Of honest peers and of adversaries, as the honest requesters' tables have them now."""
    good: list[float] = []
    bad: list[float] = []
    for mine, theirs in _tables(stage):
        good += mine
        bad += theirs
    return good, bad


def _tables(stage: Stage) -> Iterator[tuple[list[float], list[float]]]:
    dishonest = set(_ever(stage))
    now = stage.world.now
    for host in stage.requesters:
        state, policy = host.node.state, host.policy
        peers = [row.peer for row in state.peers if row.peer != host.id]
        of = {peer: believing.reputation(state, policy, peer, now) for peer in peers}
        yield (
            [value for peer, value in of.items() if peer not in dishonest],
            [value for peer, value in of.items() if peer in dishonest],
        )


def _of_trust(stage: Stage) -> dict[str, float]:
    found: dict[str, float] = {}
    tables = list(_tables(stage))
    good = [value for mine, _ in tables for value in mine]
    bad = [value for _, theirs in tables for value in theirs]
    if good:
        found["honest_reputation"] = fmean(good)
    if bad:
        found["adversary_reputation"] = fmean(bad)
        found["captured"] = sum(bad) / (sum(good) + sum(bad)) if sum(good) + sum(bad) > 0.0 else 0.0
    ranked = [_auc(mine, theirs) for mine, theirs in tables if mine and theirs]
    if ranked:
        found["detection_auc"] = fmean(ranked)
    return found


def _auc(good: list[float], bad: list[float]) -> float:
    """Area under the ROC curve: P(good > bad) + ½ P(good = bad) (Hanley & McNeil 1982)."""
    ordered = sorted(bad)
    wins = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in good)
    return wins / (2.0 * len(good) * len(bad))


# ── convictions, traffic, harm ────────────────────────────────────────────────────────────────────


def _of_convictions(stage: Stage, observer: Observer) -> dict[str, float]:
    dishonest, honest = set(_ever(stage)), {host.id for host in stage.honest}
    found: dict[str, float] = {}
    if dishonest:
        found["caught"] = len(dishonest & set(observer.first_conviction)) / len(dishonest)
    if honest:
        found["false_convictions"] = sum(accused in honest for _, accused in observer.blamed) / len(honest)
    took = [
        observer.first_conviction[peer] - since
        for peer, since in observer.first_lie.items()
        if peer in observer.first_conviction
    ]
    if took:
        found["time_to_catch_s"] = median(took)
    return found


def _of_traffic(stage: Stage) -> dict[str, float]:
    found: dict[str, float] = {}
    if stage.honest:
        found["objects_held"] = float(max(len(host.node.state.objects) for host in stage.honest))
    records = [task.record for _, task in _tasks(stage) if task.record and task.state is TaskState.ACCEPTED]
    members = [host for host in stage.honest if host.up]
    if records and members:
        held = sum(record in host.node.state.objects for host in members for record in records)
        found["records_delivered"] = held / (len(members) * len(records))
    ended = [duty for host in stage.honest for duty in host.node.state.duties if duty.outputs is not None]
    if ended:
        recorded = sum(duty.state.value == "done" for duty in ended)
        found["wasted"] = 1.0 - recorded / len(ended)
    return found


def _of_harm(stage: Stage, found: dict[str, float]) -> dict[str, float]:
    """What the adversaries got for what they paid."""
    if not stage.rings:
        return {}
    tasks = sum(len(host.node.state.tasks) for host in stage.requesters)
    evaluated = sum(d.outputs is not None for host in stage.honest for d in host.node.state.duties)
    wrong = found.get("wrong_accepts", 0.0) * found.get("accepted", 0.0) * tasks
    harm = wrong + found.get("failed", 0.0) * tasks + found.get("wasted", 0.0) * evaluated
    spent = sum(d.outputs is not None for host in stage.dishonest for d in host.node.state.duties)
    told = {
        "identities": sum(ring.cost.get("identities", 0.0) for ring in stage.rings),
        "lies": sum(ring.cost.get("lies", 0.0) for ring in stage.rings),
        "harm": harm,
    }
    return told | ({"cost_per_harm": spent / harm} if harm > 0.0 else {})
