from __future__ import annotations

import json
import logging
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import mlcroissant
import numpy as np
import pytest

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Condition, Limits, Range, Tensor, Tolerance, Verification
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.evaluation.dataset import prepare
from p2peval.interop.croissant import croissant
from p2peval.wire.ids import cid_of, peer_id_of

ID = BenchmarkId(cid_of(b"the spec"))


def blob(data: bytes) -> Blob:
    return Blob(cid_of(data), len(data), bytes(32))


SPEC = BenchmarkSpec(
    network="p2peval-1",
    author=PeerId(peer_id_of(bytes(32))),
    name="digits",
    title="Digits {in} boxes",
    description="Handwritten digits.\nEight by eight.",
    license="CC-BY-4.0",
    version=3,
    parent=BenchmarkId(""),
    task="classification",
    samples=100,
    inputs=blob(b"inputs"),
    labels=blob(b"labels"),
    labels_commitment=b"",
    model_input=Tensor("x", "float32", (1, 8, 8)),
    model_output=Tensor("y", "float32", (10,)),
    metrics=("accuracy",),
    range=None,
    tolerance=Tolerance(10_000, 10_000),
    limits=Limits(10, 512, 10),
    verification=Verification(10_000_000, 10_000_000, 1, 3),
)
REGRESSION = replace(
    SPEC, task="regression", model_output=Tensor("y", "float32", (1,)), range=Range(0, 5 * 10**9), metrics=("mae",)
)
GROUPED = replace(SPEC, groups=blob(b"groups"), group_names=("east", "west"))
CONDITIONS = (Condition("noise-0.1", "gaussian_noise", 10**8, 7),)


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        REGRESSION,
        GROUPED,
        replace(GROUPED, labels=None, labels_commitment=bytes(32)),
        replace(SPEC, conditions=CONDITIONS),
        replace(SPEC, model_input=Tensor("ids", "int64", (32,))),
        replace(SPEC, model_input=Tensor("x", "int32", ())),
        replace(SPEC, title="", description="", license="our own, ask us"),
    ],
)
def test_every_benchmark_is_valid_croissant(
    spec: BenchmarkSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(croissant(spec, ID)))
    with caplog.at_level(logging.WARNING):
        metadata = mlcroissant.Dataset(path).metadata
    assert not metadata.ctx.issues.errors
    assert not [each for each in metadata.ctx.issues.warnings if "datePublished" not in each]
    assert not [each for each in caplog.messages if "datePublished" not in each]
    assert metadata.name == "digits"


@pytest.mark.parametrize("broken", ["sha256", "encodingFormat", "contentUrl"])
def test_the_validator_would_say_if_something_was_missing(broken: str, tmp_path: Path) -> None:
    document = croissant(SPEC, ID)
    del document["distribution"][0][broken]
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(document))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(path)


def test_each_file_is_named_by_the_hash_that_peers_name_it_by() -> None:
    files = {file["name"]: file for file in croissant(GROUPED, ID)["distribution"]}
    assert list(files) == ["inputs.npy", "labels.npy", "groups.npy"]
    assert files["labels.npy"]["sha256"] == sha256(b"labels").hexdigest()
    assert files["labels.npy"]["contentUrl"] == f"ipfs://{cid_of(b'labels')}"
    assert files["labels.npy"]["contentSize"] == "6 B"


def test_hidden_labels_stay_hidden() -> None:
    document = croissant(replace(GROUPED, labels=None, labels_commitment=bytes(32)), ID)
    assert [file["name"] for file in document["distribution"]] == ["inputs.npy"]
    assert [records["name"] for records in document["recordSet"]] == ["inputs"]


def test_fields_say_shape_type_and_meaning() -> None:
    spec = replace(GROUPED, conditions=CONDITIONS)
    records = croissant(spec, ID)["recordSet"]
    assert records[0]["description"].startswith("One of each of 50 samples")
    input, label, group = (each["field"][0] for each in records)
    assert (input["dataType"], input["arrayShape"]) == ("cr:Float32", "1,8,8")
    assert "noise-0.1 (gaussian_noise, level 0.1, seed 7)" in input["description"]
    assert label["description"] == "The class, 0 to 9."
    assert "0 east, 1 west" in group["description"]
    assert croissant(REGRESSION, ID)["recordSet"][1]["field"][0]["description"].endswith("from 0 to 5.")


@pytest.mark.parametrize(
    ("given", "said"),
    [("MIT", "https://spdx.org/licenses/MIT.html"), ("ask us", "ask us")],
)
def test_spdx_licenses_become_their_page(given: str, said: str) -> None:
    assert croissant(replace(SPEC, license=given), ID)["license"] == said
    assert "license" not in croissant(replace(SPEC, license=""), ID)


def test_the_hash_is_that_of_the_file_which_prepare_writes(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text(
        'name = "tiny"\n[data]\nfile = "data.npz"\ninput = "x"\nlabel = "y"\n[model]\ntask = "regression"\n'
        'inputs = [{ name = "x", shape = ["N", 2] }]\noutput = { name = "y" }\n[metrics]\nprimary = "mae"\n'
    )
    np.savez(tmp_path / "data.npz", x=np.ones((3, 2)), y=np.ones(3))
    prepare(tmp_path, tmp_path)
    data = (tmp_path / "inputs.npy").read_bytes()
    spec = replace(REGRESSION, samples=3, inputs=blob(data), model_input=Tensor("x", "float32", (2,)))
    metadata = mlcroissant.Dataset(croissant(spec, ID)).metadata
    assert metadata.distribution[0].sha256 == sha256(data).hexdigest()
