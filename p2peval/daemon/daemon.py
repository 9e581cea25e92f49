"""Opens everything in order, wires it, and closes it again: the only place that knows all rooms."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import trio

from p2peval.config import Config
from p2peval.core.benchmark import PROFILES
from p2peval.core.events import Introduced
from p2peval.core.held_labels import held_back
from p2peval.core.node import Node
from p2peval.core.policy import Policy
from p2peval.core.state import State
from p2peval.core.types import PeerId, Seconds
from p2peval.daemon import retention
from p2peval.daemon.clock import Clock
from p2peval.daemon.courier import Courier
from p2peval.daemon.doctor import check_layers
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.exchange import Exchange
from p2peval.daemon.feed import Feed
from p2peval.daemon.library import Library
from p2peval.daemon.logs import configure
from p2peval.daemon.recorder import Recorder, recording
from p2peval.daemon.server import serve
from p2peval.daemon.service import NodeService
from p2peval.daemon.workshop import Workshop
from p2peval.defaults import DRAIN_SECONDS
from p2peval.evaluation.recipe import Recipe, equivalence_class
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight
from p2peval.net.blob_server import BlobServer
from p2peval.net.host import open_network
from p2peval.net.network import Network
from p2peval.paths import Paths
from p2peval.store import identity
from p2peval.store.blobs import BlobStore
from p2peval.store.database import Database
from p2peval.store.disk import make_private
from p2peval.store.lock import Lock
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import public_key_of
from p2peval.wire.secrets import NodeSecrets, choices_from

log = logging.getLogger(__name__)

MakeWorkshop = Callable[[Sandbox, Library, PeerId, Paths], Workshop]


def run(config: Config, paths: Paths, wait_lock_s: float, make_workshop: MakeWorkshop | None = None) -> int:
    """The daemon, until SIGTERM, SIGINT or ``stop``. Raises P2pevalError when it cannot start.

    ``make_workshop`` is the demo's hook for a lying peer; no configuration reaches it.
    """
    configure(config.log)
    check_layers(config.evaluation.require_sandbox)
    with Lock(paths.state, wait_s=wait_lock_s):
        trio.run(_main, config, paths, make_workshop or honest_workshop)
    return 0


def honest_workshop(sandbox: Sandbox, library: Library, me: PeerId, paths: Paths) -> Workshop:
    scratch = _scratch(paths)
    make_private(scratch)
    return Workshop(sandbox, library, public_key_of(me), scratch)


async def _main(config: Config, paths: Paths, make_workshop: MakeWorkshop) -> None:
    seed = identity.load(paths.key).seed
    blobs = BlobStore(paths.blobs, int(config.storage.quota_gb * 1e9))
    settings = config.network
    with Database(paths.database) as database:
        async with (
            open_network(seed, settings.listen, bootstrap=settings.bootstrap) as network,
            _sandbox(config, paths) as sandbox,
        ):
            with _recording(config, paths, network.peer_id) as recorder:
                await _serve(config, paths, make_workshop, seed, blobs, database, network, sandbox, recorder)


def _recording(config: Config, paths: Paths, me: PeerId) -> AbstractContextManager[Recorder | None]:
    if not config.node.record:
        return nullcontext()
    return recording(paths.state / config.node.record, me, config.network.id, _policy(config))


def _sandbox(config: Config, paths: Paths) -> Sandbox:
    return Sandbox(config.evaluation.workers, sight=Sight((str(paths.blobs),), (str(_scratch(paths)),)))


def _scratch(paths: Paths) -> Path:
    return paths.data / "scratch"


async def _serve(
    config: Config,
    paths: Paths,
    make_workshop: MakeWorkshop,
    seed: bytes,
    blobs: BlobStore,
    database: Database,
    network: Network,
    sandbox: Sandbox,
    recorder: Recorder | None,
) -> None:
    clock, feed, stopping = Clock(), Feed(), trio.Event()
    network_id = config.network.id
    sealer, secrets = EnvelopeSealer(seed, network_id), NodeSecrets(seed)
    policy = _policy(config)

    def make_node(state: State, at: Seconds) -> Node:
        rng = choices_from(secrets, at)
        return Node(state=state, sealer=sealer, secrets=secrets, rng=rng, network=network_id, policy=policy)

    def state() -> State:
        return driver.node.state

    driver = Driver(database, make_node, clock, feed, recorder)
    library = Library(network, blobs, clock)
    workshop = make_workshop(sandbox, library, network.peer_id, paths)
    exchange = Exchange(
        network,
        network_id,
        driver.inbox,
        state,
        database.envelopes,
        driver.ask,
        reports=paths.reports,
        max_peers=config.network.max_peers,
    )
    service = NodeService(config, paths, network, driver, library, workshop, feed, clock, clock(), stopping)
    exchange.serve()
    BlobServer(blobs, lambda: held_back(state(), network.peer_id)).attach(network)
    driver.inbox.own(_introduction(config, network))
    async with trio.open_nursery() as api:
        addresses = await api.start(serve, service, paths, config.api.listen, stopping)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exchange.watch)
            nursery.start_soon(driver.run, Hands(exchange, Courier(network, clock), library, workshop))
            nursery.start_soon(_until_signal, stopping)
            nursery.start_soon(retention.run, blobs, state, clock, config.storage.retention_days)
            log.info("peer %s, listening on %s", network.peer_id, ", ".join((*network.addresses(), *addresses)))
            _notify_systemd("READY=1")
            await stopping.wait()
            _notify_systemd("STOPPING=1")
            log.info("stopping")
            feed.close()
            with trio.move_on_after(DRAIN_SECONDS):
                await driver.drained()
            nursery.cancel_scope.cancel()


def _policy(config: Config) -> Policy:
    """What this node's operator is willing to do and to believe."""
    return Policy(
        accept_from=tuple(PeerId(peer) for peer in config.evaluation.accept_from),
        computes=config.evaluation.computes,
        background_audits=config.evaluation.background_audits,
        trust_roots=tuple(PeerId(peer) for peer in config.reputation.trust_roots),
        conviction_s=config.reputation.conviction_days * 86_400.0,
        epoch_s=config.reputation.epoch_s,
        newcomer_share=config.reputation.newcomer_share,
        honest_share=config.reputation.honest_share,
        opinion=config.reputation.opinion,
        checking=config.reputation.checking,
        memory_mb=config.evaluation.memory_mb,
        seconds=int(config.evaluation.deadline_s),
    )


def _introduction(config: Config, network: Network) -> Introduced:
    own = tuple(address.rsplit("/p2p/", 1)[0] for address in network.addresses())
    return Introduced(
        name=config.node.name,
        addresses=config.network.announce or own,
        classes=tuple(equivalence_class(Recipe(profile)) for profile in PROFILES),
        cores=os.cpu_count() or 1,
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
    )


async def _until_signal(stopping: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stopping.set()
            return


def _notify_systemd(state: str) -> None:
    """sd_notify(3), for Type=notify units."""
    import socket

    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), address.replace("@", "\0", 1))
