"""For whom an evaluation is done decides whose turn it is: requesters in turn, this node's own first."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

import pytest

from p2peval.core.effects import RunEvaluation
from p2peval.core.events import EvaluationFailed
from p2peval.core.types import PeerId
from p2peval.daemon import doctor
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation import layers
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.turns import OWN
from p2peval.wire.ids import public_key_of
from tests.wire.wire_examples import ASSIGNMENT_ID, ME, OTHER, SPEC, TASK, TASK_ID


class FullSandbox:
    """Has no room; remembers for whom it was asked."""

    def __init__(self) -> None:
        self.queues: list[str] = []

    async def run(self, job: Any, *, deadline: float, queue: str = OWN) -> Any:
        self.queues.append(queue)
        raise EvaluationError("no_worker", "no room")


class Shelf:
    async def path(self, cid: str) -> str:
        return f"/blobs/{cid}"


@pytest.mark.parametrize(("requester", "queue"), [(OTHER, OTHER), (ME, OWN), (None, OWN)])
async def test_an_evaluation_waits_in_its_requesters_line(tmp_path: Path, requester: PeerId | None, queue: str) -> None:
    sandbox = FullSandbox()
    workshop = Workshop(cast(Sandbox, sandbox), cast(Library, Shelf()), public_key_of(ME), tmp_path)
    effect = RunEvaluation("run/1", TASK_ID, ASSIGNMENT_ID, SPEC, TASK.model, requester)
    said = await workshop.evaluate(effect)
    assert isinstance(said, EvaluationFailed)
    assert sandbox.queues == [queue]


def test_missing_layers_are_said_once_at_start_or_refuse_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lacking = (layers.Missing("landlock", "this kernel has none", "get a newer one"),)
    monkeypatch.setattr(layers, "missing", lambda: lacking)
    with caplog.at_level(logging.WARNING):
        doctor.check_layers(required=False)
    assert [record.getMessage() for record in caplog.records] == [
        "evaluations run without landlock: this kernel has none; get a newer one"
    ]
    with pytest.raises(ConfigError, match=r"landlock \(this kernel has none\)") as caught:
        doctor.check_layers(required=True)
    assert "get a newer one" in caught.value.hint


def test_with_all_layers_nothing_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(layers, "missing", lambda: ())
    doctor.check_layers(required=True)
    assert not caplog.records
