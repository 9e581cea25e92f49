"""A result as CSV (RFC 4180): one row for each metric and group, with its intervals."""

from __future__ import annotations

import csv
import io

from p2peval.core.types import from_nano
from p2peval.interop.result import Range, Result

COLUMNS = (
    "benchmark_name", "benchmark", "model_name", "model", "metric", "group", "status", "value", "lower_is_better",
    "audit_low", "audit_high", "sampling_low", "sampling_high", "ambiguity_low", "ambiguity_high",
    "epsilon", "delta", "samples", "audited", "requester", "evaluator", "finished", "record",
)  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by spreadsheets; a stranger chose the model's name."""


def table(result: Result) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    certificate = result.certificate
    for measure in result.measures():
        writer.writerow(
            [
                *map(_text, (result.spec.name, result.said.benchmark, result.model_name, result.model.cid)),
                *map(_text, (measure.name, measure.group, measure.status)),
                _number(measure.value),
                str(measure.lower_is_better).lower(),
                *_ends(measure.audit),
                *_ends(measure.sampling),
                *_ends(measure.ambiguity),
                _number(from_nano(certificate.epsilon_nano)),
                _number(from_nano(certificate.delta_nano)),
                certificate.samples,
                certificate.audited,
                *(result.said.author, result.evaluator, result.finished, result.record),
            ]
        )
    return out.getvalue()


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _number(value: float | None) -> str:
    """Nine decimals are all there are; an empty cell for none."""
    return "" if value is None else f"{value:.9f}".rstrip("0").rstrip(".")


def _ends(interval: Range | None) -> tuple[str, str]:
    return (_number(interval[0]), _number(interval[1])) if interval else ("", "")
