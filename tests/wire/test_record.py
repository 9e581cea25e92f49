"""Every event survives its line, and a digest sees every change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from p2peval.core.effects import Notify, SetTimer
from p2peval.core.events import Event, MessageReceived, PeerUp
from p2peval.core.rows import CounterRow
from p2peval.core.state import TABLES, Change
from p2peval.errors import RemoteProtocolError
from p2peval.wire import record
from p2peval.wire.record import Handled, Held
from tests.wire.wire_examples import ME, OTHER, SEALED_TASK, SEALER

KINDS = [kind for kind in get_args(Event) if kind is not MessageReceived]
PLAIN: dict[Any, tuple[Any, ...]] = {
    str: ("é \N{SNOWMAN}\n", ""),
    int: (2**53 + 1, 0),
    float: (1_800_000_000.1, 0.0),
    bool: (True, False),
    bytes: (bytes(range(256)), b""),
}


def values(hint: Any) -> tuple[Any, ...]:
    """Some values of this type, extremes among them."""
    hint = getattr(hint, "__supertype__", hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if get_origin(hint) in (UnionType, Union):
        return tuple(value for each in get_args(hint) for value in ((None,) if each is type(None) else values(each)))
    if get_origin(hint) is tuple:
        parts = [values(each) for each in get_args(hint) if each is not Ellipsis]
        whole = tuple(part[0] for part in parts)
        return (whole * 2, ()) if Ellipsis in get_args(hint) else (whole,)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(hint)
    assert is_dataclass(hint), hint
    return tuple(examples(hint))


def examples(kind: Any) -> Iterator[Any]:
    """One of each value of each field."""
    hints = get_type_hints(kind)
    first = kind(**{field.name: values(hints[field.name])[0] for field in fields(kind)})
    yield first
    for field in fields(kind):
        for value in values(hints[field.name])[1:]:
            yield replace(first, **{field.name: value})


def read_back(event: Event) -> Event:
    line = record.decode(record.encode(record.handled(1.5, event, (), ())))
    assert isinstance(line, Handled)
    return record.event_of(line, SEALER)


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_comes_back_as_it_was(kind: type) -> None:
    made = list(examples(kind))
    assert [read_back(event) for event in made] == made


def test_a_message_comes_back_with_its_object_opened_again() -> None:
    event = MessageReceived(SEALED_TASK, OTHER, "reply-1")
    assert read_back(event) == event
    forged = replace(event, sealed=replace(SEALED_TASK, envelope=SEALED_TASK.envelope[:-1] + b"?"))
    with pytest.raises(RemoteProtocolError, match="signature"):
        read_back(forged)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_comes_back_as_it_was(table: str) -> None:
    for row in examples(TABLES[table]):
        line = record.decode(record.encode(record.held(table, row)))
        assert isinstance(line, Held)
        assert record.row_of(line) == row


def test_a_line_is_one_line() -> None:
    line = record.encode(record.handled(1.5, PeerUp(ME), (Notify("a\nb", ME),), ()))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_digests_see_order_kind_and_value() -> None:
    timer, notice = SetTimer("sync/", 1.0, 0), Notify("peer.up", ME)
    one, two = (Change("counters", key, CounterRow(key, 1)) for key in ("a", "b"))
    said = [
        record.did(effects, changes)
        for effects, changes in (
            ((), ()),
            ((timer,), ()),
            ((replace(timer, at=1.5),), ()),
            ((timer, notice), ()),
            ((notice, timer), ()),
            ((), (one,)),
            ((), (one, two)),
            ((), (two, one)),
            ((), (Change("counters", "a", None),)),
            ((), (Change("wanted", "a", None),)),
            ((), (Change("counters", "a", CounterRow("a", 2)),)),
        )
    ]
    assert len(set(said)) == len(said)
    assert record.did((timer, notice), (one,)) == record.did((timer, notice), (one,))


@pytest.mark.parametrize("text", [b"{}\n", b"[]\n", b"no\n", b'{"type":"end"}\n', b'{"type":"resumed","at":1}\n'])
def test_what_is_no_line_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        record.decode(text)
