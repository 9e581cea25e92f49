"""What makes a benchmark's spec acceptable, for its author before signing and for everybody after."""

from __future__ import annotations

import re
from math import prod

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.types import to_nano
from p2peval.defaults import (
    MAX_ATOL,
    MAX_ATTEMPTS,
    MAX_CLASSES,
    MAX_REPLICAS,
    MAX_REPORTS,
    MAX_RTOL,
    MAX_SAMPLES,
    MAX_SECONDS,
    MAX_WIDTH,
)

NAME = re.compile(r"[a-z0-9-]{2,40}")

METRICS: dict[str, tuple[str, ...]] = {
    "classification": (
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "micro_f1",
        "log_loss",
        "brier",
        "ece",
        "auroc",
        "selective_auroc",
        "aurc",
    ),
    "regression": ("mae", "rmse", "r2"),
}
"""Which metrics each kind of task may ask for (evaluation/metric_table.py)."""

GAP = "_gap"
"""Behind a metric's name: its largest minus its least value over the groups."""

_LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece", "aurc", "mae", "rmse"})

DTYPES: dict[str, int] = {"float32": 4, "float64": 8, "int32": 4, "int64": 8}
"""Element types of inputs, with their size in bytes; outputs are floats."""


PROFILES = ("all", "canonical")
"""Which recipes a benchmark may ask for (evaluation/recipe.py). Nodes name their class for each, in this order."""


def width(spec: BenchmarkSpec) -> int:
    """Numbers in one sample's output."""
    return prod(spec.model_output.shape)


def fits(spec: BenchmarkSpec, model: Blob) -> bool:
    """Whether a model is as small as the benchmark asks."""
    return model.size <= spec.limits.model_mb * 1_000_000


def output_bytes(spec: BenchmarkSpec) -> int:
    """Exact size of an outputs blob: canonical rows without a header."""
    return spec.samples * width(spec) * DTYPES[spec.model_output.dtype]


def labels_of(spec: BenchmarkSpec) -> dict[str, Blob]:
    """What scoring needs beside the outputs, by name; empty while the labels are not public."""
    if spec.labels is None:
        return {}
    return {"labels": spec.labels} | ({"groups": spec.groups} if spec.groups else {})


def data_of(spec: BenchmarkSpec) -> dict[str, Blob]:
    """All blobs of a benchmark's data, by name."""
    return {"inputs": spec.inputs, **labels_of(spec)}


def clean_samples(spec: BenchmarkSpec) -> int:
    """Samples of one block: as many as there are labels and groups."""
    return spec.samples // (1 + len(spec.conditions))


def problem(spec: BenchmarkSpec) -> str:
    """What is wrong with ``spec``, as one sentence for people, or ""."""
    if not NAME.fullmatch(spec.name):
        return f"name {spec.name!r}: use 2 to 40 of a-z, 0-9 and -"
    if spec.task not in METRICS:
        return f"task {spec.task!r}: use one of {', '.join(METRICS)}"
    wrong = metrics_problem(spec.task, spec.metrics)
    if wrong:
        return wrong
    if (spec.labels is None) == (not spec.labels_commitment):
        return "labels: give either the labels or a commitment to them"
    if (spec.groups is None) != (not spec.group_names) or list(spec.group_names) != sorted(set(spec.group_names)):
        return "groups: give the groups of the samples and their names, sorted and each once, or neither"
    if spec.profile not in PROFILES:
        return f"profile {spec.profile!r}: use one of {', '.join(PROFILES)}"
    return _condition_problem(spec) or _shape_problem(spec) or _limit_problem(spec)


def lower_is_better(metric: str) -> bool:
    """Whether less of ``metric`` is better; of a gap it always is."""
    return metric in _LOWER_IS_BETTER or metric.endswith(GAP)


def reports(
    metrics: tuple[str, ...], groups: tuple[str, ...], conditions: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """(metric, part) of every MetricReport of a result, in order; part "" is the clean samples, all groups together.

    Then the primary's gap over groups and the primary of every group and condition, and of the other metrics, in
    their order, those of every condition, then of every group, for which MAX_REPORTS leaves room.
    """
    primary, *others = metrics
    wanted = [(metric, "") for metric in metrics]
    if groups:
        wanted.append((primary + GAP, ""))
    wanted += [(primary, part) for part in (*groups, *conditions)]
    for parts in (conditions, groups):
        for metric in others:
            if len(wanted) + len(parts) <= MAX_REPORTS:
                wanted += [(metric, part) for part in parts]
    return tuple(wanted)


def reports_of(spec: BenchmarkSpec) -> tuple[tuple[str, str], ...]:
    """As ``reports``, of a benchmark."""
    return reports(spec.metrics, spec.group_names, tuple(condition.name for condition in spec.conditions))


def metrics_problem(task: str, metrics: tuple[str, ...]) -> str:
    """What is wrong with asking for ``metrics`` of a known kind of task, or ""."""
    if not metrics or len(set(metrics)) != len(metrics):
        return "metrics: name at least one, each once"
    for metric in metrics:
        if metric not in METRICS[task]:
            return f"metric {metric!r} is not for {task}: use {', '.join(METRICS[task])}"
    return ""


def _condition_problem(spec: BenchmarkSpec) -> str:
    names = [condition.name for condition in spec.conditions]
    if len(set(names)) < len(names) or set(names) & set(spec.group_names):
        return "conditions: each needs a name of its own, that no group has"
    if spec.samples % (1 + len(names)):
        return f"samples: {spec.samples} cannot be the clean ones and as many for each of {len(names)} conditions"
    return ""


def _shape_problem(spec: BenchmarkSpec) -> str:
    if not 1 <= spec.samples <= MAX_SAMPLES:
        return f"samples: {spec.samples} is outside 1 to {MAX_SAMPLES}"
    for tensor in (spec.model_input, spec.model_output):
        if tensor.dtype not in DTYPES:
            return f"dtype {tensor.dtype!r} of {tensor.name!r}: use {', '.join(DTYPES)}"
        if tensor is spec.model_output and not tensor.dtype.startswith("float"):
            return f"dtype {tensor.dtype!r} of output {tensor.name!r}: use float32 or float64"
        if any(side < 1 for side in tensor.shape) or prod(tensor.shape) > MAX_WIDTH:
            return f"shape of {tensor.name!r}: sides of at least 1 and at most {MAX_WIDTH} numbers in all"
    if spec.task == "classification" and not 2 <= width(spec) <= MAX_CLASSES:
        return f"output {spec.model_output.name!r}: a classifier has 2 to {MAX_CLASSES} class outputs"
    if spec.task == "regression" and width(spec) != 1:
        return f"output {spec.model_output.name!r}: a regression has one number per sample"
    return ""


def _limit_problem(spec: BenchmarkSpec) -> str:
    tolerance, verification = spec.tolerance, spec.verification
    if not 0 <= tolerance.atol_nano <= to_nano(MAX_ATOL):
        return f"tolerance.atol: at most {MAX_ATOL}"
    if not 0 <= tolerance.rtol_nano <= to_nano(MAX_RTOL):
        return f"tolerance.rtol: at most {MAX_RTOL}"
    if not 1 <= spec.limits.seconds <= MAX_SECONDS:
        return f"limits.seconds: 1 to {MAX_SECONDS}"
    if spec.limits.memory_mb < 64 or spec.limits.model_mb < 1:
        return "limits: memory_mb of at least 64 and model_mb of at least 1"
    if spec.range is not None and spec.range.low_nano >= spec.range.high_nano:
        return "metrics.range: low must be below high"
    return probability_problem(verification.epsilon_nano, verification.delta_nano) or (
        ""
        if 1 <= verification.replicas <= MAX_REPLICAS and 1 <= verification.max_attempts <= MAX_ATTEMPTS
        else f"verification: 1 to {MAX_REPLICAS} replicas and 1 to {MAX_ATTEMPTS} attempts"
    )


def probability_problem(epsilon_nano: int, delta_nano: int) -> str:
    """What is wrong with an asked ε and δ, or ""."""
    for name, value in (("epsilon", epsilon_nano), ("delta", delta_nano)):
        if not 0 < value < 500_000_000:
            return f"{name}: between 0 and 0.5, both exclusive"
    return ""


def request_problem(epsilon_nano: int, delta_nano: int, replicas: int) -> str:
    """What is wrong with what a requester asks for, or ""."""
    if not 1 <= replicas <= MAX_REPLICAS:
        return f"replicas: {replicas} is outside 1 to {MAX_REPLICAS}"
    return probability_problem(epsilon_nano, delta_nano)
