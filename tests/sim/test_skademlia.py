"""S/Kademlia in a smaller network: what its paper says of paths and of k."""

from __future__ import annotations

from statistics import fmean

from p2peval.sim.papers.skademlia import FREE, LONG, RIGHT, disjoint

HOSTS, SEEDS = 2_000, range(4)


def measured(d: int, k: int, share: float) -> dict[str, float]:
    played = [disjoint(d, k, share, seed, HOSTS) for seed in SEEDS]
    return {name: fmean(each[name] for each in played) for name in (FREE, RIGHT, LONG)}


def test_without_adversaries_every_look_up_ends_where_it_should() -> None:
    found = measured(1, 16, 0.0)
    assert found[FREE] == 1.0
    assert found[RIGHT] >= 0.99


def test_more_paths_more_success_and_eight_reach_99_of_100_at_a_fifth_of_adversaries() -> None:
    success = [measured(d, 16, 0.2)[FREE] for d in (1, 2, 4, 8)]
    assert success == sorted(success)
    assert success[0] < 0.8 < success[1] < 0.97 < success[2]
    assert success[3] >= 0.99


def test_one_path_succeeds_as_often_as_a_path_of_its_length_meets_nobody() -> None:
    """Independent hosts, of which a fifth lies, on a path of the mean length of all paths."""
    length = measured(1, 16, 0.0)[LONG]
    assert abs(measured(1, 16, 0.2)[FREE] - 0.8**length) < 0.07


def test_smaller_buckets_make_longer_paths_and_fewer_right_ones() -> None:
    small, large = measured(2, 4, 0.2), measured(2, 16, 0.2)
    assert small[LONG] > large[LONG] + 0.3
    assert small[FREE] < large[FREE] - 0.05
