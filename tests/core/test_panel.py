"""Who is drawn for a panel, and what answers weigh."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import World

from p2peval.core.panel import Candidate, Said, independent, lead, order, prefix, word
from p2peval.core.types import PeerId

H = 0.65


def people(known: int, strange: int, cluster: str = "") -> list[Candidate]:
    names = [(f"known{i}", 0.9, True) for i in range(known)] + [(f"new{i}", 0.5, False) for i in range(strange)]
    return [Candidate(PeerId(name), weight, known, cluster or name) for name, weight, known in names]


def drawn_first(candidates: list[Candidate], draws: int, auditors: int = 10) -> Counter[str]:
    nonces = (sha256(b"%d" % number).digest() for number in range(draws))
    return Counter(order(candidates, nonce, auditors, H)[0] for nonce in nonces)


def test_a_crowd_of_newcomers_is_drawn_no_more_often_than_dishonest_weight_is_reckoned_with() -> None:
    first = drawn_first(people(10, 300), 1500)
    strange = sum(count for name, count in first.items() if name.startswith("new"))
    assert strange / 1500 == pytest.approx(1 - H, abs=0.05)


def test_where_nobody_is_known_all_are_drawn_alike() -> None:
    first = drawn_first(people(0, 8), 4000)
    assert max(first.values()) < 1.2 * min(first.values())


def test_nobody_weighs_more_than_two_places() -> None:
    candidates = [Candidate(PeerId("giant"), 1.0, True, "giant")] + [
        Candidate(PeerId(f"dwarf{i}"), 0.02, True, f"dwarf{i}") for i in range(30)
    ]
    assert drawn_first(candidates, 4000)["giant"] / 4000 == pytest.approx(0.2, abs=0.03)


@given(st.integers(1, 30), st.integers(0, 30), st.integers(1, 20), st.binary(min_size=32, max_size=32))
def test_everybody_comes_up_once_and_a_cluster_fills_no_more_than_its_share(
    apart: int, ring: int, auditors: int, nonce: bytes
) -> None:
    ringed = [Candidate(PeerId(f"ring{i}"), 0.9, True, "ring") for i in range(ring)]
    candidates = [*people(apart, 0), *ringed]
    ranked = order(candidates, nonce, auditors, H)
    assert sorted(ranked) == sorted(candidate.peer for candidate in candidates)
    share = independent(candidates, auditors, H) - apart
    assert share <= -(-35 * auditors // 100) or ring == share
    assert sum(peer.startswith("ring") for peer in ranked[: apart + share]) == share


def test_the_same_nonce_draws_the_same_whatever_the_order_in_which_peers_are_known() -> None:
    candidates = people(10, 10)
    assert order(candidates, b"n" * 32, 10, H) == order(candidates[::-1], b"n" * 32, 10, H)
    assert order(candidates, b"n" * 32, 10, H) != order(candidates, b"m" * 32, 10, H)


@pytest.mark.parametrize(
    ("addresses", "cluster"),
    [
        (("/ip4/8.8.4.7/tcp/4001",), "8.8.4.0/24"),
        (("/ip4/192.168.1.7/tcp/4001", "/ip4/8.8.4.9/tcp/1"), "8.8.4.0/24"),
        (("/ip6/2a00:1450:4001:81b::2004/tcp/4001",), "2a00:1450:4001::/48"),
        (("/ip4/192.168.1.7/tcp/4001",), "me"),
        (("/dns4/zoe.example/tcp/4001",), "me"),
        (("/ip4/300.1.1.1/tcp/1", "/ip4"), "me"),
        ((), "me"),
    ],
)
def test_neighbours_in_a_public_net_are_one_cluster(addresses: tuple[str, ...], cluster: str) -> None:
    assert prefix(PeerId("me"), addresses) == cluster


def test_a_lead_is_what_a_third_of_liars_gain_as_rarely_as_a_panel_lets_a_lie_escape() -> None:
    escape = 0.005 / 1.005
    needed = lead(escape, H)
    assert (0.35 / 0.65) ** needed <= escape < (0.35 / 0.65) ** (needed - 1)
    assert needed == -(-log(escape) // log(0.35 / 0.65)) == 9
    assert lead(escape, 0.5) == lead(escape, 0.3) == 0
    assert lead(escape, 1.0) == 1


def test_liars_beyond_their_share_gain_that_lead_no_more_often_than_reckoned() -> None:
    """The walk itself, drawn: 1−h of the answers side with the lie."""
    rng, needed, escape = np.random.default_rng(3), lead(0.02, H), 0.02
    steps = np.where(rng.random((10_000, 200)) < 1 - H, 1, -1).cumsum(axis=1)
    won = (steps.max(axis=1) >= needed).mean()
    assert 0.0 < won <= escape * 1.1


def test_rows_agree_object_or_abstain() -> None:
    world = World(1)
    spec = world.spec(world.all[0])
    claimed = np.linspace(0.1, 1.0, 30, dtype=np.float32).reshape(3, 10)

    def said(change: float, theirs: str, ours: str = "class") -> tuple[Said, tuple[int, ...]]:
        own = claimed.copy()
        own[1] += np.float32(change)
        rows = [tuple(row.tobytes() for row in table) for table in (claimed, own)]
        return word(spec, rows[0], theirs, rows[1], ours)

    assert said(0.0, "class") == (Said.AGREES, ())
    assert said(0.01, "class") == (Said.OBJECTS, (1,))
    assert said(1e-6, "class") == (Said.ABSTAINS, ())  # in one class not even that may be, yet nobody lies by so little
    assert said(1e-6, "other") == (Said.AGREES, ())
    assert said(1e-4, "other") == (Said.ABSTAINS, ())
    assert said(0.01, "other") == (Said.OBJECTS, (1,))
