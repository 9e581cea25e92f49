"""``board``: a benchmark's results as this node sees them."""

from __future__ import annotations

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output
from p2peval.daemon.reasons import basis
from p2peval.daemon.story import audit, figure, percent
from p2peval.daemon.views import BoardLine, BoardView, CertificateView, MetricView


@click.command("board", cls=Command, short_help="Results: checked here and ranked; then claims.")
@click.argument("bench", metavar="BENCH")
@click.option("--trust-root", metavar="PEER", help="As it would stand, were this peer's audits trusted from the start.")
@pass_options
def board_command(options: Options, bench: str, trust_root: str | None) -> None:
    """What this node checked itself, ranked; the word of others stands below and has no rank.

    AUDIT: how far a lie on at most delta of the outputs could have moved the number, and how probably the re-run
    samples would have shown a larger one. RE-RUN: of how many samples, and whether that certifies the number whoever
    evaluated, or rests on the record of who did (k results accepted in a row before). "trusted 2 (4.1 % miss)": audited
    by two peers whom this node trusts; so probably a lie escaped them both.
    """
    out = Output(options)
    query = {"trust_root": trust_root} if trust_root else None
    board = reach(options).get(path_to("benchmarks", bench, "board"), BoardView, query)
    out.answer("board", board, lambda: board_table(out, board))


def board_table(out: Output, board: BoardView) -> str:
    headings = ["RANK", "MODEL", board.primary.upper(), "AUDIT", "SAMPLING (95 %)", "RE-RUN", "CHECKED", "EVALUATORS"]
    rows = [_row(out, board.primary, line) for line in board.lines]
    return out.table(headings, rows, f"no results in {board.name} yet; p2peval eval run {board.name} MODEL.onnx")


def _row(out: Output, primary: str, line: BoardLine) -> list[str]:
    metric = next((metric for metric in line.metrics if metric.name == primary and not metric.group), None)
    sampling = metric.sampling if metric else None
    return [
        "-" if line.rank is None else str(line.rank),
        f"{line.model_name or 'model'} {out.id(line.model)}",
        figure(metric) if metric else "-",
        _audit(metric, line.certificate) if metric else "-",
        f"{sampling.low:.3f}–{sampling.high:.3f}" if sampling else "-",
        f"{line.certificate.audited}/{line.certificate.samples} {basis(line.certificate)}" if line.certificate else "-",
        _standing(line),
        ", ".join(out.peer(e.peer, e.name, e.me) for e in line.evaluators) or "-",
    ]


def _audit(metric: MetricView, certificate: CertificateView | None) -> str:
    """With how sure it is: 30 samples re-run in the background say far less than a requester's audit."""
    if metric.audit is None or certificate is None:
        return audit(metric)
    return f"{audit(metric)} ({percent(1 - certificate.epsilon)})"


def _standing(line: BoardLine) -> str:
    if line.undetected is None:
        return line.standing
    return f"{line.standing} {len(line.auditors)} ({percent(line.undetected, digits=2)} miss)"
