"""``rep``: what this node has seen of its peers."""

from __future__ import annotations

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Noun, Options, pass_options
from p2peval.cli.output import Output
from p2peval.daemon.views import ReputationView


@click.group("rep", cls=Noun)
def rep_command() -> None:
    """Reputation: this node's own estimate of its peers."""


@rep_command.command("ls")
@click.option("--bench", metavar="BENCH", help="Only members of this benchmark.")
@pass_options
def ls(options: Options, bench: str | None) -> None:
    """Everybody there is evidence about, best first."""
    out = Output(options)
    query = {"bench": bench} if bench else None
    peers = reach(options).get("/v1/reputation", tuple[ReputationView, ...], query)
    out.answer("rep.ls", peers, lambda: reputation_table(out, peers))


@rep_command.command("show")
@click.argument("peer", metavar="PEER")
@pass_options
def show(options: Options, peer: str) -> None:
    """One peer, in full."""
    out = Output(options)
    view = reach(options).get(path_to("reputation", peer), ReputationView)
    pairs = [
        ("peer", view.peer),
        ("name", view.name),
        ("reputation", f"{view.reputation:.3f}  ({view.low:.3f}–{view.high:.3f}, 95 %)"),
        ("re-run", f"{view.resolved} results, {_agreed(view)} agreed"),
        ("silent", f"{view.silent} times"),
        ("withheld", f"{view.withheld} times"),
        ("last seen", out.ago(view.last_seen)),
        ("flags", ", ".join(view.flags)),
    ]
    out.answer("rep.show", view, lambda: out.fields(pairs))


def reputation_table(out: Output, peers: tuple[ReputationView, ...]) -> str:
    rows = [
        [
            out.peer(view.peer, view.name),
            f"{view.reputation:.3f}",
            f"{view.low:.2f}–{view.high:.2f}",
            str(view.resolved),
            _agreed(view),
            out.ago(view.last_seen),
            ",".join(view.flags) or "-",
        ]
        for view in peers
    ]
    headings = ["PEER", "REPUTATION", "95 % CI", "RESOLVED", "AGREE", "LAST", "FLAGS"]
    return out.table(headings, rows, "no evidence about anybody yet")


def _agreed(view: ReputationView) -> str:
    return "-" if view.agreed is None else f"{100 * view.agreed:.1f} %"
