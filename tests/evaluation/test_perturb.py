from __future__ import annotations

from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from data_folder import DataFolder
from philox import words

from p2peval.core.parts import Condition
from p2peval.core.types import to_nano
from p2peval.evaluation.perturb import KINDS, Perturbation

DATA = 'file = "data.npz"\ninput = "a"\nlabel = "kind"'
NOISE = '\n[[perturbations]]\nkind = "gaussian_noise"\nlevel = {level}\nseed = {seed}\n'
CLEAN = np.linspace(-1, 1, 200, dtype=np.float32).reshape(100, 2)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    np.savez(tmp_path / "data.npz", a=CLEAN, kind=np.zeros(100, int))
    return folder


def perturbed(kind: str, level: float, values: np.ndarray, seed: int = 0) -> np.ndarray:
    return Perturbation(Condition("c", kind, to_nano(level), seed)).apply(values)


def test_each_condition_is_a_block_after_the_clean_samples(folder: DataFolder) -> None:
    folder.toml(DATA, more=NOISE.format(level=0.1, seed=1) + NOISE.format(level=0.5, seed=1))
    assert folder.prepare().samples == 100
    clean, mild, strong = folder.inputs(blocks=3).reshape(3, 100, 2)
    assert (clean == CLEAN).all()
    assert len(folder.labels()) == 100
    # the same draws, five times as strong: a curve over levels is smooth
    assert np.allclose((strong - clean) / 5, mild - clean, atol=1e-6)
    assert 0.08 < (mild - clean).std() < 0.12


def test_the_bytes_do_not_depend_on_how_many_rows_are_read_at_once(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.toml(DATA, more=NOISE.format(level=0.1, seed=1))
    folder.prepare()
    whole = (folder.out / "inputs.npy").read_bytes()
    monkeypatch.setattr("p2peval.evaluation.data_rows.DATA_STEP", 8 * 8 * 7)
    folder.prepare()
    assert (folder.out / "inputs.npy").read_bytes() == whole


VALUES = np.arange(1, 1001, dtype=np.float32) / 7
DRAWN = {  # value, level and its words -> the perturbed value, in Python's own numbers
    "gaussian_noise": (3, lambda x, level, w: x + level * ((sum(map(_sixteens, w)) - 393210) / 65536)),
    "uniform_noise": (1, lambda x, level, w: x + level * (2 * ((w[0] >> 11) / 2**53) - 1)),
    "dropout": (1, lambda x, level, w: 0.0 if (w[0] >> 11) / 2**53 < level else x),
    "token_dropout": (1, lambda x, level, w: 0 if (w[0] >> 11) / 2**53 < level else x),
}


def _sixteens(word: int) -> int:
    return sum(word >> shift & 0xFFFF for shift in (0, 16, 32, 48))


@pytest.mark.parametrize("kind", DRAWN)
def test_it_is_what_the_protocol_says_it_is(kind: str) -> None:
    key = sha256(b"p2peval condition v1\x00" + kind.encode() + b"\x003").digest()[:16]
    count, drawn = DRAWN[kind]
    values = np.arange(1, 1001) if KINDS[kind].whole else VALUES
    stream = words(key)
    told = [drawn(value, 0.25, list(islice(stream, count))) for value in values.tolist()]
    assert (perturbed(kind, 0.25, values, seed=3) == np.array(told, values.dtype)).all()


def test_noise_is_as_strong_as_declared() -> None:
    zeros = np.zeros(200_000)
    normal, uniform = perturbed("gaussian_noise", 2.0, zeros), perturbed("uniform_noise", 2.0, zeros)
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 2) < 0.02
    assert 0.94 < (abs(normal) < 4).mean() < 0.96  # two sigma
    assert (uniform.min() >= -2) & (uniform.max() < 2)
    assert abs(uniform.std() - 2 / np.sqrt(3)) < 0.01


def test_scale_and_shift_are_what_they_say() -> None:
    assert perturbed("scale", 0.5, np.array([[2.0, -4.0]])).tolist() == [[3.0, -6.0]]
    assert perturbed("shift", 0.5, np.array([[2.0, -4.0]])).tolist() == [[2.5, -3.5]]


@pytest.mark.parametrize(("kind", "dtype"), [("dropout", "float32"), ("token_dropout", "int64")])
def test_dropout_zeroes_the_declared_share_and_touches_nothing_else(kind: str, dtype: str) -> None:
    values = np.arange(1, 100_001).astype(dtype)
    after = perturbed(kind, 0.3, values)
    assert after.dtype == values.dtype
    assert abs((after == 0).mean() - 0.3) < 0.01
    assert (after[after != 0] == values[after != 0]).all()
    assert (perturbed(kind, 1.0, values) == 0).all()
    assert (perturbed(kind, 0.0, values) == values).all()


def test_seeds_and_kinds_draw_apart() -> None:
    zeros = np.zeros(100)
    draws = [perturbed("uniform_noise", 1, zeros, 1), perturbed("uniform_noise", 1, zeros, 2)]
    assert not (draws[0] == draws[1]).any()


def test_a_perturbation_that_leaves_the_range_of_floats_is_an_error(folder: DataFolder) -> None:
    np.savez(folder.path / "data.npz", a=np.where(CLEAN > 0.5, 3e38, 0), kind=np.zeros(100, int))
    folder.toml(DATA, more='\n[[perturbations]]\nname = "loud"\nkind = "scale"\nlevel = 1\n')
    assert "perturbation 'loud' leaves float32 at sample 75 (counted from 0)" in folder.error().message


def test_blocks_count_against_the_largest_dataset(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2peval.evaluation.dataset.MAX_DATA_BYTES", 2399)
    folder.toml(DATA, more=NOISE.format(level=0.1, seed=1) + NOISE.format(level=0.5, seed=1))
    assert "its inputs, 3 times with its perturbations, have more than 2399 bytes" in folder.error().message


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('[[perturbations]]\nkind = "gausian_noise"\nlevel = 1', "did you mean 'gaussian_noise'?"),
        ('[[perturbations]]\nkind = "token_dropout"\nlevel = 0.1', "'token_dropout' is not for float32 inputs"),
        ('[[perturbations]]\nkind = "dropout"\nlevel = 1.5', "[perturbations 1] level: must be a number from 0 to 1"),
        ('[[perturbations]]\nkind = "dropout"', "[perturbations 1] level: is missing"),
        ('[[perturbations]]\nkind = "dropout"\nlevel = 1\nlvl = 1', "[perturbations 1] lvl: is no key"),
        ('[[perturbations]]\nkind = "scale"\nlevel = 1\n' * 2, "two are called 'scale 1': give each a name"),
        ('[[perturbations]]\nkind = "scale"\nlevel = 1\n' * 33, "perturbations: must be up to 32 tables"),
    ],
)
def test_every_mistake_is_named(folder: DataFolder, more: str, complaint: str) -> None:
    folder.toml(DATA, more="\n" + more)
    assert complaint in folder.config_error()
