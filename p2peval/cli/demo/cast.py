"""Who plays in the demo: names, homes and configs. Starts nothing."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from p2peval.cli.options import Options

NETWORK = "p2peval-demo-"
"""How the id of every demo network begins: objects signed in one mean nothing in any other network."""

HONEST = ("ada", "bob", "cleo", "dan", "eva", "finn", "gil", "hana", "ines")
LIARS = ("mallory", "trudy", "loki", "iago")


@dataclass(frozen=True, slots=True)
class Player:
    """One peer of the demo; everything of it lies under ``home``."""

    name: str
    home: Path
    lies: bool = False

    @property
    def options(self) -> Options:
        """As if `p2peval --home … --timeout 60s` were typed."""
        return Options(home=self.home, timeout=60.0)


def cast(peers: int, liars: int, folder: Path) -> list[Player]:
    """The honest first: the first is bootstrap peer and publisher, the second asks for evaluations."""
    honest = [Player(name, folder / name) for name in HONEST[: peers - liars]]
    return honest + [Player(name, folder / name, lies=True) for name in LIARS[:liars]]


def new_network() -> str:
    return NETWORK + secrets.token_hex(4)


def config_text(name: str, network: str, bootstrap: tuple[str, ...]) -> str:
    """A config.toml: loopback only, any free port, nothing that an ordinary user could not write."""
    return (
        f"[node]\nname = {json.dumps(name)}\n\n"
        f"[network]\nid = {json.dumps(network)}\n"
        f'listen = ["/ip4/127.0.0.1/tcp/0"]\nbootstrap = {json.dumps(list(bootstrap))}\n'
    )
