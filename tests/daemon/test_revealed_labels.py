"""An audit of outputs does not fail because labels that were just revealed are still on their way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from p2peval.core.effects import Compare
from p2peval.core.events import ComparisonFailed, ComparisonFinished
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.verdict import Verdict
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.errors import NotFoundError
from p2peval.evaluation.answers import Compared
from p2peval.evaluation.sandbox import Sandbox
from p2peval.wire.ids import public_key_of
from tests.wire.wire_examples import ASSIGNMENT_ID, ME, OTHER, SPEC, TASK, TASK_ID, blob

REVEALED = replace(SPEC, labels_commitment=bytes(32))


class Shelf:
    """All but the labels."""

    async def path(self, cid: str) -> str:
        if SPEC.labels is not None and cid == SPEC.labels.cid:
            raise NotFoundError("no labels")
        return f"/blobs/{cid}"


class Agreeable:
    """Remembers what it was asked to score with."""

    def __init__(self) -> None:
        self.scoring: list[object] = []

    async def run(self, job: Any, **_: object) -> Compared:
        self.scoring.append(job.scoring)
        return Compared(Verdict.AGREES)


@pytest.mark.parametrize(("spec", "answer"), [(REVEALED, ComparisonFinished), (SPEC, ComparisonFailed)])
async def test_only_labels_that_were_held_back_may_be_missing(
    tmp_path: Path, spec: BenchmarkSpec, answer: type[object]
) -> None:
    sandbox = Agreeable()
    workshop = Workshop(cast(Sandbox, sandbox), cast(Library, Shelf()), public_key_of(ME), tmp_path)
    effect = Compare(
        id="compare/1",
        task=TASK_ID,
        assignment=ASSIGNMENT_ID,
        evaluator=OTHER,
        spec=spec,
        model=TASK.model,
        outputs=blob(b"outputs"),
        root=bytes(32),
        equivalence_class="class",
        others=(),
        nonce=bytes(32),
        drawn=3,
        delta_nano=10_000_000,
    )
    assert isinstance(await workshop.compare(effect), answer)
    assert sandbox.scoring == ([None] if answer is ComparisonFinished else [])
