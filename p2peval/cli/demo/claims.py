"""Whether what the demo showed is true. Pure: reads what the daemons answered and what onnxruntime alone says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from p2peval.cli.contract import ClaimView, DemoView
from p2peval.cli.demo.models import AUDITED, BY_RECORD, SAMPLES
from p2peval.daemon.reasons import basis
from p2peval.daemon.views import BoardLine, TaskView


def check(view: DemoView, right: Mapping[str, int], codes: Mapping[str, int]) -> tuple[ClaimView, ...]:
    """``right``: digits that each model gets right, by its name; ``codes``: how the daemons ended."""
    return (
        *_accuracies(view, right),
        *_certificates(view),
        *_liars(view),
        _nobody_else_blamed(view),
        _same_elsewhere(view),
        _reports(view),
        _claim("exit codes of the daemons", ", ".join(sorted({str(code) for code in codes.values()})), "0"),
    )


def _claim(name: str, found: object, expected: object) -> ClaimView:
    return ClaimView(name=name, value=str(found), limit=str(expected), held=found == expected)


def _accuracies(view: DemoView, right: Mapping[str, int]) -> Iterator[ClaimView]:
    """To the last sample: the board's figure is the fraction itself, rounded to 1e-9 at most."""
    values = {line.model_name: _accuracy(line) for line in view.board.lines if line.rank is not None}
    for model, count in sorted(right.items()):
        value = values.get(model)
        found = "no figure" if value is None else f"{value:.9f}, {value * SAMPLES:.4g} right"
        yield ClaimView(
            name=f"accuracy of {model}",
            value=found,
            limit=f"{count / SAMPLES:.9f}, {count} right, by plain onnxruntime",
            held=value is not None and abs(value - count / SAMPLES) < 1e-9,
        )


def _certificates(view: DemoView) -> Iterator[ClaimView]:
    evaluators = {task.model_name: len(task.replicas) for task in view.tasks}
    certified = {task.model_name: task.certify for task in view.tasks}
    for line in view.board.lines:
        c = line.certificate
        found = f"{c.audited} of {c.samples}, {basis(c)}, audit {c.attempts}" if c else "none"
        asked = f"{AUDITED[evaluators[line.model_name] - 1]} of {SAMPLES}, certified, audit 1"
        if not certified[line.model_name] and c and c.streak is not None and c.streak < len(BY_RECORD):
            asked = f"{BY_RECORD[c.streak]} of {SAMPLES}, by record, k={c.streak}, audit 1"
        yield _claim(f"certificate of {line.model_name}", found, asked)


def _liars(view: DemoView) -> Iterator[ClaimView]:
    reputations = {seen.peer: seen for seen in view.reputation}
    first, *later = view.tasks
    for liar in (peer for peer in view.peers if peer.lies):
        yield _claim(f"{liar.name} at its first audit", _state(first, liar.peer), "differs")
        seen = reputations.get(liar.peer)
        differed = seen.resolved - round((seen.agreed or 0.0) * seen.resolved) if seen else 0
        yield ClaimView(
            name=f"reputation of {liar.name}",
            value=f"{seen.reputation:.3f}, differed {differed}" if seen else "none",
            limit="below 0.5, differed at least 1",
            held=seen is not None and seen.reputation < 0.5 and differed >= 1,
        )
        used = sum(_state(task, liar.peer) != "not asked" for task in later)
        yield _claim(f"{liar.name} asked after that", f"{used} times", "0 times")


def _nobody_else_blamed(view: DemoView) -> ClaimView:
    liars = {peer.peer for peer in view.peers if peer.lies}
    blamed = [seen.name for seen in view.reputation if seen.peer not in liars and seen.agreed != 1.0]
    return _claim("honest peers blamed", ", ".join(blamed) or "nobody", "nobody")


def _same_elsewhere(view: DemoView) -> ClaimView:
    """The other member ranks nothing by these records, but shows the very same figures as claims."""
    here = sorted(map(_said, view.board.lines))
    there = sorted(_said(line) for line in view.claimed.lines if line.standing == "claimed" and line.rank is None)
    found = f"{sum(said in here for said in there)} of {len(view.claimed.lines)}"
    return _claim("same lines on another member's board, as claims", found, f"{len(here)} of {len(view.tasks)}")


def _reports(view: DemoView) -> ClaimView:
    whole = sum(_records(Path(task.report)) == task.record for task in view.tasks)
    return _claim("reports that hold their task's signed record", whole, len(view.tasks))


def _records(report: Path) -> str:
    return str(json.loads(report.read_text(encoding="utf-8"))["record"]) if report.is_file() else ""


def _state(task: TaskView, peer: str) -> str:
    return next((replica.state for replica in task.replicas if replica.evaluator.peer == peer), "not asked")


def _accuracy(line: BoardLine) -> float | None:
    return next((metric.value for metric in line.metrics if metric.name == "accuracy"), None)


def _said(line: BoardLine) -> tuple[str, ...]:
    c = line.certificate
    return (
        line.record,
        line.model,
        line.model_name,
        str(line.metrics),
        str(c and (c.epsilon, c.delta, c.audited, c.attempts, c.basis)),
    )
