"""Nobody is framed: what each trick with a model or a claim comes to, through the worker's own audit job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from framing_models import batch_mixing, chaotic, near_ties, rounding_of_its_own, steep_at_zero, with_column
from onnx_models import DIGITS_IN, DIGITS_OUT, IN, LIMITS, OUT, classifier, digits, matmul

from p2peval.core.commitment import output_root
from p2peval.core.parts import Tensor, Tolerance
from p2peval.core.types import to_nano
from p2peval.core.verdict import BLAMED, Verdict
from p2peval.defaults import ATOL, FRAUD_MARGIN
from p2peval.errors import EvaluationError
from p2peval.evaluation.answers import Compared, Rehearsed
from p2peval.evaluation.jobs import Compare, Rehearse, Run, Scoring
from p2peval.evaluation.recipe import Recipe, equivalence_class, open_model
from p2peval.evaluation.runner import perform

KEY, NONCE, SAMPLES = b"k" * 32, b"n" * 32, 100
OURS, ABROAD = equivalence_class(), equivalence_class(Recipe("canonical"))
TOLERANCE = Tolerance(to_nano(ATOL), to_nano(ATOL))


@dataclass(frozen=True)
class Trial:
    """A model on 100 random samples, and its honest outputs as a peer of another class (no optimisations) has them."""

    folder: Path
    run: Run
    tolerance: Tolerance = TOLERANCE
    scoring: Scoring | None = None

    @property
    def model(self) -> bytes:
        return Path(self.run.model).read_bytes()

    @property
    def inputs(self) -> np.ndarray:
        return np.load(self.run.inputs)

    def honest(self, profile: str = "canonical") -> np.ndarray:
        return open_model(self.model, self.run.input, self.run.output, Recipe(profile)).run_all(self.inputs)

    def audit(self, rows: np.ndarray, claimed_class: str = ABROAD, samples: int = SAMPLES) -> Compared:
        rows.astype("<f4").tofile(self.folder / "claim")
        return perform(
            Compare(
                run=self.run,
                outputs=str(self.folder / "claim"),
                others=(),
                root=output_root(rows.astype("<f4"), KEY),
                public_key=KEY,
                nonce=NONCE,
                task="bafytask",
                drawn=samples,
                equivalence_class=claimed_class,
                tolerance=self.tolerance,
                fraud_margin=FRAUD_MARGIN,
                scoring=self.scoring,
            )
        )

    def rehearse(self) -> Rehearsed:
        return perform(Rehearse(self.run, self.tolerance, FRAUD_MARGIN))


def trial(folder: Path, data: bytes, inputs: np.ndarray | None = None, input: Tensor = IN, output: Tensor = OUT):
    if inputs is None:
        inputs = np.random.default_rng(7).normal(scale=3, size=(SAMPLES, 4)).astype(np.float32)
    np.save(folder / "inputs.npy", inputs)
    (folder / "model.onnx").write_bytes(data)
    run = Run(str(folder / "model.onnx"), str(folder / "inputs.npy"), len(inputs), input, output, LIMITS)
    return Trial(folder, run)


# ── models that would frame ───────────────────────────────────────────────────────────────────────


def test_who_runs_a_batch_mixing_model_sample_by_sample_is_not_blamed(tmp_path: Path) -> None:
    case = trial(tmp_path, batch_mixing())
    opened = open_model(case.model, IN, OUT)
    alone = np.concatenate([opened.run_all(row[None]) for row in case.inputs])
    for claimed_class in (OURS, ABROAD):
        assert case.audit(alone, claimed_class).verdict is Verdict.BATCH_DEPENDENT
    assert case.audit(case.honest("all"), OURS).verdict is Verdict.AGREES


def test_who_runs_a_chaotic_model_elsewhere_is_not_blamed(tmp_path: Path) -> None:
    case = trial(tmp_path, chaotic())
    elsewhere = open_model(case.model, IN, OUT).run_all(np.nextafter(case.inputs, np.float32(9)))
    assert np.abs(elsewhere - case.honest("all")).max() > 100 * ATOL
    for claimed_class in (OURS, ABROAD):
        assert case.audit(elsewhere, claimed_class).verdict is Verdict.ILL_CONDITIONED


def test_a_model_that_blows_up_its_own_rounding_is_found_out_though_it_rounds_its_inputs(tmp_path: Path) -> None:
    case = trial(tmp_path, rounding_of_its_own())
    honest = case.honest("all")
    nudged = open_model(case.model, IN, OUT).run_all(np.nextafter(case.inputs, np.float32(9)))
    assert np.array_equal(nudged, honest)
    elsewhere = honest[np.r_[1:SAMPLES, 0]]  # other rounding of the same size
    assert np.abs(elsewhere - honest).max() > 100 * ATOL
    assert case.audit(elsewhere).verdict is Verdict.ILL_CONDITIONED


@pytest.mark.parametrize(
    ("data", "reason"),
    [(batch_mixing(), "batch_dependent"), (chaotic(), "ill_conditioned"), (rounding_of_its_own(), "ill_conditioned")],
    ids=["batch-mixing", "chaotic", "rounding"],
)
def test_such_models_are_refused_before_any_evaluator_is_asked(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        trial(tmp_path, data).rehearse()
    assert caught.value.reason == reason
    assert f"invalid: {reason.replace('_', '-')}" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["logistic", "forest", "mlp"])
def test_models_as_people_train_them_are_not_refused(tmp_path: Path, kind: str) -> None:
    assert trial(tmp_path, classifier(kind), digits()[0], DIGITS_IN, DIGITS_OUT).rehearse() == Rehearsed()


# ── outputs that would excuse ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 1e6, 3e38])
def test_no_column_excuses_a_lie_in_another_and_none_accuses_an_honest_peer(tmp_path: Path, number: float) -> None:
    case = trial(tmp_path, with_column(number))
    assert case.audit(case.honest()).verdict is Verdict.AGREES
    assert case.audit(case.honest("all"), OURS).verdict is Verdict.AGREES
    lie = case.honest("all")
    lie[:5, 2] += 1
    for claimed_class in (OURS, ABROAD):
        found = case.audit(lie, claimed_class)
        assert (found.verdict, found.differing) == (Verdict.DIFFERS, (0, 1, 2, 3, 4))


def test_a_near_tie_model_claiming_all_is_right_is_not_accepted_in_our_class_and_gains_nothing_in_another(
    tmp_path: Path,
) -> None:
    """In another class the tolerance lets the claim pass; its audit interval then reaches down to nothing."""
    case = trial(tmp_path, near_ties())
    labels = np.random.default_rng(1).integers(0, 3, SAMPLES)
    np.save(tmp_path / "labels.npy", labels)
    scoring = Scoring(str(tmp_path / "labels.npy"), "classification", ("accuracy",), None, to_nano(0.01))
    case = replace(case, scoring=scoring)
    perfect = case.honest("all")
    perfect[np.arange(SAMPLES), labels] = perfect.max(axis=1) + np.float32(2e-7)
    assert (perfect.argmax(1) == labels).all()
    assert case.audit(perfect, OURS).verdict is Verdict.DOUBTFUL
    abroad = case.audit(perfect, ABROAD)
    assert (abroad.verdict, abroad.metrics[0].value_nano) == (Verdict.AGREES, 10**9)
    assert abroad.metrics[0].audit.low_nano == 0
    truth = case.audit(case.honest("all"), OURS).metrics[0]
    assert truth.audit.low_nano > abroad.metrics[0].audit.low_nano


def test_who_runs_in_our_class_is_scored_without_the_tolerance(tmp_path: Path) -> None:
    case = trial(tmp_path, classifier("mlp"), digits()[0][:SAMPLES], DIGITS_IN, DIGITS_OUT)
    np.save(tmp_path / "labels.npy", digits()[1][:SAMPLES])
    scoring = Scoring(str(tmp_path / "labels.npy"), "classification", ("brier",), None, to_nano(0.01))
    case, honest = replace(case, scoring=scoring), case.honest("all")
    at_home = case.audit(honest, OURS).metrics[0].audit
    abroad = case.audit(honest, ABROAD).metrics[0].audit
    assert abroad.low_nano < at_home.low_nano < at_home.high_nano < abroad.high_nano


# ── honest and lying claims of both classes ───────────────────────────────────────────────────────


def shifted(rows: np.ndarray, by: float) -> np.ndarray:
    altered = rows.copy()
    altered[::2] += np.float32(by)
    return altered


@pytest.mark.parametrize(
    ("claimed_class", "by", "verdict"),
    [
        (OURS, 0, Verdict.AGREES),
        (OURS, 0.5 * ATOL, Verdict.DOUBTFUL),
        (OURS, 0.1, Verdict.DIFFERS),
        (ABROAD, 0, Verdict.AGREES),
        (ABROAD, 0.5 * ATOL, Verdict.AGREES),
        (ABROAD, 20 * ATOL, Verdict.DOUBTFUL),
        (ABROAD, 0.1, Verdict.DIFFERS),
        ("nobody knows it", 0.1, Verdict.DIFFERS),
    ],
)
def test_inside_a_class_bytes_decide_and_across_classes_tolerance_and_margin(
    tmp_path: Path, claimed_class: str, by: float, verdict: Verdict
) -> None:
    case = trial(tmp_path, classifier("mlp"), digits()[0][:SAMPLES], DIGITS_IN, DIGITS_OUT)
    honest = case.honest("all" if claimed_class == OURS else "canonical")
    assert case.audit(shifted(honest, by), claimed_class).verdict is verdict


def test_an_honest_peer_of_another_class_who_says_it_is_of_ours_is_not_blamed(tmp_path: Path) -> None:
    case = trial(tmp_path, classifier("mlp"), digits()[0][:SAMPLES], DIGITS_IN, DIGITS_OUT)
    honest = case.honest("all")
    elsewhere = np.nextafter(honest, np.float32(2))
    assert case.audit(elsewhere, OURS).verdict is Verdict.DOUBTFUL


def test_a_benchmark_without_tolerance_blames_nobody_for_rounding(tmp_path: Path) -> None:
    case = replace(
        trial(tmp_path, classifier("mlp"), digits()[0][:SAMPLES], DIGITS_IN, DIGITS_OUT), tolerance=Tolerance(0, 0)
    )
    elsewhere = np.nextafter(case.honest("all"), np.float32(2))
    for claimed_class in (OURS, ABROAD):
        assert case.audit(elsewhere, claimed_class).verdict not in BLAMED
        assert case.audit(elsewhere + np.float32(0.1), claimed_class).verdict is Verdict.DIFFERS


def test_outputs_that_are_not_those_committed_to_are_their_authors_own_fault(tmp_path: Path) -> None:
    case = trial(tmp_path, matmul())
    assert case.audit(case.honest()[:-1]).verdict is Verdict.NOT_AUTHENTIC


def test_a_few_shaky_samples_excuse_no_lie_elsewhere(tmp_path: Path) -> None:
    """Three samples stand on a cliff; one that stands firm convicts."""
    inputs = np.random.default_rng(7).normal(scale=3, size=(SAMPLES, 4)).astype(np.float32)
    inputs[:3] = np.array([0, 1.5554, -0.7777, 0], np.float32)  # its first score is a difference of equals
    case = trial(tmp_path, steep_at_zero(), inputs)
    honest = case.honest("all")
    shaky_only, both = honest.copy(), honest.copy()
    shaky_only[:3, 0] = both[:3, 0] = 0.9
    both[3:20] *= -1
    assert case.audit(shaky_only).verdict is Verdict.ILL_CONDITIONED
    assert case.audit(both).verdict is Verdict.DIFFERS
    assert case.rehearse() == Rehearsed()
