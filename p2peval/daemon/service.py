"""What the local API asks of the daemon: words in, the node's commands, views out.

Reads go past ``Node.handle``; whatever changes something becomes a Command and waits for its Reply, which
comes only once the change is on disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from p2peval import __version__
from p2peval.config import Config
from p2peval.core.benchmark import data_of, metrics_problem, request_problem
from p2peval.core.effects import Reply
from p2peval.core.events import (
    CancelTask,
    Event,
    JoinBenchmark,
    LeaveBenchmark,
    PublishBenchmark,
    RevealLabels,
    StartTask,
)
from p2peval.core.parts import Blob
from p2peval.core.rows import BenchmarkRow, DutyState, ReplicaState, ResultRow
from p2peval.core.state import State
from p2peval.core.task import OVER
from p2peval.core.types import PeerId, Seconds, to_nano
from p2peval.daemon import probing, refs, views
from p2peval.daemon.bundle import report_of, write_bundle
from p2peval.daemon.clock import Clock
from p2peval.daemon.driver import Driver
from p2peval.daemon.feed import Feed
from p2peval.daemon.library import Library
from p2peval.daemon.present import Presenter, efficiency_view, metric_views
from p2peval.daemon.present_trust import TrustPresenter
from p2peval.daemon.publishing import spec_of
from p2peval.daemon.report_views import BundleView, RescoreView
from p2peval.daemon.reports import ReportFile
from p2peval.daemon.reputation_desk import ReputationDesk
from p2peval.daemon.workshop import Workshop
from p2peval.defaults import CONNECT_TIMEOUT, DATA_PATIENCE, JOIN_PATIENCE
from p2peval.errors import (
    ConfigError,
    DeadlineError,
    NetworkError,
    NotFoundError,
    P2pevalError,
    UsageError,
    VerificationError,
)
from p2peval.evaluation import benchmark_file
from p2peval.interop.croissant import croissant
from p2peval.net.network import Network
from p2peval.paths import Paths
from p2peval.wire.frames import Invitation
from p2peval.wire.invitation import decode_invitation, encode_invitation, is_invitation

ERRORS: dict[str, type[P2pevalError]] = {"config": ConfigError, "not_found": NotFoundError, "usage": UsageError}
"""What a reply's error code becomes for people."""


@dataclass(frozen=True, slots=True)
class NodeService:
    """The Service of a running daemon. ``stopping`` is set when somebody asks it to stop."""

    config: Config
    paths: Paths
    network: Network
    driver: Driver
    library: Library
    workshop: Workshop
    feed: Feed
    clock: Clock
    started: Seconds
    stopping: trio.Event

    @property
    def _state(self) -> State:
        return self.driver.node.state

    @property
    def _present(self) -> Presenter:
        roots = tuple(PeerId(peer) for peer in self.config.reputation.trust_roots)
        return Presenter(self._state, self.network.peer_id, self.clock(), self.paths.reports, roots)

    async def _command(self, make: Callable[[str], Event]) -> Reply:
        reply = await self.driver.ask(make)
        if reply.error:
            raise ERRORS.get(reply.error, P2pevalError)(reply.detail or reply.error)
        return reply

    # ── the node ──────────────────────────────────────────────────────────────────────────────────

    async def status(self) -> views.StatusView:
        state = self._state
        return views.StatusView(
            version=__version__,
            network=self.config.network.id,
            peer=self.network.peer_id,
            name=self.config.node.name,
            pid=os.getpid(),
            started=self.started,
            addresses=self.network.addresses(),
            connected=len(self.network.peers()),
            known=sum(row.peer != self.network.peer_id for row in state.peers),
            benchmarks=sum(row.joined for row in state.benchmarks),
            open_tasks=sum(task.state not in OVER for task in state.tasks),
            open_duties=sum(duty.state not in (DutyState.DONE, DutyState.FAILED) for duty in state.duties),
            workers=self.config.evaluation.workers,
            stored_bytes=await trio.to_thread.run_sync(self.library.store.total_bytes),
            quota_bytes=self.library.store.quota_bytes,
            read_only=self.driver.read_only,
        )

    async def stop(self) -> None:
        self.stopping.set()

    async def identity(self) -> views.IdView:
        return views.IdView(
            peer=self.network.peer_id,
            name=self.config.node.name,
            network=self.config.network.id,
            addresses=self.network.addresses(),
        )

    async def peers(self) -> tuple[views.PeerView, ...]:
        present, here = self._present, {status.peer: status for status in self.network.peers()}
        known = {row.peer for row in self._state.peers if row.peer != self.network.peer_id}
        return tuple(
            present.peer(peer, s.addresses, True, s.inbound, s.rtt_ms)
            if (s := here.get(peer))
            else present.peer(peer, (), False, False, None)
            for peer in sorted(known | set(here), key=lambda p: (p not in here, p))
        )

    async def connect(self, address: str) -> views.PeerView:
        peer = await self.network.connect(address, CONNECT_TIMEOUT)
        return next(view for view in await self.peers() if view.peer == peer)

    # ── benchmarks ────────────────────────────────────────────────────────────────────────────────

    async def publish(self, directory: str) -> views.BenchmarkView:
        folder = Path(directory)
        file = await trio.to_thread.run_sync(benchmark_file.load, folder)
        found, blobs = await self.workshop.prepare(folder)
        spec = spec_of(file, found, blobs, network=self.config.network.id, author=self.network.peer_id)
        reply = await self._command(lambda reply_id: PublishBenchmark(reply_id, spec, file.data.hold_labels))
        return self._present.benchmark(self._state.benchmarks[reply.subject])

    async def benchmarks(self) -> tuple[views.NameClaimView, ...]:
        present = self._present
        return tuple(present.claim(row) for row in sorted(self._state.names, key=lambda r: (r.name, r.author)))

    async def benchmark(self, ref: str) -> views.BenchmarkView:
        return self._present.benchmark(refs.held_benchmark(self._state, ref))

    async def reveal(self, ref: str) -> views.BenchmarkView:
        row = refs.held_benchmark(self._state, ref)
        await self._command(lambda reply_id: RevealLabels(reply_id, row.id))
        return self._present.benchmark(self._state.benchmarks[row.id])

    async def croissant(self, ref: str) -> dict[str, Any]:
        row = refs.held_benchmark(self._state, ref)
        return croissant(row.spec, row.id)

    async def invite(self, ref: str) -> views.InviteView:
        row = refs.held_benchmark(self._state, ref)
        invitation = Invitation(
            network=self.config.network.id,
            benchmark=row.id,
            name=row.spec.name,
            author=row.spec.author,
            addresses=self.network.addresses(),
            seed_peer=PeerId(""),
            network_key=b"",
        )
        return views.InviteView(
            invite=encode_invitation(invitation),
            benchmark=row.id,
            name=row.spec.name,
            author=self._present.name(row.spec.author),
        )

    async def join(self, ref: str, evaluates: bool, requests: bool, timeout: float | None) -> views.BenchmarkView:
        holders: tuple[PeerId, ...] = ()
        if is_invitation(ref):
            invitation = decode_invitation(ref, self.config.network.id)
            benchmark, holders = invitation.benchmark, await self._hosts(invitation)
        else:
            benchmark = refs.claimed_benchmark(self._state, ref)
        limit = timeout or JOIN_PATIENCE + 1.0
        with trio.move_on_after(limit):
            reply = await self._command(
                lambda reply_id: JoinBenchmark(reply_id, benchmark, evaluates, requests, holders)
            )
            return self._present.benchmark(self._state.benchmarks[reply.subject])
        raise DeadlineError(f"{benchmark} was not found within {limit:g} s", hint="is one of its members online?")

    async def _hosts(self, invitation: Invitation) -> tuple[PeerId, ...]:
        """Connect to whom an invitation names: one that answers is enough."""
        reached: list[PeerId] = []
        failures: list[str] = []
        for address in invitation.addresses:
            try:
                reached.append(await self.network.connect(address, CONNECT_TIMEOUT))
            except P2pevalError as error:
                failures.append(error.message)
        if not reached and not self.network.peers():
            hint = "ask whether they are online, or another member for an invitation"
            raise DeadlineError("nobody whom the invitation names answers: " + "; ".join(failures), hint=hint)
        return tuple(dict.fromkeys(reached))

    async def leave(self, ref: str) -> views.BenchmarkView:
        row = refs.held_benchmark(self._state, ref)
        await self._command(lambda reply_id: LeaveBenchmark(reply_id, row.id))
        return self._present.benchmark(self._state.benchmarks[row.id])

    async def board(self, ref: str, trust_root: str | None) -> views.BoardView:
        connected = tuple(status.peer for status in self.network.peers())
        more = (refs.peer(self._state, trust_root, connected),) if trust_root else ()
        return self._present.board(refs.held_benchmark(self._state, ref), more)

    # ── evaluations ───────────────────────────────────────────────────────────────────────────────

    async def preview(self, ref: str, model_path: str) -> views.PreviewView:
        row = refs.held_benchmark(self._state, ref)
        model = await self._model(row, model_path)
        answer = await self.workshop.preview(row.known, model)
        return views.PreviewView(
            benchmark=row.id,
            benchmark_name=row.spec.name,
            model=model.cid,
            model_name=Path(model_path).stem,
            samples=row.spec.samples,
            metrics=metric_views(answer.metrics),
            equivalence_class=answer.equivalence_class,
            efficiency=efficiency_view(answer),
        )

    async def start_task(
        self,
        ref: str,
        model_path: str,
        name: str,
        epsilon: float | None,
        delta: float | None,
        replicas: int | None,
        certify: bool,
    ) -> views.TaskView:
        row = refs.held_benchmark(self._state, ref)
        _check_request(row, epsilon, delta, replicas)
        model = await self._model(row, model_path)
        reply = await self._command(
            lambda reply_id: StartTask(
                reply_id,
                row.id,
                model,
                name or Path(model_path).stem,
                to_nano(epsilon or 0.0),
                to_nano(delta or 0.0),
                replicas or 0,
                certify,
            )
        )
        return self._present.task(self._state.tasks[reply.subject])

    async def probe(self, ref: str) -> views.TaskView:
        reply = await self._command(await probing.probe(refs.own_task(self._state, ref), self._state, self.workshop))
        return self._present.task(self._state.tasks[reply.subject])

    async def _model(self, row: BenchmarkRow, model_path: str) -> Blob:
        """The model on the shelf, scanned and tried; the data to audit it with at hand: nothing is announced before."""
        path = Path(model_path)
        spec = row.spec
        size = await trio.to_thread.run_sync(_size_of, path)
        if size > spec.limits.model_mb * 1_000_000:
            raise UsageError(f"{path} has {size} bytes, {spec.name} allows {spec.limits.model_mb} MB")
        await self.workshop.scan(spec, path)
        with trio.move_on_after(DATA_PATIENCE) as waited:
            await self._data(row)
        if waited.cancelled_caught:
            raise DeadlineError(f"the data of {spec.name} did not arrive within {DATA_PATIENCE:g} s")
        if self.config.evaluation.computes:  # else its evaluators and auditors find out
            await self.workshop.rehearse(spec, path)
        return await trio.to_thread.run_sync(self.library.store.add_file, path)

    async def _data(self, row: BenchmarkRow) -> None:
        """Inputs, labels and groups at hand. Raises NetworkError and VerificationError that name which is not."""
        holders = (row.spec.author, *(PeerId(member) for member in self._present.members(row.id)))
        for what, blob in data_of(row.known).items():
            try:
                await self.library.have(blob, holders)
            except (NetworkError, VerificationError) as error:
                kind = VerificationError if isinstance(error, VerificationError) else NetworkError
                raise kind(f"the {what} of {row.spec.name}: {error.message}", hint=error.hint) from error

    async def tasks(self) -> tuple[views.TaskView, ...]:
        present = self._present
        return tuple(present.task(row) for row in sorted(self._state.tasks, key=lambda r: -r.created))

    async def task(self, ref: str) -> views.TaskView:
        found = refs.any_task(self._state, ref)
        return self._present.claimed(found) if isinstance(found, ResultRow) else self._present.task(found)

    async def rescore(self, ref: str, metrics: tuple[str, ...]) -> RescoreView:
        task = refs.own_task(self._state, ref)
        accepted = [row for row in self._state.replicas if row.task == task.id and row.state is ReplicaState.AGREES]
        if not accepted or accepted[0].outputs is None:
            raise NotFoundError(f"task {task.id} has no accepted outputs: it is {task.state.value}")
        row = self._state.benchmarks[task.benchmark]
        wrong = metrics_problem(row.spec.task, metrics or row.spec.metrics)
        if wrong:
            raise UsageError(wrong)
        replica, outputs = accepted[0], accepted[0].outputs
        answer = await self.workshop.rescore(
            row.known, outputs, replica.equivalence_class, metrics or row.spec.metrics, task.delta_nano
        )
        return RescoreView(
            task=task.id,
            benchmark=row.id,
            benchmark_name=row.spec.name,
            model=task.model.cid,
            model_name=task.model_name,
            evaluator=self._present.name(replica.peer),
            outputs=outputs.cid,
            samples=row.spec.samples,
            metrics=metric_views(answer.metrics),
        )

    async def report(self, ref: str) -> ReportFile:
        return await report_of(refs.any_task(self._state, ref), self.driver, self.config.network.id)

    async def bundle(self, ref: str, directory: str) -> BundleView:
        return await write_bundle(Path(directory), await self.report(ref), self.library)

    async def cancel(self, ref: str) -> views.TaskView:
        row = refs.own_task(self._state, ref)
        await self._command(lambda reply_id: CancelTask(reply_id, row.id))
        return self._present.task(self._state.tasks[row.id])

    # ── reputation, events ────────────────────────────────────────────────────────────────────────

    @property
    def reputations(self) -> ReputationDesk:
        settings, connected = self.config.reputation, tuple(status.peer for status in self.network.peers())
        policy = self.driver.node.policy
        present = TrustPresenter(self._state, self.network.peer_id, self.clock(), policy)
        return ReputationDesk(self._state, present, connected, self._command, settings.conviction_days * 86_400.0)

    def events(self, after: int | None) -> trio.MemoryReceiveChannel[views.EventView]:
        return self.feed.follow(after)


def _check_request(row: BenchmarkRow, epsilon: float | None, delta: float | None, replicas: int | None) -> None:
    """Raises, before the model is on the shelf, what the node would refuse after. Raises P2pevalError."""
    if not row.requests:
        hint = f"p2peval bench join {row.id}"
        raise NotFoundError(f"this node has not joined {row.spec.name} as a requester", hint=hint)
    for option, asked in (("epsilon", epsilon), ("delta", delta)):
        if asked is not None and not to_nano(asked):
            raise UsageError(f"{option}: {asked:g} is below the smallest that can be asked for, 1e-9")
    usual = row.spec.verification
    wrong = request_problem(
        to_nano(epsilon or 0.0) or usual.epsilon_nano,
        to_nano(delta or 0.0) or usual.delta_nano,
        replicas or usual.replicas,
    )
    if wrong:
        raise UsageError(wrong)


def _size_of(model: Path) -> int:
    if not model.is_file():
        raise NotFoundError(f"no model at {model}", hint="give the path of an ONNX file")
    return model.stat().st_size
