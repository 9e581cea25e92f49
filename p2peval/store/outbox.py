"""Effects that must happen although the process may die: rows beside the state, in its transactions.

An effect enters with the change that caused it and leaves when it is done; what is in between after a
crash is performed again, in order. Knows how an effect is written, not what it does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from p2peval.core.effects import EXTERNAL, Effect

_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {kind.__name__: msgspec.msgpack.Decoder(kind) for kind in EXTERNAL}

_ADD = """INSERT INTO outbox (id, kind, body) VALUES (?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, body = excluded.body"""


def add(connection: sqlite3.Connection, effects: Iterable[tuple[str, Effect]]) -> None:
    """Queue ``(id, effect)``; an id that is pending keeps its place and takes the newer wording."""
    rows = [(id_, type(effect).__name__, msgspec.msgpack.encode(effect)) for id_, effect in effects]
    for _, kind, _ in rows:
        if kind not in _DECODERS:
            raise TypeError(f"{kind} is not an external effect")
    connection.executemany(_ADD, rows)


def done(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Forget what was performed; an unknown id is no error (it was performed twice)."""
    connection.executemany("DELETE FROM outbox WHERE id = ?", [(id_,) for id_ in ids])


def pending(connection: sqlite3.Connection) -> list[tuple[str, Effect]]:
    """All that is not done, oldest first. Raises MsgspecError or LookupError for a body that is no effect."""
    rows = connection.execute("SELECT id, kind, body FROM outbox ORDER BY seq")
    return [(id_, _DECODERS[kind].decode(body)) for id_, kind, body in rows]
