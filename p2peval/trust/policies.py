"""Every rule by its name in the settings: ours and, beside it, those of others (trust.md §5)."""

from __future__ import annotations

import numpy as np

from p2peval.trust.claims import claims, posterior_mean
from p2peval.trust.meritrank import meritrank
from p2peval.trust.opinions import opinions
from p2peval.trust.plain_eigentrust import plain_eigentrust
from p2peval.trust.testimony import OpinionRule, Testimony, Vector
from p2peval.trust.yuma import yuma


def nobody(testimony: Testimony) -> Vector:
    """No trust: all peers alike."""
    return np.full(testimony.size, 0.5)


def own_evidence(testimony: Testimony) -> Vector:
    """The posterior mean of own evidence alone, 0 to 1."""
    said = claims(testimony)
    return posterior_mean(said.own_good, said.own_bad)


OPINIONS: dict[str, OpinionRule] = {
    "p2peval": opinions,
    "none": nobody,
    "own": own_evidence,
    "eigentrust": plain_eigentrust,
    "meritrank": meritrank,
    "yuma": yuma,
}
