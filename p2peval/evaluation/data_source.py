"""[data] of benchmark.toml: where the samples are, and what is what in them.

Decides what each format needs to be told. Must not open the data. Source: interface.md, benchmark.toml.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from p2peval.core.parts import Tensor
from p2peval.evaluation.toml_section import Section

FORMATS = ("arrow", "csv", "images", "npz", "parquet")
TABLES = ("arrow", "csv", "parquet")
"""Formats whose input is a list of columns."""

MODES = {"L": 1, "RGB": 3, "RGBA": 4}
"""What a picture is converted to, and its channels: grey, colours, colours and opacity."""
PIXELS = ("unit", "byte")
"""0 to 1, or 0 to 255."""
LABELS = ("public", "committed")
"""Published with the benchmark, or held back by its author."""
FOLDERS = "folders"
"""``label`` where the folder that a picture is in names its class."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """``input``: columns (csv, parquet, arrow), one array (npz), or () (images).

    ``label``: a column, an array, "folders", or the csv file that lists the images. ``classes``: label names, or
    () for 0…C−1. ``groups``: a column or array, or "". ``mode`` and ``pixels`` speak of images only.
    ``hold_labels``: the author commits to them, and reveals them later.
    """

    file: Path
    format: str
    input: tuple[str, ...]
    label: str
    classes: tuple[str, ...]
    groups: str
    mode: str
    pixels: str
    hold_labels: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Of a table: all that are read, each once."""
        return tuple(dict.fromkeys((*self.input, self.label, *((self.groups,) if self.groups else ()))))


def read_source(section: Section, directory: Path, classes: tuple[str, ...], input: Tensor) -> DataSource:
    """``input``: the model's, which the columns or pictures must fill. Raises ConfigError."""
    file = _inside(section)
    suffix = file.suffix.removeprefix(".").lower()
    format = section.choice("format", FORMATS, suffix or "images")
    images = format == "images"
    columns = () if images else _columns(section, format, input)
    label = section.get("label", str, FOLDERS) if images else section.get("label", str)
    groups = section.get("groups", str, "")
    if len(set(columns)) < len(columns) or label in columns:
        raise section.wrong("input", "names a column twice, or the label")
    if images and label == FOLDERS and groups:
        raise section.wrong("groups", 'need a list of the images, label = "labels.csv", with that column')
    mode = section.choice("mode", tuple(MODES)) if images else ""
    if images:
        _check_picture(section, mode, input)
    whole = input.dtype.startswith("int")
    pixels = section.choice("pixels", PIXELS, "byte" if whole else "unit") if images else ""
    if whole and pixels == "unit":
        raise section.wrong("pixels", f'"unit" is a number from 0 to 1, but the model takes {input.dtype}')
    held = section.choice("labels", LABELS, "public") == "committed"
    return DataSource(directory / file, format, columns, label, classes, groups, mode, pixels, held)


def channels_first(mode: str, input: Tensor) -> bool:
    """Is a picture in ``mode`` fed as (C, H, W)? Otherwise (H, W, C), or (H, W) where there is one channel."""
    return len(input.shape) == 3 and input.shape[0] == MODES[mode]


def picture_size(mode: str, input: Tensor) -> tuple[int, int]:
    """Width and height, in pixels, of every picture."""
    height, width = input.shape[1:] if channels_first(mode, input) else input.shape[:2]
    return width, height


def _inside(section: Section) -> PurePosixPath:
    file: str = section.get("file", str)
    parts = PurePosixPath(file)
    if parts.is_absolute() or ".." in parts.parts or not file:
        raise section.wrong("file", f"{file!r} must lie inside the benchmark's directory")
    return parts


def _columns(section: Section, format: str, input: Tensor) -> tuple[str, ...]:
    given = section.get("input", {"csv": list, "npz": str}.get(format, object))
    columns = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else ()
    if not columns or not all(isinstance(column, str) for column in columns):
        raise section.wrong("input", "must be a list of column names")
    needed = math.prod(input.shape)
    if format in TABLES and len(columns) != needed and (len(columns) > 1 or format == "csv"):
        detail = f"names {len(columns)} columns, but [model] inputs has {needed} numbers per sample"
        raise section.wrong("input", detail)
    return columns


def _check_picture(section: Section, mode: str, input: Tensor) -> None:
    shape, channels = input.shape, MODES[mode]
    flat = len(shape) == 2 and channels == 1
    if not flat and not (len(shape) == 3 and channels in (shape[0], shape[2])):
        want = f'["N", {channels}, height, width] or ["N", height, width, {channels}]'
        raise section.wrong("mode", f"{mode!r} pictures have {channels} channels: [model] inputs shape must be {want}")
