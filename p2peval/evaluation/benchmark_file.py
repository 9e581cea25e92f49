"""benchmark.toml: what an author writes to make a benchmark.

Decides what the file may say and which defaults it takes; every mistake names file, section and key.
Must not open the data itself (evaluation.dataset does, in a worker). Source: interface.md, benchmark.toml.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from p2peval import defaults
from p2peval.core.benchmark import DTYPES, METRICS, NAME, PROFILES
from p2peval.core.messages import Limits, Range, Tensor, Tolerance, Verification
from p2peval.core.text import plain
from p2peval.core.types import BenchmarkId, to_nano
from p2peval.errors import ConfigError
from p2peval.wire.bounds import prose
from p2peval.wire.ids import is_cid

FILE_NAME = "benchmark.toml"
FORMATS = ("csv", "npz")

T = TypeVar("T")

_TEMPLATE = f"""\
# A benchmark: data, metrics and rules that peers evaluate models by.
# Check it with `p2peval bench validate`, then `p2peval bench publish`.

name = "NAME"                  # the topic people join by: a-z, 0-9 and -
title = ""
description = ""
license = ""                   # of the data, as an SPDX id: "CC-BY-4.0"
version = 1                    # published once and never changed: raise it to publish a change
# parent = "bafkrei…"          # the whole id of the version that this one replaces

[data]
file = "data.csv"              # in this directory; csv with a header line, or npz
input = ["x1", "x2"]           # csv: the input columns in order; npz: the key of the input array
label = "label"                # csv: a column; npz: the key of the label array

[model]                        # what every model in this benchmark takes and gives, names included
task = "classification"        # or "regression", and then without classes
classes = 2                    # labels are 0, 1, …; or their names: ["cat", "dog"]
inputs = [{{ name = "input", dtype = "float32", shape = ["N", 2] }}]   # "N": any number of samples
output = {{ name = "output" }}   # classification: one number per class; regression: shape ["N", 1]

[metrics]
primary = "accuracy"           # what the board sorts by; regression: mae or rmse
others = ["macro_f1", "brier"]
# range = [0.0, 100.0]         # regression: where the labels lie; without it no metric is certified

[tolerance]                    # between processors; per element |a-b| <= atol + rtol*|b|
atol = {defaults.ATOL}
rtol = {defaults.RTOL}

[limits]                       # for one evaluation of a model
seconds = {defaults.LIMIT_SECONDS}
memory_mb = {defaults.LIMIT_MEMORY_MB}
model_mb = {defaults.LIMIT_MODEL_MB}

[verification]                 # a lie on more than delta of the outputs escapes with at most epsilon
epsilon = {defaults.EPSILON}
delta = {defaults.DELTA}
replicas = 1                   # evaluators that run each model
profile = "{defaults.PROFILE}"                # "canonical": the same bytes on more processors, up to 2x slower
"""


@dataclass(frozen=True, slots=True)
class DataSource:
    """``input``: column names (csv) or one array key (npz). ``classes``: label names, or () for 0…C−1."""

    file: Path
    format: str
    input: tuple[str, ...]
    label: str
    classes: tuple[str, ...]


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


def load(directory: Path) -> BenchmarkFile:
    """Read ``directory``/benchmark.toml. Raises ConfigError naming what is wrong and where."""
    path = directory / FILE_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", hint=f"p2peval bench init {directory}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return _read(path, values)


def _read(path: Path, values: dict[str, Any]) -> BenchmarkFile:
    top = _Section(path, "", values)
    model = top.section("model")
    task = model.choice("task", tuple(METRICS))
    classes, names = _classes(model, task)
    data, metrics, verification = top.section("data"), top.section("metrics"), top.section("verification")
    file = BenchmarkFile(
        path=path,
        name=_name(top),
        title=top.text("title", plain, ""),
        description=top.text("description", prose, "", most=4096),
        license=top.text("license", plain, ""),
        version=top.integer("version", 1, 1, 2**31),
        parent=_parent(top),
        data=_data(data, path.parent, names),
        task=task,
        model_input=_input(model),
        model_output=_output(model, task, classes),
        metrics=_metrics(metrics, task),
        range=_range(metrics, task),
        tolerance=_tolerance(top.section("tolerance")),
        limits=_limits(top.section("limits")),
        verification=_verification(verification),
        profile=verification.choice("profile", PROFILES, defaults.PROFILE),
    )
    _check_width(data, file)
    top.close()
    return file


def template(name: str) -> str:
    """The text of a benchmark.toml to fill in; it passes ``load`` as it stands."""
    return _TEMPLATE.replace("NAME", name)


# ── sections ──────────────────────────────────────────────────────────────────────────────────────


def _name(top: _Section) -> str:
    value: str = top.get("name", str)
    if not NAME.fullmatch(value):
        raise top.wrong("name", f"{value!r} must be 2 to 40 of a-z, 0-9 and -")
    return value


def _parent(top: _Section) -> BenchmarkId:
    value: str = top.get("parent", str, "")
    if value and not is_cid(value):
        raise top.wrong("parent", f"{value[:100]!r} is no whole id: `p2peval bench show` prints it")
    return BenchmarkId(value)


def _data(section: _Section, directory: Path, names: tuple[str, ...]) -> DataSource:
    file = section.get("file", str)
    parts = PurePosixPath(file)
    if parts.is_absolute() or ".." in parts.parts or not file:
        raise section.wrong("file", f"{file!r} must lie inside the benchmark's directory")
    format = section.choice("format", FORMATS, parts.suffix.removeprefix(".").lower())
    columns = section.get("input", list if format == "csv" else str)
    if format == "csv" and (not columns or not all(isinstance(column, str) for column in columns)):
        raise section.wrong("input", "must be a list of column names")
    input = tuple(columns) if format == "csv" else (columns,)
    label = section.get("label", str)
    if len(set(input)) < len(input) or label in input:
        raise section.wrong("input", "names a column twice, or the label")
    return DataSource(directory / file, format, input, label, names)


def _check_width(section: _Section, file: BenchmarkFile) -> None:
    named, needed = len(file.data.input), math.prod(file.model_input.shape)
    if file.data.format == "csv" and named != needed:
        raise section.wrong("input", f"names {named} columns, but [model] inputs has {needed} numbers per sample")


def _classes(model: _Section, task: str) -> tuple[int, tuple[str, ...]]:
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


def _input(model: _Section) -> Tensor:
    tensors = model.get("inputs", list)
    if len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise model.wrong("inputs", "must be a list of exactly one table { name, dtype, shape }")
    return model.table("inputs", tensors[0]).tensor(tuple(DTYPES), None)


def _output(model: _Section, task: str, classes: int) -> Tensor:
    given = model.get("outputs", list, [model.get("output", dict, {})])
    if len(given) != 1 or not isinstance(given[0], dict):
        raise model.wrong("outputs", "must be a list of exactly one table { name, dtype, shape }")
    shape = (classes,) if task == "classification" else (1,)
    tensor = model.table("output", given[0]).tensor(("float32", "float64"), shape)
    if tensor.shape != shape:
        meaning = "one probability or logit per class" if classes else "one number per sample"
        raise model.wrong("output", f'shape must be ["N", {shape[0]}]: {meaning}')
    return tensor


def _metrics(section: _Section, task: str) -> tuple[str, ...]:
    known = METRICS[task]
    primary, others = section.choice("primary", known), section.get("others", list, [])
    for name in others:
        if name not in known:
            raise section.wrong("others", f"{name!r} is no metric of a {task}{_nearest(str(name), known)}")
    return tuple(dict.fromkeys((primary, *others)))


def _range(section: _Section, task: str) -> Range | None:
    value = section.get("range", list, None)
    if value is None:
        return None
    if task != "regression":
        raise section.wrong("range", "only a regression has a range")
    if len(value) != 2 or not all(_is_number(side) for side in value) or not value[0] < value[1]:
        raise section.wrong("range", "must be [low, high] with low < high")
    if max(map(abs, value)) > 9e9:
        raise section.wrong("range", "must lie within ±9e9: choose a larger unit")
    return Range(to_nano(value[0]), to_nano(value[1]))


def _tolerance(section: _Section) -> Tolerance:
    return Tolerance(
        atol_nano=to_nano(section.number("atol", defaults.ATOL, 0, defaults.MAX_ATOL)),
        rtol_nano=to_nano(section.number("rtol", defaults.RTOL, 0, defaults.MAX_RTOL)),
    )


def _limits(section: _Section) -> Limits:
    return Limits(
        seconds=section.integer("seconds", defaults.LIMIT_SECONDS, 1, defaults.MAX_SECONDS),
        memory_mb=section.integer("memory_mb", defaults.LIMIT_MEMORY_MB, 64, 2**20),
        model_mb=section.integer("model_mb", defaults.LIMIT_MODEL_MB, 1, 2047),
    )


def _verification(section: _Section) -> Verification:
    return Verification(
        epsilon_nano=to_nano(section.number("epsilon", defaults.EPSILON, 1e-9, 0.499)),
        delta_nano=to_nano(section.number("delta", defaults.DELTA, 1e-9, 0.499)),
        replicas=section.integer("replicas", 1, 1, defaults.MAX_REPLICAS),
        max_attempts=section.integer("max_attempts", defaults.MAX_ATTEMPTS, 1, defaults.MAX_ATTEMPTS),
    )


# ── one section of the file ───────────────────────────────────────────────────────────────────────

_REQUIRED: Any = object()


class _Section:
    """Hands out a section's values, checked; ``close`` refuses those that nobody asked for."""

    def __init__(self, path: Path, name: str, values: dict[str, Any]) -> None:
        self._path, self._name, self._values = path, name, values
        self._asked: set[str] = set()
        self.sections: list[_Section] = []

    def section(self, name: str) -> _Section:
        if name not in self._values and (instead := self._instead_of(name)):
            raise self.wrong(instead, f"is no key that p2peval knows here; did you mean {name!r}?")
        return self.table(name, self.get(name, dict, {}))

    def table(self, name: str, values: dict[str, Any]) -> _Section:
        inner = _Section(self._path, f"{self._name}.{name}" if self._name else name, values)
        self.sections += [inner]
        return inner

    def get(self, key: str, kind: type[T] | type[object], default: Any = _REQUIRED) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is _REQUIRED:
            instead = self._instead_of(key)
            raise self.wrong(key, f"is missing, but there is {instead!r}" if instead else "is missing")
        if value is not default and not isinstance(value, kind):
            raise self.wrong(key, f"must be {_KINDS[kind]}, not {value!r}")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: Any = _REQUIRED) -> str:
        value: str = self.get(key, str, default)
        if value not in allowed:
            raise self.wrong(key, f"{value!r} is none of {', '.join(allowed)}{_nearest(value, allowed)}")
        return value

    def text(
        self, key: str, rule: Callable[[str], bool], default: Any = _REQUIRED, *, least: int = 0, most: int = 256
    ) -> str:
        value: str = self.get(key, str, default)
        if not least <= len(value.encode()) <= most or not rule(value):
            raise self.wrong(key, f"must be {least} to {most} bytes of proper text, not {value[:100]!r}")
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value: int = self.get(key, int, default)
        if isinstance(value, bool) or not low <= value <= high:
            raise self.wrong(key, f"must be a whole number from {low} to {high}, not {value!r}")
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value: float = self.get(key, object, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.wrong(key, f"must be a number from {low:g} to {high:g}, not {value!r}")
        return value

    def tensor(self, dtypes: tuple[str, ...], shape: tuple[int, ...] | None) -> Tensor:
        """``shape``: what it is where the file does not say."""
        sides = self.get("shape", list, _REQUIRED if shape is None else ["N", *shape])
        if sides[:1] != ["N"] or len(sides) > 9 or not all(type(side) is int and side > 0 for side in sides[1:]):
            raise self.wrong("shape", 'must start with "N" (samples), then up to 8 whole numbers, as ["N", 8, 8]')
        if math.prod(sides[1:]) > defaults.MAX_WIDTH:
            raise self.wrong("shape", f"has more than {defaults.MAX_WIDTH} numbers per sample")
        name = self.text("name", plain, least=1)
        return Tensor(name, self.choice("dtype", dtypes, "float32"), tuple(sides[1:]))

    def _instead_of(self, key: str) -> str:
        """What ``key`` may be misspelt as: without it only half of the mistake would be named. Or ""."""
        found = difflib.get_close_matches(key, sorted(set(self._values) - self._asked), 1, 0.75)
        return found[0] if found else ""

    def close(self) -> None:
        for section in self.sections:
            section.close()
        for key in self._values:
            if key not in self._asked:
                raise self.wrong(key, f"is no key that p2peval knows here{_nearest(key, tuple(self._asked))}")

    def wrong(self, key: str, what: str) -> ConfigError:
        where = f"[{self._name}] {key}" if self._name else key
        return ConfigError(f"{self._path}: {where}: {what}")


_KINDS: dict[type, str] = {str: "text", int: "a whole number", list: "a list", dict: "a table"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {found[0]!r}?" if found else ""
