"""What is done in the demo, in order, and only through the daemons' APIs: as `bench …` and `eval run` do it."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from p2peval.cli.board import board_table
from p2peval.cli.client import path_to
from p2peval.cli.contract import DemoPeerView, DemoView
from p2peval.cli.demo import claims, models
from p2peval.cli.demo.cast import Player, cast, config_text, new_network
from p2peval.cli.demo.stage import INTERRUPTS, Actor, Stage
from p2peval.cli.demo.teller import Teller, until
from p2peval.cli.options import Options
from p2peval.cli.output import Output
from p2peval.cli.rep_text import reputation_table
from p2peval.daemon.reputation_views import ReputationView
from p2peval.daemon.story import called
from p2peval.daemon.views import (
    BenchmarkView,
    BoardView,
    IdView,
    InviteView,
    NameClaimView,
    PeerView,
    TaskView,
)
from p2peval.errors import P2pevalError, StoreError, VerificationError

INVITED = 2
"""How many join by invitation; the others by topic name."""


def perform(peers: int, liars: int, options: Options) -> None:
    """The whole demo. Raises VerificationError where a claim does not hold, and whatever a daemon refuses."""
    out = Output(options)
    teller = Teller(out)
    folder = _folder(options.home)
    play = _Play(teller, folder, new_network(), Stage())
    players = cast(peers, liars, folder)
    try:
        with _terminated_as_interrupted(), play.stage:
            try:
                with teller.phase("start and train"):
                    actors = play.open(players)
                with teller.phase("join"):
                    play.join(actors)
                with teller.phase("evaluate"):
                    tasks = play.evaluate(actors)
                with teller.phase("check"):
                    view = play.check(actors, tasks)
            except P2pevalError as error:
                if gone := play.stage.dead():
                    raise play.stage.obituary(gone) from error
                raise
            with teller.phase("stop"):
                codes = play.stage.clear()
    except BaseException:
        out.say(f"homes and logs are kept in {folder}")
        raise
    show(out, teller, play.judged(view, codes))


@dataclass(frozen=True, slots=True)
class _Play:
    teller: Teller
    folder: Path
    network: str
    stage: Stage

    # ── the acts ──────────────────────────────────────────────────────────────────────────────────

    def open(self, players: list[Player]) -> list[Actor]:
        """Start everybody; the models train while the others start."""
        first, *others = players
        self._home(first, ())
        bootstrap = self.stage.ready(self.stage.start(first))
        addresses = bootstrap.api.get("/v1/id", IdView).addresses
        self.teller.line("started", f"{first.name}, the bootstrap peer, at {addresses[0]}")
        for player in others:
            self._home(player, addresses)
            self.stage.start(player)
        models.write_benchmark(self.folder / "digits")
        for path in models.train(self.folder / "models"):
            self.teller.line("trained", f"{path.stem}, {path.stat().st_size / 1000:.0f} kB of ONNX")
        for actor in self.stage.actors[1:]:
            self.stage.ready(actor)
        self.teller.line("started", ", ".join(f"{p.name}{' (lies)' if p.lies else ''}" for p in others))
        return self.stage.actors

    def join(self, actors: list[Actor]) -> None:
        """The first publishes; everybody else joins, and the requester comes to know them all."""
        publisher, requester = actors[:2]
        bench = publisher.api.post("/v1/benchmarks", BenchmarkView, {"directory": str(self.folder / "digits")})
        self.teller.line("published", f"{bench.name} by {publisher.name}: {bench.samples} samples, {bench.id}")
        invitation = publisher.api.get(path_to("benchmarks", bench.id, "invite"), InviteView).invite
        for place, actor in enumerate(actors[1:]):
            if place >= INVITED:
                self._hear(actor)
            ref = invitation if place < INVITED else models.TOPIC
            actor.api.post(
                "/v1/join", BenchmarkView, {"ref": ref, "evaluates": True, "requests": True, "timeout": None}
            )
            self.teller.line("joined", f"{actor.name} {_how(place + 1)}")
        until(requester.api, "the requester to know everybody", lambda: self._knows(requester, len(actors) - 1))
        self.teller.line("met", f"{requester.name} is connected to all {len(actors) - 1} other members")

    def evaluate(self, actors: list[Actor]) -> list[TaskView]:
        """The first model by everybody and certified; the rest by one whom that leaves, audited as its record asks."""
        requester = actors[1]
        tasks: list[TaskView] = []
        for path in sorted((self.folder / "models").glob("*.onnx")):
            replicas = 1 if tasks else len(actors) - 1
            body = {
                "benchmark": models.TOPIC,
                "model": str(path),
                "name": path.stem,
                "replicas": replicas,
                "certify": not tasks,
            }
            task = requester.api.post("/v1/tasks", TaskView, body)
            self.teller.line("asked", f"{requester.name}: {path.stem}, by {replicas} of {len(actors) - 1} peers")
            tasks.append(self.teller.follow(requester.api, task))
            for replica in tasks[-1].replicas:
                if replica.state == "differs" and replica.reputation is not None:
                    self.teller.line("caught", f"{called(replica.evaluator)}: reputation {replica.reputation:.2f} now")
        return tasks

    def check(self, actors: list[Actor], tasks: list[TaskView]) -> DemoView:
        """The requester's board and reputation table, and the board of a member that asked for nothing."""
        witness, requester = actors[:2]
        board = requester.api.get(path_to("benchmarks", models.TOPIC, "board"), BoardView)
        claimed = until(witness.api, "the records of all tasks", lambda: self._board(witness, len(board.lines)))
        reputation = requester.api.get("/v1/reputation", tuple[ReputationView, ...])
        return DemoView(
            folder=str(self.folder),
            network=self.network,
            requester=requester.name,
            peers=tuple(self._peer(place, actor) for place, actor in enumerate(actors)),
            tasks=tuple(tasks),
            board=board,
            claimed=claimed,
            reputation=reputation,
            reports=tuple(task.report for task in tasks),
            claims=(),
            seconds={},
        )

    def judged(self, view: DemoView, codes: dict[str, int]) -> DemoView:
        """With claims, each checked against something that p2peval did not say, where there is such a thing."""
        data = self.folder / "digits" / "digits.npz"
        with self.teller.phase("recompute"):
            right = {path.stem: models.plainly(path, data) for path in (self.folder / "models").glob("*.onnx")}
        seconds = {**self.teller.seconds, "total": round(self.teller.elapsed(), 2)}
        return replace(view, claims=claims.check(view, right, codes), seconds=seconds)

    # ── parts ─────────────────────────────────────────────────────────────────────────────────────

    def _home(self, player: Player, bootstrap: tuple[str, ...]) -> None:
        from p2peval.daemon.offline import create_home

        create_home(player.options.paths, config_text(player.name, self.network, bootstrap))

    def _hear(self, actor: Actor) -> None:
        """Returns once the topic's name has reached ``actor``."""

        def heard() -> bool | None:
            known = actor.api.get("/v1/benchmarks", tuple[NameClaimView, ...])
            return any(claim.name == models.TOPIC for claim in known) or None

        until(actor.api, f"word of {models.TOPIC} at {actor.name}", heard)

    def _knows(self, actor: Actor, others: int) -> bool | None:
        """Whether so many members are connected to ``actor``: only those hear its announcements for certain."""
        peers = actor.api.get("/v1/peers", tuple[PeerView, ...])
        return sum(peer.connected and models.TOPIC in peer.benchmarks for peer in peers) == others or None

    def _board(self, actor: Actor, lines: int) -> BoardView | None:
        board = actor.api.get(path_to("benchmarks", models.TOPIC, "board"), BoardView)
        return board if len(board.lines) >= lines else None

    def _peer(self, place: int, actor: Actor) -> DemoPeerView:
        peer = actor.api.get("/v1/id", IdView).peer
        player = actor.player
        return DemoPeerView(name=player.name, peer=peer, home=str(player.home), lies=player.lies, joined=_how(place))


def _how(place: int) -> str:
    return "published" if place == 0 else "by invitation" if place <= INVITED else "by topic name"


def _folder(home: Path | None) -> Path:
    """A folder of the demo's own. Raises StoreError where ``--home`` names one that is not empty."""
    if home is None:
        return Path(tempfile.mkdtemp(prefix="p2peval-demo-"))
    folder = home.expanduser().absolute()
    if folder.exists() and any(folder.iterdir()):
        raise StoreError(f"{folder} is not empty", hint="give the demo a folder of its own, or no --home")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def show(out: Output, teller: Teller, view: DemoView) -> None:
    """Board, reputations, reports, claims. Raises VerificationError where one does not hold."""
    teller.text(f"\n{view.requester}'s board of {view.board.name}\n{board_table(out, view.board)}")
    teller.text(f"\n{view.requester}'s reputation table\n{reputation_table(out, view.reputation)}")
    teller.text("\nreports\n" + "\n".join(f"  {report}" for report in view.reports))
    rows = [["ok" if claim.held else "WRONG", claim.name, claim.value, claim.limit] for claim in view.claims]
    teller.text("\n" + out.table(["", "CLAIM", "FOUND", "EXPECTED"], rows))
    broken = [claim for claim in view.claims if not claim.held]
    if broken:
        wrong = "; ".join(f"{claim.name}: {claim.value}, not {claim.limit}" for claim in broken)
        raise VerificationError(f"{len(broken)} of {len(view.claims)} claims did not hold: {wrong}", hint=view.folder)
    phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in view.seconds.items())
    out.answer("demo", view, lambda: f"\n{phases}\nhomes, logs and reports are kept in {view.folder}")


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind like Ctrl-C, so that no daemon stays behind; so does a SIGINT that was ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    old = {number: signal.signal(number, interrupt) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
