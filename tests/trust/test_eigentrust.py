"""EigenTrust: a distribution, the same from both kernels and from others' solvers, repaired as if computed anew."""

from __future__ import annotations

import igraph
import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from p2peval.defaults import REPAIRED_WITHIN
from p2peval.trust.eigentrust import eigentrust, pre_trusted, residual_of
from p2peval.trust.evidence import Evidence
from p2peval.trust.kernels import Plain, chosen
from p2peval.trust.local_trust import local_trust, slack, weights
from p2peval.trust.reach import reach, reach_of, reach_sampled
from p2peval.trust.repair import Live
from p2peval.trust.sybil_bound import sybil_bound

KERNELS = [chosen(), Plain()]
seeds = st.integers(0, 2**32 - 1)


def graph(seed, size=40):
    """Rows that sum to 1 or less, some empty, no diagonal; C and p."""
    random = np.random.default_rng(seed)
    dense = random.random((size, size)) * (random.random((size, size)) < 0.1)
    np.fill_diagonal(dense, 0.0)
    dense /= np.maximum(dense.sum(axis=1, keepdims=True), 1.0)
    return sparse.csr_array(dense), pre_trusted(size, 0, (1, 2))


@given(seeds)
def test_local_trust_is_the_weight_of_evidence_over_the_row_with_slack_for_thin_rows(seed):
    random = np.random.default_rng(seed)
    good, bad = random.uniform(0, 50, (2, 8, 8)) * (random.random((2, 8, 8)) < 0.5)
    local = local_trust(sparse.csr_array(good), sparse.csr_array(bad)).toarray()
    weight = weights(good, bad)
    one = Evidence(good[1, 2], bad[1, 2], 0.0, 0.0, 0, 0, 0, 0, 0, 0.0, 0)
    assert weight[1, 2] == pytest.approx(one.weight, abs=1e-15)
    np.fill_diagonal(weight, 0.0)
    assert local == pytest.approx(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0))
    assert (local.sum(axis=1) <= 1.0 + 1e-12).all()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@given(seed=seeds)
@settings(max_examples=25)
def test_reputation_is_a_distribution_within_its_residual_and_that_of_networkx(kernel, seed):
    local, trusted = graph(seed)
    found = eigentrust(local, trusted, kernel=kernel)
    assert (found.mass >= 0).all()
    assert found.mass.sum() == pytest.approx(1.0)
    assert residual_of(local, trusted, found.mass) <= found.residual + 1e-14 <= 1e-8 + 1e-14
    whole = local + sparse.csr_array(np.outer(slack(local), trusted))
    shares = dict(enumerate(trusted))
    other = networkx.pagerank(networkx.from_scipy_sparse_array(whole, create_using=networkx.DiGraph), 0.7, shares,
                              tol=1e-12, max_iter=500, dangling=shares)  # fmt: skip
    assert found.mass == pytest.approx(np.array([other[i] for i in range(len(trusted))]), abs=1e-6)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("seed", range(5))
def test_reputation_is_that_of_igraph(kernel, seed):
    local, trusted = graph(seed, 300)
    entries = (local + sparse.csr_array(np.outer(slack(local), trusted))).tocoo()
    other = igraph.Graph(300, np.column_stack(entries.coords), directed=True)
    theirs = other.personalized_pagerank(damping=0.7, reset=trusted.tolist(), weights=entries.data.tolist())
    assert eigentrust(local, trusted, kernel=kernel).mass == pytest.approx(np.array(theirs), abs=1e-6)


@given(seeds)
@settings(max_examples=25)
def test_both_kernels_agree_to_the_last_digits_and_the_order_of_peers_does_not_matter(seed):
    local, trusted = graph(seed)
    one, other = (eigentrust(local, trusted, residual=1e-14, kernel=kernel).mass for kernel in KERNELS)
    assert np.abs(one - other).sum() <= 1e-12
    order = np.random.default_rng(seed).permutation(len(trusted))
    moved = eigentrust(local[order][:, order].tocsr(), trusted[order], residual=1e-14).mass
    assert np.abs(moved - one[order]).sum() <= 1e-12


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_hundreds_of_repairs_equal_computing_anew(kernel):
    local, trusted = graph(3, 200)
    live, random = Live(local, trusted, kernel=kernel), np.random.default_rng(4)
    for _ in range(300):
        rater = int(random.integers(200))
        peers = random.choice(np.delete(np.arange(200), rater), int(random.integers(0, 20)), replace=False)
        share = random.random(len(peers))
        live.replace(rater, peers, share / max(share.sum(), 1.0))
    anew = eigentrust(live.array(), trusted, residual=1e-14).mass
    assert np.abs(live.mass - anew).sum() <= live.error + 1e-13 <= REPAIRED_WITHIN + 1e-13
    assert live.sweeps < 30


@given(seeds)
@settings(max_examples=25)
def test_what_a_peer_says_of_others_does_not_change_its_own_reach(seed):
    local, trusted = graph(seed)
    changed = local.tolil()
    changed[5] = np.eye(40)[6]
    before, after = reach(local, trusted), reach(changed.tocsr(), trusted)
    assert after[5] == pytest.approx(before[5], abs=1e-12)
    assert reach_of(local, trusted, [5]) == pytest.approx(before[5], abs=1e-7)


def test_sampled_reach_is_within_its_errors():
    local, trusted = graph(9)
    share, error = reach_sampled(local, trusted, 50_000, np.random.default_rng(1))
    assert (np.abs(share - reach(local, trusted)) <= 5 * error + 1e-9).all()


@pytest.mark.parametrize("sybils", [1, 100, 20_000])
@pytest.mark.parametrize("roots", [(1, 2), (1, 40)], ids=["strangers", "a root bribed"])
def test_no_number_of_sybils_behind_one_attack_edge_exceeds_the_bound(sybils, roots):
    honest, _ = graph(11)
    edges = honest.tocoo()
    ids = np.arange(40, 40 + sybils)
    ring = np.roll(ids, 1)
    heads, tails = np.append(edges.row, 3), np.append(edges.col, 40)
    shares = np.append(edges.data * 0.9, 0.1)
    if sybils > 1:
        heads, tails = np.append(heads, ids), np.append(tails, ring)
        shares = np.append(shares, np.ones(sybils))
    local = sparse.csr_array((shares, (heads, tails)), shape=(40 + sybils,) * 2)
    trusted = pre_trusted(40 + sybils, 0, roots)
    mass = eigentrust(local, trusted).mass
    found = sybil_bound(local, mass, trusted, list(ids))
    assert found.seeds == pytest.approx(0.1 if 40 in roots else 0.0)
    assert 0 < found.mass <= found.bound + 1e-7


@given(seeds)
@settings(max_examples=25)
def test_a_larger_share_for_a_peer_never_lowers_its_reputation(seed):
    local, trusted = graph(seed)
    raised = (local * 0.8).tolil()
    before = eigentrust(raised.tocsr(), trusted, residual=1e-13).mass
    raised[4, 7] += 0.2
    after = eigentrust(raised.tocsr(), trusted, residual=1e-13).mass
    assert after[7] >= before[7] - 1e-12
