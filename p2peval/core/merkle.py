"""RFC 6962 Merkle trees over SHA-256: one tree for outputs and for the chunks of a blob.

An odd node is promoted, never duplicated (RFC 6962 §2.1). Callers hash their own leaves with
``leaf``; a leaf can never pass for an inner node because of the 0x00/0x01 prefixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""


def leaf(data: bytes) -> bytes:
    """Hash of one leaf: H(0x00 ‖ data)."""
    return sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """32-byte root over leaf hashes, in order."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of one leaf, from its sibling up. Raises IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    level, siblings = list(leaves), []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            siblings.append(level[sibling])
        level, index = _parents(level), index // 2
    return siblings


def opens(root_hash: bytes, leaf_hash: bytes, index: int, count: int, siblings: Sequence[bytes]) -> bool:
    """Whether ``siblings`` is the path of ``leaf_hash`` at ``index`` in a tree of ``count`` leaves."""
    if not 0 <= index < count:
        return False
    rest, node, width = list(siblings), leaf_hash, count
    while width > 1:
        if index ^ 1 < width:
            if not rest:
                return False
            sibling = rest.pop(0)
            node = _join(sibling, node) if index & 1 else _join(node, sibling)
        index, width = index // 2, (width + 1) // 2
    return not rest and node == root_hash


def _join(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _parents(level: list[bytes]) -> list[bytes]:
    parents = [_join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        parents.append(level[-1])
    return parents
