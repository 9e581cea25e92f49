"""Every format through the worker that a daemon uses, with each of its locks on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_folder import DataFolder
from PIL import Image

from p2peval.errors import EvaluationError
from p2peval.evaluation.answers import Prepared
from p2peval.evaluation.jobs import Prepare
from p2peval.evaluation.sandbox import Sandbox

VALUES = np.arange(12, dtype=np.float32).reshape(6, 2)
KINDS = [0, 1, 2, 0, 1, 2]
TABLE = pa.table({"a": VALUES[:, 0], "b": VALUES[:, 1], "kind": KINDS, "where": ["east", "west"] * 3})
COLUMNS = 'file = "data.{}"\ninput = ["a", "b"]\nlabel = "kind"\ngroups = "where"'
NPZ = 'file = "data.npz"\ninput = "a"\nlabel = "kind"\ngroups = "where"'
NOISE = '\n[[perturbations]]\nkind = "gaussian_noise"\nlevel = 0.1\n'


def csv(path: Path) -> None:
    rows = [f"{VALUES[at, 0]},{VALUES[at, 1]},{KINDS[at]},{'west' if at % 2 else 'east'}" for at in range(6)]
    (path / "data.csv").write_text("\n".join(["a,b,kind,where", *rows]))


def arrow(path: Path) -> None:
    with pa.ipc.new_file(path / "data.arrow", TABLE.schema) as writer:
        writer.write_table(TABLE)


WRITERS = {
    "csv": csv,
    "npz": lambda path: np.savez_compressed(path / "data.npz", a=VALUES, kind=KINDS, where=["east", "west"] * 3),
    "parquet": lambda path: pq.write_table(TABLE, path / "data.parquet", compression="zstd"),
    "arrow": arrow,
}


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


async def prepared(folder: DataFolder, deadline: float = 60.0) -> Prepared:
    folder.answer = await Sandbox(1).run(Prepare(str(folder.path), str(folder.out)), deadline=deadline)
    return folder.answer


@pytest.mark.parametrize("format", WRITERS)
async def test_every_format_gives_the_same_arrays(folder: DataFolder, format: str) -> None:
    folder.toml(NPZ if format == "npz" else COLUMNS.format(format), more=NOISE)
    WRITERS[format](folder.path)
    assert await prepared(folder) == Prepared(6, (2,), "float32", "int64", (2, 2, 2), ("east", "west"), (3, 3))
    clean, noisy = folder.inputs(blocks=2).reshape(2, 6, 2)
    assert clean.tolist() == VALUES.tolist()
    assert 0 < abs(noisy - clean).max() < 0.6
    assert folder.labels() == KINDS
    assert folder.groups() == ["east", "west"] * 3


@pytest.mark.parametrize("suffix", ["png", "jpg"])
async def test_pictures_are_unpacked_in_the_worker(folder: DataFolder, suffix: str) -> None:
    folder.toml('file = "photos"\nmode = "L"\npixels = "byte"', shape=(1, 8, 8))
    for kind in "012":
        (folder.path / "photos" / kind).mkdir(parents=True)
        grey = np.full((8, 8), int(kind) * 40, np.uint8)
        Image.fromarray(grey).save(folder.path / "photos" / kind / f"a.{suffix}")
    assert (await prepared(folder)).per_class == (1, 1, 1)
    assert folder.inputs()[:, 0, 3, 3].tolist() == [0, 40, 80]


@pytest.mark.parametrize("format", WRITERS)
async def test_what_is_wrong_comes_back_in_words_and_nothing_is_left(folder: DataFolder, format: str) -> None:
    folder.toml((NPZ if format == "npz" else COLUMNS.format(format)), classes="classes = 2")
    WRITERS[format](folder.path)
    with pytest.raises(EvaluationError) as caught:
        await prepared(folder)
    assert len(caught.value.message.splitlines()) == 2
    assert "'kind'" in caught.value.message
    assert "'2' is no class: they are 0 to 1" in caught.value.message
    assert not list(folder.out.iterdir())


@pytest.mark.parametrize("format", ["parquet", "arrow"])
async def test_a_flipped_bit_in_a_table_ends_in_words_or_in_the_worker(folder: DataFolder, format: str) -> None:
    folder.toml(COLUMNS.format(format))
    WRITERS[format](folder.path)
    path = folder.path / f"data.{format}"
    whole = path.read_bytes()
    sandbox, order = Sandbox(1), Prepare(str(folder.path), str(folder.out))
    for at in np.random.default_rng(5).integers(0, len(whole), 6).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 0x40
        path.write_bytes(damaged)
        try:
            assert (await sandbox.run(order, deadline=20.0)).samples <= 6
        except EvaluationError as error:
            assert error.reason in ("bad_data", "crashed", "out_of_memory")  # noqa: PT017
