"""Samples from a folder of PNG and JPEG pictures, labels from its folders or from a csv file in it.

Decides how a picture becomes numbers: its pixels as they are stored (EXIF turns nothing), of exactly the size
that the model takes, converted to the declared mode, as 0 to 1 ("unit": the byte divided by 255) or 0 to 255
("byte"). One picture is in memory at a time, and none is unpacked before its size is known to be right.
Pillow's exceptions end here. Source: interface.md, benchmark.toml; Pillow, Image.convert.
"""

from __future__ import annotations

import csv
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from p2peval.defaults import MAX_DATA_BYTES
from p2peval.evaluation.data_csv import numbered
from p2peval.evaluation.data_rows import Rows, Wanted, place
from p2peval.evaluation.data_source import FOLDERS, channels_first, picture_size
from p2peval.evaluation.labels import Array

_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, OverflowError, RuntimeError, struct.error,
    zlib.error, MemoryError, Warning, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises for a damaged picture: its parsers index and unpack before they look. SyntaxError is its word
for a broken PNG, and MemoryError comes of a part that says it has gigabytes: the pixels are few, that was checked.
"""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A picture's path in the folder, its label and group as text, and where they were said: "row 3 of …" or ""."""

    path: str
    label: str
    group: str
    said: str


def read_images(wanted: Wanted) -> Iterator[Rows]:
    """Raises EvaluationError: bad_data."""
    folder = wanted.source.file
    if not folder.is_dir():
        raise wanted.problems.fatal("it is a file, but images are a folder of pictures")
    listed = _by_folder(wanted) if wanted.source.label == FOLDERS else _by_list(wanted)
    while some := list(islice(listed, wanted.step())):
        yield _rows(some, wanted)


def _by_folder(wanted: Wanted) -> Iterator[_Listed]:
    """Every picture in a folder of its class, sorted by name; names that start with a dot do not count."""
    for label in _names(wanted.source.file):
        if not (wanted.source.file / label).is_dir():
            wanted.problems.add(f"{label}: lies beside the folders of the classes; move it into one")
            continue
        for name in _names(wanted.source.file / label):
            yield _Listed(f"{label}/{name}", label, "", "")


def _by_list(wanted: Wanted) -> Iterator[_Listed]:
    """In the order of the csv file that [data] label names, with the columns file and label."""
    name, problems = wanted.source.label, wanted.problems
    try:
        with (wanted.source.file / name).open(encoding="utf-8-sig", newline="") as text:
            lines = numbered(csv.reader(text, strict=True))
            header = next(lines, (1, []))[1]
            file, label = place("file", header, problems), place("label", header, problems)
            group = place(wanted.source.groups, header, problems) if wanted.groups else None
            for row, cells in lines:
                if len(cells) == len(header):
                    said = f" ({name} row {row})"
                    yield _Listed(cells[file], cells[label], "" if group is None else cells[group], said)
                else:
                    problems.add(f"{name} row {row}: {len(cells)} columns, but row 1 has {len(header)}")
    except FileNotFoundError:
        raise problems.fatal(f"there is no {name} in it, which [data] label names") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise problems.fatal(f"{name} is no csv file in UTF-8: {error}") from None


def _names(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def _rows(listed: list[_Listed], wanted: Wanted) -> Rows:
    inputs = np.zeros((len(listed), *wanted.input.shape), wanted.input.dtype)
    labels = np.zeros(len(listed), wanted.labels.dtype)
    groups = np.zeros(len(listed), np.int64) if wanted.groups else None
    for at, each in enumerate(listed):
        picture = _picture(each, wanted)
        if picture is not None:
            inputs[at] = picture
        labels[at] = _cell(each, each.label, wanted.labels.read, wanted)
        if groups is not None and wanted.groups:
            groups[at] = _cell(each, each.group, wanted.groups.read, wanted)
    return Rows(inputs, labels, groups)


def _cell(listed: _Listed, text: str, read: Callable[[str], float], wanted: Wanted) -> float:
    try:
        return read(text)
    except ValueError as error:
        wanted.problems.add(f"{listed.path}{listed.said}: {error}")
        return 0


def _picture(listed: _Listed, wanted: Wanted) -> Array | None:
    """In the model's shape and dtype, or None where ``problems`` knows why not."""
    parts = PurePosixPath(listed.path)
    if parts.is_absolute() or ".." in parts.parts or not parts.name:
        wanted.problems.add(f"{listed.path!r}{listed.said}: must be the path of a picture in the folder")
        return None
    mode, path = wanted.source.mode, wanted.source.file / parts
    try:
        if path.stat().st_size > MAX_DATA_BYTES:
            raise ValueError("it is larger than a dataset may be")
        with warnings.catch_warnings(action="error"), Image.open(path, formats=("PNG", "JPEG")) as image:
            _check(image, picture_size(mode, wanted.input))
            pixels = np.asarray(image.convert(mode))
    except _BROKEN as error:
        what = str(error) or "a part of it is not as large as it says"
        if isinstance(error, UnidentifiedImageError):
            what = "it is no PNG or JPEG file, or a broken one"
        elif isinstance(error, OSError) and error.strerror:
            what = error.strerror
        wanted.problems.add(f"{listed.path}{listed.said}: {what.replace(str(path), 'it')}")
        return None
    if channels_first(mode, wanted.input):
        pixels = np.moveaxis(np.atleast_3d(pixels), 2, 0)
    scaled = pixels / 255.0 if wanted.source.pixels == "unit" else pixels
    picture: Array = scaled.reshape(wanted.input.shape).astype(wanted.input.dtype)
    return picture


def _check(image: Image.Image, size: tuple[int, int]) -> None:
    """Raises ValueError. Nothing but the header has been read so far."""
    if image.size != size:
        raise ValueError(f"{image.width}×{image.height} pixels, but [model] inputs shape wants {size[0]}×{size[1]}")
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
        raise ValueError(f"its pixels are stored as {image.mode}: save it with 8 bits a channel, as grey or RGB")
    if getattr(image, "n_frames", 1) > 1:
        raise ValueError("it is an animation")
