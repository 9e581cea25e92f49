"""Uniform integers that everybody gets alike from a secret, once it is opened, and nobody before."""

from __future__ import annotations

from hashlib import sha256


class HashStream:
    """SHA-256 in counter mode, 8 bytes each, by rejection: no modulo bias.

    Seed = SHA-256(domain, nonce, task, root; all but the domain behind their 4-byte length); block k =
    SHA-256(seed ‖ k), k in 8 bytes; a block is four words; all big-endian.
    """

    def __init__(self, domain: bytes, nonce: bytes, task: str, root: bytes) -> None:
        name = task.encode()
        self._seed = sha256(
            domain
            + len(nonce).to_bytes(4, "big")
            + nonce
            + len(name).to_bytes(4, "big")
            + name
            + len(root).to_bytes(4, "big")
            + root
        ).digest()
        self._counter = 0
        self._words: list[int] = []

    def below(self, bound: int) -> int:
        """From 0 to ``bound`` − 1; ``bound`` from 1 to 2⁶⁴."""
        limit = (1 << 64) // bound * bound
        while True:
            word = self._word()
            if word < limit:
                return word % bound

    def _word(self) -> int:
        if not self._words:
            block = sha256(self._seed + self._counter.to_bytes(8, "big")).digest()
            self._words = [int.from_bytes(block[k : k + 8], "big") for k in (24, 16, 8, 0)]
            self._counter += 1
        return self._words.pop()
