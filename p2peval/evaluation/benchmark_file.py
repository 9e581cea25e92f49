"""benchmark.toml: what an author writes to make a benchmark.

Decides what the file may say and which defaults it takes; every mistake names file, section and key.
Must not open the data itself (evaluation.dataset does, in a worker). Source: interface.md, benchmark.toml.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2peval import defaults
from p2peval.core.benchmark import DTYPES, METRICS, NAME, PROFILES
from p2peval.core.parts import Condition, Limits, Range, Tensor, Tolerance, Verification
from p2peval.core.text import plain
from p2peval.core.types import BenchmarkId, to_nano
from p2peval.errors import ConfigError
from p2peval.evaluation.data_source import DataSource, read_source
from p2peval.evaluation.perturb import read_conditions
from p2peval.evaluation.toml_section import Section, is_number, nearest
from p2peval.wire.bounds import prose
from p2peval.wire.ids import is_cid

FILE_NAME = "benchmark.toml"


@dataclass(frozen=True, slots=True)
class BenchmarkFile:
    """A checked benchmark.toml: all of a BenchmarkSpec that the author decides."""

    path: Path
    name: str
    title: str
    description: str
    license: str
    version: int
    parent: BenchmarkId
    data: DataSource
    task: str
    model_input: Tensor
    model_output: Tensor
    metrics: tuple[str, ...]
    range: Range | None
    tolerance: Tolerance
    limits: Limits
    verification: Verification
    profile: str
    conditions: tuple[Condition, ...]


def load(directory: Path) -> BenchmarkFile:
    """Read ``directory``/benchmark.toml. Raises ConfigError naming what is wrong and where."""
    path = directory / FILE_NAME
    try:
        values = _parse(path)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", hint=f"p2peval bench init {directory}") from None
    except ValueError as error:  # of tomllib, of UTF-8, or of a number with too many digits
        raise ConfigError(f"{path}: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: it nests lists or tables deeper than can be read") from None
    return _read(path, values)


def _parse(path: Path) -> dict[str, Any]:
    """Raises ValueError, RecursionError."""
    with path.open("rb") as file:
        data = file.read(defaults.MAX_TOML_BYTES + 1)
    if len(data) > defaults.MAX_TOML_BYTES:
        raise ValueError(f"it has more than {defaults.MAX_TOML_BYTES} bytes")
    return tomllib.loads(data.decode("utf-8"))


def _read(path: Path, values: dict[str, Any]) -> BenchmarkFile:
    top = Section(path, "", values)
    model = top.section("model")
    task = model.choice("task", tuple(METRICS))
    classes, names = _classes(model, task)
    metrics, verification, input = top.section("metrics"), top.section("verification"), _input(model)
    file = BenchmarkFile(
        path=path,
        name=_name(top),
        title=top.text("title", plain, ""),
        description=top.text("description", prose, "", most=4096),
        license=top.text("license", plain, ""),
        version=top.integer("version", 1, 1, 2**31),
        parent=_parent(top),
        data=read_source(top.section("data"), path.parent, names, input),
        task=task,
        model_input=input,
        model_output=_output(model, task, classes),
        metrics=_metrics(metrics, task),
        range=_range(metrics, task),
        tolerance=_tolerance(top.section("tolerance")),
        limits=_limits(top.section("limits")),
        verification=_verification(verification),
        profile=verification.choice("profile", PROFILES, defaults.PROFILE),
        conditions=read_conditions(top, input.dtype),
    )
    top.close()
    return file


# ── sections ──────────────────────────────────────────────────────────────────────────────────────


def _name(top: Section) -> str:
    value: str = top.get("name", str)
    if not NAME.fullmatch(value):
        raise top.wrong("name", f"{value!r} must be 2 to 40 of a-z, 0-9 and -")
    return value


def _parent(top: Section) -> BenchmarkId:
    value: str = top.get("parent", str, "")
    if value and not is_cid(value):
        raise top.wrong("parent", f"{value[:100]!r} is no whole id: `p2peval bench show` prints it")
    return BenchmarkId(value)


def _classes(model: Section, task: str) -> tuple[int, tuple[str, ...]]:
    """How many classes, and their names in the labels (() when labels are 0…C−1)."""
    if task != "classification":
        if model.get("classes", object, None) is not None:
            raise model.wrong("classes", "only a classification has classes")
        return 0, ()
    value = model.get("classes", object)
    if isinstance(value, list) and len(value) >= 2 and all(isinstance(name, str) and name for name in value):
        if len(set(value)) < len(value):
            raise model.wrong("classes", "names a class twice")
        return len(value), tuple(value)
    if isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= defaults.MAX_CLASSES:
        return value, ()
    raise model.wrong("classes", "must be the number of classes (2 or more) or a list of their names")


def _input(model: Section) -> Tensor:
    tensors = model.get("inputs", list)
    if len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise model.wrong("inputs", "must be a list of exactly one table { name, dtype, shape }")
    return model.table("inputs", tensors[0]).tensor(tuple(DTYPES), None)


def _output(model: Section, task: str, classes: int) -> Tensor:
    given = model.get("outputs", list, [model.get("output", dict, {})])
    if len(given) != 1 or not isinstance(given[0], dict):
        raise model.wrong("outputs", "must be a list of exactly one table { name, dtype, shape }")
    shape = (classes,) if task == "classification" else (1,)
    tensor = model.table("output", given[0]).tensor(("float32", "float64"), shape)
    if tensor.shape != shape:
        meaning = "one probability or logit per class" if classes else "one number per sample"
        raise model.wrong("output", f'shape must be ["N", {shape[0]}]: {meaning}')
    return tensor


def _metrics(section: Section, task: str) -> tuple[str, ...]:
    known = METRICS[task]
    primary, others = section.choice("primary", known), section.get("others", list, [])
    for name in others:
        if name not in known:
            raise section.wrong("others", f"{name!r} is no metric of a {task}{nearest(str(name), known)}")
    return tuple(dict.fromkeys((primary, *others)))


def _range(section: Section, task: str) -> Range | None:
    value = section.get("range", list, None)
    if value is None:
        return None
    if task != "regression":
        raise section.wrong("range", "only a regression has a range")
    if len(value) != 2 or not all(is_number(side) for side in value) or not value[0] < value[1]:
        raise section.wrong("range", "must be [low, high] with low < high")
    if max(map(abs, value)) > 9e9:
        raise section.wrong("range", "must lie within ±9e9: choose a larger unit")
    return Range(to_nano(value[0]), to_nano(value[1]))


def _tolerance(section: Section) -> Tolerance:
    return Tolerance(
        atol_nano=to_nano(section.number("atol", defaults.ATOL, 0, defaults.MAX_ATOL)),
        rtol_nano=to_nano(section.number("rtol", defaults.RTOL, 0, defaults.MAX_RTOL)),
    )


def _limits(section: Section) -> Limits:
    return Limits(
        seconds=section.integer("seconds", defaults.LIMIT_SECONDS, 1, defaults.MAX_SECONDS),
        memory_mb=section.integer("memory_mb", defaults.LIMIT_MEMORY_MB, 64, 2**20),
        model_mb=section.integer("model_mb", defaults.LIMIT_MODEL_MB, 1, 2047),
    )


def _verification(section: Section) -> Verification:
    return Verification(
        epsilon_nano=to_nano(section.number("epsilon", defaults.EPSILON, 1e-9, 0.499)),
        delta_nano=to_nano(section.number("delta", defaults.DELTA, 1e-9, 0.499)),
        replicas=section.integer("replicas", 1, 1, defaults.MAX_REPLICAS),
        max_attempts=section.integer("max_attempts", defaults.MAX_ATTEMPTS, 1, defaults.MAX_ATTEMPTS),
    )
