"""Who answers the local API: the daemon, and in tests a double of it. Knows no HTTP and no JSON."""

from __future__ import annotations

from typing import Any, Protocol

from trio import MemoryReceiveChannel

from p2peval.daemon.report_views import BundleView, RescoreView
from p2peval.daemon.reports import ReportFile
from p2peval.daemon.reputation_views import BoundView, ExplainView, ReputationDetail, ReputationExport, ReputationView
from p2peval.daemon.views import (
    BenchmarkView,
    BoardView,
    EventView,
    IdView,
    InviteView,
    NameClaimView,
    PeerView,
    PreviewView,
    StatusView,
    TaskView,
)


class Reputations(Protocol):
    """What the API may ask about peers. ``peer`` as in Service, or a pet name."""

    async def ls(self, benchmark: str | None) -> tuple[ReputationView, ...]:
        """Best first; with ``benchmark``, of its members only, by the evidence from it."""
        ...

    async def show(self, peer: str) -> ReputationDetail: ...

    async def explain(self, peer: str) -> ExplainView: ...

    async def bound(self, peers: tuple[str, ...]) -> BoundView:
        """Of a set of peers; none: of all whom no own evidence and no root vouches for."""
        ...

    async def export(self) -> ReputationExport: ...

    async def judge(self, peer: str, trusted: bool | None, seconds: float | None, note: str) -> ReputationDetail:
        """Trust as a root, never ask, or (None) take that back; ``seconds`` None: as long as a proof counts."""
        ...

    async def name(self, peer: str, name: str) -> ReputationDetail:
        """Call a peer ``name`` from now on, here alone; "" forgets it."""
        ...


class Service(Protocol):
    """What the API may ask of a daemon. Every method may raise P2pevalError, which crosses as it is.

    ``ref`` of a benchmark: topic name, id, or a unique prefix of an id; of a peer: id, a unique suffix
    (≥ 4) or a claimed name; of a task: id or a unique prefix. Unknown: NotFoundError. Ambiguous:
    UsageError that lists the candidates.
    """

    async def status(self) -> StatusView: ...

    async def stop(self) -> None:
        """Begin to drain and return at once; the server then closes."""
        ...

    async def identity(self) -> IdView: ...

    async def peers(self) -> tuple[PeerView, ...]: ...

    async def connect(self, address: str) -> PeerView: ...

    async def publish(self, directory: str) -> BenchmarkView:
        """``directory``: absolute path of a folder with a benchmark.toml."""
        ...

    async def benchmarks(self) -> tuple[NameClaimView, ...]: ...

    async def benchmark(self, ref: str) -> BenchmarkView: ...

    async def croissant(self, ref: str) -> dict[str, Any]:
        """The benchmark's data as a Croissant JSON-LD document."""
        ...

    async def invite(self, ref: str) -> InviteView: ...

    async def join(self, ref: str, evaluates: bool, requests: bool, timeout: float | None) -> BenchmarkView:
        """``ref`` may be an invitation too. ``timeout``: seconds to find the spec; DeadlineError after."""
        ...

    async def leave(self, ref: str) -> BenchmarkView: ...

    async def reveal(self, ref: str) -> BenchmarkView: ...

    async def preview(self, ref: str, model_path: str) -> PreviewView: ...

    async def start_task(
        self,
        ref: str,
        model_path: str,
        name: str,
        epsilon: float | None,
        delta: float | None,
        replicas: int | None,
        certify: bool,
    ) -> TaskView:
        """Returns once the task is announced. None takes the benchmark's own; ``name`` "" the file's stem.

        ``certify``: audit as much as a certificate on this very number takes, whoever evaluates.
        """
        ...

    async def tasks(self) -> tuple[TaskView, ...]:
        """Own tasks, newest first."""
        ...

    async def task(self, ref: str) -> TaskView: ...

    async def probe(self, ref: str) -> TaskView: ...

    async def rescore(self, ref: str, metrics: tuple[str, ...]) -> RescoreView:
        """Metrics of an accepted task's saved outputs; none named: the benchmark's own."""
        ...

    async def report(self, ref: str) -> ReportFile:
        """The report of a task with a record, this node's or somebody else's."""
        ...

    async def bundle(self, ref: str, directory: str) -> BundleView:
        """Write report, model, data and outputs into ``directory``: an absolute path, new or empty."""
        ...

    async def cancel(self, ref: str) -> TaskView: ...

    async def board(self, ref: str, trust_root: str | None) -> BoardView:
        """With ``trust_root``: as it would stand, were that peer a root too."""
        ...

    @property
    def reputations(self) -> Reputations:
        """As of now: each question asks for it anew."""
        ...

    def events(self, after: int | None) -> MemoryReceiveChannel[EventView]:
        """Events with an id > ``after`` that are still kept, then new ones; None: new ones only.

        Kept ones are in the channel when it is returned. An event about a task has its id as subject or
        as ``data["task"]``. The caller closes the channel. A subscriber that falls too far behind finds
        its channel at its end, and comes back with the last id it saw.
        """
        ...
