"""``rep``: whom this node believes, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Duration, Noun, Options, pass_options
from p2peval.cli.output import Output
from p2peval.cli.rep_text import bound_text, detail_text, explain_text, reputation_table
from p2peval.daemon.reputation_views import (
    BoundView,
    ExplainView,
    ReputationDetail,
    ReputationExport,
    ReputationView,
)


def _ends(ctx: click.Context, param: click.Parameter, seconds: float | None) -> float | None:
    if seconds == 0:
        raise click.BadParameter(
            "a word for no time says nothing; write 2h or 30d, or take it back: p2peval rep forget"
        )
    return seconds


one_peer = click.argument("peer", metavar="PEER")
how_long = click.option(
    "--for", "seconds", type=Duration(), metavar="TIME", callback=_ends, help="E.g. 2h, 30d; 180d if not given."
)
because = click.option("--note", default="", help="Why; for your own eyes.")


@click.group("rep", cls=Noun)
def rep_command() -> None:
    """Reputation: this node's own estimate of its peers. PEER: an id, its last characters, or a name."""


@rep_command.command("ls")
@click.option("--bench", metavar="BENCH", help="Members of this benchmark, by the evidence from it.")
@pass_options
def ls(options: Options, bench: str | None) -> None:
    """Everybody there is evidence about, best first."""
    out = Output(options)
    query = {"bench": bench} if bench else None
    peers = reach(options).get("/v1/reputation", tuple[ReputationView, ...], query)
    out.answer("rep.ls", peers, lambda: reputation_table(out, peers))


@rep_command.command("show")
@one_peer
@pass_options
def show(options: Options, peer: str) -> None:
    """One peer, in full, with its history."""
    out = Output(options)
    view = reach(options).get(path_to("reputation", peer), ReputationDetail)
    out.answer("rep.show", view, lambda: detail_text(out, view))


@rep_command.command("explain")
@one_peer
@pass_options
def explain(options: Options, peer: str) -> None:
    """What a peer's reputation is made of: parts that add up to it, and what they rest on."""
    out = Output(options)
    view = reach(options).get(path_to("reputation", peer, "explain"), ExplainView)
    out.answer("rep.explain", view, lambda: explain_text(out, view))


@rep_command.command("bound")
@click.argument("peers", metavar="[PEER]...", nargs=-1)
@pass_options
def bound(options: Options, peers: tuple[str, ...]) -> None:
    """The most of all trust that these peers can hold together, were they one Sybil's, however many it makes.

    Without a PEER: everybody whom neither own evidence nor a root vouches for.
    """
    out = Output(options)
    view = reach(options).post("/v1/reputation", BoundView, {"peers": peers})
    out.answer("rep.bound", view, lambda: bound_text(out, view))


@rep_command.command("export")
@click.option("--format", "shape", type=click.Choice(["json", "csv"]), default="json", help="csv: one line a peer.")
@pass_options
def export(options: Options, shape: str) -> None:
    """Everything that this node holds about peers."""
    out = Output(options)
    view = reach(options).get("/v1/trust", ReputationExport)
    out.answer("rep.export", view, lambda: out.envelope("rep.export", view) if shape == "json" else _csv(view))


@rep_command.command("trust")
@one_peer
@how_long
@because
@pass_options
def trust(options: Options, peer: str, seconds: float | None, note: str) -> None:
    """Trust a peer as a root: its audits and its word about others count here from the start."""
    _judge(options, peer, {"trusted": True, "seconds": seconds, "note": note}, "rep.trust")


@rep_command.command("distrust")
@one_peer
@how_long
@because
@pass_options
def distrust(options: Options, peer: str, seconds: float | None, note: str) -> None:
    """Never ask a peer, and believe nothing it says."""
    _judge(options, peer, {"trusted": False, "seconds": seconds, "note": note}, "rep.distrust")


@rep_command.command("forget")
@one_peer
@pass_options
def forget(options: Options, peer: str) -> None:
    """Take back your own word, trust or distrust; evidence stays."""
    _judge(options, peer, {"trusted": None}, "rep.forget")


def _judge(options: Options, peer: str, body: Mapping[str, Any], name: str) -> None:
    out = Output(options)
    view = reach(options).post(path_to("reputation", peer, "judge"), ReputationDetail, body)
    out.answer(name, view, lambda: detail_text(out, view))


def _csv(view: ReputationExport) -> str:
    """One line a peer; what has lines of its own (history, benchmarks, statements) stands in the JSON alone."""
    text = io.StringIO()
    fields = [name for name in ReputationView.__struct_fields__ if name != "flags"]
    more = ["mass", "reach", "credibility"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*fields, "flags", *more])
    for peer in view.peers:
        values = [getattr(peer, name) for name in (*fields, *more)]
        values.insert(len(fields), " ".join(peer.flags))
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue().rstrip("\n")
