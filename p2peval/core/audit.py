"""Which samples to audit; how many, and what that certifies, is in ``trust.hypergeometric`` (trust.md §1)."""

from __future__ import annotations

from p2peval.trust.hash_stream import HashStream
from p2peval.trust.hypergeometric import (
    bad_bound,
    look_epsilon,
    miss_probability,
    miss_ratio,
    missed_nano,
    sample_size,
    spent_epsilon,
)

__all__ = [
    "bad_bound",
    "draw",
    "look_epsilon",
    "miss_probability",
    "miss_ratio",
    "missed_nano",
    "sample_size",
    "spent_epsilon",
]

DRAW_DOMAIN = b"p2peval/audit-draw/v1"


def draw(nonce: bytes, task: str, root: bytes, n: int, s: int) -> list[int]:
    """``s`` distinct indices below ``n``, sorted: a sparse Fisher–Yates shuffle on a SHA-256 stream.

    Nobody can know them before the nonce is opened, and everybody gets the same ones after. All n for s > n.
    Seed = SHA-256(domain, nonce, task, root; all but the domain behind their 4-byte length); block k =
    SHA-256(seed ‖ k), k in 8 bytes; a block is four words; all big-endian. Step i takes the next word below the
    largest multiple of n−i that fits 64 bits, modulo n−i, and swaps that place behind i into place i.
    """
    stream = HashStream(DRAW_DOMAIN, nonce, task, root)
    moved: dict[int, int] = {}
    chosen: list[int] = []
    for i in range(min(s, n)):
        j = i + stream.below(n - i)
        chosen.append(moved.get(j, j))
        moved[j] = moved.get(i, i)
    return sorted(chosen)
