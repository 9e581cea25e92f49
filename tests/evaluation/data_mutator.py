"""Files of datasets, broken in as many ways as asked, and the readers that must survive them.

Run as a program it feeds one kind of file to its reader and prints what came of it: a reader that crashes the
process or computes on one input for more than a second of CPU time ends the program by a signal, and the input
is left in the folder. Broken input comes from good input, the same for the same seed.
"""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np

from p2peval.core.messages import Tensor
from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation import benchmark_file, dataset

HANG = 1.0
"""Seconds of CPU time that no single input may take."""
MEMORY = 3 << 30
"""Bytes of addresses: who believes a header that promises more than that runs out of memory."""

Reader = Callable[[Path], object]

BENCHMARK = """
name = "mutants"
{data}
[model]
task = "classification"
classes = {classes}
inputs = [{{ name = "x", dtype = "float32", shape = ["N", 4] }}]
output = {{ name = "p", dtype = "float32" }}
[metrics]
primary = "accuracy"
"""
ARRAYS = '[data]\nfile = "data.{format}"\ninput = "x"\nlabel = "y"'
COLUMNS = '[data]\nfile = "data.{format}"\ninput = ["a", "b", "c", "d"]\nlabel = "y"'
X = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
Y = np.array([0, 2, 1])

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
HEADER_WORDS = (b"'<f8'", b"'|O'", b"'<U0'", b"'V8'", b"(4,)", b"(-3, 4)", b"(9999999999999999, 4)", b"True", b"None",
                b"(" * 150, b"[" * 300, b"-" * 3000, b"'descr'", b"{", b"}", b"\\x", b"'''", b"1j", b"\x00", b"#")  # fmt: skip
TOML_WORDS = (b"[", b"]", b"[[", b"]]", b"{", b"}", b"=", b".", b'"', b"'''", b'"""', b"\\u0000", b"nan", b"-inf",
              b"0x", b"1e999", b"9" * 5000, b"[" * 2000, b"a." * 300, b"true", b"1979-05-27", b"\xff", b"\r", b"#",
              b"\n[data]\n", b"\nversion = 2147483648\n", b"\nclasses = -1\n", b"..", b"/etc/passwd")  # fmt: skip
CSV_WORDS = (b",", b'"', b'""', b"\r", b"\n", b"\r\n", b"\x00", b"nan", b"inf", b"-1e999", b"1_0", b"9" * 5000, b" ",
             b"\xff", b"\xef\xbb\xbf", b"x" * 140_000, b'"' + b"y\n" * 70_000, b"," * 5000, b"\xd9\xa1", b"a,b")  # fmt: skip


def mutant(data: bytes, seeds: Sequence[bytes], words: Sequence[bytes], rng: Random) -> bytes:
    """``data`` with up to four changes of bytes, numbers, words and whole stretches."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(9):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                width = rng.choice((1, 2, 4, 8))
                number = rng.choice(NUMBERS) & (1 << 8 * width) - 1
                out[at : at + width] = number.to_bytes(width, rng.choice(("little", "big")))
            case 2:
                del out[at:]
            case 3:
                del out[at : at + rng.randrange(1, 17)]
            case 4:
                out[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 5:
                out[at:at] = out[at : at + rng.randrange(1, 65)]
            case 6:
                other = rng.choice(seeds)
                out[at:] = other[rng.randrange(len(other) + 1) :]
            case _ if words:
                out[at : at + rng.choice((0, 0, 1, 4))] = rng.choice(words)
            case _:
                out[at : at + 4] = rng.randbytes(4)
    return bytes(out)


# ── kinds of files ────────────────────────────────────────────────────────────────────────────────


def _npz(pack: Callable[..., None], **arrays: Any) -> bytes:
    out = io.BytesIO()
    pack(out, **arrays)
    return out.getvalue()


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def _toml(data: str, classes: str = "3") -> bytes:
    return BENCHMARK.format(data=data, classes=classes).encode()


def _read_blob(path: Path) -> object:
    return dataset.map_inputs(path, 3, Tensor("x", "float32", (4,)))


def _load(path: Path) -> object:
    return benchmark_file.load(path.parent)


def _prepare(path: Path) -> object:
    return dataset.prepare(path.parent, path.parent / "out")


def _pack(path: Path) -> object:
    """The mutant as the samples of an archive that is whole: zip's checksum fits."""
    with zipfile.ZipFile(path.with_suffix(".tmp"), "w") as archive:
        archive.write(path, "x.npy")
        archive.writestr("y.npy", _npy(Y))
    path.with_suffix(".tmp").rename(path)
    return _prepare(path)


def _csv_seeds() -> list[bytes]:
    lines = ["a,b,c,d,y", "1,2.5,-3e2,4,0", '"5",6,7,8,2', "9,10,11,12,1"]
    return ["\n".join(lines).encode(), "\r\n".join(lines).encode() + b"\r\n\r\n"]


def _toml_seeds() -> list[bytes]:
    names = _toml(COLUMNS.format(format="csv"), '["cat", "dog", "eel"]')
    return [_toml(COLUMNS.format(format="csv")), names, benchmark_file_template()]


def benchmark_file_template() -> bytes:
    from p2peval.evaluation.benchmark_template import template

    return template("mutants").encode()


def _npz_seeds() -> list[bytes]:
    return [
        _npz(np.savez, x=X, y=Y),
        _npz(np.savez_compressed, x=X, y=Y),
        _npz(np.savez, x=np.asfortranarray(X), y=Y.astype("U3")),
    ]


KINDS: dict[str, tuple[str, Callable[[], list[bytes]], Sequence[bytes], Reader]] = {
    "npy": ("inputs.npy", lambda: [_npy(X), _npy(-X)], HEADER_WORDS, _read_blob),
    "npz": ("data.npz", _npz_seeds, (), _prepare),
    "npz member": (
        "data.npz",
        lambda: [_npy(X), _npy(X.astype(">i2")), _npy(np.asfortranarray(X))],
        HEADER_WORDS,
        _pack,
    ),
    "csv": ("data.csv", _csv_seeds, CSV_WORDS, _prepare),
    "toml": ("benchmark.toml", _toml_seeds, TOML_WORDS, _load),
}
"""Kind -> the file's name, good ones, words that mean something in it, and its reader."""


def survive(kind: str, folder: Path, count: int, seed: int) -> Counter[str]:
    """What came of ``count`` mutants, after good files were read. Raises whatever a reader lets through, and leaves the mutant in ``folder``."""
    name, make_seeds, words, reader = KINDS[kind]
    seeds, rng, heard = make_seeds(), Random(seed), Counter[str]()
    (folder / "out").mkdir(parents=True)
    (folder / "benchmark.toml").write_bytes(_toml(_layout(kind)))
    for data in seeds:
        (folder / name).write_bytes(data)
        reader(folder / name)
    for number in range(count):
        (folder / name).write_bytes(mutant(seeds[number % len(seeds)], seeds, words, rng))
        signal.setitimer(signal.ITIMER_PROF, HANG)
        try:
            reader(folder / name)
            heard["read"] += 1
        except EvaluationError as error:
            heard[error.reason] += 1
        except ConfigError:
            heard["config"] += 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    return heard


def _layout(kind: str) -> str:
    return (ARRAYS if kind.startswith("npz") else COLUMNS).format(format=kind.split()[0])


def main(kind: str, folder: str, count: str, seed: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    began = perf_counter()
    heard = survive(kind, Path(folder), int(count), int(seed))
    print(json.dumps({"heard": heard, "seconds": round(perf_counter() - began, 1)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
