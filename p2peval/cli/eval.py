"""``eval``: have a model evaluated, and look at what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Noun, Options, pass_options
from p2peval.cli.output import InterruptedByUserError, Output, number
from p2peval.cli.progress import answer_lines, follow
from p2peval.cli.verify import export, verify
from p2peval.daemon.reasons import BY_RECORD, CERTIFIED, basis
from p2peval.daemon.report_views import RescoreView
from p2peval.daemon.story import audit, figure, percent
from p2peval.daemon.views import (
    CertificateView,
    EfficiencyView,
    IntervalView,
    MetricView,
    PreviewView,
    ReplicaView,
    TaskView,
)
from p2peval.errors import NotFoundError, P2pevalError, VerificationError

model_file = click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.onnx")
probability = click.FloatRange(0, 1, min_open=True, max_open=True)


class TaskFailedError(P2pevalError):
    """No evaluator could be found, or nobody answered."""

    code = "task_failed"


@click.group("eval", cls=Noun)
def eval_command() -> None:
    """Evaluations. BENCH is a topic name or an id; TASK an id or the start of one."""


eval_command.add_command(verify)
eval_command.add_command(export)


@eval_command.command("preview")
@click.argument("bench", metavar="BENCH")
@model_file
@pass_options
def preview(options: Options, bench: str, model: Path) -> None:
    """Run it here; announce nothing."""
    out = Output(options)
    body = {"model": _existing(model)}
    view = reach(options).post(path_to("benchmarks", bench, "preview"), PreviewView, body)
    took, most = view.efficiency.wall_ms, view.efficiency.peak_memory_mb
    out.say(
        f"{view.benchmark_name}: {view.samples} samples in {took} ms, {most} MiB at most; {_speed(view.efficiency)}"
    )
    out.answer("eval.preview", view, lambda: _metrics(out, view.metrics))


@eval_command.command("run")
@click.argument("bench", metavar="BENCH")
@model_file
@click.option("--epsilon", type=probability, help="Chance that a lie escapes, instead of the benchmark's.")
@click.option("--delta", type=probability, help="Share of outputs a lie must alter to count.")
@click.option("--certify", is_flag=True, help="Audit as much as a certificate takes, whoever evaluates.")
@click.option("--replicas", type=click.IntRange(1), help="Evaluators to ask, instead of the benchmark's.")
@click.option("--name", default="", help="What the board calls the model; the file's name if not given.")
@click.option("--detach", is_flag=True, help="Return as soon as the task is announced.")
@pass_options
def run(
    options: Options,
    bench: str,
    model: Path,
    epsilon: float | None,
    delta: float | None,
    certify: bool,
    replicas: int | None,
    name: str,
    detach: bool,
) -> None:
    """Have peers evaluate a model, audit them, and print the result."""
    out, client = Output(options), reach(options)
    body = {
        "benchmark": bench,
        "model": _existing(model),
        "name": name,
        "epsilon": epsilon,
        "delta": delta,
        "replicas": replicas,
        "certify": certify,
    }
    out.tell("trying    a few samples on this machine; nobody has been asked yet")
    try:
        task = client.post("/v1/tasks", TaskView, body)
    except KeyboardInterrupt:
        raise InterruptedByUserError(
            "stopped before the task was announced: the daemon drops it", hint="p2peval eval ls"
        ) from None
    if detach:
        out.answer("eval.run", task, lambda: task.id)
        out.say(f"next: p2peval eval show {task.id}")
        return
    try:
        task = follow(client, out, task)
    except KeyboardInterrupt:
        hint = f"to end it: p2peval eval cancel {task.id}"
        raise InterruptedByUserError(f"stopped following; task {task.id} goes on", hint=hint) from None
    _require_success(task, certify)
    out.answer("eval.run", task, lambda: "\n".join(answer_lines(task)))
    agreed = sum(replica.state == "agrees" for replica in task.replicas)
    if agreed < task.wanted:
        out.say(f"note: {agreed} of {task.wanted} evaluators stand behind it; {task.offers} had offered")


@eval_command.command("ls")
@pass_options
def ls(options: Options) -> None:
    """This node's own tasks, newest first."""
    out = Output(options)
    tasks = reach(options).get("/v1/tasks", tuple[TaskView, ...])
    rows = [
        [
            out.id(task.id),
            task.benchmark_name,
            task.model_name or out.id(task.model),
            task.state,
            f"{task.metrics[0].name} {figure(task.metrics[0])}" if task.metrics else task.reason or "-",
            out.ago(task.created),
        ]
        for task in tasks
    ]
    headings = ["TASK", "BENCH", "MODEL", "STATE", "RESULT", "AGE"]
    out.answer("eval.ls", tasks, lambda: out.table(headings, rows, "no tasks yet; p2peval eval run BENCH MODEL.onnx"))


@eval_command.command("show")
@click.argument("task", metavar="TASK")
@pass_options
def show(options: Options, task: str) -> None:
    """One task, in full."""
    out = Output(options)
    view = reach(options).get(path_to("tasks", task), TaskView)
    out.answer("eval.show", view, lambda: _in_full(out, view))


@eval_command.command("rescore")
@click.argument("task", metavar="TASK")
@click.option("--metric", "metrics", multiple=True, help="A metric to compute; may be given again.")
@pass_options
def rescore(options: Options, task: str, metrics: tuple[str, ...]) -> None:
    """Metrics of an accepted task's saved outputs; the model is not run."""
    out = Output(options)
    view = reach(options).post(path_to("tasks", task, "rescore"), RescoreView, {"metrics": metrics})
    out.answer("eval.rescore", view, lambda: _metrics(out, view.metrics))


@eval_command.command("probe")
@click.argument("task", metavar="TASK")
@click.option("--detach", is_flag=True, help="Return as soon as the task is announced.")
@pass_options
def probe(options: Options, task: str, detach: bool) -> None:
    """Ask for an accepted task again, its model disguised, and compare every output with those that are known."""
    out, client = Output(options), reach(options)
    asked = client.post(path_to("tasks", task, "probe"), TaskView)
    if detach:
        out.answer("eval.probe", asked, lambda: asked.id)
        out.say(f"next: p2peval eval show {asked.id}")
        return
    try:
        asked = follow(client, out, asked)
    except KeyboardInterrupt:
        hint = f"to end it: p2peval eval cancel {asked.id}"
        raise InterruptedByUserError(f"stopped following; task {asked.id} goes on", hint=hint) from None
    _require_success(asked, certify=False)
    out.answer("eval.probe", asked, lambda: "\n".join(answer_lines(asked)))


@eval_command.command("cancel")
@click.argument("task", metavar="TASK")
@pass_options
def cancel(options: Options, task: str) -> None:
    """Give a task up; evaluators are not blamed."""
    view = reach(options).post(path_to("tasks", task, "cancel"), TaskView)
    Output(options).answer("eval.cancel", view, lambda: f"{view.state}  {view.id}")


def _existing(model: Path) -> str:
    """The absolute path, which is what the daemon needs. Raises NotFoundError."""
    if not model.is_file():
        what = f"{model} is not a file" if model.exists() else f"no such file: {model}"
        raise NotFoundError(what, hint="give the path of an ONNX file")
    return str(model.absolute())


def _require_success(task: TaskView, certify: bool) -> None:
    hint = f"p2peval eval show {task.id}"
    if task.state != "accepted":
        lied = any(replica.state == "differs" for replica in task.replicas)
        error = VerificationError if lied else TaskFailedError
        raise error(f"task {task.id} {task.state}: {task.reason or 'no reason given'}", hint=hint)
    bare = [
        f"{metric.name} {metric.group}".rstrip()
        for metric in task.metrics
        if metric.audit is None and not (metric.group and metric.value is None)
    ]
    if certify and not task.metrics:
        raise VerificationError(f"task {task.id} was accepted, but not scored: its labels are held back", hint=hint)
    if certify and task.certificate is None:
        raise VerificationError(
            f"task {task.id} was accepted, but not certified: nothing was re-run",
            hint=f'{hint}; of the rules in [reputation], only checking = "audit" certifies',
        )
    if certify and task.certificate and (task.certificate.basis != CERTIFIED or bare):
        raise VerificationError(
            f"task {task.id} was accepted, but not certified: {', '.join(bare) or 'too little was audited'}", hint=hint
        )


def _in_full(out: Output, task: TaskView) -> str:
    pairs = [
        ("task", task.id),
        ("benchmark", f"{task.benchmark}  {task.benchmark_name}"),
        ("model", f"{task.model}  {task.model_name}"),
        ("requester", f"{task.requester.peer}  {task.requester.name}".rstrip()),
        ("state", f"{task.state}  {task.reason}".rstrip()),
        ("checked", task.standing),
        ("record", task.record),
        ("report", task.report),
    ]
    if task.certificate:
        pairs += _audit(task, task.certificate)
    rows = [
        [
            out.peer(r.evaluator.peer, r.evaluator.name, r.evaluator.me),
            str(r.attempt),
            r.state,
            _checked(task, r),
            str(len(r.differing)),
            r.equivalence_class or "-",
            r.reason or "-",
        ]
        for r in task.replicas
    ]
    parts = [out.fields(pairs)]
    if rows:
        parts.append(out.table(["EVALUATOR", "ATTEMPT", "STATE", "AUDITED", "DIFFER", "CLASS", "REASON"], rows))
    asked = [(r, auditor) for r in task.replicas for auditor in r.auditors]
    if asked:
        told = [[out.peer(a.peer, a.name, a.me), "objects" if a in r.objectors else "agrees"] for r, a in asked]
        parts.append(out.table(["BLIND AUDITOR", "SAYS"], told))
    if task.metrics:
        parts.append(_metrics(out, task.metrics))
    told = [[out.peer(r.evaluator.peer, r.evaluator.name, r.evaluator.me), *_told(r.efficiency)] for r in task.replicas]
    if any(replica.efficiency for replica in task.replicas):
        parts.append(out.table(["SELF-REPORTED BY", "SPEED", "TOOK", "MEMORY", "SANDBOX"], told))
    return "\n\n".join(parts)


def _audit(task: TaskView, c: CertificateView) -> list[tuple[str, str]]:
    claim = f"a lie on more than {percent(c.delta)} of the outputs would have been caught with probability ≥ "
    pairs = [("audit", f"{c.audited} of {c.samples} samples, {basis(c)}: {claim}{percent(1 - c.epsilon)}")]
    if c.basis == BY_RECORD and task.requester.me:
        bound = f"at most {percent(task.epsilon)} of what liars evaluate for this node is accepted so, in the long run"
        pairs.append(("", f"the record of who evaluated does the rest: {bound}"))
        pairs.append(("", "for a number that stands by its own audit, whoever evaluated: p2peval eval run … --certify"))
    return pairs


def _checked(task: TaskView, replica: ReplicaView) -> str:
    """E.g. "newcomer: 244 of 1797"."""
    if not (replica.drawn or replica.because):
        return "-"
    counted = f"{replica.audited or replica.drawn} of {task.samples}"
    return f"{replica.because}: {counted}" if replica.because else counted


def _told(said: EfficiencyView | None) -> list[str]:
    if said is None:
        return ["-"] * 4
    return [_speed(said), f"{said.wall_ms} ms", f"{said.peak_memory_mb} MiB", " ".join(said.layers) or "none"]


def _speed(said: EfficiencyView) -> str:
    """Whole batches, then one sample at a time."""
    if said.samples_per_s is None:
        return "not measured"
    text = f"{said.samples_per_s:,.0f} samples/s"
    if said.latency_p50_ms is not None and said.latency_p99_ms is not None:
        text += f", one takes {said.latency_p50_ms:.3g} ms (p99 {said.latency_p99_ms:.3g})"
    return text


def _metrics(out: Output, metrics: tuple[MetricView, ...]) -> str:
    """Columns that would be empty in every row are left out: groups and perturbations, near-ties."""
    parts, ties = (any(column) for column in zip(*((m.group, m.ambiguity) for m in metrics), strict=True))
    headings = ["METRIC", *["OF"] * parts, "VALUE", "AUDIT", *["NEAR-TIES"] * ties, "SAMPLING (95 %)"]
    rows = [
        [
            metric.name,
            *[metric.group or "all"] * parts,
            figure(metric),
            audit(metric),
            *[_between(metric.ambiguity)] * ties,
            _between(metric.sampling),
        ]
        for metric in metrics
    ]
    return out.table(headings, rows)


def _between(interval: IntervalView | None) -> str:
    return f"{number(interval.low, 4)}–{number(interval.high, 4)}" if interval else "-"
