"""What an audit certifies, against brute force: the largest benchmarks, bad samples found, the published draw."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from p2peval.core.audit import bad_bound, draw, miss_probability, miss_ratio, sample_size
from p2peval.core.types import NANO, to_nano

PERCENT = to_nano(0.01)
ROOT = b"r" * 32


@pytest.mark.parametrize("epsilon_nano", [1, 1_000_000])
@pytest.mark.parametrize("delta_nano", [1, 10**3, 10**4, 10**6, 10**7, NANO // 2 - 1])
def test_sample_size_of_the_largest_benchmark_agrees_with_the_exact_integers(epsilon_nano, delta_nano):
    n = 100_000_000
    s, altered = sample_size(n, epsilon_nano, delta_nano), delta_nano * n // NANO + 1
    for size, enough in ((s, True), (s - 1, False)):
        ways, draws = miss_ratio(n, altered, size)
        assert (ways * NANO <= epsilon_nano * draws) is enough


@pytest.mark.parametrize(("epsilon", "samples"), [(0.4, 30), (0.399_999_999, 31), (0.400_000_001, 30)])
def test_chance_that_equals_epsilon_exactly_suffices(epsilon, samples):
    assert Fraction(*miss_ratio(50, 1, 30)) == Fraction(2, 5)  # where logarithms cannot tell, integers do
    assert sample_size(50, to_nano(epsilon), PERCENT) == samples


@given(st.integers(1, 200), st.data())
def test_chance_to_miss_is_correctly_rounded(n, data):
    altered, s = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    assert miss_probability(n, altered, s) == float(Fraction(comb(n - altered, s), comb(n, s)))


def test_liar_escapes_as_often_as_the_certificate_says():
    n, s, lies, tries = 200, 30, set(range(0, 190, 10)), 4_000
    escaped = sum(not lies & set(draw(k.to_bytes(4, "big"), "task", ROOT, n, s)) for k in range(tries))
    expected = miss_probability(n, len(lies), s)
    assert abs(escaped / tries - expected) < 4 * (expected * (1 - expected) / tries) ** 0.5


# ── bad samples found ─────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 80), st.data(), st.integers(1, NANO // 2))
def test_bound_on_bad_samples_is_the_largest_number_that_is_not_refuted(n, data, epsilon_nano):
    s = data.draw(st.integers(1, n))
    bad = data.draw(st.integers(0, s))

    def so_few(total):
        ways = sum(comb(total, k) * comb(n - total, s - k) for k in range(min(bad, total) + 1))
        return Fraction(ways, comb(n, s))

    kept = [total for total in range(bad, n - s + bad + 1) if so_few(total) > Fraction(epsilon_nano, NANO)]
    assert bad_bound(n, s, bad, epsilon_nano) == max(kept)


def test_bound_on_bad_samples_agrees_with_scipy():
    n, s, bad = 10_000, 444, 3
    bound = bad_bound(n, s, bad, PERCENT)
    assert hypergeom.cdf(bad, n, bound, s) > 0.01 >= hypergeom.cdf(bad, n, bound + 1, s)


@pytest.mark.parametrize("n", [150, 1797, 10_000])
def test_clean_audit_of_the_asked_size_bounds_the_bad_samples_by_delta(n):
    s = sample_size(n, PERCENT, PERCENT)
    assert bad_bound(n, s, 0, PERCENT) == n // 100
    assert bad_bound(n, s - 1, 0, PERCENT) > n // 100


def test_audit_of_all_samples_leaves_no_doubt():
    assert bad_bound(100, 100, 7, PERCENT) == 7


def test_audit_that_found_only_bad_samples_excludes_nothing():
    assert bad_bound(100, 5, 5, PERCENT) == 100


# ── the draw, as docs and other languages have it ─────────────────────────────────────────────────


@given(st.binary(min_size=32, max_size=32), st.integers(1, 60), st.data())
def test_draw_is_the_shuffle_that_is_published(nonce, n, data):
    s = data.draw(st.integers(1, n))
    parts = b"".join(len(part).to_bytes(4, "big") + part for part in (nonce, b"task", ROOT))
    seed = sha256(b"p2peval/audit-draw/v1" + parts).digest()
    blocks = b"".join(sha256(seed + k.to_bytes(8, "big")).digest() for k in range(n))
    deck = list(range(n))
    for i in range(s):  # of 64 bits, less than one word in 10^17 is thrown away for so small an n
        j = i + int.from_bytes(blocks[8 * i : 8 * i + 8], "big") % (n - i)
        deck[i], deck[j] = deck[j], deck[i]
    assert draw(nonce, "task", ROOT, n, s) == sorted(deck[:s])
