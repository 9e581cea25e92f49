"""The population model: what it counts adds up, and each step is what a node would do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from p2peval.defaults import CANDIDATES, EPSILON
from p2peval.sim.population.crowd import NOBODY, Crowd
from p2peval.sim.population.epochs import Play, run
from p2peval.sim.population.groups import OUTCOMES, Behaviour, Group, Population
from p2peval.sim.population.picks import NEW, best_known, newcomers, pick
from p2peval.trust.rule import samples_for

LIARS = Group("liars", 100)
SMALL = Population(300, (LIARS,), epochs=6)


def rng(seed: int = 1) -> Generator:
    return Generator(PCG64(seed))


def own(askers: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Askers, and that they do not ask themselves."""
    return np.array(askers), np.array(askers, np.int32)[:, None]


# ── whole populations ─────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_is_the_same_population_and_another_is_not():
    assert run(SMALL, 3) == run(SMALL, 3)
    assert run(SMALL, 3) != run(SMALL, 4)


def test_what_happened_adds_up():
    game = Play(replace(SMALL, acquaintances=399, groups=(Group("liars", 100, Behaviour(chance=0.5)),)), 2)
    tallies = [game.epoch().tally for _ in range(6)]
    table = game.crowd.known
    tasks, failed, assigned, lies, proofs, passed = (
        sum(getattr(tally, name) for tally in tallies)
        for name in ("tasks", "failed", "assigned", "lies", "proofs", "counted_wrong")
    )
    assert tasks == 6 * 300
    assert assigned == tasks - failed + proofs
    assert lies == proofs + passed
    assert game.crowd.life.sum() == game.crowd.out.sum() <= proofs
    served = game.crowd.group[table.peer[table.peer >= 0]]
    assert table.served[table.peer >= 0].sum() <= tasks - failed  # what a proven liar gave is forgotten
    assert table.served.max() > 1
    assert (served >= 0).any()
    assert sum(tally.executions for tally in tallies) > assigned


def test_no_row_names_its_asker_a_peer_twice_or_a_proven_liar():
    game = Play(SMALL, 2)
    for _ in range(4):
        game.epoch()
    rows = game.crowd.known.peer.reshape(300, -1)
    for asker, row in enumerate(rows):
        known = row[row >= 0].tolist()
        assert len(known) == game.crowd.known.filled[asker] == len(set(known))
        assert asker not in known
        assert not game.crowd.out[known].any()
        assert (row[len(known) :] < 0).all()


def test_more_liars_do_more_harm_and_cost_more():
    found = [run(replace(SMALL, groups=(Group("liars", many),)), 1) for many in (0, 30, 100, 300)]
    for measure in ("bad_picks", "wrong_accepts", "executions", "captured_tasks"):
        values = [measures[measure] for measures in found]
        assert values == sorted(values)
        assert len(set(values)) == len(values)
    assert found[0]["wrong_accepts"] == found[0]["bad_picks"] == 0.0


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(),
        Behaviour(chance=0.1),
        Behaviour(honest=5),
        Behaviour(honest=5, lying=2, refusing=True),
        Behaviour(fresh=True),
        Behaviour(honest=10, lying=1, fresh=True),
        Behaviour(refusing=True),
    ],
)
def test_no_behaviour_gets_more_than_epsilon_out_of_what_it_serves(behaviour):
    """The bound of trust.md §4 is for the long run; a whole last streak may be owed: ε·(k + 1) for each pair."""
    game = Play(Population(60, (Group("liars", 40, behaviour),), epochs=50, observers=0, acquaintances=99), 1)
    tallies = [game.epoch().tally for _ in range(50)]
    table = game.crowd.known
    of_liars = game.crowd.group[table.peer] >= 0
    owed = EPSILON * float((table.streak[of_liars & (table.peer >= 0)] + 1.0).sum())
    wrong = sum(tally.wrong for tally in tallies)
    assert 0.0 < wrong <= 1.1 * EPSILON * sum(tally.by_liars for tally in tallies) + owed


def test_chances_added_up_agree_with_plain_counts():
    """Nobody known is ever free, so that whitewashers are asked again and again, and one lie in 200 passes."""
    liars = Group("liars", 3_000, Behaviour(fresh=True))
    game = Play(Population(2_000, (liars,), free=0.0, observers=0), 1)
    tallies = [game.epoch().tally for _ in range(15)]
    counted, added = (sum(getattr(tally, name) for tally in tallies) for name in ("counted_wrong", "wrong"))
    assert added > 150
    assert abs(counted - added) < 4 * added**0.5


def test_an_honest_result_costs_itself_and_what_its_streak_asks_for():
    """One other peer: its streak is the number of epochs so far."""
    audited = sum(samples_for(1797, 20_000_000, 5_000_000, k) for k in range(100))
    found = run(Population(2, askers=1, epochs=100), 1)
    assert found["executions"] == pytest.approx(1 + audited / 1797 / 100)


def test_everybody_there_reruns_a_sample_of_each_proven_liar():
    game = Play(Population(40, (Group("liars", 20), Group("late", 30, joins=9)), batches=40, samples=500), 1)
    tally = game.epoch().tally
    proven = int(game.crowd.out.sum())
    assert proven == tally.proofs > 2
    assert tally.settled == pytest.approx(sum(60 - k for k in range(proven)) / 500)


def test_sleepers_lie_once_each_asker_trusts_them_and_are_gone():
    game = Play(Population(200, (Group("sleepers", 100, Behaviour(honest=3)),)), 1)
    tallies = [game.epoch().tally for _ in range(12)]
    assert sum(tally.lies for tally in tallies[:3]) == 0
    assert tallies[3].lies > 20
    assert tallies[-1].by_liars < 0.3 * tallies[2].by_liars


def test_traitors_turn_and_late_comers_are_not_met_before_they_join():
    turning = Group("traitors", 100, turns=3)
    late = Group("late", 400, joins=5)
    game = Play(Population(200, (turning, late)), 1)
    tallies = [game.epoch().tally for _ in range(5)]
    assert [tally.lies > 0 for tally in tallies] == [False, False, False, True, True]
    known = game.crowd.group[game.crowd.known.peer[game.crowd.known.peer >= 0]]
    assert set(known.tolist()) <= {-1, 0}
    game.epoch()
    assert game.crowd.life[game.crowd.group == 1].any()


def test_a_whitewasher_comes_back_as_a_newcomer_and_others_do_not():
    for fresh in (True, False):
        game = Play(Population(50, (Group("liars", 20, Behaviour(fresh=fresh)),), newcomers=1.0), 1)
        for _ in range(20):
            game.epoch()
        assert game.crowd.out.any() is np.bool_(not fresh)
        assert (game.crowd.life.max() > 1) == fresh


def test_who_is_alone_has_no_result():
    found = run(Population(1, epochs=2), 1)
    assert found["accepted"] == 0.0
    found = run(Population(1, (Group("liars", 2),), epochs=2), 1)
    assert found["accepted"] == 0.0
    assert found["caught"] == 1.0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Population(10, askers=11), "askers are honest peers: of 10 there cannot be 11"),
        (lambda: Population(10, newcomers=1.5), "newcomers is a share and must be from 0 to 1, not 1.5"),
        (lambda: Population(10, epochs=0), "epochs must be at least 1, not 0"),
        (lambda: Population(10, (LIARS, LIARS)), "groups need a name each: liars, liars"),
        (lambda: Population(10, (replace(LIARS, edges=11),)), "attack edges of 'liars' are askers: at most 10, not 11"),
        (lambda: Group("nobody", 0, edges=1), "1 attack edges lead to nobody"),
        (lambda: Population(10, met=10), "met is at most the acquaintances and the other honest peers, not 10"),
        (lambda: Behaviour(chance=-0.1), "chance is a share and must be from 0 to 1, not -0.1"),
        (lambda: Population(10, epoch_s=0.0), "an epoch takes more than 0 seconds, not 0.0"),
    ],
)
def test_a_population_that_cannot_be_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        wrong()


# ── one pick ──────────────────────────────────────────────────────────────────────────────────────


def acquainted(known: list[int], good: list[float], size: int = 40) -> Crowd:
    """One asker, number 0, with these acquaintances."""
    crowd = Crowd(Population(size, askers=1), rng())
    for peer, outcomes in zip(known, good, strict=True):
        place = crowd.known.add(np.array([0]), np.array([peer], np.int32), crowd.life)
        crowd.known.good[place] = outcomes
    return crowd


def test_of_up_to_eight_acquaintances_the_best_that_was_not_tried_is_asked():
    crowd = acquainted([3, 5, 7, 9], [1.0, 6.0, 4.0, 5.0])
    draw = rng()
    for tried, best in (([0], 5), ([0, 5], 9), ([0, 9, 5], 7), ([0, 3, 9, 5, 7], NOBODY)):
        place = best_known(crowd, np.array([0]), np.array([tried], np.int32), draw)[0]
        assert (NOBODY if place == NEW else crowd.known.peer[place]) == best


def test_every_eight_acquaintances_are_drawn_as_often():
    """The r-th best of 20 is asked where the 8 drawn hold it and none better: C(20 − r, 7) / C(20, 8) for r = 1 …"""
    from math import comb

    crowd = acquainted(list(range(1, 21)), [float(20 - r) for r in range(20)])
    draw, asked = rng(), Counter()
    for _ in range(4_000):
        asked[int(crowd.known.peer[best_known(crowd, *own([0]), draw)[0]])] += 1
    for rank in range(1, 6):
        chance = comb(20 - rank, CANDIDATES - 1) / comb(20, CANDIDATES)
        assert asked[rank] == pytest.approx(4_000 * chance, abs=4 * (4_000 * chance) ** 0.5)


def test_equals_are_asked_alike():
    crowd = acquainted([1, 2, 3], [2.0, 2.0, 2.0])
    draw = rng()
    asked = Counter(int(best_known(crowd, *own([0]), draw)[0]) for _ in range(900))
    assert all(count == pytest.approx(300, abs=70) for count in asked.values())
    assert len(asked) == 3


def test_a_newcomer_is_anybody_there_whom_the_asker_has_not_met():
    crowd = acquainted([1, 4, 5], [1.0, 1.0, 1.0], size=10)
    crowd.out[7] = True
    crowd.begin(0)
    draw = rng()
    seen = Counter(int(newcomers(crowd, np.array([0]), np.array([[0, 8, 4]], np.int32), draw)[0]) for _ in range(800))
    assert set(seen) == {2, 3, 6, 9}
    assert all(count == pytest.approx(200, abs=60) for count in seen.values())
    everybody = np.arange(10, dtype=np.int32)[None]
    assert newcomers(crowd, np.array([0]), everybody, draw)[0] == NOBODY


def test_newcomers_get_their_share_less_where_strangers_have_lied():
    crowd = acquainted([1, 2], [5.0, 5.0])
    askers, tried = np.zeros(20_000, np.int64), np.zeros((20_000, 1), np.int32)
    for strangers, prior in (((0, 0), 0.5), ((18, 18), 0.95), ((0, 8), 0.1)):
        crowd.strangers[:, 0] = strangers
        _, known = pick(crowd, askers, tried, rng())
        assert (known == NEW).mean() == pytest.approx(0.1 * prior, rel=0.15)


def test_who_is_not_free_is_not_asked():
    crowd = acquainted([1, 2, 3], [5.0, 1.0, 1.0])
    crowd.population = replace(crowd.population, free=0.0, newcomers=0.0)
    assert pick(crowd, *own([0]), rng())[1][0] == NEW
    crowd.population = replace(crowd.population, free=0.5)
    draw = rng()
    asked = Counter(int(best_known(crowd, *own([0]), draw)[0]) for _ in range(800))
    assert asked[0] == pytest.approx(400, abs=80)
    assert asked[NEW] == pytest.approx(100, abs=50)


def test_a_full_row_forgets_who_did_worst_and_who_is_void_first():
    crowd = Crowd(Population(40, askers=1, acquaintances=3), rng())
    table = crowd.known

    def meet(peer: int, good: float, bad: float) -> None:
        place = table.add(np.array([0]), np.array([peer], np.int32), crowd.life)
        table.good[place], table.bad[place] = good, bad

    for peer, good, bad in ((1, 5.0, 0.0), (2, 0.0, 1.0), (3, 1.0, 0.0), (4, 2.0, 0.0)):
        meet(peer, good, bad)
    assert sorted(table.peer.tolist()) == [1, 3, 4]
    crowd.life[1] += 1
    meet(5, 9.0, 0.0)
    assert sorted(table.peer.tolist()) == [3, 4, 5]
    assert table.filled[0] == 3


def test_a_grown_network_begins_acquainted():
    crowd = Crowd(Population(500, (Group("sybils", 10, edges=200),), met=12), rng())
    known = crowd.known.peer.reshape(500, -1)
    sybils = (known >= 500).sum(1)
    assert sybils.sum() == 200
    assert sybils.max() == 1
    honest = ((known >= 0) & (known < 500)).sum(1)
    assert honest.max() == 12
    assert honest.mean() > 11.7  # a peer drawn twice is met once
    assert set(crowd.known.good[crowd.known.peer >= 0].tolist()) == {float(OUTCOMES)}
