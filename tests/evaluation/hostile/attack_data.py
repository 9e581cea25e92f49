"""Datasets that attack whoever parses them. Each is prepared as an author's own is, in a worker."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from attack import Attack
from pyarrow import parquet

from p2peval.evaluation.jobs import AnyJob, Prepare

BENCHMARK = """
name = "hostile"
[data]
file = "data.{format}"
input = {input}
label = "y"
[model]
task = "classification"
classes = 3
inputs = [{{ name = "x", dtype = "float32", shape = ["N", 4] }}]
output = {{ name = "p", dtype = "float32" }}
[metrics]
primary = "accuracy"
"""
X = np.arange(12, dtype=np.float32).reshape(3, 4)
Y = np.array([0, 2, 1])
COLUMNS = '["a", "b", "c", "d"]'


def preparing(format: str, write: Callable[[Path], None], input: str = COLUMNS) -> Callable[[Path], AnyJob]:
    def job(folder: Path) -> AnyJob:
        (folder / "bench").mkdir()
        (folder / "out").mkdir()
        (folder / "bench" / "benchmark.toml").write_text(BENCHMARK.format(format=format, input=input))
        write(folder / "bench" / f"data.{format}")
        return Prepare(str(folder / "bench"), str(folder / "out"))

    return job


# ── npz ───────────────────────────────────────────────────────────────────────────────────────────


def npz(write: Callable[[Path], None]) -> Callable[[Path], AnyJob]:
    return preparing("npz", write, '"x"')


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def good_npz(path: Path) -> None:
    np.savez_compressed(path, x=X, y=Y)


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def archive(path: Path, x: bytes, packed: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", packed) as file:
        file.writestr("x.npy", x)
        file.writestr("y.npy", npy(Y))


def member(x: bytes) -> Callable[[Path], AnyJob]:
    return npz(lambda path: archive(path, x))


def patched(path: Path, at_local: int, at_central: int, value: bytes) -> None:
    """Changes a field of the first member's local header and of its entry in the directory."""
    archive(path, npy(X))
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[at_local : at_local + len(value)] = value
    data[central + at_central : central + at_central + len(value)] = value
    path.write_bytes(bytes(data))


def declared_huge(path: Path) -> None:
    patched(path, 22, 24, struct.pack("<I", 0xFFFFFFF0))


def declared_small(path: Path) -> None:
    """50 MiB that say they are 176 bytes."""
    archive(path, npy(X) + bytes(50 << 20))
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    for at in (22, central + 24):
        data[at : at + 4] = struct.pack("<I", len(npy(X)))
    path.write_bytes(bytes(data))


def overlapping(path: Path) -> None:
    """Two names for the same packed bytes, as in a zip bomb that multiplies itself."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", npy(X) + bytes(50 << 20))
        info = file.getinfo("x.npy")
        for number in range(20_000):
            twin = zipfile.ZipInfo(f"{number}.npy")
            for field in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(twin, field, getattr(info, field))
            file.filelist.append(twin)
        file.NameToInfo["y.npy"] = info


def nested(path: Path) -> None:
    inner = path.with_suffix(".inner")
    np.savez_compressed(inner, x=np.zeros(1 << 24))
    archive(path, Path(f"{inner}.npz").read_bytes())


def encrypted(path: Path) -> None:
    patched(path, 6, 8, b"\x01\x00")


def packed_otherwise(path: Path) -> None:
    archive(path, npy(X), zipfile.ZIP_LZMA)


def climbing(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../../identity.key.npy", npy(X))
        file.writestr("/etc/x.npy", npy(X))


# ── csv ───────────────────────────────────────────────────────────────────────────────────────────


def csv(make: Callable[[], bytes]) -> Callable[[Path], AnyJob]:
    return preparing("csv", lambda path: void(path.write_bytes(make())))


def void(_: object) -> None:
    """A writer's answer is not wanted."""


HEAD = b"a,b,c,d,y\n"


def good_csv() -> bytes:
    return HEAD + b"1,2,3,4,0\n5,6,7,8,2\n"


def linked(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def secret(path: Path) -> None:
    path.symlink_to(path.parents[3] / "identity.key")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def silent(path: Path) -> None:
    os.mkfifo(path)


def sparse_file(path: Path) -> None:
    path.write_bytes(HEAD)
    with path.open("r+b") as file:
        file.truncate(3 << 30)


# ── parquet, arrow and pictures ───────────────────────────────────────────────────────────────────


def table(rows: int = 3) -> pa.Table:
    return pa.table({**{name: np.zeros(rows, np.float32) for name in "abcd"}, "y": np.zeros(rows, np.int64)})


def good_parquet(path: Path) -> None:
    parquet.write_table(table(), path)


def good_arrow(path: Path) -> None:
    with pa.ipc.new_file(path, table().schema) as writer:
        writer.write_table(table())


def changed(write: Callable[[Path], None], change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def hostile(path: Path) -> None:
        write(path)
        good = path.read_bytes()
        path.write_bytes(change(good))
        assert path.read_bytes() != good

    return hostile


def long_footer(data: bytes) -> bytes:
    """Says that its footer has 2 GiB."""
    return data[:-8] + struct.pack("<I", 2**31 - 1) + data[-4:]


def negative_footer(data: bytes) -> bytes:
    return data[:-8] + struct.pack("<i", -1) + data[-4:]


def many_rows(data: bytes) -> bytes:
    """The footer's first 3 as a varint, the number of rows, becomes a larger one of the same length."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:footer] + data[footer:].replace(b"\x16\x06", b"\x16\x7e")


def noise(data: bytes) -> bytes:
    return data[:40] + bytes(255 for _ in data[40:-40]) + data[-40:]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def picture(make: Callable[[], bytes]) -> Callable[[Path], AnyJob]:
    def job(folder: Path) -> AnyJob:
        photos = folder / "bench" / "photos" / "0"
        photos.mkdir(parents=True)
        (folder / "out").mkdir()
        (folder / "bench" / "benchmark.toml").write_text(PICTURES)
        (photos / "a.png").write_bytes(make())
        return Prepare(str(folder / "bench"), str(folder / "out"))

    return job


PICTURES = (
    BENCHMARK.format(format="", input='"x"')
    .replace('file = "data."', 'file = "photos"\nmode = "RGB"')
    .replace('input = "x"\nlabel = "y"\n', "")
    .replace('"N", 4', '"N", 2, 3, 3')
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def good_png() -> bytes:
    return png(3, 2, (b"\x00" + bytes(9)) * 2)


def text_bomb() -> bytes:
    """A comment that unpacks to 256 MiB."""
    return png(3, 2, (b"\x00" + bytes(9)) * 2, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(256 << 20))))


ANYTHING_BUT = ("bad_data", "file")
"""What is denied and what is not there look different with walls and without."""

GOOD = (
    Attack("good csv", csv(good_csv), ("",), "samples=2"),
    Attack("good npz", npz(good_npz), ("",), "samples=3"),
    Attack("good parquet", preparing("parquet", good_parquet), ("",), "samples=3"),
    Attack("good arrow", preparing("arrow", good_arrow), ("",), "samples=3"),
    Attack("good png", picture(good_png), ("",), "samples=1"),
)

ATTACKS = (
    *GOOD,
    Attack("npz of 2^40 rows", member(header("(1099511627776, 4)")), ("bad_data",), "'x' is not as large"),
    Attack("npz of fewer than no rows", member(header("(-4, 4)") + bytes(64)), ("bad_data",), "'x'"),
    Attack("npz that overflows", member(header(f"({2**62}, {2**62})")), ("bad_data",), "'x'"),
    Attack("npz with a pickle", member(npy(np.array([{}, []], dtype=object))), ("bad_data",), "'x' holds object"),
    Attack("npz with a nested header", member(header("(" * 5000)), ("bad_data",), "'x' has no proper npy header"),
    Attack("npz with records", member(header("(3, 4)", "[('a', '<f4')]") + bytes(48)), ("bad_data",), "'x' holds"),
    Attack("npz declared huge", npz(declared_huge), ("bad_data",), "'x' unpacks to 4294967280 bytes"),
    Attack("npz declared small", npz(declared_small), ("bad_data",), "not a whole npz file"),
    Attack("npz with overlapping members", npz(overlapping), ("bad_data",), "data.npz"),
    Attack("npz within npz", npz(nested), ("bad_data",), "'x' has no proper npy header"),
    Attack("npz that is encrypted", npz(encrypted), ("bad_data",), "'x' is encrypted"),
    Attack("npz packed otherwise", npz(packed_otherwise), ("bad_data",), "'x' is encrypted or packed"),
    Attack("npz with climbing names", npz(climbing), ("bad_data",), "no array 'x'"),
    Attack("csv with a giant field", csv(lambda: HEAD + b'"' + b"x" * (16 << 20) + b'"'), ("bad_data",), "field"),
    Attack("csv of one giant line", csv(lambda: b"a" * (16 << 20)), ("bad_data",), "field"),
    Attack("csv of a million columns", csv(lambda: b"a," * 1_000_000 + b"y\n"), ("bad_data",), "'a' twice"),
    Attack("csv with an open quote", csv(lambda: HEAD + b'"1,2,3,4,0\n' * 100_000), ("bad_data",), "data.csv"),
    Attack("csv of zeros", csv(lambda: HEAD + bytes(1 << 20)), ("bad_data",), "data.csv"),
    Attack(
        "csv of digits", csv(lambda: HEAD + b"9" * 100_000 + b",2,3,4,0\n"), ("bad_data",), "row 2, column 'a': '999"
    ),
    Attack("csv that is a hole of 3 GiB", preparing("csv", sparse_file), ("bad_data",), "3221225472 bytes"),
    Attack("csv that links to a system file", preparing("csv", linked), ANYTHING_BUT),
    Attack("csv that links to the key", preparing("csv", secret), ANYTHING_BUT),
    Attack("csv that never ends", preparing("csv", endless), ANYTHING_BUT),
    *(
        Attack(f"parquet: {name}", preparing("parquet", changed(good_parquet, change)), ("bad_data",), "data.parquet")
        for name, change in {
            "long footer": long_footer,
            "negative footer": negative_footer,
            "noise": noise,
            "cut": half,
            "nothing": lambda _: b"",
            "only magic": lambda _: b"PAR1PAR1",
        }.items()
    ),
    *(
        Attack(f"arrow: {name}", preparing("arrow", changed(good_arrow, change)), ("bad_data",), "data.arrow")
        for name, change in {
            "noise": noise,
            "cut": half,
            "long footer": lambda data: data[:-10] + b"\xff\xff\xff\x7f" + data[-6:],
            "only magic": lambda _: b"ARROW1\0\0ARROW1",
        }.items()
    ),
    Attack(
        "parquet of fewer rows than it says", preparing("parquet", changed(good_parquet, many_rows)), ("", "bad_data")
    ),
    Attack("png of 60000 x 60000", picture(lambda: png(60_000, 60_000, b"")), ("bad_data",), "0/a.png"),
    Attack("png of too many pixels", picture(lambda: png(3, 2, bytes(64 << 20))), ("", "bad_data")),
    Attack("png of too few pixels", picture(lambda: png(3, 2, b"\x00")), ("bad_data",), "0/a.png"),
    Attack("png with a comment that explodes", picture(text_bomb), ("", "bad_data")),
    Attack("png that is cut", picture(lambda: half(good_png())), ("bad_data",), "0/a.png"),
    Attack("csv that never comes", preparing("csv", silent), ("timeout",), "2 s", 2.0),
)
