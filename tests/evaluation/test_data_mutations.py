"""Whatever stands in a dataset's file, its reader reads it or says what is wrong, and at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import data_mutator
import pytest
from data_mutator import KINDS

NORMAL, SLOW = 1_000, 1_000_000
SLOW_KINDS = {"parquet": 100_000, "arrow": 100_000, "png": 100_000, "png-mended": 100_000, "jpeg": 100_000}
"""Fewer of what takes 2 ms each."""
PIECES = 20
"""Of a million, each well within the time after which a test counts as hung."""
REFUSALS = {"read", "bad_data", "data_mismatch", "config"}


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder that is not on a disk, where there is one: every mutant is written to a file."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


def survive(kind: str, folder: Path, count: int, seed: int) -> dict[str, int]:
    """In a process of its own: a parser in C may take the process with it."""
    command = (sys.executable, data_mutator.__file__, kind, str(folder / "mutants"), str(count), str(seed))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{kind}: status {done.returncode}\n{done.stderr[-4000:]}"
    said = json.loads(done.stdout)
    print(kind, said)
    return dict(said["heard"])


def check(heard: dict[str, int], count: int) -> None:
    assert sum(heard.values()) == count
    assert set(heard) <= REFUSALS
    assert heard["read"] < count / 2, "too few mutants were broken"
    assert heard["read"] > count / 1000, "every mutant was broken: none went deep"


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_of_a_dataset_brings_its_reader_down(kind: str, memory: Path) -> None:
    check(survive(kind, memory, NORMAL, 1), NORMAL)


@pytest.mark.slow
@pytest.mark.parametrize("piece", range(PIECES))
@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_of_a_million_brings_its_reader_down(kind: str, piece: int, memory: Path) -> None:
    count = SLOW_KINDS.get(kind, SLOW) // PIECES
    check(survive(kind, memory, count, 2 + piece), count)


# ── found by mutants and by hand ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a = " + "[" * 3000 + "]" * 3000, "nests"),
        ("a = " + "{a=" * 2000 + "1" + "}" * 2000, "nests"),
        ("version = " + "9" * 5000, "digits"),
        ("# " + "x" * 2**20, "1048576 bytes"),
        ("name = 'a\r'", "line 1"),
    ],
)
def test_a_benchmark_toml_that_would_exhaust_its_parser_is_a_config_error(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "benchmark.toml").write_text(text, newline="")
    with pytest.raises(data_mutator.ConfigError, match=complaint):
        data_mutator.benchmark_file.load(tmp_path)


NPY_TRUE = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, True)}\n"


@pytest.mark.parametrize("header", ["'''", "-" * 8000 + "1", "(" * 5000, "{'a': ", "\x00", "{'descr': 'O'}", NPY_TRUE])
def test_an_npy_header_that_would_exhaust_its_parser_is_a_mismatch(tmp_path: Path, header: str) -> None:
    path = tmp_path / "inputs.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    with pytest.raises(data_mutator.EvaluationError) as caught:
        KINDS["npy"].read(tmp_path)
    assert caught.value.reason == "data_mismatch"
