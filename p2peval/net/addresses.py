"""Multiaddrs as text, as we take them from people and from peers.

Only TCP is spoken: ``/ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>[/p2p/<peer id>]``. What a person typed and is
wrong raises ConfigError with the offending text; what a peer sent and is wrong is dropped by the caller.
"""

from __future__ import annotations

import errno
import socket

from libp2p.peer.id import ID
from multiaddr import Multiaddr
from multiaddr.exceptions import Error as MultiaddrError

from p2peval.core.types import PeerId
from p2peval.errors import ConfigError, NetworkError

_HOSTS = ("ip4", "ip6", "dns", "dns4", "dns6")
_EXAMPLE = "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…"


def peer_address(text: str) -> tuple[PeerId, str]:
    """Split ``/…/tcp/4001/p2p/12D3KooW…`` into the peer and its transport address. Raises ConfigError."""
    address, peer = _split(text)
    if peer is None:
        raise ConfigError(f"{text!r} does not name its peer", hint=f"append /p2p/<peer id>, as in {_EXAMPLE}")
    return peer, address


def transport_address(text: str) -> str:
    """``/ip4/…/tcp/…`` without any ``/p2p/`` part. Raises ConfigError."""
    return _split(text)[0]


def parse_peer_id(peer: str) -> ID:
    """libp2p's ID of a base58 peer id. Raises ConfigError."""
    try:
        decoded = ID.from_base58(peer)
    except ValueError as error:
        raise ConfigError(f"{peer!r} is no peer id: {error}") from error
    if decoded.to_base58() != peer:
        raise ConfigError(f"{peer!r} is no peer id", hint="it should look like 12D3KooW…")
    return decoded


def check_free(address: str) -> None:
    """Refuse a listening address that another process holds.

    libp2p binds with SO_REUSEPORT, so a second daemon of the same user would be given the same port in
    silence and take half of the first one's connections. Raises NetworkError.
    """
    multiaddr = Multiaddr(address)
    host_protocol, host = next(iter(multiaddr.items()))
    port = int(multiaddr.value_for_protocol("tcp"))
    family = socket.AF_INET6 if host_protocol.name == "ip6" else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NetworkError(f"cannot listen on {address}: {error.strerror or error}", hint=_advice(error)) from error


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "another process holds this port: stop it, or choose another one by network.listen (port 0: any free one)"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address: listen on /ip4/0.0.0.0/tcp/<port> for all that it has"
    if error.errno == errno.EACCES:
        return "ports below 1024 need privileges: take a higher one"
    return "check the listening addresses in the configuration"


def _split(text: str) -> tuple[str, PeerId | None]:
    try:
        parts = [(protocol.name, value) for protocol, value in Multiaddr(text).items()]
    except (MultiaddrError, ValueError, TypeError) as error:
        raise ConfigError(f"{text!r} is no address of a peer", hint=f"write it as in {_EXAMPLE}") from error
    names = tuple(name for name, _ in parts)
    if len(names) < 2 or names[0] not in _HOSTS or names[1:] not in (("tcp",), ("tcp", "p2p")):
        raise ConfigError(f"{text!r} is not a TCP address", hint=f"write it as in {_EXAMPLE}")
    peer = PeerId(str(parts[2][1])) if len(parts) == 3 else None
    if peer is not None:
        parse_peer_id(peer)
    return f"/{names[0]}/{parts[0][1]}/tcp/{parts[1][1]}", peer
