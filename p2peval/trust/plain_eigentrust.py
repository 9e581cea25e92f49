"""A baseline: EigenTrust as its paper has it, global, without credibility or evidence's doubt.

Kamvar, Schlosser, Garcia-Molina 2003: s_ij = sat − unsat, never below 0; rows normalised; a row of zeros becomes the
pre-trusted peers'; t ← (1 − a)·Cᵀt + a·p until it stands still. Taken: all of that, computed in one place. Left out:
the distributed computation by score managers, which changes who computes and not what.
"""

from __future__ import annotations

import numpy as np

from p2peval.defaults import EIGENTRUST_PRE_TRUST
from p2peval.trust.eigentrust import eigentrust
from p2peval.trust.testimony import Testimony, Vector


def plain_eigentrust(testimony: Testimony) -> Vector:
    """n trust values ≥ 0 that sum to 1. Without roots, all peers are pre-trusted alike."""
    from scipy.sparse import csr_array, diags_array

    trust = csr_array(testimony.good - testimony.bad)
    trust.setdiag(0.0)  # nobody rates itself
    trust.data = np.maximum(trust.data, 0.0)
    sums = np.asarray(trust.sum(axis=1), dtype=np.float64)
    rows = (diags_array(1.0 / np.where(sums > 0.0, sums, 1.0)) @ trust).tocsr()  # a row of zeros is all slack, to p
    return eigentrust(rows, pre_trusted(testimony), weight=EIGENTRUST_PRE_TRUST).mass


def pre_trusted(testimony: Testimony) -> Vector:
    """p: the roots' equal shares, or everybody's where there are none; n values that sum to 1."""
    chosen = list(testimony.roots) or list(range(testimony.size))
    pre = np.zeros(testimony.size)
    pre[chosen] = 1.0 / len(chosen)
    return pre
