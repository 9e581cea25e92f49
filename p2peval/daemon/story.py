"""A task told in lines, from its view alone: the same words on a terminal, in JSON and in a report.

    task      bafy…q3  announced to 6 peers in digits
    offers    4   assigned 2 (…Kq9f reputation 0.87, …t1aZ newcomer)
    committed 2/2   revealed 2/2
    audited   97/1797 samples of ann …Kq9f, 0 differ   (30 accepted in a row)
    accepted  accuracy 0.9417   audit ±0.020 (87 %, by record, k=30)   sampling 0.930–0.952 (95 %)   me

Decides nothing. Lines that are ``done`` keep their place while a task goes on, and their words too,
except that an "offers" line may yet name an evaluator who took a silent one's place.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import zip_longest

from msgspec.structs import replace

from p2peval.daemon.reasons import basis
from p2peval.daemon.views import MetricView, PeerName, ReplicaView, StoryLine, TaskView

COMMITTED = frozenset({"committed", "revealed", "fetched", "agrees", "differs", "doubtful", "withheld", "late"})
REVEALED = frozenset({"revealed", "fetched", "agrees", "differs", "doubtful"})
JUDGED = frozenset({"agrees", "differs", "doubtful"})
LOST = frozenset({"silent", "declined", "withheld", "late"})
OVER = frozenset({"accepted", "failed", "cancelled"})


def with_story(task: TaskView) -> TaskView:
    """The same view with ``story`` filled in."""
    return replace(task, story=tell(task))


def tell(task: TaskView) -> tuple[StoryLine, ...]:
    over = task.state in OVER
    lines = [_announced(task)]
    attempts = sorted({replica.attempt for replica in task.replicas})
    for attempt in attempts:
        replicas = [replica for replica in task.replicas if replica.attempt == attempt]
        past = over or attempt < task.attempt
        lines += _attempt(task, replicas, past)
    if not over and task.attempt not in attempts:
        waiting = "" if task.offers else f"   {_lacking(task)}"
        lines.append(StoryLine(step="offers", text=f"{task.offers}{waiting}", done=False))
    lines += _end(task)
    return tuple(lines)


def short(identifier: str) -> str:
    """The end of a peer id, which is what tells them apart."""
    return f"…{identifier[-4:]}"


def short_id(identifier: str) -> str:
    """A CID by its two ends."""
    return identifier if len(identifier) <= 12 else f"{identifier[:4]}…{identifier[-4:]}"


def called(peer: PeerName) -> str:
    """A claimed name never stands without the id."""
    return "me" if peer.me else f"{peer.name} {short(peer.peer)}" if peer.name else short(peer.peer)


def _announced(task: TaskView) -> StoryLine:
    peers = f"{task.announced_to} peer{'' if task.announced_to == 1 else 's'}"
    text = f"{short_id(task.id)}  announced to {peers} in {task.benchmark_name}"
    return StoryLine(step="task", text=text, done=True)


def _lacking(task: TaskView) -> str:
    if task.busy_until is None:
        return f"waiting for a member of {task.benchmark_name} who is online and free"
    return f"everybody is busy until {datetime.fromtimestamp(task.busy_until, UTC):%H:%M:%S} UTC"


def _attempt(task: TaskView, replicas: list[ReplicaView], past: bool) -> list[StoryLine]:
    who = ", ".join(f"{called(r.evaluator)} {_standing(r)}" for r in replicas)
    attempt = replicas[0].attempt
    prefix = f"{task.offers}" if attempt == 1 else f"attempt {attempt}"
    lines = [StoryLine(step="offers", text=f"{prefix}   assigned {len(replicas)} ({who})", done=True)]
    committed = sum(r.state in COMMITTED for r in replicas)
    revealed = sum(r.state in REVEALED for r in replicas)
    waiting = any(r.state in ("assigned", "committed") for r in replicas)
    text = f"{committed}/{len(replicas)}   revealed {revealed}/{len(replicas)}"
    lost = [f"{called(r.evaluator)} {r.state}" for r in replicas if r.state in LOST]
    if lost:
        text += f"   ({', '.join(lost)})"
    lines.append(StoryLine(step="committed", text=text, done=past or not waiting))
    if not waiting or past:
        lines += [_audited(task, r, past) for r in replicas if r.state in REVEALED]
    return lines


def _standing(replica: ReplicaView) -> str:
    if replica.evaluator.me:
        return "alone"
    return "newcomer" if replica.reputation is None else f"reputation {replica.reputation:.2f}"


def _audited(task: TaskView, replica: ReplicaView, past: bool) -> StoryLine:
    if replica.undetected is not None:
        return _consulted(replica, past)
    counted = replica.audited or replica.drawn
    text = f"{counted}/{task.samples} samples of {called(replica.evaluator)}"
    if replica.state in JUDGED:
        text += f", {len(replica.differing)} differ"
        if replica.state != "agrees":
            text += ": not counted" + (f" ({replica.reason})" if replica.reason else "")
    if replica.because:
        text += f"   ({replica.because})"
    return StoryLine(step="audited", text=text, done=past or replica.state in JUDGED)


def _consulted(replica: ReplicaView, past: bool) -> StoryLine:
    """By others, where this node cannot compute."""
    judged = replica.state in JUDGED
    text = f"by {len(replica.auditors)} blind auditors, {replica.drawn} samples of {called(replica.evaluator)}"
    if replica.objectors:
        text += f", objections by {', '.join(called(peer) for peer in replica.objectors)}"
    if judged and replica.state != "agrees":
        text += f": not counted ({replica.reason})"
    elif judged:
        text += f"; a lie escapes them once in {1 / max(replica.undetected or 0.0, 1e-9):.0f}"
    return StoryLine(step="audited", text=text, done=past or judged)


def _end(task: TaskView) -> list[StoryLine]:
    if task.state == "accepted":
        whole = [metric for metric in task.metrics if not metric.group]
        lines = [
            StoryLine(step="accepted" if place == 0 else "", text=text, done=True)
            for place, text in enumerate(_metrics(task, whole))
        ]
        if not whole:
            text = f"not scored yet: the labels are the author's until it reveals them   {task.standing}"
            lines.append(StoryLine(step="accepted", text=text, done=True))
        parts = [metric for metric in task.metrics if metric.group and metric.name == whole[0].name]
        if parts:
            text = ", ".join(f"{metric.group} {figure(metric)}" for metric in parts)
            lines.append(StoryLine(step="parts", text=f"{whole[0].name} of {text}", done=True))
        if task.report:
            lines.append(StoryLine(step="report", text=task.report, done=True))
        return lines
    if task.state in OVER:
        return [StoryLine(step=task.state, text=task.reason or "no reason given", done=True)]
    return []


def _metrics(task: TaskView, metrics: list[MetricView]) -> list[str]:
    """One line each, the parts of all in columns; whose word it is stands on the first."""
    rows = [_metric(task, metric) for metric in metrics]
    for row in rows[:1]:
        row.append(task.standing)
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    return ["   ".join(f"{part:<{wide}}" for part, wide in zip(row, widths, strict=False)).rstrip() for row in rows]


def _metric(task: TaskView, metric: MetricView) -> list[str]:
    bounds = "audit " + audit(metric)
    if metric.audit and task.certificate:
        bounds += f" ({percent(1 - task.certificate.epsilon)}, {basis(task.certificate)})"
    parts = [f"{metric.name} {figure(metric)}", bounds]
    if metric.sampling:
        parts.append(f"sampling {metric.sampling.low:.3f}–{metric.sampling.high:.3f} (95 %)")
    if metric.ambiguity:
        parts.append(f"near-ties {metric.ambiguity.low:.4f}–{metric.ambiguity.high:.4f}")
    return parts


def figure(metric: MetricView) -> str:
    return metric.status.replace("_", " ") if metric.value is None else f"{metric.value:.4f}"


def audit(metric: MetricView) -> str:
    """±0.010 where the interval is centred on the value, else low–high; "none" without a certificate."""
    if metric.audit is None or metric.value is None:
        return "none"
    below, above = metric.value - metric.audit.low, metric.audit.high - metric.value
    if abs(below - above) < 5e-4:
        return f"±{max(below, above):.3f}"
    return f"{metric.audit.low:.3f}–{metric.audit.high:.3f}"


def percent(share: float, digits: int = 4) -> str:
    """``digits``: significant ones; as many more as it takes for a share that falls short not to read as 100 %."""
    hundredths = 100 * share
    text = f"{hundredths:.{digits}g}"
    while "e+" in text or (hundredths < 100 and float(text) >= 100):
        digits += 1
        text = f"{hundredths:.{digits}g}"
    return f"{text} %"
