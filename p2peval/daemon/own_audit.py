"""What a report's numbers are worth in one's own eyes: outputs, metrics, and a re-run of samples drawn here.

Decides what each check needs and what to give for one that lacks it. Files are known by their content, never
by their name; they are copied to a shelf of this check's own, so that nothing changes under it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import trio

from p2peval.core import audit
from p2peval.core.benchmark import data_of, labels_of, width
from p2peval.core.commitment import output_root
from p2peval.core.effects import Compare
from p2peval.core.events import ComparisonFailed
from p2peval.core.messages import Reveal, Sealed
from p2peval.core.outputs import from_bytes
from p2peval.core.parts import Blob, Interval, MetricReport, Tolerance
from p2peval.core.record_check import Contents
from p2peval.core.types import NANO, from_nano
from p2peval.core.verdict import Verdict
from p2peval.daemon.report_views import FAILED, OK, OPEN
from p2peval.daemon.shelf import Shelf
from p2peval.daemon.story import percent
from p2peval.daemon.verification import Checklist
from p2peval.daemon.workshop import NOT_DONE, Workshop
from p2peval.defaults import MAX_VERIFY_FILES, METRIC_ATOL, METRIC_RTOL
from p2peval.errors import UsageError
from p2peval.store.disk import refusals
from p2peval.wire.ids import public_key_of

SAID = {
    Verdict.DIFFERS: "they are not what the model says",
    Verdict.NOT_AUTHENTIC: "the outputs are not those that were committed to",
    Verdict.DOUBTFUL: "not the same, yet not by enough to blame anybody: another machine may round otherwise",
    Verdict.BATCH_DEPENDENT: "invalid model: a sample's output depends on the others in its batch",
    Verdict.ILL_CONDITIONED: "invalid model: rounding alone moves its outputs too far",
}

FILE_NAMES = {
    "model": "model.onnx",
    "inputs": "inputs.npy",
    "labels": "labels.npy",
    "groups": "groups.npy",
    "outputs": "outputs.bin",
}
"""What the files of a bundle are called, by what they are."""

ANY_CLASS = ""
"""No machine's equivalence class: outputs of it are scored within the tolerance given."""


def wanted(contents: Contents) -> dict[str, Blob]:
    """What can be checked against, by what it is; labels and groups only where they are public."""
    blobs = {"model": contents.announcement.model, **data_of(contents.spec)}
    if contents.accepted is not None:
        blobs["outputs"] = contents.accepted.payload.outputs
    return blobs


# ── files ─────────────────────────────────────────────────────────────────────────────────────────


def gather(
    shelf: Shelf, blobs: Mapping[str, Blob], named: Mapping[str, Path], places: Sequence[Path], checklist: Checklist
) -> set[str]:
    """Put on the shelf what of ``blobs`` is in the ``named`` files or in the ``places``; the names of what is there.

    A named file that is something else fails its check; in a folder it is passed over.
    """
    found: set[str] = set()
    for name, path in named.items():
        taken = _take(shelf, path, blobs)
        if name not in taken:
            said = f"{blobs[name].cid} of {blobs[name].size} bytes" if name in blobs else "nothing of this kind"
            checklist.note(name, FAILED, f"{path} is not what was signed for: {said}")
        found |= taken
    for path in _files(places):
        found |= _take(shelf, path, blobs)
    return found


def _take(shelf: Shelf, path: Path, blobs: Mapping[str, Blob]) -> set[str]:
    """Which of ``blobs`` the file is; it stays on the shelf if it is one. Raises StoreError."""
    with refusals("reading", path):
        size = path.stat().st_size
    if not any(blob.size == size for blob in blobs.values()):
        return set()
    held = shelf.store.add_file(path)
    same = {name for name, blob in blobs.items() if blob == held}
    if not same:
        shelf.store.delete(held.cid)
    return same


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            yield place
            continue
        files = list(islice((path for path in place.rglob("*") if path.is_file()), MAX_VERIFY_FILES + 1))
        if len(files) > MAX_VERIFY_FILES:
            raise UsageError(f"{place} holds more than {MAX_VERIFY_FILES} files", hint="name the folder or files meant")
        yield from sorted(files)


# ── checks ────────────────────────────────────────────────────────────────────────────────────────


class OwnAudit:
    """The checks of one accepted record against the files that ``found`` names, which lie on ``shelf``."""

    def __init__(
        self, contents: Contents, shelf: Shelf, workshop: Workshop, found: set[str], checklist: Checklist
    ) -> None:
        self._contents = contents
        self._shelf = shelf
        self._workshop = workshop
        self._found = found
        self._checklist = checklist

    async def run(self, samples: int | None) -> None:
        """``samples``: how many to re-run; None takes the certificate's own count."""
        reveal = self._contents.accepted
        if reveal is None:
            for name in ("outputs", "metrics", "audit"):
                self._checklist.note(name, OPEN, "the task failed: there is no result to check")
            return
        if self._has("outputs", "outputs"):
            await self._root(reveal)
        if self._contents.spec.labels is None:
            self._checklist.note("metrics", OPEN, "the labels are not public: only the benchmark's author can score")
        elif self._has("metrics", "outputs", *labels_of(self._contents.spec)):
            await self._metrics(reveal)
        if self._has("audit", "model", "inputs", "outputs"):
            await self._audit(reveal, samples)

    def _has(self, check: str, *needs: str) -> bool:
        """Whether it can be made; if not, say what to give."""
        blobs = wanted(self._contents)
        lacking = [
            f"the {name} ({blobs[name].cid}, {blobs[name].size} bytes)" for name in needs if name not in self._found
        ]
        if self._checklist.failed:
            if all(made.name != check for made in self._checklist.made):
                self._checklist.note(check, OPEN, f"not gone into, since {self._checklist.failed} failed")
        elif lacking:
            self._checklist.note(check, OPEN, f"give --data with {' and '.join(lacking)}")
        return not self._checklist.failed and not lacking

    async def _root(self, reveal: Sealed[Reveal]) -> None:
        spec, shown = self._contents.spec, reveal.payload
        path = await self._shelf.path(shown.outputs.cid)

        def root() -> bytes:
            data = Path(path).read_bytes()
            rows = from_bytes(data, spec.samples, width(spec), spec.model_output.dtype)
            return output_root(rows, public_key_of(reveal.signer))

        if await trio.to_thread.run_sync(root) == shown.root:
            self._checklist.note(
                "outputs", OK, f"the root over {spec.samples} outputs is what {reveal.signer} committed to"
            )
        else:
            self._checklist.note("outputs", FAILED, "the outputs do not have the root that was committed to")

    async def _metrics(self, reveal: Sealed[Reveal]) -> None:
        """Intervals allow for the benchmark's tolerance, or for none where the requester's machine was of the
        evaluator's class: of which it was, the record does not say, so either may be signed."""
        spec, delta = self._contents.spec, self._contents.announcement.delta_nano
        wrong = ""
        for tolerance in (Tolerance(0, 0), spec.tolerance):
            within = replace(spec, tolerance=tolerance)
            try:
                answer = await self._workshop.rescore(within, reveal.payload.outputs, ANY_CLASS, spec.metrics, delta)
            except NOT_DONE as error:
                return self._checklist.note("metrics", FAILED, f"they could not be computed: {error.message}")
            computed = answer.metrics
            if self._contents.record.certificate is None:  # then no interval says what a lie could have moved
                computed = tuple(replace(report, audit=None) for report in computed)
            wrong = metric_problem(self._contents.record.metrics, computed)
            if not wrong:
                detail = "computed anew from outputs and labels: the same values and intervals"
                return self._checklist.note("metrics", OK, detail)
        self._checklist.note("metrics", FAILED, wrong)

    async def _audit(self, reveal: Sealed[Reveal], samples: int | None) -> None:
        spec, certificate = self._contents.spec, self._contents.record.certificate
        drawn = min(spec.samples, samples or (certificate.audited if certificate else spec.samples))
        shown, asked = reveal.payload, self._contents.announcement
        seen = await self._workshop.compare(
            Compare(
                id="verify",
                task=self._contents.record.task,
                assignment=shown.assignment,
                evaluator=reveal.signer,
                spec=replace(spec, labels=None),  # metrics are a check of their own
                model=asked.model,
                outputs=shown.outputs,
                root=shown.root,
                equivalence_class=shown.equivalence_class,
                others=(),
                nonce=secrets.token_bytes(32),
                drawn=drawn,
                delta_nano=asked.delta_nano,
            )
        )
        if isinstance(seen, ComparisonFailed):
            return self._checklist.note("audit", FAILED, f"the model could not be re-run here: {seen.reason}")
        if seen.verdict is Verdict.AGREES:
            return self._checklist.note("audit", OK, _agrees(spec.samples, seen.audited, asked.delta_nano))
        detail = f"of {seen.audited} samples, drawn and re-run here, {len(seen.differing)} differ: {SAID[seen.verdict]}"
        self._checklist.note("audit", OPEN if seen.verdict is Verdict.DOUBTFUL else FAILED, detail)


def _agrees(samples: int, audited: int, delta_nano: int) -> str:
    missed = audit.miss_probability(samples, min(samples, samples * delta_nano // NANO + 1), audited)
    return (
        f"{audited} of {samples} samples, drawn and re-run here, 0 differ: a lie on more than "
        f"{percent(from_nano(delta_nano))} of the outputs would have escaped with p ≤ {percent(missed)}"
    )


def metric_problem(signed: Sequence[MetricReport], computed: Sequence[MetricReport]) -> str:
    """Which signed number the computed ones contradict, in words, or "": values and both intervals."""
    if [(m.name, m.group, m.defined) for m in signed] != [(m.name, m.group, m.defined) for m in computed]:
        return "other metrics, or other undefined ones, follow from the outputs"
    for said, true in zip(signed, computed, strict=True):
        for what, a, b in _numbers(said, true):
            if not _same(a, b):
                shown = (f"{from_nano(x):.9g}" if x is not None else "none" for x in (a, b))
                return "{} of {}: {} was signed, {} follows from the outputs".format(what, said.name, *shown)
    return ""


def _numbers(said: MetricReport, true: MetricReport) -> Iterator[tuple[str, int | None, int | None]]:
    yield "the value", said.value_nano, true.value_nano
    for what in ("audit", "sampling", "ambiguity"):
        for a, b in zip(_ends(getattr(said, what)), _ends(getattr(true, what)), strict=True):
            yield f"the {what} interval", a, b


def _ends(interval: Interval | None) -> tuple[int | None, int | None]:
    return (interval.low_nano, interval.high_nano) if interval else (None, None)


def _same(a: int | None, b: int | None) -> bool:
    """Within max(2e-9, 1e-9·|b|)."""
    if a is None or b is None:
        return a is b
    return abs(a - b) <= max(METRIC_ATOL * NANO, METRIC_RTOL * abs(b))
