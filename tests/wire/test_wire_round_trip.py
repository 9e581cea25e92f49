"""Whatever is within the bounds arrives as it was sent."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.defaults import NETWORK_ID
from p2peval.wire import bounds
from p2peval.wire import frames as f
from p2peval.wire.codec import decode, decode_frame, domain_of, encode, encode_frame
from p2peval.wire.ids import cid_from_digest, peer_id_of

CIDS = st.binary(min_size=32, max_size=32).map(cid_from_digest)
PEERS = st.binary(min_size=32, max_size=32).map(peer_id_of)
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")), max_size=30)
BY_RULE: dict[int, st.SearchStrategy[str]] = {
    id(bounds.is_cid): CIDS,
    id(bounds.is_peer_id): PEERS,
    id(bounds.plain): TEXT,
    id(bounds.prose): TEXT.map(lambda text: f"{text}\n\t{text}"),
    id(bounds.TOPIC.rule): st.from_regex(bounds.NAME, fullmatch=True),
    id(bounds.TYPE.rule): st.sampled_from(["TaskAnnouncement", "ResultRecord"]),
    id(bounds.MULTIADDR.rule): st.sampled_from(["/ip4/127.0.0.1/tcp/4001", "/dns4/example.org/tcp/1/ws"]),
}


def values(cls: type) -> st.SearchStrategy[Any]:
    table = bounds.BY_FIELD.get(cls, {})
    drawn = {name: _value(hint, table.get(name)) for name, hint in get_type_hints(cls).items()}
    if "network" in drawn:
        drawn["network"] = st.just(NETWORK_ID)
    built = st.builds(cls, **drawn)
    if cls is p.MetricReport:
        return built.map(lambda r: r if r.defined is p.Defined.VALUE else replace(r, value_nano=0))
    return built


def _value(hint: Any, bound: bounds.Bound | None) -> st.SearchStrategy[Any]:
    if isinstance(hint, UnionType):
        return st.one_of([st.none() if arg is NoneType else _value(arg, bound) for arg in get_args(hint)])
    if get_origin(hint) is tuple:
        many = bound if isinstance(bound, bounds.Many) else bounds.Many()
        each = _value(get_args(hint)[0], many.each)
        return st.lists(each, min_size=many.least, max_size=min(many.most, 4)).map(tuple)
    if hint is bool:
        return st.booleans()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and hint.__module__.startswith("p2peval"):
        return values(hint)
    return _scalar(bound or bounds.BY_TYPE[hint])


def _scalar(bound: bounds.Bound) -> st.SearchStrategy[Any]:
    match bound:
        case bounds.Number(least, most):
            return st.integers(least, min(most, 2**32 - 1) if least >= 0 else most)
        case bounds.Bytes(least, most, or_empty):
            some = st.binary(min_size=least, max_size=min(most, least + 200))
            return some | st.just(b"") if or_empty else some
        case bounds.Text(most, least, rule, or_empty):
            known = BY_RULE.get(id(rule), st.from_regex("[a-z0-9]{1,16}", fullmatch=True))
            fitting = known.filter(lambda text: least <= len(text.encode()) <= most)
            return fitting | st.just("") if or_empty else fitting
    raise AssertionError(bound)


@pytest.mark.parametrize("cls", get_args(m.Payload), ids=lambda cls: cls.__name__)
def test_every_payload_arrives_as_it_was_sent(cls: type) -> None:
    @settings(max_examples=40, deadline=None)
    @given(values(cls))
    def arrives(payload: m.Payload) -> None:
        assert decode(domain_of(payload), encode(payload)) == payload

    arrives()


@pytest.mark.parametrize("cls", get_args(f.Frame), ids=lambda cls: cls.__name__)
def test_every_frame_arrives_as_it_was_sent(cls: type) -> None:
    @settings(max_examples=40, deadline=None)
    @given(values(cls))
    def arrives(frame: f.Frame) -> None:
        assert decode_frame(cls, encode_frame(frame)) == frame

    arrives()
