"""What checking and exporting a report answers, as it travels and as ``--json`` prints it; see ``views``."""

from __future__ import annotations

from msgspec import Struct

from p2peval.daemon.views import MetricView, PeerName

OK, FAILED, OPEN = "ok", "failed", "not checked"
"""States of a check."""


class FindingView(Struct, frozen=True, kw_only=True):
    """``state``: "ok", "failed" or "not checked"; ``detail``: what was found, or why not and what to give for it."""

    name: str
    state: str
    detail: str


class VerifyView(Struct, frozen=True, kw_only=True):
    """``kind``: "report" or "credential". ``verified``: no check failed; those "not checked" are still open.

    ``record``, ``task``, ``benchmark``, ``model`` (ids) and ``metrics`` as signed; empty where nothing opened.
    """

    file: str
    kind: str
    verified: bool
    record: str
    task: str
    benchmark: str
    benchmark_name: str
    model: str
    model_name: str
    checks: tuple[FindingView, ...]
    metrics: tuple[MetricView, ...]


class BundleView(Struct, frozen=True, kw_only=True):
    """``files``: written into ``directory``. ``missing``: what nobody in reach holds, each with why."""

    directory: str
    record: str
    files: tuple[str, ...]
    missing: tuple[str, ...]


class ExportView(Struct, frozen=True, kw_only=True):
    """``text``: the export itself, "" where it was written to ``file`` (of a bundle: the folder).

    ``missing``: parts of a bundle that nobody in reach holds, each with why.
    """

    format: str
    record: str
    file: str
    text: str
    missing: tuple[str, ...]


class RescoreView(Struct, frozen=True, kw_only=True):
    """Metrics of the outputs that an own task was accepted on; no model was run for them."""

    task: str
    benchmark: str
    benchmark_name: str
    model: str
    model_name: str
    evaluator: PeerName
    outputs: str
    samples: int
    metrics: tuple[MetricView, ...]
