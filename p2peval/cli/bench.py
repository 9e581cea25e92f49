"""``bench``: make a benchmark, publish it, find it, join it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Noun, Options, pass_options
from p2peval.cli.output import Output, size
from p2peval.daemon.views import BenchmarkView, ConditionView, InviteView, NameClaimView, TensorView
from p2peval.errors import UsageError

folder = click.Path(path_type=Path, file_okay=False)


@click.group("bench", cls=Noun)
def bench_command() -> None:
    """Benchmarks: a dataset, metrics and rules. BENCH is a topic name, an id or the start of one."""


@bench_command.command("init")
@click.argument("directory", type=folder, metavar="DIR")
@pass_options
def init(options: Options, directory: Path) -> None:
    """Write a commented benchmark.toml to fill in. Needs no daemon."""
    from p2peval.cli.contract import DraftView
    from p2peval.daemon.offline import draft_benchmark

    out = Output(options)
    file = draft_benchmark(directory)
    out.answer("bench.init", DraftView(file=str(file)), lambda: str(file))
    out.say(f"next: fill it in, then p2peval bench validate {shlex.quote(str(directory))}")


@bench_command.command("validate")
@click.argument("directory", type=folder, metavar="DIR")
@pass_options
def validate(options: Options, directory: Path) -> None:
    """Say what is wrong, sample by sample. Needs no daemon."""
    from p2peval.daemon.offline import validate_benchmark

    out = Output(options)
    view = validate_benchmark(directory)
    pairs = [
        ("name", f"{view.name}, version {view.version}"),
        ("task", view.task),
        ("samples", f"{view.samples} of {_shape(view.shape)} {view.dtype}"),
        ("per class", ", ".join(map(str, view.per_class))),
        ("groups", ", ".join(f"{name} {count}" for name, count in zip(view.group_names, view.per_group, strict=True))),
        ("perturbed", _conditions(view.conditions)),
        ("metrics", ", ".join(view.metrics)),
    ]
    out.answer("bench.validate", view, lambda: out.fields(pairs))
    out.say(f"fine; next: p2peval bench publish {shlex.quote(str(directory))}")


@bench_command.command("publish", short_help="Sign and announce it; this node serves its data.")
@click.argument("directory", type=folder, metavar="DIR")
@pass_options
def publish(options: Options, directory: Path) -> None:
    """Sign the benchmark and announce it; this node joins it and serves its data."""
    out = Output(options)
    body = {"directory": str(directory.absolute())}
    view = reach(options).post("/v1/benchmarks", BenchmarkView, body)
    out.answer("bench.publish", view, lambda: f"published {view.name}  {view.id}")
    # an older version of the name may be joined here too: the id says which is meant
    out.say(f"next: p2peval bench invite {view.name if view.version == 1 else view.id}")


@bench_command.command("ls")
@pass_options
def ls(options: Options) -> None:
    """Every benchmark that was announced to this node."""
    out = Output(options)
    claims = reach(options).get("/v1/benchmarks", tuple[NameClaimView, ...])
    rows = [
        [
            claim.name,
            out.id(claim.benchmark),
            out.peer(claim.author.peer, claim.author.name, claim.author.me),
            "newcomer" if claim.author_reputation is None else f"{claim.author_reputation:.3f}",
            _role(claim.joined, claim.evaluates, claim.requests),
            str(claim.members),
            claim.title or "-",
        ]
        for claim in claims
    ]
    headings = ["NAME", "ID", "AUTHOR", "REPUTATION", "JOINED", "MEMBERS", "TITLE"]
    out.answer("bench.ls", claims, lambda: out.table(headings, rows, "no benchmarks heard of yet"))


@bench_command.command("show")
@click.argument("bench", metavar="BENCH")
@click.option("--croissant", is_flag=True, help="Its data as Croissant JSON-LD, for dataset search.")
@pass_options
def show(options: Options, bench: str, croissant: bool) -> None:
    """One benchmark, in full."""
    out = Output(options)
    if croissant:
        document = reach(options).get(path_to("benchmarks", bench, "croissant"), dict[str, Any])
        click.echo(json.dumps(document, indent=2))
        return
    view = reach(options).get(path_to("benchmarks", bench), BenchmarkView)
    pairs = [
        ("name", f"{view.name}, version {view.version}"),
        ("id", view.id),
        ("title", view.title),
        ("description", view.description),
        ("author", f"{view.author.peer}  {view.author.name}".rstrip()),
        ("license", view.license),
        ("replaces", view.parent),
        ("task", view.task),
        ("samples", str(view.samples)),
        ("groups", ", ".join(view.group_names)),
        ("perturbed", _conditions(view.conditions)),
        ("metrics", ", ".join(view.metrics)),
        ("model takes", _tensor(view.model_input)),
        ("model gives", _tensor(view.model_output)),
        ("tolerance", f"atol {view.atol:g}, rtol {view.rtol:g}"),
        ("limits", f"{view.seconds} s, {view.memory_mb} MiB, models to {view.model_mb} MiB"),
        ("audit", f"{view.audited} of {view.samples} samples (ε {view.epsilon:g}, δ {view.delta:g})"),
        ("evaluators", f"{view.replicas} for each task"),
        ("recipe", view.profile),
        ("inputs", f"{view.inputs.cid}  {size(view.inputs.size)}"),
        ("labels", f"{view.labels.cid}  {size(view.labels.size)}" if view.labels else "committed, not published"),
        ("groups data", f"{view.groups.cid}  {size(view.groups.size)}" if view.groups else ""),
        ("joined", _role(view.joined, view.evaluates, view.requests)),
        ("members", ", ".join(out.peer(m.peer, m.name, m.me) for m in view.members)),
    ]
    out.answer("bench.show", view, lambda: out.fields(pairs))


@bench_command.command("invite")
@click.argument("bench", metavar="BENCH")
@pass_options
def invite(options: Options, bench: str) -> None:
    """One string that others give to `bench join`."""
    view = reach(options).get(path_to("benchmarks", bench, "invite"), InviteView)
    Output(options).answer("bench.invite", view, lambda: view.invite)


@bench_command.command("join")
@click.argument("ref", metavar="INVITATION-OR-BENCH")
@click.option("--no-evaluate", is_flag=True, help="Run no models of others.")
@click.option("--no-request", is_flag=True, help="Ask for no evaluations.")
@pass_options
def join(options: Options, ref: str, no_evaluate: bool, no_request: bool) -> None:
    """Become a member: evaluate for others, and have models evaluated."""
    if not ref.strip():
        raise UsageError("what to join is empty", hint="p2peval bench ls, or ask a member for an invitation")
    out = Output(options)
    body = {
        "ref": ref.strip(),
        "evaluates": not no_evaluate,
        "requests": not no_request,
        "timeout": options.timeout,
    }
    view = reach(options).post("/v1/join", BenchmarkView, body)
    role = _role(view.joined, view.evaluates, view.requests)
    out.answer("bench.join", view, lambda: f"joined {view.name}  {out.id(view.id)}  as {role}")


@bench_command.command("reveal")
@click.argument("bench", metavar="BENCH")
@pass_options
def reveal(options: Options, bench: str) -> None:
    """Publish the labels that its author held back; everybody scores its results then."""
    out = Output(options)
    view = reach(options).post(path_to("benchmarks", bench, "reveal"), BenchmarkView)
    out.answer("bench.reveal", view, lambda: f"revealed the labels of {view.name}  {out.id(view.id)}")


@bench_command.command("leave")
@click.argument("bench", metavar="BENCH")
@pass_options
def leave(options: Options, bench: str) -> None:
    """Stop being a member; what was found stays on the board."""
    out = Output(options)
    view = reach(options).post(path_to("benchmarks", bench, "leave"), BenchmarkView)
    out.answer("bench.leave", view, lambda: f"left {view.name}  {out.id(view.id)}")


def _role(joined: bool, evaluates: bool, requests: bool) -> str:
    if not joined:
        return "-"
    roles = ["evaluator"] * evaluates + ["requester"] * requests
    return "+".join(roles) or "observer"


def _conditions(conditions: tuple[ConditionView, ...]) -> str:
    return ", ".join(f"{each.name} ({each.kind}, level {each.level:g}, seed {each.seed})" for each in conditions)


def _tensor(tensor: TensorView) -> str:
    return f"{tensor.name}  {_shape(('N', *tensor.shape))}  {tensor.dtype}"


def _shape(sides: tuple[str | int, ...] | tuple[int, ...]) -> str:
    return "×".join(map(str, sides)) or "1"
