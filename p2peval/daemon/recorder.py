"""Writes the node's record (``wire.record``): a file of its owner's alone, one line for each event.

Off unless ``node.record`` names a file. A record must not cost the node anything but time: when its disk refuses, or
a value cannot be written, the record ends there, with a warning, and the node goes on. A later start appends, after
the last whole line.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from msgspec import MsgspecError

from p2peval import __version__
from p2peval.core.effects import Effect
from p2peval.core.events import Event
from p2peval.core.policy import Policy
from p2peval.core.state import Change, Row
from p2peval.core.types import PeerId, Seconds
from p2peval.errors import ConfigError
from p2peval.store.disk import make_private, refusals
from p2peval.wire import record

log = logging.getLogger(__name__)

TAIL = 65_536
"""Bytes that are read at a time, from the end, to find the last whole line."""

_UNWRITABLE = (OverflowError, UnicodeEncodeError)  # an int over 64 bits, text that is no Unicode


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, and all that the node did about it."""

    event: Event
    effects: Sequence[Effect]
    changes: Sequence[Change]


class Recorder:
    """Appends to ``file``; who it records and by what rules stands in every ``Start``."""

    def __init__(self, file: BinaryIO, peer: PeerId, network: str, policy: Policy) -> None:
        self._file = file
        self._peer = peer
        self._network = network
        self._policy = policy
        self._over = False

    def started(self, at: Seconds, rows: Mapping[str, Sequence[Row]]) -> None:
        """The node was made of these rows, by table."""
        count = sum(map(len, rows.values()))
        start = record.Start(record.FORMAT, __version__, self._network, self._peer, self._policy, at, count)
        self._write([start, *(record.held(table, row) for table, held in rows.items() for row in held)])

    def resumed(self, at: Seconds, effects: Sequence[Effect]) -> None:
        self._write([record.resumed(at, effects)])

    def handled(self, at: Seconds, batch: Iterable[Happened]) -> None:
        """What will be committed together."""
        self._write(record.handled(at, each.event, each.effects, each.changes) for each in batch)

    def committed(self) -> None:
        """All of it is."""
        self._write([record.Committed()])

    def _write(self, lines: Iterable[record.Line]) -> None:
        if self._over:
            return
        try:
            self._file.writelines(map(record.encode, lines))
            self._file.flush()
        except (OSError, *_UNWRITABLE) as error:
            self._over = True
            log.warning("the record %s ends here: %s", self._file.name, error)


@contextmanager
def recording(path: Path, peer: PeerId, network: str, policy: Policy) -> Iterator[Recorder]:
    """A recorder that goes on with ``path``, or begins it (mode 0600, in a folder that exists or is made private).

    Raises ConfigError for a file that is something else or another peer's record, StoreError where it cannot be opened.
    """
    make_private(path.parent)
    with refusals("opening", path):
        file = open(path, "r+b", opener=_private)  # noqa: SIM115 - closed below, outside what translates OSError
    try:
        with refusals("reading", path):
            _check_own(file, path, peer)
            file.truncate(_end_of_last_line(file))
            os.fchmod(file.fileno(), 0o600)
        yield Recorder(file, peer, network, policy)
    finally:
        _close(file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _close(file: BinaryIO) -> None:
    """A buffer that could not be written at its time cannot be now: its loss has been told."""
    try:
        file.close()
    except OSError as error:
        log.warning("closing the record %s: %s", file.name, error)


def _check_own(file: BinaryIO, path: Path, peer: PeerId) -> None:
    first = file.readline()
    if not first:
        return
    try:
        start = record.decode(first)
    except MsgspecError:
        start = None
    if not isinstance(start, record.Start):
        raise ConfigError(f"node.record: {path} is no record of a node", hint="name a file that does not exist yet")
    if start.peer != peer:
        raise ConfigError(f"node.record: {path} is the record of {start.peer}", hint="name a file for this node")


def _end_of_last_line(file: BinaryIO) -> int:
    """Where the last whole line ends: a machine that lost power may have left a piece of one."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - TAIL)
        file.seek(begin)
        newline = file.read(end - begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0
