"""What each command prints under ``--json``: the type behind every schema name.

The schemas are files in ``schemas/``, for programs in other languages; ``python -m p2peval.cli.contract``
writes them anew, and a test holds files, types and real output together.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from p2peval.daemon import report_views, reputation_views, views
from p2peval.daemon.doctor_views import DoctorView

FOLDER = Path(__file__).with_name("schemas")


class VersionView(Struct, frozen=True, kw_only=True):
    version: str
    python: str


class PathsView(Struct, frozen=True, kw_only=True):
    """``note``: why the runtime folder is elsewhere than expected, or ""."""

    config: str
    database: str
    lock: str
    backups: str
    key: str
    blobs: str
    reports: str
    socket: str
    token: str
    note: str


class InitView(Struct, frozen=True, kw_only=True):
    peer: str
    config: str
    key: str


class StopView(Struct, frozen=True, kw_only=True):
    pid: int
    stopped: bool


class DraftView(Struct, frozen=True, kw_only=True):
    file: str


class DemoPeerView(Struct, frozen=True, kw_only=True):
    """``joined``: "published", "by invitation" or "by topic name"."""

    name: str
    peer: str
    home: str
    lies: bool
    joined: str


class ClaimView(Struct, frozen=True, kw_only=True):
    """Something that the demo says happened: what was found, and whether that is what it should be."""

    name: str
    value: str
    limit: str
    held: bool


class DemoView(Struct, frozen=True, kw_only=True):
    """``board`` and ``reputation`` as the requester sees them, ``claimed``: the same board at another member.

    ``reports``: files, one for each task. ``seconds``: by phase, and in "total".
    """

    folder: str
    network: str
    requester: str
    peers: tuple[DemoPeerView, ...]
    tasks: tuple[views.TaskView, ...]
    board: views.BoardView
    claimed: views.BoardView
    reputation: tuple[reputation_views.ReputationView, ...]
    reports: tuple[str, ...]
    claims: tuple[ClaimView, ...]
    seconds: dict[str, float]


class SimGoalView(Struct, frozen=True, kw_only=True):
    """What our own rule reached over all seeds: ``mean``, and ``low`` to ``high`` its 95 % interval.

    ``most``: the goal. ``reference``: what trust.md reached, or null. ``missed_by``: 0 where the goal is met.
    """

    table: str
    case: str
    measure: str
    mean: float
    low: float
    high: float
    most: float
    reference: float | None
    missed_by: float


class SimTablesView(Struct, frozen=True, kw_only=True):
    files: tuple[str, ...]
    seeds: int
    goals: tuple[SimGoalView, ...]


class SimMeasureView(Struct, frozen=True, kw_only=True):
    """``low`` … ``high``: 95 % interval of the mean over ``seeds`` seeds, those with something to measure."""

    name: str
    mean: float
    low: float
    high: float
    seeds: int


class SimClaimView(Struct, frozen=True, kw_only=True):
    """``value``: what was found; null where no seed had anything to measure."""

    claim: str
    value: float | None
    held: bool


class SimPointView(Struct, frozen=True, kw_only=True):
    """``name``: what is set there, "" where nothing varies."""

    name: str
    measures: tuple[SimMeasureView, ...]
    claims: tuple[SimClaimView, ...]


class SimLabRowView(Struct, frozen=True, kw_only=True):
    """One scenario; ``found``: by defence. ``better_than_ours``: defences that are, beyond both intervals."""

    scenario: str
    title: str
    measure: str
    lower_is_better: bool
    found: dict[str, SimMeasureView]
    better_than_ours: tuple[str, ...]
    claims_held: int
    claims: int


class SimLabView(Struct, frozen=True, kw_only=True):
    defences: tuple[str, ...]
    rows: tuple[SimLabRowView, ...]
    files: tuple[str, ...]


class SimRunView(Struct, frozen=True, kw_only=True):
    """``files``: all that was written."""

    title: str
    seeds: int
    files: tuple[str, ...]
    points: tuple[SimPointView, ...]


class PaperView(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    authors: str
    year: int
    about: str


class PaperClaimView(Struct, frozen=True, kw_only=True):
    """That the mean ``lower`` is below ``higher`` in that panel. ``of_paper``: its authors say so; else we do.

    ``verdict``: "holds"; "open", where the means stand so but their 95 % intervals touch; or "fails".
    """

    says: str
    of_paper: bool
    panel: str
    lower: float
    higher: float
    verdict: str


class SimPaperView(Struct, frozen=True, kw_only=True):
    paper: PaperView
    seeds: int
    files: tuple[str, ...]
    claims: tuple[PaperClaimView, ...]


class SimPopulationView(Struct, frozen=True, kw_only=True):
    """``liars``: identities at first. ``measures``: over all epochs, captured_mass and its bound of the last.

    ``files``: all that was written.
    """

    honest: int
    liars: int
    epochs: int
    seeds: int
    measures: tuple[SimMeasureView, ...]
    files: tuple[str, ...]


class SimScenarioView(Struct, frozen=True, kw_only=True):
    """``attacks``: "20 sybils + sleeper", one for each group of adversaries. ``runs``: points of its sweep, 1 without.

    ``wrong``: why the file cannot be played, or "".
    """

    file: str
    title: str
    description: str
    hosts: int
    attacks: tuple[str, ...]
    seeds: int
    runs: int
    claims: tuple[str, ...]
    wrong: str


class ReplayGapView(Struct, frozen=True, kw_only=True):
    """A start, at ``line`` of the record, that found other rows in ``tables`` than the events before it leave."""

    line: int
    at: float
    tables: tuple[str, ...]


class ReplayDifferenceView(Struct, frozen=True, kw_only=True):
    """``recorded``, ``played``: kinds of what the daemon's node and the one here did about the event, in order.

    ``what``: "effects", "values" (of effects of the same kinds), "state" (the effects are the same), or "error", which
    the node here ended in; ``error`` is its text then, else "".
    """

    line: int
    at: float
    event: str
    what: str
    recorded: tuple[str, ...]
    played: tuple[str, ...]
    error: str


class SimReplayView(Struct, frozen=True, kw_only=True):
    """``events``, ``effects``: how many of each kind were the same. ``same``: no gap and no difference.

    ``version``: of the p2peval that recorded. ``torn``: the last line is a piece of one, and was left out.
    """

    file: str
    peer: str
    version: str
    starts: int
    events: dict[str, int]
    effects: dict[str, int]
    torn: bool
    gaps: tuple[ReplayGapView, ...]
    difference: ReplayDifferenceView | None
    same: bool


ANSWERS: dict[str, Any] = {
    "version": VersionView,
    "paths": PathsView,
    "init": InitView,
    "status": views.StatusView,
    "doctor": DoctorView,
    "stop": StopView,
    "events": views.EventView,
    "id.show": views.IdView,
    "peers.ls": tuple[views.PeerView, ...],
    "peers.connect": views.PeerView,
    "peers.name": reputation_views.ReputationDetail,
    "bench.init": DraftView,
    "bench.validate": views.ValidateView,
    "bench.publish": views.BenchmarkView,
    "bench.ls": tuple[views.NameClaimView, ...],
    "bench.show": views.BenchmarkView,
    "bench.invite": views.InviteView,
    "bench.join": views.BenchmarkView,
    "bench.leave": views.BenchmarkView,
    "bench.reveal": views.BenchmarkView,
    "eval.preview": views.PreviewView,
    "eval.run": views.TaskView,
    "eval.ls": tuple[views.TaskView, ...],
    "eval.show": views.TaskView,
    "eval.probe": views.TaskView,
    "eval.rescore": report_views.RescoreView,
    "eval.cancel": views.TaskView,
    "eval.verify": report_views.VerifyView,
    "eval.export": report_views.ExportView,
    "board": views.BoardView,
    "rep.ls": tuple[reputation_views.ReputationView, ...],
    "rep.show": reputation_views.ReputationDetail,
    "rep.explain": reputation_views.ExplainView,
    "rep.bound": reputation_views.BoundView,
    "rep.export": reputation_views.ReputationExport,
    "rep.trust": reputation_views.ReputationDetail,
    "rep.distrust": reputation_views.ReputationDetail,
    "rep.forget": reputation_views.ReputationDetail,
    "demo": DemoView,
    "sim.ls": tuple[SimScenarioView, ...],
    "sim.lab": SimLabView,
    "sim.run": SimRunView,
    "sim.tables": SimTablesView,
    "sim.paper": SimPaperView,
    "sim.papers": tuple[PaperView, ...],
    "sim.population": SimPopulationView,
    "sim.replay": SimReplayView,
}


def schema(name: str) -> dict[str, Any]:
    """JSON Schema of the object that the command prints. Every field is always there."""
    (data,), parts = msgspec.json.schema_components([ANSWERS[name]], ref_template="#/$defs/{name}")
    for part in parts.values():
        part["description"] = " ".join(part.get("description", "").split())
        if "properties" in part:
            part["required"] = list(part["properties"])
            for rule in part["properties"].values():
                rule.pop("default", None)
    title = f"p2peval.{name}/1"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["schema", "data"],
        "properties": {"schema": {"const": title}, "data": data},
        "$defs": dict(sorted(parts.items())),
    }


def text(name: str) -> str:
    """The schema as its file has it."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in ANSWERS:
        (FOLDER / f"{each}.json").write_text(text(each), encoding="utf-8")
