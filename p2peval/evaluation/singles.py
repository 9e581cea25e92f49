"""Jobs on single samples: our own rows for a blind audit, one row of a fraud proof, and the making of one.

Decides nothing of its own: the verdict is the judge's. Must not know files or peers. Source: evaluation.md,
Commitment and proof.
"""

from __future__ import annotations

import numpy as np

from p2peval.core import merkle
from p2peval.core.commitment import output_leaf
from p2peval.core.outputs import Outputs, from_bytes
from p2peval.core.verdict import Rules, Verdict
from p2peval.defaults import DIFFERING_CHECKED
from p2peval.errors import EvaluationError, RemoteProtocolError
from p2peval.evaluation.answers import Compared, Proven, Sampled
from p2peval.evaluation.jobs import Prove, Sample, Settle
from p2peval.evaluation.judge import Claim, Subject, judge
from p2peval.evaluation.recipe import equivalence_class


def sample(job: Sample, subject: Subject) -> Sampled:
    rows = subject.rows(subject.open().run_at(subject.inputs, job.indices))
    return Sampled(equivalence_class(subject.recipe), tuple(row.tobytes() for row in rows))


def settle(job: Settle, subject: Subject) -> Compared:
    """Raises EvaluationError: proof_size, for a row that is no output of this benchmark."""
    width = int(np.prod(subject.output.shape))
    try:
        row = from_bytes(job.row, 1, width, subject.output.dtype)
    except RemoteProtocolError as error:
        raise EvaluationError("proof_size", error.message) from None
    found = judge(subject, Claim([job.index], row, job.equivalence_class), Rules(job.tolerance, job.fraud_margin))
    return Compared(found.verdict, drawn=1, audited=1, differing=found.differing)


def prove(job: Prove, subject: Subject, claimed: Outputs) -> Proven:
    """The sample that is furthest off, as long as it convicts all by itself: that is what others will re-run.

    Raises EvaluationError: no_proof, where none of those looked at does.
    """
    if not job.rerun:
        return _proven(job, claimed, job.indices[0])
    rules = Rules(job.tolerance, job.fraud_margin)
    for index in _furthest_first(job, subject, claimed)[:DIFFERING_CHECKED]:
        claim = Claim([index], claimed[index : index + 1], job.equivalence_class)
        if judge(subject, claim, rules).verdict is Verdict.DIFFERS:
            return _proven(job, claimed, index)
    raise EvaluationError("no_proof", "no single sample of these outputs is false beyond doubt")


def _proven(job: Prove, claimed: Outputs, index: int) -> Proven:
    leaves = [output_leaf(job.public_key, at, row.tobytes()) for at, row in enumerate(claimed)]
    return Proven(index, claimed[index].tobytes(), tuple(merkle.path(leaves, index)))


def _furthest_first(job: Prove, subject: Subject, claimed: Outputs) -> list[int]:
    """``job.indices``, those whose largest element is off by most before the others; what is not finite leads."""
    rerun = subject.rows(subject.open().run_at(subject.inputs, job.indices)).astype(np.float64)
    said = claimed[list(job.indices)].astype(np.float64)
    same = (said == rerun) | (np.isnan(said) & np.isnan(rerun))
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.where(same, 0.0, np.nan_to_num(np.abs(said - rerun), nan=np.inf))
    worst = off.max(axis=1)
    return [job.indices[at] for at in np.argsort(-worst, kind="stable")]
