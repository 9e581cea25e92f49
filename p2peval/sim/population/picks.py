"""Whom each asker asks: the best opinion of eight that it knows, or with the newcomers' share anybody new (§4)."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from p2peval.defaults import CANDIDATES
from p2peval.sim.population.acquaintances import Mask, Peers, Places
from p2peval.sim.population.crowd import NOBODY, Crowd
from p2peval.trust.opinions import opinion
from p2peval.trust.testimony import Vector

NEW = -1
TINY = 1e-9  # breaks ties between opinions by lot, and is too small for more
UNHEARD = np.zeros(())  # what others say of peers: see the package's list of what it leaves out
FAR = np.iinfo(np.int32).max


def pick(crowd: Crowd, askers: Places, tried: Peers, rng: Generator) -> tuple[Peers, Places]:
    """A peer for each asker, NOBODY where none is left, and the place where it is known, or NEW.

    ``tried``: askers × t, peers that are not to be asked again, the asker itself among them. As a node, newcomers get
    their share times p₀: less where strangers have lied.
    """
    known = np.full(len(askers), NEW, np.int64)
    curious = rng.random(len(askers), np.float32) < crowd.population.newcomers * crowd.prior(askers)
    known[~curious] = best_known(crowd, askers[~curious], tried[~curious], rng)
    peers = np.where(known >= 0, crowd.known.peer[known], np.int32(NOBODY))
    new = known < 0
    peers[new] = newcomers(crowd, askers[new], tried[new], rng)
    alone = peers < 0
    known[alone] = best_known(crowd, askers[alone], tried[alone], rng)
    peers[alone] = np.where(known[alone] >= 0, crowd.known.peer[known[alone]], np.int32(NOBODY))
    return peers, known


def best_known(crowd: Crowd, askers: Places, tried: Peers, rng: Generator) -> Places:
    """The place of the best opinion among CANDIDATES acquaintances drawn at random, all where there are no more."""
    table = crowd.known
    filled = table.filled[askers]
    lot = rng.random((len(askers), CANDIDATES))
    columns = _drawn(filled, lot)
    places = table.row(askers, np.minimum(columns, table.width - 1))
    able = (columns < filled[:, None]) & table.holds(places, crowd.life) & ~_among(table.peer[places], tried)
    if crowd.population.free < 1.0:
        able &= rng.random(lot.shape) < crowd.population.free
    prior = crowd.prior(askers)[:, None]
    good, bad = table.good[places].astype(np.float64), table.bad[places].astype(np.float64)
    worth = opinion(prior, good, bad, UNHEARD, UNHEARD) + TINY * lot
    best = np.where(able, worth, -1.0).argmax(1)
    chosen = np.arange(len(askers)), best
    return np.where(able[chosen], places[chosen], NEW)


def _drawn(filled: Peers, lot: Vector) -> Places:
    """r × CANDIDATES different columns below ``filled``, or all of them and some beyond where there are fewer.

    ``lot``: as many uniform draws. Every set is as likely as every other (Floyd's way; Bentley & Floyd 1987).
    """
    columns = np.empty(lot.shape[::-1], np.int32)
    for place in range(CANDIDATES):
        last = filled - CANDIDATES + place
        draw = (lot[:, place] * (last + 1)).astype(np.int32)
        again = (columns[:place] == draw).any(0)
        columns[place] = np.where(again, last, draw)
    return np.where(filled > CANDIDATES, columns, np.arange(CANDIDATES)[:, None]).T.astype(np.int64)


def newcomers(crowd: Crowd, askers: Places, tried: Peers, rng: Generator) -> Peers:
    """Anybody there whom the asker has not met, all alike; NOBODY where it has met all.

    The r-th of who is left when those met are struck out is the (r + m)-th of all, m of those met standing before it.
    """
    table = crowd.known
    places = table.row(askers, np.arange(int(table.filled[askers].max(initial=0))))
    met = np.where(table.holds(places, crowd.life), crowd.place[table.peer[places]], -1)
    struck = np.concatenate([met, crowd.place[tried]], axis=1).astype(np.int32)
    struck[struck < 0] = FAR
    struck.sort(axis=1)
    twice = struck[:, 1:] == struck[:, :-1]
    struck[:, 1:][twice] = FAR
    struck.sort(axis=1)
    left = len(crowd.there) - (struck < FAR).sum(1)
    rank = (rng.random(len(askers)) * left).astype(np.int64)
    before = (struck - np.arange(struck.shape[1]) <= rank[:, None]).sum(1)
    if not len(crowd.there):
        return np.full(len(askers), NOBODY, np.int32)
    return np.where(left > 0, crowd.there[np.minimum(rank + before, len(crowd.there) - 1)], np.int32(NOBODY))


def _among(peers: Peers, tried: Peers) -> Mask:
    """Which of r × c ``peers`` are in their row of r × t ``tried``."""
    found = np.zeros(peers.shape, bool)
    for column in tried.T:
        found |= peers == column[:, None]
    return found
