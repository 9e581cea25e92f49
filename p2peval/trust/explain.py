"""Why this node thinks of a peer what it thinks: the parts that an opinion is the sum of.

An opinion starts at p₀, the success rate with strangers, and everything heard or seen moves it. A count that is good
pulls up by (1 − p₀), a bad one down by p₀, each over the same denominator, so that the parts add up to the opinion:

    opinion = p₀ + Σ (good·(1 − p₀) − bad·p₀) / (2 + all counts)

Numbers only: the words are for who shows them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from p2peval.defaults import PRIOR_COUNTS
from p2peval.trust.claims import Claims
from p2peval.trust.credibility import Credibility
from p2peval.trust.opinions import ceiling, opinion, weight


@dataclass(frozen=True, slots=True)
class Word:
    """What ``rater`` states of the peer asked about: counts ≥ 0. ``credibility``: 0 to 1, from all else it said."""

    rater: Hashable
    good: float
    bad: float
    credibility: float


@dataclass(frozen=True, slots=True)
class Voice:
    """What came of a word. ``good``, ``bad``: counts as they enter. ``share``: its part of the opinion, −1 to 1.

    ``without``: the opinion had this rater said nothing. Where the pool is full, others then fill its place.
    """

    word: Word
    good: float
    bad: float
    share: float
    without: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """``opinion`` = ``prior`` + ``own_good`` + ``own_bad`` + the voices' shares, but for rounding below 1e-12.

    ``own_good`` ≥ 0 and ``own_bad`` ≤ 0 are parts of the opinion, not counts. Voices: the strongest first.
    """

    opinion: float
    prior: float
    own_good: float
    own_bad: float
    voices: tuple[Voice, ...]

    @property
    def parts(self) -> tuple[float, ...]:
        """All that adds up to the opinion."""
        return (self.prior, self.own_good, self.own_bad, *(voice.share for voice in self.voices))


def explain(prior: float, own_good: float, own_bad: float, words: Sequence[Word]) -> Explanation:
    """The opinion of one peer taken apart. ``prior``: p₀, 0 to 1; own counts ≥ 0; at most one word of each rater.

    The same figure as ``opinions`` gives, from the same words: to explain a figure of the last epoch, give its words.
    """
    said = np.array([(word.good, word.bad, word.credibility) for word in words]).reshape(-1, 3)
    weights = weight(said[:, 2], said[:, 0] + said[:, 1])
    good, bad = weights * said[:, 0], weights * said[:, 1]
    scale = float(ceiling(np.sum(good + bad, keepdims=True))[0])
    heard_good, heard_bad = scale * float(good.sum()), scale * float(bad.sum())
    total = PRIOR_COUNTS + own_good + own_bad + heard_good + heard_bad
    rest_good, rest_bad = good.sum() - good, bad.sum() - bad
    rest = ceiling(rest_good + rest_bad)
    shares = scale * (good * (1.0 - prior) - bad * prior) / total
    without = opinion(prior, own_good, own_bad, rest * rest_good, rest * rest_bad)
    voices = [
        Voice(word, float(scale * good[i]), float(scale * bad[i]), float(shares[i]), float(without[i]))
        for i, word in enumerate(words)
    ]
    return Explanation(
        opinion=opinion(prior, own_good, own_bad, heard_good, heard_bad),
        prior=prior,
        own_good=own_good * (1.0 - prior) / total,
        own_bad=-own_bad * prior / total,
        voices=tuple(sorted(voices, key=lambda voice: (-abs(voice.share), str(voice.word.rater)))),
    )


def words_about(peer: int, said: Claims, credible: Credibility) -> tuple[Word, ...]:
    """Every rater's word on ``peer``, in the order of the claims; raters are numbers 0 … n−1."""
    about = np.flatnonzero(said.peer == peer)
    return tuple(
        Word(int(said.rater[i]), float(said.good[i]), float(said.bad[i]), float(credible.elsewhere[i])) for i in about
    )
