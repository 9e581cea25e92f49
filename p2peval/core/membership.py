"""Benchmarks and the people in them: publishing, joining, leaving, names and profiles."""

from __future__ import annotations

from dataclasses import replace

from p2peval.core.benchmark import PROFILES, labels_of, problem
from p2peval.core.commitment import labels_commitment
from p2peval.core.context import Context
from p2peval.core.effects import FetchBlob, FindMembers, Learn, Pull, Subscribe, SyncWith, Unsubscribe
from p2peval.core.events import Introduced, JoinBenchmark, LeaveBenchmark, PublishBenchmark
from p2peval.core.messages import BenchmarkAnnouncement, BenchmarkSpec, PeerProfile, Sealed
from p2peval.core.parts import Membership
from p2peval.core.rows import BenchmarkRow, NameRow, PeerRow, WantedRow
from p2peval.core.sync import DIRECTORY
from p2peval.core.text import one_line
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.defaults import (
    JOIN_PATIENCE,
    MAX_MEMBERSHIPS,
    MAX_NAMES,
    PROFILE_ADDRESSES,
    PROFILE_INTERVAL,
    SYNC_ON_JOIN,
    TASK_LIFETIME,
)

# ── benchmarks ────────────────────────────────────────────────────────────────────────────────────


def publish(ctx: Context, command: PublishBenchmark) -> None:
    """Sign the spec, claim its name, join it."""
    spec, labels = command.spec, None
    if command.hold_labels and spec.labels is not None:
        labels = spec.labels
        spec = replace(spec, labels=None, labels_commitment=labels_commitment(labels.cid, labels_nonce(ctx, spec)))
    wrong = problem(spec)
    if wrong:
        return ctx.reply(command.reply_id, "", "config", wrong)
    sealed = ctx.sealer.seal(spec)
    held = ctx.state.in_slot(ctx.me, "BenchmarkSpec", "/".join(spec.slot))
    if held is not None and held != sealed.id:
        wrong = f"version {spec.version} of {spec.name!r} is published already: raise `version`"
        return ctx.reply(command.reply_id, "", "config", wrong)
    benchmark = BenchmarkId(sealed.id)
    ctx.seal(spec, benchmark)
    _enter(ctx, BenchmarkRow(benchmark, spec, joined=True, evaluates=True, requests=True, labels=labels))
    announcement = ctx.seal(
        BenchmarkAnnouncement(ctx.network, ctx.me, spec.name, spec.title, benchmark, ctx.sequence()), DIRECTORY
    )
    _claim(ctx, announcement.payload)
    ctx.publish(announcement, DIRECTORY)
    ctx.notify("bench.published", benchmark, name=spec.name)
    ctx.reply(command.reply_id, benchmark)


def labels_nonce(ctx: Context, spec: BenchmarkSpec) -> bytes:
    """Hides labels that are held back, for a few could be guessed; derived, so that it never has to be stored."""
    return ctx.secrets.nonce("labels", spec.name, spec.version)


def join(ctx: Context, command: JoinBenchmark) -> None:
    """Join at once where the spec is held, else look for it until JOIN_PATIENCE has passed."""
    held = ctx.state.benchmarks.get(command.benchmark)
    if held is not None:
        _enter(ctx, replace(held, joined=True, evaluates=command.evaluates, requests=command.requests))
        _catch_up(ctx, held.id)
        return ctx.reply(command.reply_id, command.benchmark)
    wanted = ctx.state.wanted.put(
        WantedRow(
            command.benchmark,
            command.evaluates,
            command.requests,
            command.reply_id,
            ctx.now + JOIN_PATIENCE,
        )
    )
    ctx.timer(f"want/{wanted.id}", wanted.deadline, 0)
    for peer in sorted(ctx.connected | set(command.holders)):
        ctx.do(Pull(peer, (ObjectId(wanted.id),)))
    ctx.do(FindMembers(wanted.id))


def leave(ctx: Context, command: LeaveBenchmark) -> None:
    held = ctx.state.benchmarks.get(command.benchmark)
    if held is None or not held.joined:
        return ctx.reply(command.reply_id, "", "not_found", "this node is no member of it")
    ctx.state.benchmarks.put(replace(held, joined=False, evaluates=False, requests=False))
    ctx.do(Unsubscribe(held.id))
    ctx.notify("bench.left", held.id, name=held.spec.name)
    refresh_profile(ctx)
    ctx.reply(command.reply_id, held.id)


def on_spec(ctx: Context, sealed: Sealed[BenchmarkSpec]) -> str:
    """A spec is admitted only when it was asked for: its author cannot fill our disk with more."""
    wanted = ctx.state.wanted.get(sealed.id)
    if wanted is None:
        return "unasked"
    ctx.state.wanted.delete(wanted.key)
    _enter(
        ctx,
        BenchmarkRow(wanted.id, sealed.payload, True, wanted.evaluates, wanted.requests),
    )
    _catch_up(ctx, wanted.id)
    ctx.reply(wanted.reply_id, wanted.id)
    return ""


def give_up(ctx: Context, benchmark: BenchmarkId) -> None:
    """The patience of a join has passed."""
    wanted = ctx.state.wanted.get(benchmark)
    if wanted is not None:
        ctx.state.wanted.delete(wanted.key)
        ctx.reply(wanted.reply_id, "", "not_found", "no peer in reach holds this benchmark")


def on_announcement(ctx: Context, sealed: Sealed[BenchmarkAnnouncement]) -> str:
    held = ctx.state.names.get(f"{sealed.signer}/{sealed.payload.name}")
    if held is None and len(ctx.state.names.of(sealed.signer)) >= MAX_NAMES:
        return "too_many_names"
    if held is not None:
        _forget_replaced(ctx, "BenchmarkAnnouncement", sealed.signer, f"{held.name}/{held.sequence}")
    _claim(ctx, sealed.payload)
    ctx.notify("bench.announced", sealed.payload.spec, name=sealed.payload.name, author=sealed.signer)
    return ""


def members(ctx: Context, benchmark: BenchmarkId) -> list[PeerId]:
    """Peers, other than us, whose profile says that they are members; connected ones first."""
    me = ctx.me
    found = [row.peer for row in ctx.state.peers if row.peer != me and _membership(row, benchmark)]
    return sorted(found, key=lambda peer: (peer not in ctx.connected, peer))


def shares_benchmark(ctx: Context, peer: PeerId) -> bool:
    """Whether ``peer`` says that it is where we are: whom else should we connect to of our own accord?"""
    row = ctx.state.peers.get(peer)
    joined = {held.id for held in ctx.state.benchmarks if held.joined}
    return row is not None and any(held.benchmark in joined for held in row.memberships)


def is_member(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> bool:
    """Whether ``peer``'s own profile says so."""
    row = ctx.state.peers.get(peer)
    return row is not None and _membership(row, benchmark) is not None


def evaluators(ctx: Context, benchmark: BenchmarkId) -> list[PeerId]:
    """Connected members that evaluate, sorted."""
    rows = (row for peer in ctx.connected if (row := ctx.state.peers.get(peer)))
    return sorted(row.peer for row in rows if (held := _membership(row, benchmark)) and held.evaluates)


def _membership(row: PeerRow, benchmark: BenchmarkId) -> Membership | None:
    return next((held for held in row.memberships if held.benchmark == benchmark), None)


def _enter(ctx: Context, row: BenchmarkRow) -> None:
    """Become a member: listen, hold the data, say so."""
    ctx.state.benchmarks.put(row)
    ctx.do(Subscribe(row.id))
    fetch_data(ctx, row)
    for peer in members(ctx, row.id):
        ctx.do(Learn(peer, ctx.state.peers[peer].addresses, meet=True))
    ctx.notify("bench.joined", row.id, name=row.spec.name)
    refresh_profile(ctx)


def _catch_up(ctx: Context, benchmark: BenchmarkId) -> None:
    """A newcomer asks at once for what was said before it came: from members, else from whoever is there."""
    known = [peer for peer in members(ctx, benchmark) if peer in ctx.connected] or sorted(ctx.connected)
    for peer in known[:SYNC_ON_JOIN]:
        ctx.do(SyncWith(peer, (benchmark,)))


def fetch_data(ctx: Context, row: BenchmarkRow) -> None:
    """Inputs for whoever evaluates or requests; labels only for requesters (protocol.md, Labels)."""
    spec, until = row.known, ctx.now + TASK_LIFETIME
    holders = tuple(dict.fromkeys([spec.author, *members(ctx, row.id)]))
    holders = tuple(peer for peer in holders if peer != ctx.me)
    if row.evaluates or row.requests:
        ctx.do(FetchBlob(f"data/{row.id}/inputs", spec.inputs, holders, until))
    if row.requests:
        for what, blob in labels_of(spec).items():
            ctx.do(FetchBlob(f"data/{row.id}/{what}", blob, holders, until))


def _claim(ctx: Context, announcement: BenchmarkAnnouncement) -> None:
    ctx.state.names.put(
        NameRow(
            announcement.name,
            announcement.author,
            announcement.title,
            announcement.spec,
            announcement.sequence,
        )
    )


def _forget_replaced(ctx: Context, kind: str, signer: PeerId, slot: str) -> None:
    replaced = ctx.state.in_slot(signer, kind, slot)
    if replaced is not None:
        ctx.state.forget(replaced)


def own_class(ctx: Context, benchmark: BenchmarkId) -> str:
    """The equivalence class in which this node runs ``benchmark``; "" before the shell has introduced it."""
    mine, place = ctx.state.peers.get(ctx.me), PROFILES.index(ctx.state.benchmarks[benchmark].spec.profile)
    return mine.classes[place] if mine is not None and place < len(mine.classes) else ""


# ── profiles ──────────────────────────────────────────────────────────────────────────────────────


def on_profile(ctx: Context, sealed: Sealed[PeerProfile]) -> str:
    profile = sealed.payload
    held = ctx.state.peers.get(profile.author)
    if held is not None:
        _forget_replaced(ctx, "PeerProfile", profile.author, str(held.sequence))
    ctx.state.peers.put(
        PeerRow(
            profile.author,
            profile.name,
            profile.addresses,
            profile.classes,
            profile.memberships,
            profile.sequence,
            ctx.now,
        )
    )
    if profile.author != ctx.me:
        ctx.do(Learn(profile.author, profile.addresses, shares_benchmark(ctx, profile.author)))
        ctx.notify("peer.profile", profile.author, name=profile.name, benchmarks=len(profile.memberships))
    return ""


def refresh_profile(ctx: Context, introduced: Introduced | None = None) -> None:
    """Sign a new profile where what it says has changed, or the last one has grown old."""
    held = ctx.state.peers.get(ctx.me)
    if introduced is None and held is None:
        return
    memberships = tuple(Membership(row.id, row.evaluates, row.requests) for row in ctx.state.benchmarks if row.joined)[
        :MAX_MEMBERSHIPS
    ]
    if introduced is not None:
        ctx.state.count("cores", introduced.cores)
        ctx.state.count("memory_mb", introduced.memory_mb)
        name, addresses = one_line(introduced.name, 64), introduced.addresses[:PROFILE_ADDRESSES]
        classes = introduced.classes
    elif held is not None:
        name, addresses, classes = held.name, held.addresses, held.classes
    says = (name, addresses, classes, memberships)
    same = held is not None and says == (held.name, held.addresses, held.classes, held.memberships)
    if held is not None and same and ctx.now - held.seen < PROFILE_INTERVAL:
        return
    sealed = ctx.seal(
        PeerProfile(
            ctx.network,
            ctx.me,
            name,
            addresses,
            classes,
            memberships,
            ctx.state.counter("cores"),
            ctx.state.counter("memory_mb"),
            ctx.sequence(),
        ),
        DIRECTORY,
    )
    on_profile(ctx, sealed)
    ctx.publish(sealed, DIRECTORY)
