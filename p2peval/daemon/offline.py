"""What the command line does without a daemon: a new identity, a benchmark's draft and check, the doctor, reports.

The one door from the command line to the rooms below; everything here is slow to import or touches
files that a running daemon may own, so commands import it when they need it.
"""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import trio
from nacl.signing import SigningKey

from p2peval.core.record_check import Contents
from p2peval.core.types import PeerId
from p2peval.daemon import credentials, reports
from p2peval.daemon.doctor import examine
from p2peval.daemon.own_audit import FILE_NAMES, OwnAudit, gather, wanted
from p2peval.daemon.present import condition_views, metric_views
from p2peval.daemon.report_views import ExportView, VerifyView
from p2peval.daemon.reports import REPORT_NAME, ReportFile
from p2peval.daemon.shelf import Shelf
from p2peval.daemon.verification import Checklist, Signed, check_signed
from p2peval.daemon.views import ValidateView
from p2peval.daemon.workshop import Workshop
from p2peval.defaults import EVALUATION_DEADLINE
from p2peval.errors import StoreError, UsageError, VerificationError
from p2peval.evaluation import benchmark_file, benchmark_template
from p2peval.evaluation.jobs import Prepare
from p2peval.evaluation.sandbox import Sandbox
from p2peval.interop import hugging_face
from p2peval.interop.every_eval_ever import every_eval_ever
from p2peval.interop.result import Result, result_of
from p2peval.interop.table import table
from p2peval.paths import Paths
from p2peval.store import identity
from p2peval.store.blobs import BlobStore
from p2peval.store.disk import make_private, refusals
from p2peval.wire.ids import peer_id_of

__all__ = ["create_home", "draft_benchmark", "examine", "validate_benchmark"]


def create_home(paths: Paths, config_text: str) -> PeerId:
    """A new key and a config.toml. Raises StoreError, with nothing written, where either exists."""
    for path in (paths.key, paths.config):
        if path.exists():
            raise StoreError(f"{path} exists already", hint="p2peval paths shows what is here; use another --home")
    seed = identity.create(paths.key).seed
    try:
        make_private(paths.config.parent)
        with refusals("writing", paths.config), open(paths.config, "x", encoding="utf-8") as file:
            file.write(config_text)
    except StoreError:
        paths.key.unlink()  # made a moment ago, used by nobody
        raise
    return peer_id_of(bytes(SigningKey(seed).verify_key))


def read_seed(paths: Paths) -> bytes:
    """The 32 secret bytes of this home's key. Raises NotFoundError and StoreError."""
    return identity.load(paths.key).seed


def draft_benchmark(directory: Path) -> Path:
    """A commented benchmark.toml to fill in. Raises StoreError where one exists."""
    path = directory / benchmark_file.FILE_NAME
    if path.exists():
        hint = f"edit it, then: p2peval bench validate {shlex.quote(str(directory))}"
        raise StoreError(f"{path} exists already", hint=hint)
    slug = re.sub(r"[^a-z0-9]+", "-", directory.absolute().name.lower()).strip("-")[:40].rstrip("-")
    with refusals("writing", path):
        directory.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(benchmark_template.template(slug if len(slug) >= 2 else "my-benchmark"))
    return path


def validate_benchmark(directory: Path) -> ValidateView:
    """Read benchmark.toml and parse the data in a worker. Raises ConfigError and EvaluationError."""
    directory = directory.absolute()
    file = benchmark_file.load(directory)

    async def prepare() -> ValidateView:
        with tempfile.TemporaryDirectory(prefix="p2peval-") as out:
            job = Prepare(directory=str(directory), out=out)
            found = await Sandbox(1).run(job, deadline=EVALUATION_DEADLINE)
        return ValidateView(
            directory=str(directory),
            name=file.name,
            version=file.version,
            task=file.task,
            samples=found.samples,
            shape=found.shape,
            dtype=found.dtype,
            per_class=found.per_class,
            metrics=file.metrics,
            group_names=found.group_names,
            per_group=found.per_group,
            conditions=condition_views(file.conditions),
        )

    return trio.run(prepare)


# ── reports ───────────────────────────────────────────────────────────────────────────────────────


def verify_report(path: Path, *, named: Mapping[str, Path], places: Sequence[Path], samples: int | None) -> VerifyView:
    """Check a report or a credential with what is at hand.

    ``path``: the file, or a folder that holds it as report.json among its data; files of a bundle's names in it are
    said to be what they are called. ``named``: files said to be the "model" or the "outputs". ``places``: files and
    folders in which the model, inputs, labels and outputs may be. ``samples``: how many to re-run, None for as many as
    the certificate tells. Raises UsageError for what is no report, StoreError and NotFoundError for files.
    """
    folder = path if path.is_dir() else None
    if folder is not None:
        places, path = (*places, folder), folder / REPORT_NAME
    kind, signed, checklist = check_file(reports.load(path), path)
    if signed.contents is not None and not checklist.failed:
        if folder is not None:
            named = _named_in(folder, wanted(signed.contents)) | dict(named)
        trio.run(_check_data, signed.contents, named, places, samples, checklist)
    return _verify_view(path, kind, signed, checklist)


def _named_in(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """The files in a bundle that are called as one of ``names`` is: altered they fail, and are not passed over."""
    return {name: folder / FILE_NAMES[name] for name in names if (folder / FILE_NAMES[name]).is_file()}


def check_file(data: bytes, path: Path | None = None) -> tuple[str, Signed, Checklist]:
    """Every check that a "report" or "credential" allows by itself.

    ``path``: whence. Raises UsageError for what is neither, and VerificationError for a credential whose report does
    not open.
    """
    document = credentials.recognise(data)
    file = credentials.report_in(document) if document is not None else reports.parse(data, path)
    checklist = Checklist()
    signed = check_signed(file, checklist)
    if document is not None:
        credentials.check(document, file, signed, checklist)
    return "report" if document is None else "credential", signed, checklist


async def _check_data(
    contents: Contents, named: Mapping[str, Path], places: Sequence[Path], samples: int | None, checklist: Checklist
) -> None:
    """In a folder that is gone afterwards: nothing of a stranger's record stays on this machine."""
    blobs = wanted(contents)
    with tempfile.TemporaryDirectory(prefix="p2peval-") as folder:
        shelf = Shelf(BlobStore(Path(folder) / "blobs", 2 * sum(blob.size for blob in blobs.values())))
        found = await trio.to_thread.run_sync(gather, shelf, blobs, named, places, checklist)
        workshop = Workshop(Sandbox(1), shelf, b"", Path(folder))
        await OwnAudit(contents, shelf, workshop, found, checklist).run(samples)


def _verify_view(path: Path, kind: str, signed: Signed, checklist: Checklist) -> VerifyView:
    record, spec, contents = signed.record, signed.spec, signed.contents
    announced = contents.announced.payload if contents and contents.announced else None
    return VerifyView(
        file=str(path),
        kind=kind,
        verified=not checklist.failed,
        record=record.id if record else "",
        task=record.payload.task if record else "",
        benchmark=spec.id if spec else "",
        benchmark_name=spec.payload.name if spec else "",
        model=announced.model.cid if announced else "",
        model_name=announced.model_name if announced else "",
        checks=tuple(checklist.made),
        metrics=metric_views(record.payload.metrics) if record else (),
    )


def export_report(
    source: Path | bytes, to: str, *, out: Path | None, key: Path, hub_dataset: str, hub_task: str
) -> ExportView:
    """The result of a report in the format ``to``: report, eee, hf, vc or csv.

    ``source``: a report file or its bytes. ``out``: where to write it. ``key``: this home's, for a credential.
    ``hub_dataset``: of a benchmark on the Hugging Face Hub, "" for a model card. Raises UsageError,
    NotFoundError, StoreError, and VerificationError for a report that does not hold.
    """
    data, path = (reports.load(source), source) if isinstance(source, Path) else (source, None)
    file, checklist = reports.parse(data, path), Checklist()
    signed = check_signed(file, checklist)
    if signed.record is None or signed.contents is None or checklist.failed:
        failed = next(check for check in checklist.made if check.name == checklist.failed)
        raise VerificationError(f"the report does not hold: {failed.name}: {failed.detail}", hint="p2peval eval verify")
    if to == "report":
        text = reports.text(file).decode()
    else:
        text = _exported(result_of(signed.record.id, signed.contents), file, to, key, hub_dataset, hub_task)
    if out is not None:
        with refusals("writing", out):
            out.write_text(text, encoding="utf-8", newline="")
    shown = "" if out else text
    return ExportView(format=to, record=signed.record.id, file=str(out or ""), text=shown, missing=())


def _exported(result: Result, file: ReportFile, to: str, key: Path, hub_dataset: str, hub_task: str) -> str:
    match to:
        case "eee":
            return _json(every_eval_ever(result))
        case "vc":
            return _json(credentials.sign(result, file, identity.load(key).seed))
        case "csv":
            return table(result)
        case "hf" if hub_dataset:
            return hugging_face.eval_results(result, hub_dataset, hub_task)
        case "hf":
            return hugging_face.model_index(result)
    raise UsageError(f"no format {to!r}", hint="report, eee, hf, vc or csv")


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
