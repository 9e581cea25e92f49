"""Broken report files from good ones, the same for the same seed: their bytes, their JSON, their envelopes."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from tests.wire.wire_mutator import broken_bytes, mutations

ENVELOPES = ("envelope", "benchmark_envelope")

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**53, 2**64, 10**40, 1e308,
    "", "x", "\u202e\x00", "\ud800", "A" * 1000, "====", [], {}, [[]], {"": None},
)  # fmt: skip


def broken_reports(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """A third each: broken bytes, one JSON value replaced, an envelope whose protobuf is broken."""
    rng = Random(seed)
    documents = [json.loads(data) for data in seeds]
    envelopes = [b64decode(place[name]) for document in documents for place, name in _envelopes(document)]
    signed = mutations(envelopes, count, seed + 1)
    for number in range(count):
        match number % 3:
            case 0:
                yield broken_bytes(seeds[number // 3 % len(seeds)], seeds, rng)
            case 1:
                yield _replaced(json.loads(seeds[number // 3 % len(seeds)]), rng)
            case _:
                document = json.loads(seeds[number // 3 % len(seeds)])
                place, name = rng.choice(list(_envelopes(document)))
                place[name] = b64encode(next(signed)).decode()
                yield json.dumps(document).encode()


def _envelopes(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    place = document["evidence"][0] if "evidence" in document else document
    yield from ((place, name) for name in ENVELOPES)


def _replaced(document: Any, rng: Random) -> bytes:
    """One value, at any depth, becomes a strange one, one from elsewhere, or nothing."""
    places = list(_places(document))
    holder, key = rng.choice(places)
    match rng.randrange(4):
        case 0:
            del holder[key]
        case 1:
            other, at = rng.choice(places)
            holder[key] = json.loads(json.dumps(other[at]))
        case 2 if isinstance(holder[key], str) and holder[key]:
            at = rng.randrange(len(holder[key]))
            holder[key] = holder[key][:at] + rng.choice("aZ0=/+\n\u00e9\x00") + holder[key][at + rng.randrange(2) :]
        case _:
            holder[key] = rng.choice(STRANGE)
    return json.dumps(document).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])
