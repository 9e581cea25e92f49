"""The whole of p2peval, end to end: five real daemons, three real models, one liar, and how the demo ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import onnxruntime
import pytest
from msgspec.structs import replace

from p2peval.cli.contract import FOLDER, DemoView
from p2peval.cli.demo import claims, play
from p2peval.cli.demo.teller import Teller
from p2peval.cli.options import Options
from p2peval.cli.output import Output
from p2peval.daemon.views import MetricView
from p2peval.errors import VerificationError

BUDGET = 90.0  # seconds on two cores; spec


@dataclass(frozen=True)
class Played:
    """A demo that has ended well."""

    view: DemoView
    raw: Any
    seconds: float
    left: list[int]
    """Processes of it that still run."""


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "p2peval", "--home", str(folder), "demo", *words]


def processes_of(folder: Path, name: str = "") -> list[int]:
    """Pids whose command line names a path inside ``folder``: the daemons, or the one called ``name``."""
    home = os.fsencode(folder) + b"/" + os.fsencode(name)
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(word == home if name else word.startswith(home) for word in words.split(b"\0")):
            found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    start = time.monotonic()
    result = subprocess.run(command(folder, "--json"), capture_output=True, text=True, timeout=300, check=False)
    seconds = time.monotonic() - start
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    raw = msgspec.json.decode(result.stdout)
    return Played(msgspec.convert(raw["data"], DemoView), raw, seconds, processes_of(folder))


def test_demo_proves_all_it_claims_within_its_time(played: Played) -> None:
    jsonschema.validate(played.raw, msgspec.json.decode((FOLDER / "demo.json").read_bytes()))
    assert len(played.view.claims) >= 13
    assert all(claim.held for claim in played.view.claims)
    assert played.seconds < BUDGET, played.view.seconds
    assert played.left == []


def test_demo_has_every_way_to_join_and_one_liar(played: Played) -> None:
    peers = played.view.peers
    assert [peer.joined for peer in peers] == ["published", *["by invitation"] * 2, *["by topic name"] * 2]
    assert [peer.lies for peer in peers] == [False] * 4 + [True]
    assert len({peer.peer for peer in peers}) == 5


def test_board_says_what_onnxruntime_says_of_the_same_samples(played: Played) -> None:
    view = played.view
    with np.load(Path(view.folder) / "digits" / "digits.npz") as arrays:
        images, digits = arrays["images"], arrays["digits"]
    assert images.shape == (1797, 64)
    assert len(view.board.lines) == 3
    for line in view.board.lines:
        session = onnxruntime.InferenceSession(Path(view.folder) / "models" / f"{line.model_name}.onnx")
        wrong = np.flatnonzero(session.run(["probabilities"], {"input": images})[0].argmax(axis=1) != digits)
        (accuracy,) = (metric.value for metric in line.metrics if metric.name == "accuracy")
        assert accuracy == pytest.approx(1 - len(wrong) / 1797, abs=1e-9)
        assert 0 < len(wrong) < 180, "a model that is never or mostly wrong shows nothing"


def test_liar_is_caught_at_samples_that_differ_and_nobody_else_is(played: Played) -> None:
    first = played.view.tasks[0]
    (liar,) = (replica for replica in first.replicas if replica.state == "differs")
    assert liar.evaluator.name == "mallory"
    assert liar.differing
    assert {replica.state for replica in first.replicas if replica is not liar} == {"agrees"}
    assert first.certificate is not None
    assert (first.certificate.audited, first.certificate.samples, first.certificate.attempts) == (507, 1797, 1)


def test_who_was_right_before_is_audited_less_and_the_board_says_so(played: Played) -> None:
    for task in played.view.tasks[1:]:
        c = task.certificate
        assert c is not None
        assert c.streak in (1, 2)
        assert (c.audited, c.samples, c.basis) == ({1: 351, 2: 319}[c.streak], 1797, "record")
        assert [replica.because for replica in task.replicas] == [f"{c.streak} accepted in a row"]


def test_play_leaves_homes_logs_and_reports_to_look_at(played: Played) -> None:
    for peer in played.view.peers:
        assert "Traceback" not in (Path(peer.home) / "daemon.log").read_text()
    assert "made up 53 of 1797 outputs" in (Path(played.view.folder) / "mallory" / "daemon.log").read_text()
    assert all(Path(report).is_file() for report in played.view.reports)


# ── claims that do not hold ───────────────────────────────────────────────────────────────────────


def off_by_one_sample(view: DemoView) -> DemoView:
    first, *rest = view.board.lines

    def worse(metric: MetricView) -> MetricView:
        return replace(metric, value=(metric.value or 0.0) - 1 / 1797) if metric.name == "accuracy" else metric

    line = replace(first, metrics=tuple(map(worse, first.metrics)))
    return replace(view, board=replace(view.board, lines=(line, *rest)))


def certified_with_less(view: DemoView) -> DemoView:
    first, *rest = view.board.lines
    assert first.certificate is not None
    line = replace(first, certificate=replace(first.certificate, audited=403))
    return replace(view, board=replace(view.board, lines=(line, *rest)))


def liar_believed(view: DemoView) -> DemoView:
    return replace(view, reputation=tuple(replace(seen, reputation=0.6) for seen in view.reputation))


def liar_asked_again(view: DemoView) -> DemoView:
    first, second, third = view.tasks
    return replace(view, tasks=(first, second, replace(third, replicas=first.replicas)))


def liar_overlooked(view: DemoView) -> DemoView:
    first, *rest = view.tasks
    return replace(view, tasks=(replace(first, replicas=()), *rest))


def honest_peer_blamed(view: DemoView) -> DemoView:
    return replace(view, reputation=tuple(replace(seen, agreed=0.5) for seen in view.reputation))


def board_differs_elsewhere(view: DemoView) -> DemoView:
    return replace(view, claimed=off_by_one_sample(replace(view, board=view.claimed)).board)


def report_missing(view: DemoView) -> DemoView:
    first, *rest = view.tasks
    return replace(view, tasks=(replace(first, report=first.report + ".gone"), *rest))


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (lambda view: view, ""),
        (off_by_one_sample, "accuracy of"),
        (certified_with_less, "certificate of"),
        (liar_believed, "reputation of mallory"),
        (liar_asked_again, "mallory asked after that"),
        (liar_overlooked, "mallory at its first audit"),
        (honest_peer_blamed, "honest peers blamed"),
        (board_differs_elsewhere, "same lines"),
        (report_missing, "reports"),
    ],
    ids=lambda value: getattr(value, "__name__", "").strip("<>"),
)
def test_claim_that_does_not_hold_is_found(played: Played, spoil: Callable[[DemoView], DemoView], broken: str) -> None:
    right = {
        line.model_name: round(1797 * next(m.value or 0.0 for m in line.metrics if m.name == "accuracy"))
        for line in played.view.board.lines
    }
    found = claims.check(spoil(played.view), right, {"ada": 0})
    wrong = {claim.name for claim in found if not claim.held}
    assert bool(wrong) is bool(broken)
    assert any(name.startswith(broken) for name in wrong) or not broken


def test_broken_claim_is_an_error_of_its_own_exit_code(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    view = replace(played.view, claims=claims.check(liar_believed(played.view), {}, {"ada": 0}))
    out = Output(Options(json=True))
    with pytest.raises(VerificationError, match=r"1 of \d+ claims did not hold: reputation of mallory") as caught:
        play.show(out, Teller(out), view)
    assert caught.value.exit_code == 5
    assert capsys.readouterr().out == "", "no answer beside an error"


def test_daemon_that_had_to_be_killed_breaks_a_claim(played: Played) -> None:
    found = claims.check(played.view, {}, {"ada": 0, "bob": -9})
    assert [claim.name for claim in found if not claim.held] == ["exit codes of the daemons"]


# ── ends before its end ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo whose bootstrap peer answers, in tmp_path/demo."""
    demo = subprocess.Popen(
        command(tmp_path / "demo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert demo.stdout is not None
        assert "started" in demo.stdout.readline()
        assert processes_of(tmp_path / "demo")
        yield demo
    finally:
        demo.kill()
        demo.communicate()
        for pid in processes_of(tmp_path / "demo"):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_no_daemon_behind(
    started: subprocess.Popen[str], number: signal.Signals, tmp_path: Path
) -> None:
    started.send_signal(number)
    _, complaint = started.communicate(timeout=60)
    assert started.returncode == 130, complaint
    assert processes_of(tmp_path / "demo") == []
    assert str(tmp_path / "demo") in complaint, "where the logs are"
    assert "Traceback" not in complaint


def test_killed_demo_takes_its_daemons_along(started: subprocess.Popen[str], tmp_path: Path) -> None:
    ended = [os.pidfd_open(pid) for pid in processes_of(tmp_path / "demo")]
    started.kill()
    for daemon in ended:
        assert wait_for_end(daemon, 20.0)
        os.close(daemon)


@pytest.mark.slow
def test_daemon_that_dies_is_named_with_the_end_of_its_log(started: subprocess.Popen[str], tmp_path: Path) -> None:
    (ada,) = processes_of(tmp_path / "demo", "ada")
    os.kill(ada, signal.SIGKILL)
    out, complaint = started.communicate(timeout=120)
    assert started.returncode == 1, out + complaint
    assert re.search(r"error: ada's daemon was killed by SIGKILL; its log ends:\n.*listening on", complaint)
    assert str(tmp_path / "demo" / "ada" / "daemon.log") in complaint
    assert processes_of(tmp_path / "demo") == []


def wait_for_end(daemon: int, patience: float) -> bool:
    watch = select.poll()
    watch.register(daemon, select.POLLIN)
    return bool(watch.poll(patience * 1000))
