"""From a benchmark.toml and the data that a worker made of it to the spec that its author signs."""

from __future__ import annotations

from collections.abc import Mapping

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.types import PeerId
from p2peval.evaluation.answers import Prepared
from p2peval.evaluation.benchmark_file import BenchmarkFile


def spec_of(
    file: BenchmarkFile, found: Prepared, blobs: Mapping[str, Blob], *, network: str, author: PeerId
) -> BenchmarkSpec:
    """``blobs``: inputs, labels and any groups, by these names. Labels that are to be held back are still in it."""
    return BenchmarkSpec(
        network=network,
        author=author,
        name=file.name,
        title=file.title,
        description=file.description,
        license=file.license,
        version=file.version,
        parent=file.parent,
        task=file.task,
        samples=found.samples * (1 + len(file.conditions)),
        inputs=blobs["inputs"],
        labels=blobs["labels"],
        labels_commitment=b"",
        model_input=file.model_input,
        model_output=file.model_output,
        metrics=file.metrics,
        range=file.range,
        tolerance=file.tolerance,
        limits=file.limits,
        verification=file.verification,
        groups=blobs.get("groups"),
        group_names=found.group_names,
        conditions=file.conditions,
        profile=file.profile,
    )
