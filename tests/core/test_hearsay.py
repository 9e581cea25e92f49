"""Whom several peers name, and who of them come first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p2peval.core.hearsay import most_agreed

TRUE = ["a", "b", "c"]
CROWD = [f"false {number}" for number in range(30)]


def test_one_name_of_one_peer_is_found_among_a_crowd_that_another_names() -> None:
    assert most_agreed([CROWD, ["a"]], 2) == ["false 0", "a"]


def test_what_most_name_comes_first_and_equals_in_the_order_they_were_named() -> None:
    assert most_agreed([["x", "a"], ["a", "x"], ["b", "a"]], 5) == ["a", "x", "b"]
    assert most_agreed([["x"], ["y"], ["z"]], 2) == ["x", "y"]


def test_groups_share_the_places_by_their_peers_not_by_their_names() -> None:
    for honest, liars, at_least in ((20, 20, 3), (10, 30, 3), (30, 10, 3), (4, 36, 2), (2, 37, 1)):
        found = most_agreed([*[CROWD] * liars, *[TRUE] * honest], 20)
        assert len(set(found) & set(TRUE)) >= at_least


def test_where_nobody_names_anything_nothing_is_found() -> None:
    assert most_agreed([], 5) == most_agreed([[], []], 5) == []  # type: ignore[list-item]
    assert most_agreed([["a"]], 0) == []


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=10), st.integers(0, 40))
def test_each_name_comes_once_and_none_is_left_out_while_there_is_room(words: list[list[int]], limit: int) -> None:
    found = most_agreed(words, limit)
    named = {name for word in words for name in word}
    assert len(found) == len(set(found)) == min(limit, len(named))
    assert set(found) <= named
