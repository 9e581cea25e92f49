"""A host's routing table: a binary trie over ids whose leaves are buckets of at most k hosts.

The oldest acquaintances stay: who finds a bucket full is turned away as long as the one heard from least recently
still answers (Maymounkov & Mazières 2002, §2.2). Which full buckets split, ``Parameters.wide`` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2peval.sim.kademlia.parameters import Parameters

BITS = 256
_TOP = BITS - 1


class Branch:
    """An inner node: what has a 0 and what has a 1 in the bit of its depth."""

    __slots__ = ("sides",)

    def __init__(self, zero: Node, one: Node) -> None:
        self.sides: list[Node] = [zero, one]


Bucket = list[int]
Node = Branch | Bucket


class Table:
    """``ids``: of all hosts, by host; 256 bits each. Buckets list hosts, heard from least recently first.

    ``root``: the trie, with ``size`` buckets.
    """

    __slots__ = ("_ids", "_owner", "_parameters", "root", "size")

    def __init__(self, owner: int, ids: Sequence[int], parameters: Parameters) -> None:
        self._owner, self._ids, self._parameters = owner, ids, parameters
        self.root: Node = []
        self.size = 1

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self.buckets())

    def __contains__(self, host: int) -> bool:
        return host in self._find(self._ids[host])[0]

    def buckets(self) -> Iterator[Bucket]:
        """In the order of their ids."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Branch):
                waiting += reversed(node.sides)
            else:
                yield node

    def add(self, host: int) -> int | None:
        """``host`` was heard from. The host of a full bucket that must go first, if there is no place for it."""
        if host == self._owner:
            return None
        key = self._ids[host]
        bucket, parent, depth = self._find(key)
        if host in bucket:
            bucket.remove(host)
        while len(bucket) >= self._room(bucket, depth):
            if not self._splits(key, depth):
                return bucket[0]
            bucket, parent = self._split(bucket, parent, key, depth)
            depth += 1
        bucket.append(host)
        return None

    def remove(self, host: int) -> None:
        """``host`` does not answer; nothing happens if it is not known."""
        bucket = self._find(self._ids[host])[0]
        if host in bucket:
            bucket.remove(host)

    def closest(self, key: int, count: int) -> list[int]:
        """At most ``count`` hosts, nearest ``key`` first."""
        ids, found = self._ids, list[int]()
        waiting: list[tuple[Node, int]] = [(self.root, _TOP)]
        while waiting and len(found) < count:
            node, bit = waiting.pop()
            if isinstance(node, Branch):
                near = key >> bit & 1
                waiting.append((node.sides[1 - near], bit - 1))
                waiting.append((node.sides[near], bit - 1))
            else:
                found += sorted(node, key=lambda host: ids[host] ^ key)
        return found[:count]

    def is_home(self, key: int) -> bool:
        """``key`` falls into the bucket of one's own id, all of whose hosts one knows."""
        return self._holds_owner(key, self._find(key)[2])

    def _find(self, key: int) -> tuple[Bucket, Branch | None, int]:
        """The bucket of ``key``, the branch that it hangs on, and its depth."""
        node, parent, depth = self.root, None, 0
        while isinstance(node, Branch):
            parent, node = node, node.sides[key >> _TOP - depth & 1]
            depth += 1
        return node, parent, depth

    def _holds_owner(self, key: int, depth: int) -> bool:
        return (key ^ self._ids[self._owner]) >> BITS - depth == 0

    def _room(self, bucket: Bucket, depth: int) -> int:
        parameters = self._parameters
        if parameters.home == parameters.nearest:
            return parameters.nearest
        at_home = self._holds_owner(self._ids[bucket[0]], depth) if bucket else False
        return parameters.home if at_home else parameters.nearest

    def _splits(self, key: int, depth: int) -> bool:
        if depth == BITS or self.size >= self._parameters.buckets:
            return False
        return self._parameters.wide or self._holds_owner(key, depth)

    def _split(self, bucket: Bucket, parent: Branch | None, key: int, depth: int) -> tuple[Bucket, Branch]:
        """The half that ``key`` falls into, and the branch that now stands in the bucket's place."""
        bit, halves = _TOP - depth, ([], [])  # type: tuple[int, tuple[Bucket, Bucket]]
        for host in bucket:
            halves[self._ids[host] >> bit & 1].append(host)
        branch = Branch(*halves)
        if parent is None:
            self.root = branch
        else:
            parent.sides[key >> bit + 1 & 1] = branch
        self.size += 1
        return halves[key >> bit & 1], branch
