"""What people call things — names, prefixes, suffixes — resolved to the one thing they mean, or an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from p2peval.core.rows import BenchmarkRow, NameRow, ResultRow, TaskRow
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import PEER_SUFFIX, REF_PREFIX
from p2peval.errors import NotFoundError, UsageError
from p2peval.wire.ids import is_cid, is_peer_id

T = TypeVar("T")

Known = Callable[[PeerId], float | None]
"""A peer's reputation, 0 to 1; None of a newcomer."""

NEWCOMER = 0.5
"""Where a newcomer stands among the known: it is no liar."""

LONGEST_NAME = 64
"""No name and no id is longer: what is, was cut out of an invitation."""


def held_benchmark(state: State, ref: str) -> BenchmarkRow:
    """A benchmark whose spec is here, by name, id, or unique prefix of an id."""
    named = [row for row in state.benchmarks if row.spec.name == ref]
    joined = [row for row in named if row.joined]
    found = _newest(joined or named) or [row for row in state.benchmarks if _starts(row.id, ref)]
    if not found:
        known = sorted({row.spec.name for row in state.benchmarks if row.joined})
        hint = f"joined here: {', '.join(known)}" if known else "p2peval bench ls shows what is announced"
        if any(row.name == ref for row in state.names):
            hint = f"it is announced, not joined: p2peval bench join {ref}"
        raise NotFoundError(f"no benchmark {ref!r} on this node", hint=hint)
    listed = [f"{row.id}  {row.spec.name} v{row.spec.version} by {row.spec.author}" for row in found]
    return _only(found, ref, listed, "name one by its id; p2peval bench leave ID drops one that is over")


def _newest(found: Sequence[BenchmarkRow]) -> list[BenchmarkRow]:
    """The newest version of each author's: an older one is called by its id."""
    newest: dict[PeerId, BenchmarkRow] = {}
    for row in sorted(found, key=lambda row: row.spec.version):
        newest[row.spec.author] = row
    return list(newest.values())


def claimed_benchmark(state: State, ref: str, known: Known) -> BenchmarkId:
    """What a name or an id stands for among all announced benchmarks, held or not."""
    if is_cid(ref):
        return BenchmarkId(ref)
    found = [row for row in state.names if row.name == ref] or [
        row for row in state.names if _starts(row.benchmark, ref)
    ]
    if not found:
        hint = "p2peval bench ls shows what is announced; ask its author for an invitation"
        if len(ref) > LONGEST_NAME:
            hint = "an invitation begins with p2peval-join: and is pasted whole"
        raise NotFoundError(f"nobody in reach announces {ref!r}", hint=hint)
    found.sort(key=lambda row: (_place(known(row.author)), row.author))
    return _only(found, ref, [_described(row, known) for row in found]).benchmark


def _described(row: NameRow, known: Known) -> str:
    reputation = known(row.author)
    return f"{row.benchmark}  by {row.author} ({'newcomer' if reputation is None else f'reputation {reputation:.2f}'})"


def _place(reputation: float | None) -> float:
    return -(NEWCOMER if reputation is None else reputation)


def own_task(state: State, ref: str) -> TaskRow:
    found = [row for row in state.tasks if _starts(row.id, ref)]
    if not found:
        raise NotFoundError(f"no task {ref!r} of this node", hint="p2peval eval ls")
    return _only(found, ref, [f"{row.id}  {row.model_name}" for row in found])


def any_task(state: State, ref: str) -> TaskRow | ResultRow:
    """A task of ours, or the result of somebody else's."""
    found: list[TaskRow | ResultRow] = [row for row in state.tasks if _starts(row.id, ref)]
    found += [row for row in state.results if _starts(row.task, ref) and row.task not in state.tasks]
    if not found:
        raise NotFoundError(f"no task {ref!r}", hint="p2peval eval ls")
    return _only(found, ref, [f"{row.key}  {row.model_name}" for row in found])


def peer(state: State, ref: str, connected: Sequence[PeerId]) -> PeerId:
    """A peer by id, the pet name given to it here, the name in its profile, or a unique suffix of its id.

    A profile's name is its owner's choice, and may be what another's id ends in: then it is not guessed who is meant.
    """
    tables = (state.peers, state.evidence, state.pooled, state.judgements, state.pet_names)
    known = sorted({row.peer for table in tables for row in table} | set(connected))
    pets = [row.peer for row in state.pet_names if row.name == ref]
    bare = ref.lstrip("…")
    ending = [p for p in known if len(bare) >= PEER_SUFFIX and p.endswith(bare)]
    named = [row.peer for row in state.peers if row.name == ref and not is_peer_id(ref)]
    found = [p for p in known if p == ref] or pets or sorted({*named, *ending})
    if not found:
        hint = f"give an id, its last {PEER_SUFFIX} or more characters, or a name: p2peval peers ls"
        raise NotFoundError(f"no peer {ref!r}", hint=hint)
    return _only(found, ref, list(found))


def _starts(identifier: str, ref: str) -> bool:
    head, cut, tail = ref.partition("…")  # as tables and stories show it
    if cut:
        return len(tail) >= PEER_SUFFIX and identifier.startswith(head) and identifier.endswith(tail)
    return len(ref) >= REF_PREFIX and identifier.startswith(ref)


def _only(found: Sequence[T], ref: str, candidates: list[str], hint: str = "name one by its id") -> T:
    if len(found) > 1:
        listed = "\n  ".join(candidates)
        raise UsageError(f"{ref!r} could be {len(found)} things:\n  {listed}", hint=hint)
    return found[0]
