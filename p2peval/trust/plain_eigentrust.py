"""A baseline: EigenTrust as its paper has it, global, without credibility or evidence's doubt.

Kamvar, Schlosser, Garcia-Molina 2003: s_ij = sat − unsat, never below 0; rows normalised; a row of zeros becomes the
pre-trusted peers'; t ← (1 − a)·Cᵀt + a·p until it stands still. Taken: all of that, computed in one place. Left out:
the distributed computation by score managers, which changes who computes and not what.
"""

from __future__ import annotations

import numpy as np

from p2peval.defaults import EIGENTRUST_PRE_TRUST, RESIDUAL
from p2peval.trust.testimony import Testimony, Vector

MOST_STEPS = 1000  # an error shrinks by 1 − a a step: 0.8^90 is below RESIDUAL


def plain_eigentrust(testimony: Testimony) -> Vector:
    """n trust values ≥ 0 that sum to 1. Without roots, all peers are pre-trusted alike."""
    from scipy.sparse import csr_array, diags_array

    raw = csr_array(testimony.good - testimony.bad)
    raw.setdiag(0.0)  # nobody rates itself
    raw.data = np.maximum(raw.data, 0.0)
    sums = np.asarray(raw.sum(axis=1), dtype=np.float64)
    silent = sums == 0.0
    onward = (diags_array(1.0 / np.where(silent, 1.0, sums)) @ raw).T.tocsr()
    pre = pre_trusted(testimony)
    trust = pre
    for _ in range(MOST_STEPS):
        step = (1.0 - EIGENTRUST_PRE_TRUST) * (onward @ trust + trust[silent].sum() * pre) + EIGENTRUST_PRE_TRUST * pre
        moved = float(np.abs(step - trust).sum())
        trust = step
        if moved < RESIDUAL:
            break
    return np.asarray(trust)


def pre_trusted(testimony: Testimony) -> Vector:
    """p: the roots' equal shares, or everybody's where there are none; n values that sum to 1."""
    chosen = list(testimony.roots) or list(range(testimony.size))
    pre = np.zeros(testimony.size)
    pre[chosen] = 1.0 / len(chosen)
    return pre
