"""``eval verify`` and ``eval export``: check a number oneself, and take it elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output, clean, show_error
from p2peval.daemon.report_views import FAILED, OK, OPEN, BundleView, ExportView, VerifyView
from p2peval.daemon.story import audit, figure
from p2peval.errors import UsageError, VerificationError

anything = click.Path(path_type=Path, exists=True)
a_file = click.Path(path_type=Path, exists=True, dir_okay=False)

COLOURS = {OK: "green", FAILED: "red", OPEN: "yellow"}


@click.command("verify", cls=Command, short_help="Check a report here, without a daemon.")
@click.argument("report", type=click.Path(path_type=Path), metavar="REPORT")
@click.option("--model", type=a_file, metavar="FILE", help="The model, to re-run samples of it.")
@click.option("--outputs", type=a_file, metavar="FILE", help="What the evaluator's run of it said.")
@click.option(
    "--data", "places", type=anything, multiple=True, metavar="FILE|DIR", help="Where any of the files may be."
)
@click.option("--samples", type=click.IntRange(1), help="Samples to re-run, instead of the certificate's count.")
@pass_options
def verify(
    options: Options,
    report: Path,
    model: Path | None,
    outputs: Path | None,
    places: tuple[Path, ...],
    samples: int | None,
) -> int:
    """Check a report (a file, a bundle's folder, or a credential) without a daemon, a home or a network.

    Signatures need nothing but the file. Metrics are computed anew where outputs and labels are among --data; where
    the model and the inputs are, too, samples drawn here and now are run again. Files are known by their content:
    a node's blobs folder will do. A check that failed ends in exit code 5.
    """
    from p2peval.daemon.offline import verify_report

    out = Output(options)
    named = {name: path for name, path in (("model", model), ("outputs", outputs)) if path is not None}
    view = verify_report(report, named=named, places=places, samples=samples)
    out.answer("eval.verify", view, lambda: _told(out, view))
    failed = [check.name for check in view.checks if check.state == FAILED]
    still = [check.name for check in view.checks if check.state == OPEN]
    if failed:
        if not options.json:  # there the one answer says it
            message = f"{view.file} does not hold: {', '.join(failed)}"
            show_error(VerificationError(message), as_json=False)
        return VerificationError.exit_code
    out.say(f"nothing failed; not checked: {', '.join(still)}" if still else "everything holds")
    return 0


@click.command("export", cls=Command, short_help="A result in the formats of others.")
@click.argument("source", metavar="TASK|REPORT.json")
@click.option("--to", "to", required=True, type=click.Choice(["report", "bundle", "eee", "hf", "vc", "csv"]))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE|DIR", help="Write there, not to stdout.")
@click.option("--hub-dataset", default="", metavar="ORG/NAME", help="hf: an .eval_results entry on this benchmark.")
@click.option("--hub-task", default="default", metavar="ID", help="hf: the benchmark's task it is the result of.")
@pass_options
def export(options: Options, source: str, to: str, out: Path | None, hub_dataset: str, hub_task: str) -> None:
    """A result as Every Eval Ever JSON, for the Hugging Face Hub, as a Verifiable Credential, or as CSV.

    A REPORT.json needs no daemon; a TASK of this node's, or one that it was told of, does. "bundle" writes the report
    with model, data and outputs into --out DIR, for eval verify; "report" the report alone. A credential is signed
    with this home's key.
    """
    from p2peval.daemon.offline import export_report

    printed = Output(options)
    if to == "bundle":
        return _bundle(options, printed, source, out)
    view = export_report(
        Path(source) if Path(source).is_file() else _told_by_daemon(options, source),
        to,
        out=out,
        key=options.paths.key,
        hub_dataset=hub_dataset,
        hub_task=hub_task,
    )
    printed.answer("eval.export", view, lambda: view.file or view.text.rstrip("\r\n"))


def _bundle(options: Options, printed: Output, source: str, out: Path | None) -> None:
    if out is None:
        raise UsageError("a bundle is a folder", hint="--out DIR")
    body = {"directory": str(out.absolute())}
    made = reach(options).post(path_to("tasks", source, "bundle"), BundleView, body)
    view = ExportView(format="bundle", record=made.record, file=made.directory, text="", missing=made.missing)
    printed.answer("eval.export", view, lambda: made.directory)
    for missing in made.missing:
        printed.say(f"note: without {missing}")
    printed.say(f"next: p2peval eval verify {shlex.quote(made.directory)}")


def _told_by_daemon(options: Options, task: str) -> bytes:
    import msgspec

    return msgspec.json.encode(reach(options).get(path_to("tasks", task, "report"), dict[str, Any]))


def _told(out: Output, view: VerifyView) -> str:
    """One line for each check, then what was signed."""
    checks = [(clean(check.name), check.state, clean(check.detail)) for check in view.checks]
    if out.options.plain:
        return "\n".join("\t".join((state, name, detail)) for name, state, detail in checks)
    wide = max(len(name) for name, _, _ in checks)
    lines = [
        f"{click.style(f'{state:<11}', fg=COLOURS[state])}  {name:<{wide}}  {detail}" for name, state, detail in checks
    ]
    if view.metrics and view.verified:
        lines += ["", clean(f"{view.model_name or view.model} on {view.benchmark_name}")]
        for metric in view.metrics:
            of = f" of {clean(metric.group)}" if metric.group else ""
            lines.append(f"  {clean(metric.name)}{of} {figure(metric)}   audit {audit(metric)}")
    return "\n".join(lines)
