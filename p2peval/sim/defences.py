"""Ours beside everybody else's: the defences that a scenario is played under to compare them.

A defence is whom one believes and how much one checks. Others' rules of belief are played with our checking, and
others' checking with our belief, so that each comparison changes one thing; "nothing" has neither.
"""

from __future__ import annotations

from p2peval.defaults import CHECKING, OPINION
from p2peval.sim.scenario import Value

Settings = tuple[tuple[str, Value], ...]

DEFAULT = "p2peval"


def _defence(opinion: str, checking: str) -> Settings:
    return (("defence.opinion", opinion), ("defence.checking", checking))


DEFENCES: dict[str, Settings] = {
    DEFAULT: _defence(OPINION, CHECKING),
    "nothing": _defence("none", "none"),
    "no trust": _defence("none", CHECKING),
    "own evidence": _defence("own", CHECKING),
    "EigenTrust": _defence("eigentrust", CHECKING),
    "MeritRank": _defence("meritrank", CHECKING),
    "Yuma": _defence("yuma", CHECKING),
    "quorum of 2": _defence(OPINION, "quorum-2"),
    "BOINC": _defence(OPINION, "boinc"),
    "Sarmenta": _defence(OPINION, "sarmenta"),
}
"""Name -> what it sets."""
