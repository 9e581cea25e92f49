"""A result for the Hugging Face Hub: a model card's ``model-index``, or an entry of a model's ``.eval_results/``.

Decides which of our facts goes into which field. Sources: huggingface/hub-docs, modelcard.md and
docs/hub/eval-results.md. ``verified`` stays false and no verifyToken is set: those are the Hub's own to give.
"""

from __future__ import annotations

from typing import Any

from p2peval.interop import yaml_text
from p2peval.interop.result import Measure, Result, ipfs

TABULAR = {"classification": "tabular-classification", "regression": "tabular-regression"}
"""The Hub's names for tasks whose samples are rows of numbers; of other arrays it is not known what they show."""


def model_index(result: Result) -> str:
    """The YAML that goes between the ``---`` of the model's README.md."""
    spec = result.spec
    tabular = len(spec.model_input.shape) == 1
    entry = {
        "task": {"type": TABULAR.get(spec.task, "other") if tabular else "other", "name": spec.task},
        "dataset": {"type": spec.name, "name": spec.title or spec.name, "revision": result.said.benchmark},
        "metrics": [_metric(measure) for measure in result.measures() if measure.value is not None],
        "source": _source(result),
    }
    return yaml_text.dump({"model-index": [{"name": result.model_name, "results": [entry]}]})


def eval_results(result: Result, dataset: str, task: str) -> str:
    """A file for ``.eval_results/``: the primary metric, on the Hub's benchmark ``dataset`` ("org/name").

    ``task``: the id that the benchmark's eval.yaml gives it. "[]" where the metric has no value.
    """
    primary = next(result.measures())
    if primary.value is None:
        return yaml_text.dump([])
    entry = {
        "dataset": {"id": dataset, "task_id": task},
        "value": primary.value,
        "date": result.finished,
        "source": _source(result),
        "notes": f"{primary.name}; {_said(result, primary)}",
    }
    return yaml_text.dump([entry])


def _metric(measure: Measure) -> dict[str, Any]:
    name = f"{measure.name} of {measure.group}" if measure.group else measure.name
    return {"type": measure.name, "name": name, "value": measure.value, "verified": False}


def _source(result: Result) -> dict[str, str]:
    return {"name": "p2peval record, check it with p2peval eval verify", "url": ipfs(result.record)}


def _said(result: Result, measure: Measure) -> str:
    """Both intervals in words."""
    parts = [f"{result.certificate.audited} of {result.certificate.samples} samples audited"]
    if measure.audit:
        parts.append(f"audit {measure.audit[0]:.4f} to {measure.audit[1]:.4f} ({100 * result.confidence:.4g} %)")
    if measure.sampling:
        parts.append(f"sampling {measure.sampling[0]:.4f} to {measure.sampling[1]:.4f} (95 %)")
    return ", ".join(parts)
