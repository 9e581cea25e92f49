"""A Service that says what its test told it to, behind the real server."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import trio
from msgspec.structs import asdict

from p2peval.daemon import reputation_views, server, views
from p2peval.daemon.report_views import BundleView, RescoreView
from p2peval.daemon.reports import ReportFile
from p2peval.daemon.story import with_story
from p2peval.errors import P2pevalError
from p2peval.paths import Paths

ANN = "12D3KooWAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAnnAKq9f"
BOB = "12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobBt1aZ"
BENCH = "bafkreibenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbe"
TASK = "bafkreitasktasktasktasktasktasktasktasktasktasktasktasktasq3"
MODEL = "bafkreimodelmodelmodelmodelmodelmodelmodelmodelmodelmodelmo"

ANN_NAME = views.PeerName(peer=ANN, name="ann")
ACCURACY = views.MetricView(
    name="accuracy",
    status="value",
    value=0.9417,
    lower_is_better=False,
    audit=views.IntervalView(low=0.9317, high=0.9517),
    sampling=views.IntervalView(low=0.93, high=0.952),
)
CERTIFICATE = views.CertificateView(epsilon=0.01, delta=0.01, samples=1797, audited=404, attempts=1, basis="certified")
REPUTATION = reputation_views.ReputationView(
    peer=ANN,
    name="ann",
    pet_name="",
    reputation=0.871,
    low=0.79,
    high=0.93,
    resolved=41,
    agreed=0.976,
    streak=12,
    heard=2.5,
    silent=0,
    withheld=0,
    last_seen=1.0,
    flags=("differed(1)",),
)
DETAIL = reputation_views.ReputationDetail(
    **asdict(REPUTATION) | {"pet_name": "annie"},
    mass=0.2,
    reach=0.3,
    credibility=0.8,
    judgement=reputation_views.JudgementView(trusted=True, until=4e9, note="met in Ghent"),
    benchmarks=(
        reputation_views.LocalView(
            benchmark=BENCH, name="digits", mean=0.9, resolved=41, agreed=0.976, next_audit=97, samples=1797
        ),
    ),
    history=tuple(
        reputation_views.PastView(at=3600.0 * hour, reputation=0.5 + hour / 10, low=0.2, high=0.9, resolved=hour)
        for hour in range(4)
    ),
)
BOUND = reputation_views.BoundView(peers=(ANN_NAME,), mass=0.2, bound=0.25, inflow=0.1, slack=0.3, pre_trust=0.0)
EXPLAINED = reputation_views.ExplainView(
    peer=ANN_NAME,
    reputation=0.871,
    opinion=0.871,
    because="",
    prior=0.05,
    own=0.7,
    own_agreed=20.0,
    own_disagreed=1.0,
    pending=0.0,
    raters=(
        reputation_views.RaterView(
            rater=views.PeerName(peer=BOB, me=True), credibility=0.8, agreed=3.0, disagreed=0.0, share=0.121, moves=0.01
        ),
    ),
    paths=(reputation_views.PathView(peers=(views.PeerName(peer=BOB, me=True), ANN_NAME), weight=0.4),),
    outcomes=(
        reputation_views.OutcomeView(task=TASK, benchmark=BENCH, model_name="logreg", outcome="agrees", by="audit"),
    ),
    proofs=(),
    bound=BOUND,
)
PEER = views.PeerView(
    peer=ANN,
    name="ann",
    pet_name="",
    connected=True,
    inbound=False,
    rtt_ms=0.4,
    addresses=("/ip4/127.0.0.1/tcp/1",),
    benchmarks=("digits",),
    classes=("ort-1.32",),
    reputation=0.871,
    last_seen=1.0,
)
BENCHMARK = views.BenchmarkView(
    id=BENCH,
    name="digits",
    title="Digits",
    description="",
    license="CC0-1.0",
    version=1,
    parent="",
    author=ANN_NAME,
    task="classification",
    samples=1797,
    metrics=("accuracy",),
    inputs=views.BlobView(cid=MODEL, size=460_000),
    labels=None,
    model_input=views.TensorView(name="input", dtype="float32", shape=(64,)),
    model_output=views.TensorView(name="output", dtype="float32", shape=(10,)),
    atol=1e-5,
    rtol=1e-5,
    seconds=60,
    memory_mb=1024,
    model_mb=100,
    epsilon=0.01,
    delta=0.01,
    audited=404,
    replicas=1,
    profile="all",
    joined=True,
    evaluates=True,
    requests=True,
    members=(ANN_NAME, views.PeerName(peer=BOB, me=True)),
)


def replica(state: str, **changes: Any) -> views.ReplicaView:
    facts: dict[str, Any] = {
        "id": "bafkreiassignment",
        "evaluator": ANN_NAME,
        "reputation": 0.87,
        "state": state,
        "attempt": 1,
        "equivalence_class": "ort-1.32",
        "drawn": 404,
        "audited": 404 if state in ("agrees", "differs") else 0,
        "differing": (),
        "reason": "",
    }
    return views.ReplicaView(**facts | changes)


def task(state: str = "announced", **changes: Any) -> views.TaskView:
    accepted = state == "accepted"
    facts: dict[str, Any] = {
        "id": TASK,
        "benchmark": BENCH,
        "benchmark_name": "digits",
        "model": MODEL,
        "model_name": "logreg",
        "requester": views.PeerName(peer=BOB, me=True),
        "state": state,
        "attempt": 1,
        "wanted": 1,
        "epsilon": 0.01,
        "delta": 0.01,
        "samples": 1797,
        "created": 1.0,
        "expires": 700_000.0,
        "finished": 2.0 if accepted else None,
        "announced_to": 6,
        "offers": 4,
        "declined": 0,
        "replicas": (replica("agrees"),) if accepted else (),
        "metrics": (ACCURACY,) if accepted else (),
        "certificate": CERTIFICATE if accepted else None,
        "standing": "me" if accepted else "",
        "reason": "",
        "record": "bafkreirecord" if accepted else "",
        "report": "/home/bob/reports/bafkreirecord.json" if accepted else "",
    }
    return with_story(views.TaskView(**facts | changes))


class ScriptedReputations:
    """What a Scripted says about peers, through its ``say``."""

    def __init__(self, say: Callable[..., Awaitable[Any]]) -> None:
        self._say = say

    async def ls(self, benchmark: str | None) -> tuple[reputation_views.ReputationView, ...]:
        return await self._say((REPUTATION,), "reputation", benchmark)

    async def show(self, peer: str) -> reputation_views.ReputationDetail:
        return await self._say(DETAIL, "reputation_of", peer)

    async def explain(self, peer: str) -> reputation_views.ExplainView:
        return await self._say(EXPLAINED, "explain", peer)

    async def bound(self, peers: tuple[str, ...]) -> reputation_views.BoundView:
        return await self._say(BOUND, "bound", peers)

    async def export(self) -> reputation_views.ReputationExport:
        said = reputation_views.StatementView(
            rater=BOB,
            benchmark=BENCH,
            epoch_end=3600.0,
            entries=(reputation_views.EntryView(peer=ANN, agreed=2.0, disagreed=0.0),),
        )
        view = reputation_views.ReputationExport(
            peer=BOB, at=7200.0, epoch_s=3600.0, roots=(), peers=(DETAIL,), statements=(said,)
        )
        return await self._say(view, "export")

    async def judge(
        self, peer: str, trusted: bool | None, seconds: float | None, note: str
    ) -> reputation_views.ReputationDetail:
        return await self._say(DETAIL, "judge", peer, trusted, seconds, note)

    async def name(self, peer: str, name: str) -> reputation_views.ReputationDetail:
        return await self._say(DETAIL, "name", peer, name)


class Scripted:
    """``errors``: method -> what it raises. ``states``: what ``task`` answers, the last one for ever."""

    def __init__(self, pid: int = 1) -> None:
        self.pid = pid
        self.errors: dict[str, P2pevalError | Exception] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.states: list[views.TaskView] = [task("accepted")]
        self.published = self.shown = BENCHMARK
        self.left = 0
        self.stopping: trio.Event | None = None
        self.kept: list[views.EventView] = []
        self.channels: list[trio.MemorySendChannel[views.EventView]] = []
        self.hang = False
        self.report_file: ReportFile | None = None

    async def _say(self, view: Any, *call: Any) -> Any:
        self.calls.append(call)
        if call[0] in self.errors:
            raise self.errors[call[0]]
        if self.hang:
            try:
                await trio.sleep_forever()
            finally:
                self.left += 1
        return view

    async def status(self) -> views.StatusView:
        view = views.StatusView(
            version="0.1.0",
            network="p2peval-1",
            peer=BOB,
            name="bob",
            pid=self.pid,
            started=1.0,
            addresses=("/ip4/127.0.0.1/tcp/1",),
            connected=1,
            known=2,
            benchmarks=1,
            open_tasks=0,
            open_duties=0,
            workers=1,
            stored_bytes=10,
            quota_bytes=10_000_000_000,
        )
        return await self._say(view, "status")

    async def stop(self) -> None:
        await self._say(None, "stop")
        if self.stopping is not None:
            self.stopping.set()

    async def identity(self) -> views.IdView:
        address = f"/ip4/127.0.0.1/tcp/1/p2p/{BOB}"
        return await self._say(
            views.IdView(peer=BOB, name="bob", network="p2peval-1", addresses=(address,)), "identity"
        )

    async def peers(self) -> tuple[views.PeerView, ...]:
        return await self._say((PEER,), "peers")

    async def connect(self, address: str) -> views.PeerView:
        return await self._say(PEER, "connect", address)

    async def publish(self, directory: str) -> views.BenchmarkView:
        return await self._say(self.published, "publish", directory)

    async def benchmarks(self) -> tuple[views.NameClaimView, ...]:
        claim = views.NameClaimView(
            name="digits",
            title="Digits\x1b[31m\u202e",
            benchmark=BENCH,
            author=ANN_NAME,
            author_reputation=None,
            held=True,
            joined=True,
            evaluates=True,
            requests=True,
            members=2,
        )
        return await self._say((claim,), "benchmarks")

    async def benchmark(self, ref: str) -> views.BenchmarkView:
        return await self._say(self.shown, "benchmark", ref)

    async def croissant(self, ref: str) -> dict[str, Any]:
        return await self._say({"@type": "sc:Dataset", "name": "digits"}, "croissant", ref)

    async def invite(self, ref: str) -> views.InviteView:
        view = views.InviteView(invite="p2peval-invite", benchmark=BENCH, name="digits", author=ANN_NAME)
        return await self._say(view, "invite", ref)

    async def join(self, ref: str, evaluates: bool, requests: bool, timeout: float | None) -> views.BenchmarkView:
        return await self._say(BENCHMARK, "join", ref, evaluates, requests, timeout)

    async def reveal(self, ref: str) -> views.BenchmarkView:
        return await self._say(BENCHMARK, "reveal", ref)

    async def leave(self, ref: str) -> views.BenchmarkView:
        return await self._say(BENCHMARK, "leave", ref)

    async def preview(self, ref: str, model_path: str) -> views.PreviewView:
        view = views.PreviewView(
            benchmark=BENCH,
            benchmark_name="digits",
            model=MODEL,
            model_name="logreg",
            samples=1797,
            metrics=(ACCURACY,),
            equivalence_class="ort-1.32",
            efficiency=views.EfficiencyView(
                wall_ms=12, peak_memory_mb=80, samples_per_s=150_000.0, latency_p50_ms=0.02, latency_p99_ms=0.05
            ),
        )
        return await self._say(view, "preview", ref, model_path)

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
        return await self._say(task(), "start_task", ref, model_path, name, epsilon, delta, replicas, certify)

    async def tasks(self) -> tuple[views.TaskView, ...]:
        return await self._say((task("accepted"), task()), "tasks")

    async def task(self, ref: str) -> views.TaskView:
        view = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        for channel in self.channels:
            with suppress(trio.BrokenResourceError):  # its reader has gone
                channel.send_nowait(event(len(self.calls) + 1, "task.changed", ref))
        return await self._say(view, "task", ref)

    async def rescore(self, ref: str, metrics: tuple[str, ...]) -> RescoreView:
        view = RescoreView(
            task=TASK,
            benchmark=BENCH,
            benchmark_name="digits",
            model=MODEL,
            model_name="logreg",
            evaluator=ANN_NAME,
            outputs=MODEL,
            samples=1797,
            metrics=(ACCURACY,),
        )
        return await self._say(view, "rescore", ref, metrics)

    async def report(self, ref: str) -> ReportFile:
        return await self._say(self.report_file, "report", ref)

    async def bundle(self, ref: str, directory: str) -> BundleView:
        view = BundleView(
            directory=directory, record="r", files=("report.json",), missing=("model.onnx: nobody has it",)
        )
        return await self._say(view, "bundle", ref, directory)

    async def probe(self, ref: str) -> views.TaskView:
        return await self._say(task(), "probe", ref)

    async def cancel(self, ref: str) -> views.TaskView:
        return await self._say(task("cancelled", reason="cancelled"), "cancel", ref)

    async def board(self, ref: str, trust_root: str | None) -> views.BoardView:
        facts: dict[str, Any] = {"model": MODEL, "metrics": (ACCURACY,), "certificate": CERTIFICATE}
        facts |= {"requester": ANN_NAME, "evaluators": (ANN_NAME,), "task": TASK, "record": "r", "finished": 2.0}
        mine = views.BoardLine(rank=1, model_name="logreg", standing="me", **facts)
        trusted = views.BoardLine(
            rank=None, model_name="mlp", standing="trusted", auditors=(ANN_NAME, ANN_NAME), undetected=0.0412, **facts
        )
        claimed = views.BoardLine(rank=None, model_name="forest", standing="claimed", **facts)
        view = views.BoardView(
            benchmark=BENCH, name="digits", title="Digits", primary="accuracy", lines=(mine, trusted, claimed)
        )
        return await self._say(view, "board", ref, trust_root)

    @property
    def reputations(self) -> ScriptedReputations:
        return ScriptedReputations(self._say)

    def events(self, after: int | None) -> trio.MemoryReceiveChannel[views.EventView]:
        send, receive = trio.open_memory_channel[views.EventView](100)
        for kept in self.kept:
            if after is not None and kept.id > after:
                send.send_nowait(kept)
        self.channels.append(send)
        return receive


def event(number: int, kind: str, subject: str) -> views.EventView:
    return views.EventView(id=number, time=1.0, kind=kind, subject=subject, data={"n": number, "share": 0.5})


@contextmanager
def serving(service: Scripted, paths: Paths, listen: str = "") -> Iterator[tuple[str, ...]]:
    """The real server over ``service``, in a thread of its own; gives its addresses."""
    ready = threading.Event()
    found: list[Any] = []

    async def main() -> None:
        service.stopping = trio.Event()
        async with trio.open_nursery() as nursery:
            addresses = await nursery.start(server.serve, service, paths, listen, service.stopping)
            found.extend([trio.lowlevel.current_trio_token(), addresses])
            ready.set()

    thread = threading.Thread(target=lambda: trio.run(main), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[1]
    finally:
        stopping = service.stopping
        assert stopping is not None
        if thread.is_alive():
            with suppress(trio.RunFinishedError):
                found[0].run_sync_soon(stopping.set)
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"


def home(folder: Path) -> Paths:
    return Paths(config=folder / "config.toml", state=folder, data=folder, runtime=folder)
