"""What a certificate promises, in 500 seeded runs: a cheat on one output in a hundred is found, an honest one never."""

from __future__ import annotations

import numpy as np

from p2peval.core.audit import draw, sample_size
from p2peval.core.outputs import differing
from p2peval.core.parts import Tolerance
from p2peval.core.types import to_nano

N, CLASSES, RUNS = 10_000, 4, 500
TOLERANCE = Tolerance(10_000, 10_000)


def found(claimed, truth, seed):
    """Whether an audit of the certificate's own size, by a secret nonce, sees a difference."""
    nonce = seed.to_bytes(32, "big")
    drawn = draw(nonce, "task", b"root", N, sample_size(N, to_nano(0.01), to_nano(0.01)))
    return bool(differing(claimed[drawn], truth[drawn], TOLERANCE).any())


def test_a_cheat_on_one_percent_of_ten_thousand_is_found_and_an_honest_evaluator_never_accused():
    truth = np.random.default_rng(1).random((N, CLASSES), np.float32)
    caught = accused = 0
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        claimed = truth.copy()
        lies = rng.permutation(N)[: N // 100 + 1]  # just more than δ·n
        claimed[lies] = rng.permutation(claimed[lies], axis=1) + np.float32(0.5)
        caught += found(claimed, truth, seed)
        accused += found(truth.copy(), truth, seed)
    assert caught >= 0.98 * RUNS
    assert accused == 0
