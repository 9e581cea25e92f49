"""Plays a daemon's record into a fresh node and holds what it does against what the daemon's node did (the twin test).

The same key and the same events, one after the other, must give the same effects and the same changes of the state:
what a simulation shows is then what the daemon does (architecture, The seam). Nothing is performed. A record that
begins in a home with a past, or goes on after a restart, brings the rows that were loaded; these must be what the
events before them have left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from msgspec import MsgspecError

from p2peval.core.effects import Effect
from p2peval.core.node import Node
from p2peval.core.state import LAZY, TABLES, Change, Row, State
from p2peval.core.types import PeerId, Seconds
from p2peval.errors import NotFoundError, P2pevalError, RemoteProtocolError, StoreError, UsageError, VerificationError
from p2peval.wire import record
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.record import Committed, Did, Handled, Held, Line, Resumed, Start
from p2peval.wire.secrets import NodeSecrets, choices_from


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event about which the two nodes did not do the same; ``line``: of the file, from 1.

    ``event``: its kind, or "resume". ``error``: what the played node said instead, or "".
    """

    line: int
    at: Seconds
    event: str
    recorded: Did
    played: Did
    error: str = ""

    @property
    def what(self) -> str:
        """What differs: "error", "effects" (their kinds), "values" (of effects of the same kinds) or "state"."""
        if self.error:
            return "error"
        if self.recorded.kinds != self.played.kinds:
            return "effects"
        return "values" if self.recorded.effects != self.played.effects else "state"


@dataclass(frozen=True, slots=True)
class Gap:
    """A start (``line``) at which rows of ``tables`` are not what the events before it have left.

    A machine that loses power may lose the end of a record; a store that forgets would leave one, too.
    """

    line: int
    at: Seconds
    tables: tuple[str, ...]


@dataclass(slots=True)
class Replayed:
    """``version``: of the p2peval that made the last start. ``events``, ``effects``: how many of each kind were equal.

    ``torn``: the last line is a piece of one, and was left out. ``state``: the played node's, at the end.
    """

    peer: PeerId
    version: str = ""
    starts: int = 0
    events: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    torn: bool = False
    gaps: list[Gap] = field(default_factory=list)
    difference: Difference | None = None
    state: State = field(default_factory=State)

    @property
    def same(self) -> bool:
        """Every event had the same outcome, and every start the state that the events before it had left."""
        return not self.gaps and self.difference is None


def replay(path: Path, seed: bytes) -> Replayed:
    """Play the record in ``path`` with the node's own key (its 32-byte ``seed``), up to the first difference.

    Raises NotFoundError, UsageError for another node's key or another format, VerificationError for a damaged line.
    """
    player = _Player(path, seed)
    for number, text in _lines(path):
        if not text.endswith(b"\n"):
            player.found.torn = True
            break
        player.play(number, text)
        if player.found.difference is not None:
            break
    if not player.found.starts:
        raise VerificationError(f"{path} has no start of a node", hint="it is empty, or the daemon's disk was full")
    return player.found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from enumerate(file, 1)
    except FileNotFoundError:
        raise NotFoundError(f"no record at {path}", hint="p2peval daemon --record FILE writes one") from None
    except OSError as error:
        raise StoreError(f"reading {path}: {error.strerror or error}", hint=f"check {path.parent}") from error


class _Disk:
    """What the daemon's tables must hold: rows in the order of their first insertion, lazy columns blank."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Row]] = {name: {} for name in TABLES}

    def commit(self, changes: Iterable[Change]) -> None:
        for table, key, row in changes:
            if row is None:
                self._tables[table].pop(key, None)
            else:
                self._tables[table][key] = _blanked(table, row)

    def rows(self) -> dict[str, list[Row]]:
        return {name: list(rows.values()) for name, rows in self._tables.items()}


def _blanked(table: str, row: Any) -> Row:
    lazy = LAZY.get(table)
    blank: Row = replace(row, **dict.fromkeys(lazy, b"")) if lazy else row
    return blank


class _Player:
    """One node at a time, made anew at each ``Start`` as soon as its rows are there."""

    def __init__(self, path: Path, seed: bytes) -> None:
        self._path = path
        self._seed = seed
        self._sealer = EnvelopeSealer(seed)
        self._start: tuple[int, Start] | None = None
        self._awaited = 0
        self._loaded = _Disk()
        self._disk = _Disk()
        self._pending: list[Change] = []
        self._node: Node | None = None
        self.found = Replayed(self._sealer.peer_id)

    def play(self, number: int, text: bytes) -> None:
        with self._damage(number):
            self._play(number, record.decode(text))

    def _play(self, number: int, line: Line) -> None:
        match line:
            case Start():
                self._begin(number, line)
            case Held() if self._awaited:
                row = record.row_of(line)
                self._loaded.commit([Change(line.table, row.key, row)])
                self._awaited -= 1
            case Resumed() if self._node is not None:
                self._compare(number, "resume", line, lambda node: (node.resume(line.at), ()))
            case Handled() if self._node is not None:
                event = record.event_of(line, self._sealer)
                self._compare(number, line.kind, line, lambda node: (node.handle(event, line.at), node.state.drain()))
            case Committed() if self._node is not None:
                self._disk.commit(self._pending)
                self._pending.clear()
            case _:
                raise LookupError("out of its place")
        if self._start is not None and not self._awaited:
            self._make(*self._start)

    def _begin(self, number: int, start: Start) -> None:
        if start.format != record.FORMAT:
            message = f"{self._path}, line {number}: format {start.format}, this p2peval reads {record.FORMAT}"
            raise UsageError(message, hint=f"replay it with p2peval {start.version}")
        if start.peer != self.found.peer:
            message = f"{self._path} is the record of {start.peer}, the key is {self.found.peer}'s"
            raise UsageError(message, hint="--key HOME names that node's home")
        self._start, self._awaited, self._loaded, self._node = (number, start), start.rows, _Disk(), None
        self._sealer = EnvelopeSealer(self._seed, start.network)

    def _make(self, number: int, start: Start) -> None:
        """The first start is believed; a later one must find what was left, with the last transaction or without."""
        found, given = self.found, self._loaded.rows()
        unlike = self._unlike(given)
        if unlike and self._pending:
            self._disk.commit(self._pending)
            unlike = self._unlike(given)
        if unlike and found.starts:
            found.gaps.append(Gap(number, start.at, unlike))
        self._pending.clear()
        found.starts += 1
        found.version, found.state = start.version, State()
        found.state.load(given)
        secrets = NodeSecrets(self._seed)
        self._node = Node(
            state=found.state,
            sealer=self._sealer,
            secrets=secrets,
            rng=choices_from(secrets, start.at),
            network=start.network,
            policy=start.policy,
        )
        self._disk, self._start = self._loaded, None

    def _unlike(self, given: dict[str, list[Row]]) -> tuple[str, ...]:
        """Tables in which these rows, or their order, are not those on the disk."""
        left = self._disk.rows()
        return tuple(name for name in TABLES if given[name] != left[name])

    def _compare(
        self,
        number: int,
        event: str,
        line: Resumed | Handled,
        act: Callable[[Node], tuple[Sequence[Effect], Sequence[Change]]],
    ) -> None:
        assert self._node is not None
        try:
            effects, changes = act(self._node)
            played = record.did(effects, changes)
        except (P2pevalError, LookupError, ValueError, ArithmeticError) as error:  # it raised nothing in the daemon
            nothing = record.did((), ())
            self.found.difference = Difference(number, line.at, event, line.did, nothing, repr(error))
            return
        self._pending += changes
        if played != line.did:
            self.found.difference = Difference(number, line.at, event, line.did, played)
            return
        self.found.events[event] += 1
        self.found.effects.update(played.kinds)

    @contextmanager
    def _damage(self, number: int) -> Iterator[None]:
        try:
            yield
        except (MsgspecError, LookupError, RecursionError, RemoteProtocolError) as error:
            message = f"{self._path}, line {number}: not what a node has recorded: {error}"
            raise VerificationError(message, hint="it was altered, or is no record") from error
