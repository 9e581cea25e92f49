"""How many places newcomers get: what the operator set, times how strangers have done here."""

from __future__ import annotations

import pytest

from p2peval.core import believing
from p2peval.core.policy import Policy
from p2peval.core.state import State


@pytest.mark.parametrize(("good", "all_", "share"), [(0, 0, 0.05), (98, 98, 0.099), (0, 98, 0.001)])
def test_newcomers_get_fewer_places_where_strangers_lied(good: int, all_: int, share: float) -> None:
    state = State()
    state.count(believing.STRANGERS_GOOD, good)
    state.count(believing.STRANGERS, all_)
    assert believing.newcomer_share(state, Policy(newcomer_share=0.1)) == pytest.approx(share)
