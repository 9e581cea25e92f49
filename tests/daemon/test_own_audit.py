"""Which file is which, which numbers are the same, and what is said of every verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from p2peval.core.parts import Blob, Defined, Interval, MetricReport
from p2peval.core.verdict import Verdict
from p2peval.daemon import own_audit
from p2peval.daemon.own_audit import SAID, gather, metric_problem
from p2peval.daemon.report_views import FAILED
from p2peval.daemon.shelf import Shelf
from p2peval.daemon.verification import Checklist
from p2peval.errors import UsageError
from p2peval.store.blobs import BlobStore


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(BlobStore(tmp_path / "shelf", 10_000))


def blob(tmp_path: Path, data: bytes) -> Blob:
    return BlobStore(tmp_path / "aside", 10_000).add_bytes(data)


def files(folder: Path, **contents: bytes) -> Path:
    folder.mkdir()
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


def test_files_are_known_by_content_wherever_they_lie(tmp_path: Path, shelf: Shelf) -> None:
    blobs = {
        "model": blob(tmp_path, b"model"),
        "inputs": blob(tmp_path, b"inputs"),
        "labels": blob(tmp_path, b"labels"),
    }
    folder = files(tmp_path / "data", x=b"MODEL", y=b"model", z=b"other")
    files(folder / "deeper", a=b"labels")
    assert gather(shelf, blobs, {}, [folder], Checklist()) == {"model", "labels"}
    assert set(shelf.store.stored()) == {blobs["model"].cid, blobs["labels"].cid}


def test_second_copy_and_a_file_of_the_same_size_take_nothing_away(tmp_path: Path, shelf: Shelf) -> None:
    blobs = {"inputs": blob(tmp_path, b"inputs"), "labels": blob(tmp_path, b"labels")}
    folder = files(tmp_path / "data", a=b"inputs", b=b"inputs", c=b"labels", d=b"xxxxxx")
    assert gather(shelf, blobs, {}, [folder], Checklist()) == {"inputs", "labels"}
    assert len(shelf.store.stored()) == 2


def test_one_file_may_be_two_things(tmp_path: Path, shelf: Shelf) -> None:
    same = blob(tmp_path, b"same")
    assert gather(shelf, {"inputs": same, "labels": same}, {}, [files(tmp_path / "d", a=b"same")], Checklist()) == {
        "inputs",
        "labels",
    }


def test_named_file_must_be_what_it_is_named(tmp_path: Path, shelf: Shelf) -> None:
    blobs = {"model": blob(tmp_path, b"model"), "outputs": blob(tmp_path, b"outs!")}
    folder, checklist = files(tmp_path / "data", m=b"outs!"), Checklist()
    assert gather(shelf, blobs, {"model": folder / "m"}, [], checklist) == {"outputs"}
    assert [(check.name, check.state) for check in checklist.made] == [("model", FAILED)]
    assert blobs["model"].cid in checklist.made[0].detail


def test_folder_of_too_many_files_is_refused_before_any_is_read(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_audit, "MAX_VERIFY_FILES", 2)
    folder = files(tmp_path / "data", a=b"1", b=b"2", c=b"3")
    with pytest.raises(UsageError, match="more than 2 files"):
        gather(shelf, {}, {}, [folder], Checklist())


METRIC = MetricReport("accuracy", Defined.VALUE, 900_000_000, Interval(8, 9), Interval(7, 9), "", None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"value_nano": 900_000_002}, ""),
        ({"value_nano": 900_000_003}, "the value of accuracy"),
        ({"audit": Interval(8, 12)}, "the audit interval of accuracy"),
        ({"audit": None}, "the audit interval of accuracy: none was signed"),
        ({"sampling": Interval(4, 9)}, "the sampling interval of accuracy"),
        ({"ambiguity": Interval(1, 2)}, "the ambiguity interval of accuracy"),
        ({"group": "north"}, "other metrics"),
        ({"name": "brier"}, "other metrics"),
        ({"defined": Defined.UNDEFINED}, "other metrics"),
    ],
)
def test_difference_between_signed_and_computed_is_named(change: dict[str, object], says: str) -> None:
    problem = metric_problem([replace(METRIC, **change)], [METRIC])  # type: ignore[arg-type]
    assert problem.startswith(says)
    assert bool(problem) is bool(says)


def test_tolerance_grows_with_the_value() -> None:
    large = replace(METRIC, value_nano=10**16)
    assert not metric_problem([replace(large, value_nano=10**16 + 10**7)], [large])
    assert metric_problem([replace(large, value_nano=10**16 + 10**7 + 2)], [large])


def test_every_verdict_that_is_no_agreement_has_its_words() -> None:
    assert set(SAID) == set(Verdict) - {Verdict.AGREES}
