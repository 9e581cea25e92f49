"""A node's record: what happened to it, one event a line, and digests of what it did about it (the seam, rule 2).

Each start of the node begins a part of the file: a ``Start``, the rows that were loaded (none in a new home), a
``Resumed``, then every event in the order in which it was handled. Those of one transaction stand here before it is
committed and a ``Committed`` after: a process that is killed in between leaves the next start to tell which it was.
A line is JSON. Of effects and of the state's change a digest stands here, not the values: an audit's nonce is no one's
to read before its time. Who has the node's key can play the events again and reckon the same digests (``sim.replay``).
Knows no file: the daemon writes, the lab reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, get_args

import msgspec

from p2peval.core.effects import Effect
from p2peval.core.events import Event, MessageReceived
from p2peval.core.policy import Policy
from p2peval.core.ports import Sealer
from p2peval.core.state import TABLES, Change, Row
from p2peval.core.types import PeerId, Seconds

FORMAT = 1
"""Raised when a line's meaning changes."""

DIGEST_BYTES = 16
"""Of SHA-256: nobody gains from two equal ones, they are there to be compared."""


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The node was made at ``at`` from ``rows`` rows, which follow; ``at`` names the seed of its choices."""

    format: int
    version: str
    network: str
    peer: PeerId
    policy: Policy
    at: Seconds
    rows: int


class Held(msgspec.Struct, frozen=True, tag="row"):
    """One row that the node began with, in the order of the table; lazy columns are blank."""

    table: str
    row: msgspec.Raw


class Did(msgspec.Struct, frozen=True):
    """What a node did: the kinds of its effects, in order, and digests of those and of the state's change."""

    kinds: tuple[str, ...]
    effects: str
    changes: str


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    """``Node.resume`` was called."""

    at: Seconds
    did: Did


class Handled(msgspec.Struct, frozen=True, tag="event"):
    """``Node.handle`` was called with the event ``body`` of ``kind``."""

    at: Seconds
    kind: str
    body: msgspec.Raw
    did: Did


class Committed(msgspec.Struct, frozen=True, tag="committed"):
    """What all events since the last ``Committed``, or the start, have changed is durable."""


Line = Start | Held | Resumed | Handled | Committed


@dataclass(frozen=True, slots=True)
class _Message:
    """MessageReceived as it travels: its object is opened again by who reads."""

    envelope: bytes
    via: PeerId
    reply_id: str


_KINDS: dict[str, type] = {kind.__name__: _Message if kind is MessageReceived else kind for kind in get_args(Event)}
_EVENTS: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(kind) for name, kind in _KINDS.items()}
_ROWS: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(kind) for name, kind in TABLES.items()}
_LINES: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def held(table: str, row: Row) -> Held:
    return Held(table, msgspec.Raw(msgspec.json.encode(row)))


def row_of(line: Held) -> Row:
    """Raises MsgspecError or LookupError for what is no row."""
    row: Row = _ROWS[line.table].decode(line.row)
    return row


def resumed(at: Seconds, effects: Sequence[Effect]) -> Resumed:
    return Resumed(at, did(effects, ()))


def handled(at: Seconds, event: Event, effects: Sequence[Effect], changes: Iterable[Change]) -> Handled:
    body: Any = event
    if isinstance(event, MessageReceived):
        body = _Message(event.sealed.envelope, event.via, event.reply_id)
    return Handled(at, type(event).__name__, msgspec.Raw(msgspec.json.encode(body)), did(effects, changes))


def event_of(line: Handled, sealer: Sealer) -> Event:
    """Raises MsgspecError or LookupError for what is no event, RemoteProtocolError for what no peer of ours signed."""
    event: Any = _EVENTS[line.kind].decode(line.body)
    if isinstance(event, _Message):
        return MessageReceived(sealer.open(event.envelope), event.via, event.reply_id)
    checked: Event = event
    return checked


def did(effects: Sequence[Effect], changes: Iterable[Change]) -> Did:
    kinds = tuple(type(effect).__name__ for effect in effects)
    changed = (((change.table, change.key), change.row) for change in changes)
    return Did(kinds, _digest(zip(kinds, effects, strict=True)), _digest(changed))


def encode(line: Line) -> bytes:
    """The line, with its end."""
    return msgspec.json.encode(line) + b"\n"


def decode(text: bytes) -> Line:
    """Raises MsgspecError for what is no line of a record."""
    return _LINES.decode(text)


def _digest(named: Iterable[tuple[Any, Any]]) -> str:
    hashed = sha256()
    for name, value in named:
        hashed.update(msgspec.msgpack.encode((name, value)))
    return hashed.hexdigest()[: 2 * DIGEST_BYTES]
