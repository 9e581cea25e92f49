"""Routing tables as they stand after long: every bucket holds who belongs there, or a random k of them.

What refreshes fill in hours is laid out at once, for a start with 10 000 hosts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from random import Random

from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.table import BITS, Branch, Bucket, Node, Table


class Layout:
    """``hosts``: who is there; ``ids``: of all hosts, by host."""

    def __init__(self, hosts: Iterable[int], ids: Sequence[int], parameters: Parameters, rng: Random) -> None:
        self._order = sorted(hosts, key=lambda host: ids[host])
        self._sorted = [ids[host] for host in self._order]
        self._ids, self._parameters, self._rng = ids, parameters, rng
        self._wide = self._ranges() if parameters.wide else []

    def table(self, owner: int) -> Table:
        """Of ``owner``, one of the hosts."""
        table = Table(owner, self._ids, self._parameters)
        if self._parameters.wide:
            table.root, table.size = self._grow_wide(owner), len(self._wide)
        else:
            table.root, table.size = self._grow_narrow(owner)
        return table

    def nearest(self, key: int) -> int:
        """The host whose id is nearest ``key``, of at least one."""
        low, high, depth = 0, len(self._order), 0
        while high - low > 1:
            middle = self._middle(low, high, key >> BITS - depth, depth)
            ones = key >> BITS - 1 - depth & 1
            if middle == low or (middle < high and ones):
                low, key = middle, key | 1 << BITS - 1 - depth
            else:
                high, key = middle, key & ~(1 << BITS - 1 - depth)
            depth += 1
        return self._order[low]

    def _middle(self, low: int, high: int, prefix: int, depth: int) -> int:
        """Where in ``low`` … ``high``, all of which begin with ``prefix``, the bit of ``depth`` becomes 1."""
        return bisect_left(self._sorted, (prefix << 1 | 1) << BITS - 1 - depth, low, high)

    def _grow_narrow(self, owner: int) -> tuple[Node, int]:
        """The trie and how many buckets it has."""
        own, k, home = self._ids[owner], self._parameters.nearest, self._parameters.home
        low, high, depth = 0, len(self._order), 0
        others: list[Bucket] = []
        while high - low > home + 1 and depth < BITS and depth + 1 < self._parameters.buckets:
            middle = self._middle(low, high, own >> BITS - depth, depth)
            if own >> BITS - 1 - depth & 1:
                others.append(self._some(owner, low, middle, k))
                low = middle
            else:
                others.append(self._some(owner, middle, high, k))
                high = middle
            depth += 1
        node: Node = self._some(owner, low, high, home)
        size = len(others) + 1
        while others:
            depth -= 1
            node = Branch(others.pop(), node) if own >> BITS - 1 - depth & 1 else Branch(node, others.pop())
        return node, size

    def _ranges(self) -> list[tuple[int, int, int]]:
        """Of all buckets, in order of ids: from, to, depth. Any that is too full splits, largest first."""
        waiting, done = deque([(0, len(self._order), 0, 0)]), list[tuple[int, int, int, int]]()
        while waiting:
            low, high, prefix, depth = waiting.popleft()
            full = high - low > self._parameters.nearest
            if full and depth < BITS and len(waiting) + len(done) + 2 <= self._parameters.buckets:
                middle = self._middle(low, high, prefix, depth)
                waiting.append((low, middle, prefix << 1, depth + 1))
                waiting.append((middle, high, prefix << 1 | 1, depth + 1))
            else:
                done.append((prefix << BITS - depth, low, high, depth))
        return [(low, high, depth) for _, low, high, depth in sorted(done)]

    def _grow_wide(self, owner: int) -> Node:
        """In the order of ids, who finds one of its own depth before it is the other side of its branch."""
        grown: list[tuple[Node, int]] = []
        for low, high, depth in self._wide:
            node: Node = self._some(owner, low, high, self._parameters.nearest)
            while grown and grown[-1][1] == depth:
                node, depth = Branch(grown.pop()[0], node), depth - 1
            grown.append((node, depth))
        return grown[0][0]

    def _some(self, owner: int, low: int, high: int, most: int) -> Bucket:
        if high - low <= most:
            return [host for host in self._order[low:high] if host != owner]
        places: dict[int, None] = {}
        chance, width, wanted = self._rng.random, high - low, min(most + 1, high - low)
        while len(places) < wanted:
            places[low + int(chance() * width)] = None
        return [host for host in map(self._order.__getitem__, places) if host != owner][:most]
