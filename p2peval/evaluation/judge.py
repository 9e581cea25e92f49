"""What one's own re-run says of outputs that somebody claims (evaluation.md, Commitment and proof, rules a–c).

    finding = judge(subject, claim, rules, seed)

``subject``: a scanned model, its inputs and the recipe; ``claim``: rows, where they stand, and the equivalence class
in which their author says it ran. A requester's audit, a background audit and a fraud proof of one sample all come
here. Decides the verdict alone; must not know peers, roots or files.

Inside one class rows must be byte-equal; across classes each element within the tolerance. Where they are not, the
model is looked at before its evaluator: at a few of the differing samples, is the output the same without its
neighbours (b), and does it stand still when nothing but rounding changes (c)?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.core import audit
from p2peval.core.outputs import Outputs, canonical, differing, unequal
from p2peval.core.parts import Tensor, Tolerance
from p2peval.core.verdict import Rules, Verdict
from p2peval.defaults import BATCH, DIFFERING_CHECKED, SHAKES
from p2peval.evaluation.recipe import Model, Recipe, equivalence_class, open_model
from p2peval.evaluation.shaken import hides_rounding, shaken

Array = np.ndarray[Any, np.dtype[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Subject:
    """``model``: scanned ONNX bytes. ``inputs``: all samples, N × the input's shape."""

    model: bytes
    input: Tensor
    output: Tensor
    inputs: Array
    recipe: Recipe

    def open(self) -> Model:
        """Raises EvaluationError."""
        return open_model(self.model, self.input, self.output, self.recipe)

    def rows(self, outputs: Array) -> Outputs:
        return canonical(outputs.reshape(len(outputs), -1), self.output.dtype)


@dataclass(frozen=True, slots=True)
class Claim:
    """``rows``: canonical outputs, len(indices) × C, of the samples ``indices``, each named once."""

    indices: Sequence[int]
    rows: Outputs
    equivalence_class: str


@dataclass(frozen=True, slots=True)
class Finding:
    """``differing``: indices whose rows do not hold, in the order claimed."""

    verdict: Verdict
    differing: tuple[int, ...]


def allowed(tolerance: Tolerance, claimed_class: str, recipe: Recipe) -> Tolerance:
    """What a claim may differ by and still agree: nothing in our own class."""
    return Tolerance(0, 0) if claimed_class == equivalence_class(recipe) else tolerance


def judge(subject: Subject, claim: Claim, rules: Rules, seed: bytes = b"") -> Finding:
    """Re-run the claimed samples in their own batches and say what follows, for whom.

    ``seed``: a secret of the judge's, by which no liar foresees which of many differing samples are looked into.
    Raises EvaluationError where the model cannot be run here.
    """
    model = subject.open()
    rerun = subject.rows(model.run_at(subject.inputs, claim.indices))
    same_class = claim.equivalence_class == equivalence_class(subject.recipe)
    wrong = unequal(claim.rows, rerun) if same_class else differing(claim.rows, rerun, rules.tolerance)
    if not wrong.any():
        return Finding(Verdict.AGREES, ())
    lies = differing(claim.rows, rerun, rules.beyond_doubt if same_class else rules.margin)
    if not same_class and hides_rounding(subject.model):
        lies[:] = False  # what another processor says of it, nobody here can know
    looked = _chosen(lies if lies.any() else wrong, seed)
    samples = [claim.indices[at] for at in looked]
    if _mixed(subject, model, samples, rerun[looked]):
        verdict = Verdict.BATCH_DEPENDENT
    else:
        verdict = _blame(_shaky(subject, model, samples, rerun[looked], rules), lies[looked])
    return Finding(verdict, tuple(index for index, bad in zip(claim.indices, wrong, strict=True) if bad))


def invalid(subject: Subject, indices: Sequence[int], rules: Rules) -> Verdict | None:
    """Whether nobody could be held to this model's outputs: BATCH_DEPENDENT, ILL_CONDITIONED, or None.

    Asked before a task is announced, of REHEARSED samples. One that depends on its neighbours is enough; but that
    rounding moves an output is a flaw of the model only where it does so for most.
    """
    model = subject.open()
    rerun = subject.rows(model.run_at(subject.inputs, indices))
    if _mixed(subject, model, indices, rerun):
        return Verdict.BATCH_DEPENDENT
    shaky = _shaky(subject, model, indices, rerun, rules)
    return Verdict.ILL_CONDITIONED if 2 * np.count_nonzero(shaky) > len(indices) else None


def _blame(shaky: Bools, lies: Bools) -> Verdict:
    """One sample that stands firm and is beyond doubt convicts; shaky ones beside it excuse nothing."""
    if (lies & ~shaky).any():
        return Verdict.DIFFERS
    return Verdict.ILL_CONDITIONED if shaky.any() else Verdict.DOUBTFUL


def _chosen(wrong: Bools, seed: bytes) -> list[int]:
    """Up to DIFFERING_CHECKED places of ``wrong``: what is looked into must not outlast the job."""
    places: list[int] = np.flatnonzero(wrong).tolist()
    drawn = audit.draw(seed, "judge", b"", len(places), DIFFERING_CHECKED)
    return [places[at] for at in drawn]


def _mixed(subject: Subject, model: Model, indices: Sequence[int], rerun: Outputs) -> bool:
    """Whether a sample's output is another one without its neighbours (rule b)."""
    alone = np.stack([_alone(model, subject.inputs, index) for index in indices])
    return bool(unequal(subject.rows(alone), rerun).any())


def _alone(model: Model, inputs: Array, index: int) -> Array:
    """The output of a sample at its own place in a batch of zeros: output shape."""
    place = index % BATCH
    batch = np.zeros((BATCH, *inputs.shape[1:]), inputs.dtype)
    batch[place] = inputs[index]
    outputs: Array = model.run(batch, [0])[place]
    return outputs


def _shaky(subject: Subject, model: Model, indices: Sequence[int], rerun: Outputs, rules: Rules) -> Bools:
    """Which samples' outputs move too far when nothing but rounding changes (rule c)."""
    moved = np.zeros(len(indices), bool)
    for outputs in _rounded_otherwise(subject, model, subject.inputs[list(indices)]):
        moved |= differing(subject.rows(outputs), rerun, rules.steadiness)
    return moved


def _rounded_otherwise(subject: Subject, model: Model, inputs: Array) -> Iterator[Array]:
    """Outputs of a few samples by inputs a hair off, by the other optimisation level, and by noise."""
    yield from _each(model, _nudged(inputs))
    other = replace(subject, recipe=subject.recipe.other)
    yield from _each(other.open(), [inputs])
    yield from _each(replace(other, model=shaken(subject.model)).open(), [inputs] * SHAKES)


def _each(model: Model, variants: Sequence[Array]) -> Iterator[Array]:
    """Outputs of each of some inputs of equal shape, run together: few samples do not fill a batch."""
    if variants:
        outputs = model.run_all(np.concatenate(variants))
        yield from np.split(outputs, len(variants))


def _nudged(inputs: Array) -> list[Array]:
    """``inputs`` off by one ulp: all up, all down, each its own way. Whole numbers stay: codes and counts are exact."""
    if inputs.dtype.kind != "f":
        return []
    free = np.isfinite(inputs) & (inputs != np.round(inputs))
    each = np.random.default_rng(0).integers(0, 2, inputs.shape).astype(bool)
    ways = (np.where(up, np.inf, -np.inf).astype(inputs.dtype) for up in (True, False, each))
    return [np.where(free, np.nextafter(inputs, toward), inputs) for toward in ways]
