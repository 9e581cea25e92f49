"""``peers``: who is connected, and who is known."""

from __future__ import annotations

import click

from p2peval.cli.client import path_to, reach
from p2peval.cli.options import Noun, Options, pass_options
from p2peval.cli.output import Output, number
from p2peval.daemon.reputation_views import ReputationDetail
from p2peval.daemon.views import PeerView


@click.group("peers", cls=Noun)
def peers_command() -> None:
    """Who is connected, and who is known."""


@peers_command.command("ls")
@pass_options
def ls(options: Options) -> None:
    """Connected peers first, then those known by their profiles."""
    out = Output(options)
    peers = reach(options).get("/v1/peers", tuple[PeerView, ...])
    rows = [
        [
            out.peer(peer.peer),
            peer.pet_name or peer.name or "-",
            ("in" if peer.inbound else "out") if peer.connected else "-",
            "-" if peer.rtt_ms is None else f"{peer.rtt_ms:.1f} ms",
            "newcomer" if peer.reputation is None else number(peer.reputation, 3),
            ",".join(peer.benchmarks) or "-",
            out.ago(peer.last_seen),
        ]
        for peer in sorted(peers, key=lambda peer: (not peer.connected, peer.peer))
    ]
    headings = ["PEER", "NAME", "CONNECTED", "RTT", "REPUTATION", "BENCHMARKS", "LAST"]
    empty = "no peers yet; p2peval peers connect MULTIADDR, or join by an invitation"
    out.answer("peers.ls", peers, lambda: out.table(headings, rows, empty))


@peers_command.command("connect")
@click.argument("address", metavar="MULTIADDR")
@pass_options
def connect(options: Options, address: str) -> None:
    """Dial a multiaddr that ends in /p2p/PEER-ID."""
    out = Output(options)
    peer = reach(options).post("/v1/peers", PeerView, {"address": address})
    out.answer("peers.connect", peer, lambda: f"connected to {out.peer(peer.peer, peer.name)}")


@peers_command.command("name")
@click.argument("peer", metavar="PEER")
@click.argument("name", metavar="NAME")
@pass_options
def name(options: Options, peer: str, name: str) -> None:
    """Call a peer NAME from now on, on this node alone; "" forgets it."""
    out = Output(options)
    view = reach(options).post(path_to("peers", peer, "name"), ReputationDetail, {"name": name})
    out.answer("peers.name", view, lambda: f"{view.peer} is {view.pet_name or 'without a pet name'} here")
