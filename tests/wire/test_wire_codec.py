"""What the codec refuses, from others and from ourselves."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from wire_examples import BENCHMARK, ME, RECORD, SEALER, SPEC, TASK, TASK_ID

from p2peval.core import checking as c
from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.core import types as t
from p2peval.defaults import MAX_OBJECT_BYTES, NETWORK_ID
from p2peval.errors import LocalProtocolError, RemoteProtocolError
from p2peval.wire import bounds, p2peval_pb2
from p2peval.wire import frames as f
from p2peval.wire.codec import DOMAINS, decode, decode_frame, domain_of, encode, encode_frame

# ── bytes that are no canonical message ───────────────────────────────────────────────────────────

TASK_DOMAIN = "p2peval/TaskAnnouncement/v1"
TASK_BYTES = encode(TASK)


def refused(data: bytes, reason: str, domain: str = TASK_DOMAIN, network: str = NETWORK_ID) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(domain, data, network)
    assert caught.value.reason == reason, caught.value


def message() -> Any:
    return p2peval_pb2.TaskAnnouncement.FromString(TASK_BYTES)


def test_unknown_field_is_refused() -> None:
    refused(TASK_BYTES + bytes.fromhex("a00601"), "not_canonical")


def test_unknown_field_inside_a_part_is_refused() -> None:
    part = message().model.SerializeToString()
    longer = part + bytes.fromhex("a00601")
    assert TASK_BYTES.count(bytes([len(part)]) + part) == 1
    refused(TASK_BYTES.replace(bytes([len(part)]) + part, bytes([len(longer)]) + longer), "not_canonical")


def test_fields_out_of_order_are_refused() -> None:
    network = b"\x0a\x09" + NETWORK_ID.encode()
    assert TASK_BYTES.startswith(network)
    refused(TASK_BYTES.removeprefix(network) + network, "not_canonical")


def test_field_given_twice_is_refused() -> None:
    refused(b"\x0a\x09" + NETWORK_ID.encode() + TASK_BYTES, "not_canonical")


def test_varint_longer_than_needed_is_refused() -> None:
    assert TASK_BYTES.count(b"\x40\x01") == 1  # replicas = 1
    refused(TASK_BYTES.replace(b"\x40\x01", b"\x40\x81\x00"), "not_canonical")


def test_spelled_out_default_is_refused() -> None:
    data = encode(replace(TASK, created_ms=0))
    assert data.endswith(b"\x50" + data.split(b"\x50")[-1])
    before, deadline = data[: data.rindex(b"\x50")], data[data.rindex(b"\x50") :]
    refused(before + b"\x48\x00" + deadline, "not_canonical")


def test_unpacked_repeated_numbers_are_refused() -> None:
    spec = encode(SPEC)
    packed = bytes.fromhex("1a0140")  # Tensor.shape = [64]
    assert spec.count(packed) == 1
    at = spec.index(packed)
    unpacked = spec[:at] + bytes.fromhex("1840") + spec[at + 3 :]
    start = spec.rindex(b"\x72", 0, at)  # model_input
    shorter = unpacked[: start + 1] + bytes([unpacked[start + 1] - 1]) + unpacked[start + 2 :]
    refused(shorter, "not_canonical", domain_of(SPEC))


def test_cut_message_is_refused() -> None:
    refused(TASK_BYTES[:-1], "protobuf")


def test_invalid_utf8_is_refused() -> None:
    refused(TASK_BYTES.replace(b"forest", b"f\xffrest"), "protobuf")


def test_oversize_payload_is_refused_before_it_is_parsed() -> None:
    refused(b"\xff" * (MAX_OBJECT_BYTES + 1), "size")


def test_unknown_domain_is_refused() -> None:
    refused(TASK_BYTES, "domain", "p2peval/TaskAnnouncement/v2")


@pytest.mark.parametrize("domain", [domain for domain in DOMAINS if domain != TASK_DOMAIN])
def test_payload_under_another_types_domain_is_refused(domain: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(domain, TASK_BYTES)


def test_payload_of_another_network_is_refused() -> None:
    refused(TASK_BYTES, "network", network="p2peval-2")
    refused(encode(replace(TASK, network="p2peval-2"), "p2peval-2"), "network")


# ── canonical messages with values out of bounds ──────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("author", ""),
        ("author", ME[:-1]),
        ("author", "12D3KooW" + "z" * 44),  # well-formed base58 of no Ed25519 key
        ("author", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"),
        ("benchmark", ""),
        ("benchmark", BENCHMARK.upper()),
        ("benchmark", BENCHMARK[:-1] + "b"),  # the spare bits of the last character are not zero
        ("benchmark", "bafybei" + BENCHMARK[7:]),  # another codec
        ("benchmark", BENCHMARK + "\n"),
        ("model_name", "x" * 257),
        ("model_name", "é" * 129),
        ("model_name", "\x1b[31m"),
        ("model_name", "a\nb"),
        ("model_name", "\u202eevil"),
        ("epsilon_nano", 0),
        ("epsilon_nano", 10**9 + 1),
        ("replicas", 0),
        ("replicas", 65),
        ("created_ms", 2**53),
        ("deadline_ms", 2**64 - 1),
    ],
)
def test_value_out_of_bounds_is_refused(field: str, value: str | int) -> None:
    broken = message()
    setattr(broken, field, value)
    refused(broken.SerializeToString(deterministic=True), "bounds")


@pytest.mark.parametrize(("field", "value"), [("root", b""), ("root", b"r" * 31), ("root", b"r" * 33), ("size", 2**53)])
def test_value_out_of_bounds_in_a_part_is_refused(field: str, value: bytes | int) -> None:
    broken = message()
    setattr(broken.model, field, value)
    refused(broken.SerializeToString(deterministic=True), "bounds")


def test_missing_part_is_refused() -> None:
    broken = message()
    broken.ClearField("model")
    refused(broken.SerializeToString(), "missing")


def test_metric_that_is_neither_value_nor_undefined_is_refused() -> None:
    broken = p2peval_pb2.ResultRecord.FromString(encode(RECORD))
    broken.metrics[0].ClearField("value_nano")
    refused(broken.SerializeToString(), "missing", domain_of(RECORD))


@pytest.mark.parametrize("outcome", [0, 3, -1])
def test_unknown_enum_value_is_refused(outcome: int) -> None:
    broken = p2peval_pb2.ResultRecord.FromString(encode(RECORD))
    broken.outcome = outcome
    refused(broken.SerializeToString(), "enum", domain_of(RECORD))


@pytest.mark.parametrize(
    ("field", "count"), [("assignments", 65), ("audits", 65), ("checks", 65), ("metrics", 129), ("reveals", 65)]
)
def test_too_many_elements_are_refused(field: str, count: int) -> None:
    broken = p2peval_pb2.ResultRecord.FromString(encode(RECORD))
    items = getattr(broken, field)
    if isinstance(getattr(RECORD, field)[:1], tuple) and field in {"checks", "metrics"}:
        while len(items) < count:
            items.add().CopyFrom(items[0])
    else:
        items.extend([b"e"] * (count - len(items)))
    refused(broken.SerializeToString(), "bounds", domain_of(RECORD))


def test_description_may_hold_newlines_but_no_escape_sequences() -> None:
    assert decode(domain_of(SPEC), encode(SPEC)) == SPEC
    with pytest.raises(LocalProtocolError, match="malformed"):
        encode(replace(SPEC, description="\x1b[2J"))


def test_gossiped_envelope_of_more_than_4_kib_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="4097"):
        encode_frame(f.Gossip(b"x" * 4097))
    assert decode_frame(f.Gossip, encode_frame(f.Gossip(b"x" * 4096))).body == b"x" * 4096


def test_empty_oneof_is_refused() -> None:
    for kind in (f.Gossip, f.SyncRequest, f.SyncReply):
        with pytest.raises(RemoteProtocolError, match="missing"):
            decode_frame(kind, b"")


def test_empty_digests_still_name_a_benchmark() -> None:
    ask = f.SyncRequest(f.Digests((t.BenchmarkId(""),), ()))
    assert decode_frame(f.SyncRequest, encode_frame(ask)) == ask
    with pytest.raises(LocalProtocolError, match="0 elements"):
        encode_frame(f.SyncRequest(f.Digests((), ())))


# ── what we would say ourselves ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "payload",
    [
        replace(TASK, replicas=-1),
        replace(TASK, replicas=2**32),
        replace(TASK, created_ms=1.5),
        replace(TASK, model_name="\ud800"),
        replace(TASK, model_name=None),
        replace(TASK, model=None),
        replace(TASK, network="elsewhere"),
        replace(SPEC, metrics=["accuracy"]),
        replace(SPEC, name="Digits"),
        replace(RECORD, outcome=1),
        replace(RECORD, metrics=(p.MetricReport("accuracy", p.Defined.UNDEFINED, 5, None, None),)),
        replace(RECORD, reveals=(b"r" * 40_000, b"r" * 40_000)),
    ],
)
def test_payload_that_others_would_refuse_is_not_sent(payload: m.Payload) -> None:
    with pytest.raises(LocalProtocolError):
        encode(payload)


# ── contract ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(p2peval_pb2.DESCRIPTOR.message_types_by_name))
def test_dataclass_has_the_fields_of_its_message_in_the_same_order(name: str) -> None:
    rooms = (m, p, c, f)
    cls = next((found for room in rooms if (found := getattr(room, name, None))), None)
    if cls is None:
        assert name in {"Undefined", "OutOfRange"}
        return
    said = [field.name for field in fields(cls)]
    listed: list[str] = []
    for field in getattr(p2peval_pb2, name).DESCRIPTOR.fields:
        listed += [field.containing_oneof.name] if field.containing_oneof else []
        listed += [field.name]
    assert [one for one in dict.fromkeys(listed) if one in said] == said


def test_wire_has_no_map_and_no_float() -> None:
    for descriptor in p2peval_pb2.DESCRIPTOR.message_types_by_name.values():
        for field in descriptor.fields:
            assert field.cpp_type not in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT), field.full_name
            assert field.message_type is None or not field.message_type.GetOptions().map_entry


def test_every_bound_names_a_field_that_exists() -> None:
    for cls, table in bounds.BY_FIELD.items():
        assert set(table) <= {field.name for field in fields(cls)}, cls


def test_ids_of_examples_hang_together() -> None:
    assert SEALER.seal(TASK).id == TASK_ID
    assert RECORD.announcement == SEALER.seal(TASK).envelope
