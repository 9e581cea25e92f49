"""A task's report and all that it speaks of, copied into one folder that ``eval verify`` takes as it is.

Decides the files' names, which are for people, and whom to ask for what is not here: requester, evaluator, author.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import trio

from p2peval.core.parts import Blob
from p2peval.core.record_check import Contents
from p2peval.core.rows import ResultRow, TaskRow
from p2peval.core.types import ObjectId, PeerId
from p2peval.daemon.driver import Driver
from p2peval.daemon.library import Library
from p2peval.daemon.own_audit import wanted
from p2peval.daemon.report_views import BundleView
from p2peval.daemon.reports import REPORT_NAME, Report, ReportFile, compose, open_record, open_spec, text
from p2peval.defaults import DATA_PATIENCE
from p2peval.errors import NetworkError, NotFoundError, UsageError, VerificationError
from p2peval.store.disk import refusals

NAMES = {
    "model": "model.onnx",
    "inputs": "inputs.npy",
    "labels": "labels.npy",
    "groups": "groups.npy",
    "outputs": "outputs.bin",
}


async def report_of(found: TaskRow | ResultRow, driver: Driver, network: str) -> ReportFile:
    """The report of a task of ours or of somebody else's. Raises NotFoundError before it has a record."""
    if not found.record:
        raise NotFoundError(f"task {found.key} has no record yet", hint=f"p2peval eval show {found.key}")
    record, benchmark = ObjectId(found.record), ObjectId(found.benchmark)
    held = await trio.to_thread.run_sync(driver.envelopes, (record, benchmark))
    return compose(held[record], held[benchmark], network)


async def write_bundle(directory: Path, file: ReportFile, library: Library) -> BundleView:
    """Fill ``directory``, which must be new or empty. Raises UsageError and StoreError."""
    report = Report(open_record(file), open_spec(file))
    contents = report.contents()
    await trio.to_thread.run_sync(_prepare, directory)
    files, missing = [REPORT_NAME], []
    with refusals("writing", directory / REPORT_NAME):
        (directory / REPORT_NAME).write_bytes(text(file))
    for name, blob in wanted(contents).items():
        reason = await _have(library, blob, _holders(contents))
        if reason:
            missing.append(f"{NAMES[name]}: {reason}")
            continue
        held = await library.path(blob.cid)
        await trio.to_thread.run_sync(_copy, Path(held), directory / NAMES[name])
        files.append(NAMES[name])
    return BundleView(directory=str(directory), record=report.record.id, files=tuple(files), missing=tuple(missing))


def _holders(contents: Contents) -> tuple[PeerId, ...]:
    evaluators = (contents.accepted.signer,) if contents.accepted else ()
    return tuple(dict.fromkeys((*evaluators, contents.record.author, contents.spec.author)))


async def _have(library: Library, blob: Blob, holders: tuple[PeerId, ...]) -> str:
    """Why it cannot be had, or ""."""
    with trio.move_on_after(DATA_PATIENCE) as waited:
        try:
            await library.have(blob, holders)
        except (NetworkError, VerificationError) as error:
            return error.message
    return f"it did not arrive within {DATA_PATIENCE:g} s" if waited.cancelled_caught else ""


def _prepare(directory: Path) -> None:
    with refusals("creating", directory):
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(f"{directory} is not empty", hint="give a new folder")


def _copy(source: Path, target: Path) -> None:
    with refusals("writing", target):
        shutil.copyfile(source, target)
