"""A result as Every Eval Ever JSON, so that it stands beside those of other harnesses.

Decides which of our facts goes into which field. Source: github.com/evaleval/every_eval_ever, eval.schema.json 0.3.0.
Every ``additional_details`` there maps strings to strings.
"""

from __future__ import annotations

from typing import Any

from p2peval import __version__
from p2peval.core.benchmark import GAP, clean_samples
from p2peval.core.types import from_nano
from p2peval.defaults import SAMPLING_LEVEL
from p2peval.interop.result import Measure, Result, ipfs

SCHEMA_VERSION = "0.3.0"

UNIT = ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "ece", "auroc", "selective_auroc", "aurc")

BOUNDS: dict[str, tuple[float | str | None, float | str | None]] = {
    **dict.fromkeys((*UNIT, *(name + GAP for name in UNIT)), (0.0, 1.0)),
    "brier": (0.0, 2.0),
    "log_loss": (0.0, "Infinity"),
    "mae": (0.0, "Infinity"),
    "rmse": (0.0, "Infinity"),
    "r2": ("-Infinity", 1.0),
}
"""Least and greatest value; of a metric that is not named here they are not told."""


def every_eval_ever(result: Result) -> dict[str, Any]:
    """The whole file, one entry for each metric that has a value."""
    seconds = str(result.said.finished_ms // 1000)
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{result.spec.name}/{result.model.cid}/{seconds}",
        "evaluation_timestamp": seconds,
        "retrieved_timestamp": seconds,
        "source_metadata": {
            "source_name": "p2peval",
            "source_type": "evaluation_run",
            "source_organization_name": result.said.author,
            "evaluator_relationship": "first_party" if result.evaluator == result.said.author else "other",
            "additional_details": {
                "network": result.said.network,
                "requester": result.said.author,
                "evaluator": result.evaluator,
                "record": ipfs(result.record),
                "task": ipfs(result.said.task),
            },
        },
        "eval_library": {"name": "p2peval", "version": __version__},
        "model_info": _model(result),
        "evaluation_results": [
            _entry(result, measure, measure.value) for measure in result.measures() if measure.value is not None
        ],
    }


def _model(result: Result) -> dict[str, Any]:
    """Evaluated by strangers, so its weights are public."""
    return {
        "name": result.model_name,
        "id": result.model.cid,
        "inference_engine": {"name": "onnxruntime"},
        "additional_details": {
            "deployment_type": "self_deployed",
            "model_availability": "open_weights",
            "format": "onnx",
            "uri": ipfs(result.model.cid),
            "bytes": str(result.model.size),
            "equivalence_class": result.reveal.payload.equivalence_class,
        },
    }


def _entry(result: Result, measure: Measure, value: float) -> dict[str, Any]:
    spec, name = result.spec, _name(measure)
    least, most = BOUNDS.get(measure.name, (None, None))
    return {
        "evaluation_result_id": f"{result.record}/{name}",
        "evaluation_name": f"{spec.name}/{name}",
        "source_data": {
            "dataset_name": spec.title or spec.name,
            "source_type": "url",
            "url": [ipfs(result.said.benchmark)],
            "additional_details": {
                "benchmark": spec.name,
                "version": str(spec.version),
                "author": spec.author,
                "inputs": ipfs(spec.inputs.cid),
                "license": spec.license,
            },
        },
        "metric_config": {
            "metric_id": measure.name,
            "metric_name": name,
            "lower_is_better": measure.lower_is_better,
            "score_type": "continuous",
            "min_score": least,
            "max_score": most,
        },
        "score_details": {
            "score": value,
            "details": _details(result, measure),
            "uncertainty": _sampling(result, measure),
        },
    }


def _name(measure: Measure) -> str:
    return f"{measure.name}[{measure.group}]" if measure.group else measure.name


def _sampling(result: Result, measure: Measure) -> dict[str, Any]:
    told: dict[str, Any] = {} if measure.group else {"num_samples": clean_samples(result.spec)}
    if measure.sampling:
        low, high = measure.sampling
        told["confidence_interval"] = {
            "lower": low,
            "upper": high,
            "confidence_level": SAMPLING_LEVEL,
            "method": "exact or seeded bootstrap, over the samples of the dataset",
        }
    return told


def _details(result: Result, measure: Measure) -> dict[str, str]:
    """The audit interval is no sampling uncertainty: it has a place of its own."""
    certificate = result.certificate
    told = {
        "audited_samples": str(certificate.audited),
        "audit_epsilon": f"{from_nano(certificate.epsilon_nano):g}",
        "audit_delta": f"{from_nano(certificate.delta_nano):g}",
    }
    if measure.audit:
        told |= {"audit_low": f"{measure.audit[0]:.9g}", "audit_high": f"{measure.audit[1]:.9g}"}
    if measure.ambiguity:
        told |= {"ambiguity_low": f"{measure.ambiguity[0]:.9g}", "ambiguity_high": f"{measure.ambiguity[1]:.9g}"}
    return told
