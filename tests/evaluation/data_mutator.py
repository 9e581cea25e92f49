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
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np

from p2peval.core.parts import Tensor
from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation import benchmark_file, dataset
from p2peval.evaluation.benchmark_template import template

HANG = 1.0
"""Seconds of CPU time that no single input may take, of most kinds."""
MEMORY = 3 << 30
"""Bytes of addresses: who believes a header that promises more than that runs out of memory."""

BENCHMARK = """
name = "mutants"
[data]
{data}
[model]
task = "classification"
classes = {classes}
inputs = [{{ name = "x", dtype = "float32", shape = ["N", {sides}] }}]
output = {{ name = "p", dtype = "float32" }}
[metrics]
primary = "accuracy"
"""
ARRAYS = 'file = "data.npz"\ninput = "x"\nlabel = "y"'
COLUMNS = 'file = "data.{format}"\ninput = ["a", "b", "c", "d"]\nlabel = "y"'
PICTURES = 'file = "photos"\nmode = "RGB"'
X = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
Y = np.array([0, 2, 1])


@dataclass(frozen=True, slots=True)
class Kind:
    """``file``: where mutants of ``seeds`` are written, in a benchmark's folder; ``words``: what means something
    in such a file; ``read``: its reader, told the folder; ``data``, ``sides``: of the folder's benchmark.toml;
    ``hang``: seconds of CPU time that no single input may take.
    """

    file: str
    seeds: Callable[[], list[bytes]]
    words: Sequence[bytes]
    read: Callable[[Path], object]
    data: str
    sides: str = "4"
    hang: float = HANG


NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
HEADER_WORDS = (b"'<f8'", b"'|O'", b"'<U0'", b"'V8'", b"(4,)", b"(-3, 4)", b"(99999999999, 4)", b"True",
                b"(" * 150, b"[" * 300, b"-" * 3000, b"'descr'", b"{", b"}", b"\\x", b"'''", b"1j", b"#")  # fmt: skip
TOML_WORDS = (b"[", b"]", b"[[", b"]]", b"{", b"}", b"=", b".", b'"', b"'''", b'"""', b"\\u0000", b"nan", b"-inf",
              b"0x", b"1e999", b"9" * 5000, b"[" * 2000, b"a." * 300, b"true", b"1979-05-27", b"\xff", b"\r", b"#",
              b"\n[data]\n", b"\nversion = 2147483648\n", b"\nclasses = -1\n", b"..", b"/etc/passwd")  # fmt: skip
CSV_WORDS = (b",", b'"', b'""', b"\r", b"\n", b"\r\n", b"\x00", b"nan", b"inf", b"-1e999", b"1_0", b"9" * 5000, b" ",
             b"\xff", b"\xef\xbb\xbf", b"x" * 140_000, b'"' + b"y\n" * 70_000, b"," * 5000)  # fmt: skip


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


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def _npy(array: np.ndarray) -> bytes:
    return _written(lambda out: np.save(out, array))


def _npz_seeds() -> list[bytes]:
    return [
        _written(lambda out: np.savez(out, x=X, y=Y)),
        _written(lambda out: np.savez_compressed(out, x=X, y=Y)),
        _written(lambda out: np.savez(out, x=np.asfortranarray(X), y=Y.astype("U3"))),
    ]


def _csv_seeds() -> list[bytes]:
    lines = ["a,b,c,d,y", "1,2.5,-3e2,4,0", '"5",6,7,8,2', "9,10,11,12,1"]
    return ["\n".join(lines).encode(), "\r\n".join(lines).encode() + b"\r\n\r\n"]


def _toml(data: str, sides: str = "4", classes: str = "3") -> bytes:
    return BENCHMARK.format(data=data, classes=classes, sides=sides).encode()


def _toml_seeds() -> list[bytes]:
    columns = COLUMNS.format(format="csv")
    return [_toml(columns), _toml(columns, "2, 2", '["cat", "dog", "eel"]'), template("mutants").encode()]


def _table() -> Any:
    import pyarrow as pa

    columns = {name: X[:, at] for at, name in enumerate("abcd")}
    return pa.table({**columns, "y": pa.array([0, 2, 1]).dictionary_encode(), "z": ["text", None, "more"]})


def _parquet_seeds() -> list[bytes]:
    from pyarrow import parquet

    how: list[dict[str, Any]] = [{}, {"compression": "none"}, {"compression": "zstd", "data_page_version": "2.0"}]
    return [_written(lambda out, given=given: parquet.write_table(_table(), out, **given)) for given in how]


def _arrow_seeds() -> list[bytes]:
    import pyarrow as pa

    def write(out: io.BytesIO, kind: Any, packed: str | None) -> None:
        with kind(out, _table().schema, options=pa.ipc.IpcWriteOptions(compression=packed)) as writer:
            writer.write_table(_table())

    kinds = ((pa.ipc.new_file, None), (pa.ipc.new_stream, None), (pa.ipc.new_file, "lz4"))
    return [_written(lambda out, kind=kind, packed=packed: write(out, kind, packed)) for kind, packed in kinds]


def _picture_seeds(format: str) -> list[bytes]:
    from PIL import Image

    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    pictures = [Image.fromarray(pixels), Image.fromarray(pixels[:, :, 0]), Image.fromarray(pixels).convert("P")]
    pictures = pictures[: 2 if format == "JPEG" else 3]
    return [_written(lambda out, picture=picture: picture.save(out, format)) for picture in pictures]


def _prepare(folder: Path) -> object:
    return dataset.prepare(folder, folder / "out")


def _read_blob(folder: Path) -> object:
    return dataset.map_inputs(folder / "inputs.npy", 3, Tensor("x", "float32", (4,)))


def _pack(folder: Path) -> object:
    """The mutant as the samples of an archive that is whole: zip's checksum fits."""
    with zipfile.ZipFile(folder / "data.npz", "w") as archive:
        archive.write(folder / "x.npy", "x.npy")
        archive.writestr("y.npy", _npy(Y))
    return _prepare(folder)


def _mend(folder: Path) -> object:
    """The mutant with the checksums of its chunks made right, so that what is in them is read."""
    path = folder / "photos/0/a.png"
    data, at = bytearray(path.read_bytes()), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    path.write_bytes(data)
    return _prepare(folder)


PNG_WORDS = (b"IHDR", b"IDAT", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"acTL", b"fdAT", b"eXIf", b"IEND")
JPEG_WORDS = tuple(bytes((0xFF, mark)) for mark in (0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE0, 0xE1, 0xEE))

KINDS = {
    "npy": Kind("inputs.npy", lambda: [_npy(X), _npy(-X)], HEADER_WORDS, _read_blob, ARRAYS),
    "npz": Kind("data.npz", _npz_seeds, (), _prepare, ARRAYS),
    "npz-member": Kind(
        "x.npy", lambda: [_npy(X), _npy(X.astype(">i2")), _npy(np.asfortranarray(X))], HEADER_WORDS, _pack, ARRAYS
    ),
    "csv": Kind("data.csv", _csv_seeds, CSV_WORDS, _prepare, COLUMNS.format(format="csv")),
    "toml": Kind("benchmark.toml", _toml_seeds, TOML_WORDS, benchmark_file.load, COLUMNS.format(format="csv")),
    # a page that says it has 700 MB gets them, and the kernel's time to hand them out, before it is found to lie
    "parquet": Kind("data.parquet", _parquet_seeds, (), _prepare, COLUMNS.format(format="parquet"), hang=5.0),
    "arrow": Kind("data.arrow", _arrow_seeds, (), _prepare, COLUMNS.format(format="arrow")),
    "png": Kind("photos/0/a.png", lambda: _picture_seeds("PNG"), PNG_WORDS, _prepare, PICTURES, "4, 5, 3"),
    "png-mended": Kind("photos/0/a.png", lambda: _picture_seeds("PNG"), PNG_WORDS, _mend, PICTURES, "4, 5, 3"),
    "jpeg": Kind("photos/0/a.jpg", lambda: _picture_seeds("JPEG"), JPEG_WORDS, _prepare, PICTURES, "4, 5, 3"),
}


def survive(kind: Kind, folder: Path, count: int, seed: int) -> Counter[str]:
    """What came of ``count`` mutants, after good files were read.

    Raises whatever a reader lets through, and leaves the mutant in ``folder``.
    """
    seeds, rng, heard = kind.seeds(), Random(seed), Counter[str]()
    path = folder / kind.file
    (folder / "out").mkdir(parents=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.toml").write_bytes(_toml(kind.data, kind.sides))
    for data in seeds:
        path.write_bytes(data)
        kind.read(folder)
    for number in range(count):
        path.write_bytes(mutant(seeds[number % len(seeds)], seeds, kind.words, rng))
        signal.setitimer(signal.ITIMER_PROF, kind.hang)
        try:
            kind.read(folder)
            heard["read"] += 1
        except EvaluationError as error:
            heard[error.reason] += 1
        except ConfigError:
            heard["config"] += 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    return heard


def main(kind: str, folder: str, count: str, seed: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    began = perf_counter()
    heard = survive(KINDS[kind], Path(folder), int(count), int(seed))
    print(json.dumps({"heard": heard, "seconds": round(perf_counter() - began, 1)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
