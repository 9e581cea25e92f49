"""Whatever arrives, a decoder answers with a value or with RemoteProtocolError, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from time import perf_counter

import pytest
from wire_examples import FRAMES, INVITATION, PAYLOADS, SEALER
from wire_mutator import mutations

from p2peval.core.messages import Payload
from p2peval.errors import RemoteProtocolError, UsageError
from p2peval.wire.codec import DOMAINS, decode, decode_frame, domain_of, encode, encode_frame
from p2peval.wire.envelope import open_envelope
from p2peval.wire.frames import Envelope
from p2peval.wire.invitation import decode_invitation, encode_invitation

INPUTS = 100_000
MANY = 1_000_000
HANG = 1.0
"""Seconds that no single input may take."""


def survive(seeds: list[bytes], decoder: Callable[[bytes], bytes], count: int, seed: int) -> Counter[str]:
    """Reasons counted; what is accepted must have been canonical: ``decoder`` gives its encoding back."""
    reasons: Counter[str] = Counter()
    for data in mutations(seeds, count, seed):
        began = perf_counter()
        try:
            again = decoder(data)
        except RemoteProtocolError as error:
            reasons[error.reason] += 1
        else:
            reasons["accepted"] += 1
            assert again == data
        assert perf_counter() - began < HANG, data.hex()
    return reasons


def survive_payload(payload: Payload, count: int, seed: int) -> Counter[str]:
    domain = domain_of(payload)
    return survive([encode(payload)], lambda data: encode(decode(domain, data)), count, seed)


def test_no_mutated_payload_raises_anything_but_remote_protocol_error() -> None:
    reasons: Counter[str] = Counter()
    for number, payload in enumerate(PAYLOADS):
        reasons += survive_payload(payload, INPUTS // len(PAYLOADS) + 1, number)
    assert reasons.total() >= INPUTS
    assert {"protobuf", "not_canonical", "bounds", "network", "missing", "enum", "accepted"} <= set(reasons)


@pytest.mark.slow
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: type(payload).__name__)
def test_no_mutation_of_any_one_payload_type_raises_anything_but_remote_protocol_error(payload: Payload) -> None:
    reasons = survive_payload(payload, MANY, 6)
    assert reasons["accepted"] < MANY // 2


def test_no_payload_read_under_another_domain_raises_anything_but_remote_protocol_error() -> None:
    rng = Random(7)
    seeds = [encode(payload) for payload in PAYLOADS]
    reasons = survive(seeds, lambda data: encode(decode(rng.choice(DOMAINS), data)), 20_000, 8)
    assert reasons["accepted"] < reasons["not_canonical"]


def test_no_mutated_envelope_opens_or_raises_anything_but_remote_protocol_error() -> None:
    seeds = [SEALER.seal(payload).envelope for payload in PAYLOADS]
    signed = set(seeds)

    def opened(data: bytes) -> bytes:
        sealed = open_envelope(data)
        assert sealed.envelope in signed, "a forged envelope was opened"
        return sealed.envelope

    reasons = survive(seeds, opened, INPUTS, 9)
    assert {"protobuf", "not_canonical", "key_type", "domain", "signature", "bounds"} <= set(reasons)


@pytest.mark.slow
def test_no_envelope_mutated_a_million_times_opens_or_raises_anything_but_remote_protocol_error() -> None:
    signed = {SEALER.seal(payload).envelope for payload in PAYLOADS}
    reasons = survive(sorted(signed), lambda data: open_envelope(data).envelope, MANY, 13)
    assert reasons["signature"] > reasons["accepted"]


@pytest.mark.parametrize("kind", sorted({type(frame) for frame in FRAMES} | {Envelope}, key=lambda cls: cls.__name__))
def test_no_mutated_frame_raises_anything_but_remote_protocol_error(kind: type) -> None:
    seeds = [encode_frame(frame) for frame in FRAMES if type(frame) is kind] or [SEALER.seal(PAYLOADS[0]).envelope]
    reasons = survive(seeds, lambda data: encode_frame(decode_frame(kind, data)), INPUTS, 10)
    assert reasons.total() - reasons["accepted"] > 0
    assert {"protobuf", "not_canonical"} <= set(reasons)


def test_random_bytes_never_raise_anything_but_remote_protocol_error() -> None:
    rng = Random(11)
    for _ in range(INPUTS):
        data = rng.randbytes(rng.randrange(64))
        with pytest.raises(RemoteProtocolError):
            open_envelope(data)


def test_no_mutated_invitation_is_taken_or_raises_anything_but_usage_error() -> None:
    rng = Random(12)
    good = encode_invitation(INVITATION)
    for _ in range(INPUTS):
        at = rng.randrange(len(good))
        text = good[:at] + rng.choice(("", "a", "é", "=", "1", "\x00")) + good[at + rng.randrange(1, 4) :]
        if text != good:
            with pytest.raises(UsageError):
                decode_invitation(text)
