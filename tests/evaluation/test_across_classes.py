"""A peer with another processor: its honest outputs agree within the tolerance, and its class says which it is.

The other processor is emulated by qemu-user where that is installed. Everywhere, the class without optimisations
stands for one as well (test_framing.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from elsewhere import QEMU, Elsewhere, run_elsewhere
from onnx_models import DIGITS_IN, DIGITS_OUT, classifier, digits
from small_cnn import CNN_IN, CNN_OUT, cnn, pictures
from test_framing import Trial, trial

from p2peval.core.verdict import Verdict
from p2peval.evaluation.answers import Compared
from p2peval.evaluation.processor import isa_tier, tier, truthful
from p2peval.evaluation.recipe import Recipe, equivalence_class, open_model

KINDS = ("logistic", "forest", "mlp", "cnn")


def case_of(kind: str, folder: Path, profile: str = "all") -> Trial:
    folder.mkdir()
    if kind == "cnn":
        case = trial(folder, cnn(), pictures(), CNN_IN, CNN_OUT)
    else:
        case = trial(folder, classifier(kind), digits()[0][:100], DIGITS_IN, DIGITS_OUT)
    return replace(case, run=msgspec.structs.replace(case.run, profile=profile))


@dataclass(frozen=True)
class Abroad:
    """Cases, and what a peer with ``processor`` says of each."""

    cases: dict[str, Trial]
    said: dict[str, Elsewhere]

    def audit(self, kind: str) -> Compared:
        return self.cases[kind].audit(self.said[kind].rows, self.said[kind].equivalence_class)


def emulated(processor: str, profile: str, kinds: tuple[str, ...], folder: Path) -> Abroad:
    if QEMU is None:
        pytest.skip("another processor cannot be emulated here: apt-get install qemu-user")
    cases = {kind: case_of(kind, folder / kind, profile) for kind in kinds}
    said = run_elsewhere([case.run for case in cases.values()], processor, folder)
    return Abroad(cases, dict(zip(cases, said, strict=True)))


@pytest.fixture(scope="module")
def nehalem(tmp_path_factory: pytest.TempPathFactory) -> Abroad:
    return emulated("Nehalem", "all", KINDS, tmp_path_factory.mktemp("nehalem"))


@pytest.fixture(scope="module")
def haswell(tmp_path_factory: pytest.TempPathFactory) -> Abroad:
    return emulated("Haswell", "canonical", KINDS, tmp_path_factory.mktemp("haswell"))


@pytest.mark.parametrize("kind", KINDS)
def test_honest_outputs_of_an_older_processor_agree_and_are_of_its_class(nehalem: Abroad, kind: str) -> None:
    assert nehalem.said[kind].equivalence_class == equivalence_class().replace(f"/{tier()}/", "/sse2/")
    found = nehalem.audit(kind)
    assert (found.verdict, found.audited, found.differing) == (Verdict.AGREES, 100, ())


def test_an_older_processor_really_rounds_otherwise_and_is_never_blamed_for_it(nehalem: Abroad) -> None:
    """Without this, agreement across classes would be shown of equal bytes."""
    if tier() == "sse2":
        pytest.skip("this processor is of the emulated one's own class")
    case, there = nehalem.cases["mlp"], nehalem.said["mlp"]
    here = case.honest("all")
    assert there.rows.tobytes() != here.tobytes()
    assert np.abs(there.rows - here).max() < 1e-5
    assert case.audit(there.rows, equivalence_class()).verdict is Verdict.DOUBTFUL
    lie = there.rows.copy()
    lie[:10] = np.roll(lie[:10], 1, axis=1)
    assert case.audit(lie, there.equivalence_class).verdict is Verdict.DIFFERS


@pytest.mark.parametrize("kind", KINDS)
def test_the_canonical_recipe_gives_an_avx2_processor_the_bytes_of_this_one(haswell: Abroad, kind: str) -> None:
    there = haswell.said[kind]
    assert there.equivalence_class.split("/")[1:4] == ["opt-none", "x86_64", "avx2"]
    assert haswell.audit(kind).verdict is Verdict.AGREES
    if tier() != "sse2":
        assert there.rows.tobytes() == haswell.cases[kind].honest("canonical").tobytes()


def test_canonical_and_optimised_outputs_are_of_two_classes_and_agree() -> None:
    """Crosses a class without any emulator: no graph optimisation at all against every one."""
    canonical, optimised = Recipe("canonical"), Recipe()
    assert equivalence_class(canonical) != equivalence_class(optimised)
    outputs = [open_model(cnn(), CNN_IN, CNN_OUT, recipe).run_all(pictures()) for recipe in (canonical, optimised)]
    assert outputs[0].tobytes() != outputs[1].tobytes()
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-6)


def flags(text: str) -> frozenset[str]:
    return frozenset(text.split())


@pytest.mark.parametrize(
    ("listed", "asked", "tier"),
    [
        ("avx avx2 fma avx_vnni", {"AVX": True, "AVX2": True, "FMA3": True}, "avx2vnni"),
        ("avx avx2 fma avx_vnni avx512f", {"AVX": True, "AVX2": True, "FMA3": True, "AVX512F": False}, "avx2"),
        ("avx avx2 fma amx_tile amx_int8", {"AVX": False}, "sse2"),
        ("", {"AVX": True, "AVX2": True, "FMA3": True}, "avx2"),
    ],
)
def test_what_the_processor_says_outweighs_what_the_system_lists(listed: str, asked: dict, tier: str) -> None:
    assert isa_tier("x86_64", truthful(flags(listed), asked)) == tier
