"""Whatever a worker writes on its pipe, the daemon hears an answer or EvaluationError, and at once."""

from __future__ import annotations

from collections import Counter
from random import Random
from time import perf_counter

import pytest

from p2peval.core.parts import Defined, Interval, MetricReport
from p2peval.core.verdict import Verdict
from p2peval.errors import EvaluationError
from p2peval.evaluation import answers, frames

HANG = 1.0
"""Seconds that no single input may take."""

REPORT = MetricReport("accuracy", Defined.VALUE, 941_700_000, Interval(0, 10**9), None)
ANSWERS = (
    answers.Failed("timeout", "it was still running"),
    answers.Scanned(12, 3),
    answers.Evaluated("ort-1.22/x86-64/avx2", bytes(32), 7188, 0.25, 310, 96),
    answers.Compared(Verdict.DIFFERS, "", 404, 404, (3, 17), (REPORT,)),
    answers.Sampled("ort-1.22/x86-64/avx2", (bytes(40), bytes(40))),
    answers.Proven(17, bytes(40), (bytes(32), bytes(32))),
    answers.Previewed("ort-1.22/x86-64/avx2", (REPORT,), 0.25, 310, 96),
)


def broken(frame: bytes, rng: Random) -> bytes:
    """``frame`` with up to four bytes changed, cut, added or doubled; half of them with a length that fits."""
    body = bytearray(frame[4:])
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(5):
            case 0 if at < len(body):
                body[at] ^= 1 << rng.randrange(8)
            case 1:
                del body[at : at + rng.randint(1, 8)]
            case 2:
                body[at:at] = rng.choice((b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"))
            case 3:
                body[at:at] = body[at : at + rng.randint(1, 64)]
            case _:
                body[at:at] = rng.choice((b"\x91", b"\x81")) * rng.randint(1, 2000)
    head = frames.HEADER.pack(len(body)) if rng.random() < 0.8 else rng.randbytes(rng.randint(0, 4))
    return head + bytes(body)


def survive(count: int, seed: int) -> Counter[str]:
    rng = Random(seed)
    seeds = [frames.frame(answer) for answer in ANSWERS]
    heard: Counter[str] = Counter()
    for number in range(count):
        data = broken(seeds[number % len(seeds)], rng)
        began = perf_counter()
        try:
            heard[type(frames.decode_answer(data)).__name__] += 1
        except EvaluationError as error:
            heard[error.reason] += 1
        assert perf_counter() - began < HANG, data.hex()
    return heard


def test_no_broken_answer_raises_anything_but_garbage() -> None:
    heard = survive(100_000, 1)
    assert heard["garbage"] > 50_000
    assert set(heard) <= {"garbage", *(type(answer).__name__ for answer in ANSWERS)}


@pytest.mark.slow
def test_no_answer_broken_a_million_times_raises_anything_but_garbage() -> None:
    assert survive(1_000_000, 2)["garbage"] > 500_000
