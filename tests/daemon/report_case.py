"""A whole record made by hand — author, requester and one evaluator — with its real model, data and outputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from p2peval.core import audit
from p2peval.core.commitment import audit_commitment, commitment_digest
from p2peval.core.messages import (
    Assignment,
    BenchmarkSpec,
    Commitment,
    CommitmentSet,
    ResultRecord,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.parts import Blob, Certificate, Check, Efficiency, Limits, Outcome, Tensor, Tolerance, Verification
from p2peval.core.types import AssignmentId, BenchmarkId, TaskId
from p2peval.daemon import reports
from p2peval.defaults import NETWORK_ID
from p2peval.evaluation.jobs import Evaluate, Rescore, Run, Scoring
from p2peval.evaluation.runner import perform
from p2peval.store.blobs import BlobStore
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import public_key_of
from tests.evaluation.onnx_models import classifier, digits

SAMPLES = 150
SECOND = 1_800_000_000_000
AUTHOR, REQUESTER, EVALUATOR = (
    EnvelopeSealer(sha256(name).digest()) for name in (b"author", b"requester", b"evaluator")
)
NONCE, AUDIT_NONCE = b"n" * 32, b"a" * 32
METRICS = ("accuracy", "macro_f1", "brier")


@dataclass
class Case:
    """``folder`` holds model.onnx, inputs.npy, labels.npy, outputs.bin and report.json.

    ``changes``: fields of the record, the certificate and others that are signed otherwise than they should be,
    by the type's name. ``same_class``: the requester's machine is of the evaluator's equivalence class.
    ``groups``: the samples are of two groups by turns, in groups.npy.
    """

    folder: Path
    lie: int = 0
    same_class: bool = True
    groups: bool = False
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        inputs, labels = digits()
        np.save(self.folder / "inputs.npy", inputs[:SAMPLES])
        np.save(self.folder / "labels.npy", labels[:SAMPLES])
        (self.folder / "model.onnx").write_bytes(classifier("logistic"))
        if self.groups:
            np.save(self.folder / "groups.npy", np.arange(SAMPLES) % 2)
        self.spec = AUTHOR.seal(self._changed(self._spec()))
        self._evaluate()
        self.record = self._record()
        self.file = reports.compose(self.record.envelope, self.spec.envelope, NETWORK_ID)
        self.report.write_bytes(reports.text(self.file))

    @property
    def report(self) -> Path:
        return self.folder / "report.json"

    def blob(self, name: str) -> Blob:
        return BlobStore(self.folder.parent / f"{self.folder.name}-blobs", 2**30).add_file(self.folder / name)

    def _changed(self, payload: Any) -> Any:
        return replace(payload, **self.changes.get(type(payload).__name__, {}))

    def _spec(self) -> BenchmarkSpec:
        return BenchmarkSpec(
            network=NETWORK_ID,
            author=AUTHOR.peer_id,
            name="digits",
            title="Handwritten digits",
            description="",
            license="CC0-1.0",
            version=1,
            parent=BenchmarkId(""),
            task="classification",
            samples=SAMPLES,
            inputs=self.blob("inputs.npy"),
            labels=self.blob("labels.npy"),
            labels_commitment=b"",
            model_input=Tensor("X", "float32", (64,)),
            model_output=Tensor("probabilities", "float32", (10,)),
            metrics=METRICS,
            range=None,
            tolerance=Tolerance(10_000, 10_000),
            limits=Limits(60, 1024, 64),
            verification=Verification(10_000_000, 10_000_000, 1, 3),
            groups=self.blob("groups.npy") if self.groups else None,
            group_names=("north", "south") if self.groups else (),
        )

    def _evaluate(self) -> None:
        """Run the model as the evaluator; ``lie``: how many outputs it then alters."""
        from p2peval.core.commitment import output_root

        spec, out = self.spec.payload, self.folder / "outputs.bin"
        run = Run(
            str(self.folder / "model.onnx"), str(self.folder / "inputs.npy"), SAMPLES,
            spec.model_input, spec.model_output, spec.limits,
        )  # fmt: skip
        answer: Any = perform(Evaluate(run, public_key_of(EVALUATOR.peer_id), str(out)))
        rows = np.fromfile(out, np.float32).reshape(SAMPLES, prod(spec.model_output.shape))
        rows[: self.lie] = np.eye(10, dtype=np.float32)[digits()[1][: self.lie]]
        rows.tofile(out)
        self.equivalence_class = answer.equivalence_class
        self.root = output_root(rows, public_key_of(EVALUATOR.peer_id))
        scoring = Scoring(
            str(self.folder / "labels.npy"), spec.task, spec.metrics, None, 10_000_000, *self._grouping(spec)
        )
        rescored: Any = perform(
            Rescore(
                outputs=str(out),
                samples=SAMPLES,
                output=spec.model_output,
                equivalence_class=self.equivalence_class if self.same_class else "another",
                profile=spec.profile,
                tolerance=spec.tolerance,
                scoring=scoring,
                limit_mb=1024,
            )
        )
        self.metrics = rescored.metrics

    def _grouping(self, spec: BenchmarkSpec) -> tuple[Any, ...]:
        return (str(self.folder / "groups.npy"), spec.group_names) if self.groups else ()

    def _record(self) -> Sealed[ResultRecord]:
        announced = REQUESTER.seal(
            self._changed(
                TaskAnnouncement(
                    NETWORK_ID, REQUESTER.peer_id, BenchmarkId(self.spec.id), self.blob("model.onnx"), "=logistic é",
                    10_000_000, 10_000_000, 1, SECOND, SECOND + 1000,
                )
            )
        )  # fmt: skip
        task = TaskId(announced.id)
        assigned = REQUESTER.seal(
            self._changed(
                Assignment(
                    NETWORK_ID, REQUESTER.peer_id, task, EVALUATOR.peer_id, 1, SECOND, audit_commitment(AUDIT_NONCE)
                )
            )
        )
        assignment = AssignmentId(assigned.id)
        digest = commitment_digest(
            task, assignment, EVALUATOR.peer_id, self.equivalence_class, SAMPLES, self.root, NONCE
        )
        committed = EVALUATOR.seal(self._changed(Commitment(NETWORK_ID, EVALUATOR.peer_id, task, assignment, digest)))
        window = REQUESTER.seal(self._changed(CommitmentSet(NETWORK_ID, REQUESTER.peer_id, task, 1, (committed.id,))))
        revealed = EVALUATOR.seal(
            self._changed(
                Reveal(
                    NETWORK_ID, EVALUATOR.peer_id, task, assignment, committed.id, self.equivalence_class, SAMPLES,
                    self.root, NONCE, self.blob("outputs.bin"), Efficiency(5, 100, ("rlimits",)),
                )
            )
        )  # fmt: skip
        drawn = audit.sample_size(SAMPLES, 10_000_000, 10_000_000)
        return REQUESTER.seal(
            self._changed(
                ResultRecord(
                    network=NETWORK_ID,
                    author=REQUESTER.peer_id,
                    task=task,
                    benchmark=BenchmarkId(self.spec.id),
                    revision=1,
                    outcome=Outcome.ACCEPTED,
                    accepted=assignment,
                    metrics=self.metrics,
                    certificate=self._changed(Certificate(10_000_000, 10_000_000, SAMPLES, drawn, 1)),
                    checks=(self._changed(Check(assignment, AUDIT_NONCE, drawn, ())),),
                    announcement=announced.envelope,
                    assignments=(assigned.envelope,),
                    commitments=(committed.envelope,),
                    commitment_sets=(window.envelope,),
                    reveals=(revealed.envelope,),
                    audits=(),
                    finished_ms=SECOND + 500,
                )
            )
        )
