"""A benchmark's data as Croissant JSON-LD, so that whoever searches for datasets finds and understands it.

Decides which of a spec's facts goes into which property. The hash of each file is the one inside its CID: what
Croissant names is, bit for bit, what peers are evaluated on. Source: Croissant format specification 1.1
(docs.mlcommons.org/croissant).
"""

from __future__ import annotations

import re
from typing import Any

from p2peval.core.benchmark import clean_samples
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Condition
from p2peval.core.types import BenchmarkId, from_nano
from p2peval.wire.ids import digest_of

VERSION = "http://mlcommons.org/croissant/1.1"
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")
_TYPES = {"float32": "cr:Float32", "float64": "cr:Float64", "int32": "cr:Int32", "int64": "cr:Int64"}

_OWN = (
    "arrayShape citeAs column conformsTo containedIn equivalentProperty extract field fileObject fileProperty fileSet "
    "format includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated "
    "replace samplingRate separator source subField transform"
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in _OWN.split()},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}
"""The one that the specification asks every document to have."""


def croissant(spec: BenchmarkSpec, id: BenchmarkId) -> dict[str, Any]:
    """The document. Labels that are not published yet are left out, with their groups."""
    public = spec.labels is not None
    blobs = [("inputs", spec.inputs), ("labels", spec.labels), ("groups", spec.groups if public else None)]
    records = [
        _inputs(spec),
        *([_labels(spec)] if public else []),
        *([_groups(spec)] if public and spec.groups else []),
    ]
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": spec.name,
        "alternateName": spec.title,
        "description": spec.description or spec.title or f"The data of the benchmark {spec.name}.",
        "url": _url(id),
        "identifier": id,
        "version": f"{spec.version}.0.0",
        "license": _license(spec.license),
        "citeAs": _citation(spec, id),
        "creator": {"@type": "sc:Person", "name": spec.author},
        "distribution": [_file(name, blob) for name, blob in blobs if blob],
        "recordSet": records,
    }
    return {name: value for name, value in document.items() if value}


def _file(name: str, blob: Blob) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{name}.npy",
        "name": f"{name}.npy",
        "description": "An array as numpy.save writes it, little-endian, in C order.",
        "contentUrl": _url(blob.cid),
        "contentSize": f"{blob.size} B",
        "encodingFormat": "application/octet-stream",
        "sha256": digest_of(blob.cid).hex(),
    }


def _records(
    spec: BenchmarkSpec, name: str, type: str, description: str, shape: tuple[int, ...] = ()
) -> dict[str, Any]:
    """One set for each file: Croissant would join those of one set by a key, and ours are joined by their order."""
    array = {"isArray": True, "arrayShape": ",".join(map(str, shape))} if shape else {}
    field = {
        "@type": "cr:Field",
        "@id": f"{name}/value",
        "name": "value",
        "description": description,
        "dataType": type,
        **array,
        "source": {"fileObject": {"@id": f"{name}.npy"}, "extract": {"fileProperty": "content"}},
    }
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"One of each of {clean_samples(spec)} samples; all files have them in the same order.",
        "field": [field],
    }


def _inputs(spec: BenchmarkSpec) -> dict[str, Any]:
    tensor = spec.model_input
    told = f"What the model's input {tensor.name!r} takes."
    if spec.conditions:
        conditions = "; ".join(map(_condition, spec.conditions))
        told += f" After all samples the file holds them again, in the same order, for each condition: {conditions}."
    return _records(spec, "inputs", _TYPES[tensor.dtype], told, tensor.shape)


def _condition(condition: Condition) -> str:
    return f"{condition.name} ({condition.kind}, level {from_nano(condition.level_nano):g}, seed {condition.seed})"


def _labels(spec: BenchmarkSpec) -> dict[str, Any]:
    if spec.task == "classification":
        return _records(spec, "labels", "cr:Int64", f"The class, 0 to {spec.model_output.shape[0] - 1}.")
    low_high = [from_nano(side) for side in (spec.range.low_nano, spec.range.high_nano)] if spec.range else []
    told = f", from {low_high[0]:g} to {low_high[1]:g}" if low_high else ""
    return _records(spec, "labels", "cr:Float64", f"The number to be predicted{told}.")


def _groups(spec: BenchmarkSpec) -> dict[str, Any]:
    names = ", ".join(f"{number} {name}" for number, name in enumerate(spec.group_names))
    return _records(spec, "groups", "cr:Int64", f"The group whose results are told apart: {names}.")


def _license(text: str) -> str:
    """SPDX ids have a page each; whatever else an author wrote stands as it is."""
    return f"https://spdx.org/licenses/{text}.html" if _SPDX.fullmatch(text) else text


def _citation(spec: BenchmarkSpec, id: BenchmarkId) -> str:
    title = re.sub(r"[{}\\]", "", spec.title or spec.name)
    return (
        f"@misc{{{spec.name}, title={{{title}}}, author={{{spec.author}}}, version={{{spec.version}}}, note={{{id}}}}}"
    )


def _url(cid: str) -> str:
    """Names the bytes, wherever they are served."""
    return f"ipfs://{cid}"
