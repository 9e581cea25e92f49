"""Names on the network: topics, protocol ids, DHT keys. All derived, so that nobody hands them out.

A topic binds a benchmark's name to its author: two authors of one name have two topics, and versions
of one benchmark share theirs. protocol.md, Names; the same in proto/README.md for other languages.
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from typing import Final

from p2peval.core.types import BenchmarkId, Cid, PeerId
from p2peval.defaults import NETWORK_ID
from p2peval.errors import ConfigError
from p2peval.wire.bounds import NAME
from p2peval.wire.ids import digest_of
from p2peval.wire.varint import joined

TASK_PROTOCOL: Final = "/p2peval/task/1"
SYNC_PROTOCOL: Final = "/p2peval/sync/1"
BLOB_PROTOCOL: Final = "/p2peval/blob/1"

_SHA2_256 = bytes.fromhex("1220")  # multihash prefix: DHT keys are what other libp2p's expect


def check_name(name: str) -> str:
    """``name`` itself, or ConfigError: topic names are ``[a-z0-9-]{2,40}``."""
    if NAME.fullmatch(name) is None:
        raise ConfigError(f"{name!r} is no topic name", hint="use 2 to 40 of a-z, 0-9 and '-', such as plant-leaves-2")
    return name


def directory_topic(network: str = NETWORK_ID) -> str:
    """Where benchmarks announce themselves."""
    return f"/p2peval/{network}/directory"


def benchmark_topic(author: PeerId, name: str, network: str = NETWORK_ID) -> str:
    """The gossip topic of a benchmark: H(network ‖ author ‖ name) in base32."""
    digest = sha256(joined(b"p2peval/topic/v1", network.encode(), author.encode(), name.encode())).digest()
    return f"/p2peval/{network}/benchmark/{b32encode(digest).decode().rstrip('=').lower()}"


def members_key(benchmark: BenchmarkId, network: str = NETWORK_ID) -> bytes:
    """DHT key (a sha2-256 multihash, 34 bytes) that the members of a benchmark provide."""
    return _SHA2_256 + sha256(joined(b"p2peval/members/v1", network.encode(), benchmark.encode())).digest()


def blob_key(cid: Cid) -> bytes:
    """DHT key (34 bytes) that holders of a blob provide: the CID's own multihash."""
    return _SHA2_256 + digest_of(cid)
