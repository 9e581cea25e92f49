"""Baumgart & Mies 2007, §5: look-ups among adversarial hosts, over d paths that share no host; and our own node's.

The paper's setting: 10 000 hosts that have long known each other, no churn, one question at a time on each path, s = 16
siblings, k = 16 or 2 d; who is adversarial names only its own kind, and a path that meets one is lost. Beside it stands
what a node of ours does (``sim.kademlia`` with its defaults) and what it did before, against liars of four kinds
and against Sybils that sit nearest a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from statistics import fmean

from p2peval.sim.heap import Heap
from p2peval.sim.kademlia.disjoint import Trail
from p2peval.sim.kademlia.liars import Steering, forgetful, ids_near, mute
from p2peval.sim.kademlia.network import Kademlia
from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.settled import Layout
from p2peval.sim.kademlia.table import BITS
from p2peval.sim.kademlia.words import Liar
from p2peval.sim.papers.paper import Claim, Mark, Panel, Paper, Point

HOSTS, SIBLINGS, FIXED = 10_000, 16, 16  # N, s and k of the paper
HOME = 40  # peers of one's own bucket: its sibling list of η·s, η = 2.5 (its §4.2)
PATHS = (1, 2, 4, 8)  # d of the paper
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
LOOKUPS = 60  # of one seed; the paper makes 10 000 once

PEERS = 1_000  # of our own network
LYING = (0.0, 0.1, 0.2, 0.3, 0.5)
SYBILS = (0, 10, 20, 30, 40, 60)
FINDS = 10  # searches of one seed
ONE_WAY = 0.1  # seconds that a message takes in the mean, exponentially; guess
BEFORE = Parameters(hop_patience=10.0, ranked=False, holders=20)  # what our node did when this was first played

FREE, NARROW, RIGHT = "a path free of liars", "a path free of liars, k = 2 d", "the host nearest the key is named"
LONG, COST = "length of a path", "messages of a search"
LIED, ECLIPSED = "a provider is found among liars", "a provider is found behind Sybils"
NOW, THEN = "our node", "our node before"

PAPER = Paper(
    title="S/Kademlia: a practicable approach towards secure key-based routing",
    authors="Baumgart, Mies",
    year=2007,
    about="look-ups over 1 to 8 disjoint paths among adversarial hosts; and whether our node finds providers",
    panels=(
        Panel(FREE, "adversarial share of 10 000 hosts", "share of look-ups", "figure 4: k = 16"),
        Panel(NARROW, "adversarial share of 10 000 hosts", "share of look-ups", "figure 5"),
        Panel(RIGHT, "adversarial share of 10 000 hosts", "share of look-ups"),
        Panel(LONG, "adversarial share of 10 000 hosts", "hosts asked on a path that arrives"),
        Panel(LIED, "lying share of 1 000 peers", "share of searches"),
        Panel(ECLIPSED, "Sybils nearest the key, beside 1 000 peers", "share of searches"),
        Panel(COST, "lying share of 1 000 peers", "questions and answers"),
    ),
    claims=(
        Claim("more paths, more success (1 to 2)", FREE, ("d = 1", 0.2), ("d = 2", 0.2)),
        Claim("more paths, more success (2 to 4)", FREE, ("d = 2", 0.2), ("d = 4", 0.2)),
        Claim("more paths, more success (4 to 8)", FREE, ("d = 4", 0.2), ("d = 8", 0.2)),
        Claim("likewise where k grows with them", NARROW, ("d = 2", 0.2), ("d = 4", 0.2)),
        Claim("mute peers hid keys", LIED, ("mute, before", 0.2), ("mute", 0.2), of_paper=False),
        Claim("false providers hid keys", LIED, ("false, before", 0.2), ("false", 0.2), of_paper=False),
        Claim("20 Sybils hid a key", ECLIPSED, (THEN, 20.0), (NOW, 20.0), of_paper=False),
        Claim("60 Sybils still do", ECLIPSED, (NOW, 60.0), (NOW, 20.0), of_paper=False),
    ),
    marks=(Mark(FREE, "d = 8", 0.2, 0.99), Mark(FREE, "d = 8", 0.5, 0.85)),
)


def _forgetful(liars: dict[int, int]) -> Liar:
    return forgetful


def _steering(liars: dict[int, int]) -> Liar:
    return Steering(liars, Parameters().nearest)


def _false(liars: dict[int, int]) -> Liar:
    return Steering(liars, Parameters().nearest, sorted(liars)[: Parameters().limit])


def _mute(liars: dict[int, int]) -> Liar:
    return mute


KINDS: Mapping[str, Callable[[dict[int, int]], Liar]] = {
    "forgetful": _forgetful,
    "steering": _steering,
    "false": _false,
    "mute": _mute,
}
"""How peers lie, made of the ids of all who do. "false": steering, and twenty of them are named as providers."""


def points() -> list[Point]:
    """The paper's two settings, then our own node's two."""
    return [
        *(Point(f"d = {d}", x, partial(disjoint, d, FIXED, x)) for d in PATHS for x in SHARES),
        *(Point(f"d = {d}", x, partial(narrow, d, x)) for d in PATHS for x in SHARES),
        *(Point("libp2p's way", x, partial(libp2p, x)) for x in SHARES),
        *(Point(kind, x, partial(searched, kind, Parameters(), x)) for kind in KINDS for x in LYING),
        *(Point(f"{kind}, before", x, partial(searched, kind, BEFORE, x)) for kind in ("false", "mute") for x in LYING),
        *(Point(NOW, float(n), partial(eclipsed, Parameters(), n)) for n in SYBILS),
        *(Point(THEN, float(n), partial(eclipsed, BEFORE, n)) for n in SYBILS),
    ]


def disjoint(d: int, k: int, share: float, seed: int, hosts: int = HOSTS) -> Mapping[str, float]:
    """Of look-ups over ``d`` paths: how many had one without an adversary, and named the host nearest the key."""
    rng = Random(f"{seed}/disjoint")
    parameters = Parameters(
        nearest=k, home=HOME, wide=False, learns=False, holders=k, siblings=SIBLINGS, paths=d, parallel=1
    )
    network, ids, bad = _among_liars(parameters, share, hosts, rng)
    free, right, lengths = list[bool](), list[bool](), list[int]()

    def judge(nearest: int, trails: tuple[Trail, ...]) -> None:
        arrived = [trail for trail in trails if trail.closest and not bad.intersection(trail.asked)]
        free.append(bool(arrived))
        right.append(any(nearest in trail.closest for trail in trails))
        lengths.extend(len(trail.asked) for trail in arrived)

    for asker, key, nearest in _questions(ids, bad, rng):
        network.trails(asker, key, partial(judge, nearest))
        network.heap.run(network.heap.now + parameters.hop_patience)
    return {FREE: fmean(free), RIGHT: fmean(right)} | ({LONG: fmean(lengths)} if lengths else {})


def narrow(d: int, share: float, seed: int) -> Mapping[str, float]:
    """The paper's second setting: k grows with the paths."""
    return {NARROW: disjoint(d, 2 * d, share, seed)[FREE]}


def libp2p(share: float, seed: int) -> Mapping[str, float]:
    """The same liars on the way as libp2p goes it, with routing tables as narrow as the paper's."""
    rng = Random(f"{seed}/libp2p")
    network, ids, bad = _among_liars(Parameters(wide=False, learns=False), share, HOSTS, rng)
    right: list[bool] = []

    def judge(nearest: int, named: tuple[int, ...]) -> None:
        right.append(nearest in named)

    for asker, key, nearest in _questions(ids, bad, rng):
        network.nearest_hosts(asker, key, partial(judge, nearest))
        network.heap.run(network.heap.now + network.parameters.way)
    return {RIGHT: fmean(right)}


def searched(kind: str, parameters: Parameters, share: float, seed: int) -> Mapping[str, float]:
    """Honest peers announce and search; ``share`` of all lie as ``kind`` says."""
    rng = Random(f"{seed}/searched")
    ids = {host: rng.getrandbits(BITS) for host in range(PEERS)}
    bad = sorted(rng.sample(sorted(ids), round(share * PEERS)))
    network = _network(ids, parameters, rng)
    liar = KINDS[kind]({host: ids[host] for host in bad})
    for host in bad:
        network.lie(host, liar)
    honest = sorted(ids.keys() - set(bad))
    searches = [(*rng.sample(honest, 2), rng.getrandbits(BITS)) for _ in range(FINDS)]
    found = [_found(network, provider, seeker, key) for provider, seeker, key in searches]
    return {LIED: fmean(right for right, _ in found), COST: fmean(messages for _, messages in found)}


def eclipsed(parameters: Parameters, sybils: int, seed: int) -> Mapping[str, float]:
    """All ``sybils`` sit nearest one key, lie together, and were there first."""
    rng = Random(f"{seed}/eclipsed")
    ids = {host: rng.getrandbits(BITS) for host in range(PEERS)}
    key = rng.getrandbits(BITS)
    near = dict(enumerate(ids_near(key, ids.values(), sybils, rng), PEERS))
    network = _network(ids | near, parameters, rng)
    liar = _false(near)
    for host in near:
        network.lie(host, liar)
    pairs = [rng.sample(range(PEERS), 2) for _ in range(FINDS)]
    providers = [provider for provider, _ in pairs]  # one more with each search: any of those so far will do
    found = [
        _found(network, provider, seeker, key, providers[:number]) for number, (provider, seeker) in enumerate(pairs)
    ]
    return {ECLIPSED: fmean(right for right, _ in found)}


def _among_liars(
    parameters: Parameters, share: float, hosts: int, rng: Random
) -> tuple[Kademlia, dict[int, int], set[int]]:
    """The network, all ids, and who lies."""
    ids = {host: rng.getrandbits(BITS) for host in range(hosts)}
    bad = sorted(rng.sample(sorted(ids), round(share * hosts)))
    network = Kademlia(Heap(), rng, lambda sender, receiver: ONE_WAY, parameters)
    network.settle(ids)
    liar = Steering({host: ids[host] for host in bad}, parameters.nearest)
    for host in bad:
        network.lie(host, liar)
    return network, ids, set(bad)


def _questions(ids: dict[int, int], bad: set[int], rng: Random) -> Iterator[tuple[int, int, int]]:
    """Who of the honest looks for which key, and who is nearest that."""
    honest = sorted(ids.keys() - bad)
    layout = Layout(ids, [ids[host] for host in range(len(ids))], Parameters(wide=False), rng)
    for _ in range(LOOKUPS):
        key = rng.getrandbits(BITS)
        yield rng.choice(honest), key, layout.nearest(key)


def _network(ids: Mapping[int, int], parameters: Parameters, rng: Random) -> Kademlia:
    network = Kademlia(Heap(), rng, lambda sender, receiver: rng.expovariate(1.0 / ONE_WAY), parameters)
    network.settle(ids)
    return network


def _found(network: Kademlia, provider: int, seeker: int, key: int, earlier: Sequence[int] = ()) -> tuple[bool, int]:
    """Whether ``seeker`` finds who has ``key`` two minutes after ``provider`` announced it, and by how many messages.

    ``earlier``: others that have it.
    """
    found: list[bool] = []
    true = {provider, *earlier}
    network.provide(provider, key)
    network.heap.run(network.heap.now + 120.0)
    before = network.messages
    network.find(seeker, key, lambda providers: found.append(not true.isdisjoint(providers)))
    network.heap.run(network.heap.now + 60.0)
    return found == [True], network.messages - before
