"""Every command against the real server, with a scripted Service behind it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
from msgspec.structs import replace

from p2peval.cli.contract import ANSWERS, FOLDER, text
from p2peval.daemon.views import ConditionView
from p2peval.errors import NotFoundError, UsageError
from tests.cli.conftest import Shell
from tests.cli.scripted import ACCURACY, ANN, BENCH, BENCHMARK, CERTIFICATE, TASK, Scripted, event, replica, task

ASKING = {
    "status": ("status",),
    "id.show": ("id", "show"),
    "peers.ls": ("peers", "ls"),
    "peers.connect": ("peers", "connect", "/ip4/127.0.0.1/tcp/1/p2p/x"),
    "bench.publish": ("bench", "publish", "."),
    "bench.ls": ("bench", "ls"),
    "bench.show": ("bench", "show", "digits"),
    "bench.invite": ("bench", "invite", "digits"),
    "bench.join": ("bench", "join", "digits"),
    "bench.leave": ("bench", "leave", "digits"),
    "bench.reveal": ("bench", "reveal", "digits"),
    "eval.preview": ("eval", "preview", "digits", "MODEL"),
    "eval.run": ("eval", "run", "digits", "MODEL"),
    "eval.ls": ("eval", "ls"),
    "eval.show": ("eval", "show", TASK),
    "eval.rescore": ("eval", "rescore", TASK, "--metric", "accuracy"),
    "eval.probe": ("eval", "probe", TASK),
    "eval.export": ("eval", "export", TASK, "--to", "bundle", "--out", "bundle"),
    "eval.cancel": ("eval", "cancel", TASK),
    "board": ("board", "digits"),
    "rep.ls": ("rep", "ls", "--bench", "digits"),
    "rep.show": ("rep", "show", "Kq9f"),
    "rep.explain": ("rep", "explain", "Kq9f"),
    "rep.bound": ("rep", "bound", "Kq9f"),
    "rep.export": ("rep", "export"),
    "rep.trust": ("rep", "trust", "Kq9f", "--for", "30d", "--note", "met"),
    "rep.distrust": ("rep", "distrust", "Kq9f"),
    "rep.forget": ("rep", "forget", "Kq9f"),
    "peers.name": ("peers", "name", "Kq9f", "annie"),
    "events": ("events",),
}
ALONE = {
    "version",
    "paths",
    "init",
    "doctor",
    "stop",
    "bench.init",
    "bench.validate",
    "eval.verify",
    "demo",
    "sim.lab",
    "sim.ls",
    "sim.run",
    "sim.tables",
    "sim.paper",
    "sim.papers",
    "sim.population",
    "sim.replay",
}
"""Answers without a Service behind them; see test_alone.py, test_verify.py, test_demo.py, test_sim_*.py."""


@pytest.fixture
def model(tmp_path: Path) -> str:
    file = tmp_path / "logreg.onnx"
    file.write_bytes(b"onnx")
    return str(file)


def words(name: str, model: str) -> list[str]:
    return [model if word == "MODEL" else word for word in ASKING[name]]


def test_every_answer_is_asked_for_here_or_alone() -> None:
    assert set(ASKING) | ALONE == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_schema_file_says_what_its_type_says(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text(name), "python -m p2peval.cli.contract"


@pytest.mark.parametrize("name", ASKING)
def test_json_output_fits_its_own_schema(name: str, shell: Shell, service: Scripted, model: str) -> None:
    service.kept = [event(1, "peer.up", ANN)]
    answer = shell.json(*words(name, model))
    assert answer["schema"] == f"p2peval.{name}/1"
    jsonschema.validate(answer, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("flag", ["--no-color", "--plain"])
def test_people_get_text_without_terminal_codes(
    name: str, flag: str, shell: Shell, service: Scripted, model: str
) -> None:
    service.kept = [event(1, "peer.up", ANN)]
    result = shell.run(*words(name, model), flag)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip()
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_board_ranks_no_claim(shell: Shell, service: Scripted) -> None:
    _, mine, trusted, claimed = shell.run("board", "digits").stdout.splitlines()
    assert trusted.split()[0] == "-"
    assert "trusted 2 (4.1 % miss)" in trusted
    assert mine.split()[:4] == ["1", "logreg", "bafk…elmo", "0.9417"]
    assert "±0.010 (99 %)" in mine
    assert "404/1797" in mine
    assert claimed.split()[0] == "-"
    assert "claimed" in claimed


def test_metrics_of_a_result_stand_in_columns(shell: Shell, service: Scripted, model: str) -> None:
    longer = replace(ACCURACY, name="balanced_accuracy")
    service.states = [task("accepted", metrics=(ACCURACY, longer))]
    first, second, _ = shell.run("eval", "run", "digits", model).stdout.splitlines()
    assert first.endswith("me")
    assert [first.index(word) for word in ("audit", "sampling")] == [second.index(w) for w in ("audit", "sampling")]


def test_perturbed_copies_are_told_from_the_samples(shell: Shell, service: Scripted) -> None:
    assert ["samples", "1797"] in [line.split() for line in shell.run("bench", "show", "digits").stdout.splitlines()]
    noise = ConditionView(name="noise", kind="gaussian_noise", level=0.1, seed=1)
    service.shown = replace(BENCHMARK, samples=3594, conditions=(noise,))
    assert "3594: 1797, and again for each perturbation" in shell.run("bench", "show", "digits").stdout


def test_join_passes_roles_and_patience_on(shell: Shell, service: Scripted) -> None:
    shell.run("bench", "join", "digits", "--no-evaluate", "--timeout", "2m")
    assert service.calls == [("join", "digits", False, True, 120.0)]


def test_run_passes_an_absolute_path_and_its_options_on(shell: Shell, service: Scripted, model: str) -> None:
    shell.run("eval", "run", "digits", model, "--epsilon", "0.02", "--replicas", "2", "--name", "x", "--detach")
    assert service.calls == [("start_task", "digits", model, "x", 0.02, None, 2, False)]


def test_certify_is_sent_and_a_result_by_record_is_not_enough_for_it(
    shell: Shell, service: Scripted, model: str
) -> None:
    by_record = replace(CERTIFICATE, epsilon=0.14, audited=97, basis="record", streak=30)
    service.states = [task("accepted", certificate=by_record)]
    result = shell.run("eval", "run", "digits", model, "--certify")
    assert result.exit_code == 5
    assert "too little was audited" in result.stderr
    assert service.calls[0][-1] is True
    assert shell.run("eval", "run", "digits", model).exit_code == 0
    service.states = [task("accepted")]
    assert shell.run("eval", "run", "digits", model, "--certify").exit_code == 0


def test_certify_under_a_rule_that_re_runs_nothing_says_which_rule_would(
    shell: Shell, service: Scripted, model: str
) -> None:
    service.states = [task("accepted", certificate=None)]
    result = shell.run("eval", "run", "digits", model, "--certify")
    assert result.exit_code == 5
    assert "nothing was re-run" in result.stderr
    assert 'only checking = "audit" certifies' in result.stderr


def test_show_says_why_so_much_was_checked_and_what_stands_behind_the_number(shell: Shell, service: Scripted) -> None:
    by_record = replace(CERTIFICATE, epsilon=0.14, audited=97, basis="record", streak=30)
    told = {"why": "streak", "numbers": {"streak": 30.0}, "because": "30 accepted in a row", "drawn": 97, "audited": 97}
    service.states = [task("accepted", certificate=by_record, replicas=(replica("agrees", **told),))]
    shown = shell.run("eval", "show", TASK).stdout
    assert "30 accepted in a row: 97 of 1797" in shown
    assert "97 of 1797 samples, by record, k=30: a lie on more than 1 %" in shown
    assert "at most 1 % of what liars evaluate" in shown
    assert "eval run … --certify" in shown
    (line,) = shell.json("eval", "show", TASK)["data"]["replicas"]
    assert (line["why"], line["numbers"]) == ("streak", {"streak": 30.0})


def test_run_follows_until_the_task_is_over(shell: Shell, service: Scripted, model: str) -> None:
    service.states = [task("assigned", replicas=(replica("assigned"),)), task("auditing"), task("accepted")]
    result = shell.run("eval", "run", "digits", model)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "accepted  accuracy 0.9417   audit ±0.010 (99 %, certified)   sampling 0.930–0.952 (95 %)   me",
        "report    /home/bob/reports/bafkreirecord.json",
    ]
    assert [call[0] for call in service.calls] == ["start_task", "task", "task", "task"]


def test_run_ends_with_every_metric_and_both_intervals_under_json(shell: Shell, service: Scripted, model: str) -> None:
    (metric,) = shell.json("eval", "run", "digits", model)["data"]["metrics"]
    assert metric["value"] == ACCURACY.value
    assert metric["audit"] == {"low": 0.9317, "high": 0.9517}
    assert metric["sampling"] == {"low": 0.93, "high": 0.952}


def test_fewer_evaluators_than_asked_for_are_said(shell: Shell, service: Scripted, model: str) -> None:
    service.states = [task("accepted", wanted=3, offers=2, replicas=(replica("agrees"), replica("differs")))]
    assert "note: 1 of 3 evaluators stand behind it; 2 had offered" in shell.run("eval", "run", "digits", model).stderr
    service.states = [task("accepted", wanted=1, replicas=(replica("agrees"),))]
    assert shell.run("eval", "run", "digits", model).stderr == ""


def test_advice_can_be_pasted(shell: Shell, service: Scripted, tmp_path: Path) -> None:
    drafted = shell.run("bench", "init", str(tmp_path / "my data"))
    assert f"p2peval --home {shell.folder} bench validate '{tmp_path / 'my data'}'" in drafted.stderr
    again = shell.run("bench", "init", str(tmp_path / "my data"))
    assert f"p2peval --home {shell.folder} bench validate '{tmp_path / 'my data'}'" in again.stderr
    assert shell.run("bench", "publish", "x").stderr.endswith("bench invite digits\n")
    service.published = replace(BENCHMARK, version=2)
    assert shell.run("bench", "publish", "x").stderr.endswith(f"bench invite {BENCH}\n")


def test_a_command_that_is_only_talked_about_keeps_its_words(shell: Shell, service: Scripted) -> None:
    service.errors["join"] = UsageError("cut short", hint="paste what `p2peval bench invite` printed")
    assert "paste what `p2peval bench invite` printed" in shell.run("bench", "join", "x").stderr


def test_id_alone_shows_it(shell: Shell, service: Scripted) -> None:
    assert shell.run("id").stdout == shell.run("id", "show").stdout != ""


def test_failed_task_is_an_error(shell: Shell, service: Scripted, model: str) -> None:
    service.states = [task("failed", reason="no_evaluator")]
    result = shell.run("eval", "run", "digits", model)
    assert result.exit_code == 1
    assert "no_evaluator" in result.stderr
    assert f"p2peval --home {shell.folder} eval show {TASK}" in result.stderr


def test_task_that_failed_over_a_lie_is_a_failed_verification(shell: Shell, service: Scripted, model: str) -> None:
    service.states = [task("failed", reason="attempts", replicas=(replica("differs", differing=(3,)),))]
    assert shell.run("eval", "run", "digits", model).exit_code == 5


def test_certify_refuses_a_metric_without_an_audit_interval(shell: Shell, service: Scripted, model: str) -> None:
    from msgspec.structs import replace

    service.states = [task("accepted", metrics=(ACCURACY, replace(ACCURACY, name="rmse", audit=None)))]
    assert shell.run("eval", "run", "digits", model).exit_code == 0
    result = shell.run("eval", "run", "digits", model, "--certify")
    assert result.exit_code == 5
    assert "rmse" in result.stderr


def test_run_gives_up_after_its_timeout(
    shell: Shell, service: Scripted, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that jumps at every look: a minute is for the service to answer in, however busy the machine."""
    service.states = [task("assigned")]
    jumping = SimpleNamespace(monotonic=count(0.0, 40.0).__next__)
    monkeypatch.setattr("p2peval.cli.progress.time", jumping)
    result = shell.run("eval", "run", "digits", model, "--timeout", "60s")
    assert result.exit_code == 7
    assert "after 60 s (offers 4)" in result.stderr
    assert "goes on" in result.stderr


def test_events_are_one_object_a_line(shell: Shell, service: Scripted) -> None:
    service.kept = [event(n, "peer.up", ANN) for n in (1, 2, 3)]
    lines = shell.run("events", "--after", "1", "--json").stdout.splitlines()
    assert [json.loads(line)["data"]["id"] for line in lines] == [2, 3]


def test_events_say_yes_and_no(shell: Shell, service: Scripted) -> None:
    service.kept = [replace(event(1, "task.audited", TASK), data={"agrees": True, "late": False})]
    assert shell.run("events").stdout.rstrip().endswith("agrees=yes  late=no")


def test_croissant_is_printed_as_it_is_for_other_programs(shell: Shell, service: Scripted) -> None:
    result = shell.run("bench", "show", "digits", "--croissant")
    assert json.loads(result.stdout) == {"@type": "sc:Dataset", "name": "digits"}
    assert service.calls == [("croissant", "digits")]


def test_refusal_keeps_its_exit_code_and_hint(shell: Shell, service: Scripted) -> None:
    service.errors["benchmark"] = NotFoundError("no benchmark called nope", hint="p2peval bench ls")
    result = shell.run("bench", "show", "nope")
    assert result.exit_code == 6
    assert result.stderr == f"error: no benchmark called nope\nhint: p2peval --home {shell.folder} bench ls\n"
    assert result.stdout == ""


def test_refusal_under_json_is_one_object(shell: Shell, service: Scripted) -> None:
    service.errors["join"] = UsageError("digits is claimed by two", hint=f"{BENCH} by ann")
    result = shell.run("bench", "join", "digits", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "error": {
            "code": "usage",
            "message": "digits is claimed by two",
            "hint": f"{BENCH} by ann",
            "retryable": False,
        }
    }


def test_bug_in_the_daemon_is_an_error_without_its_traceback(shell: Shell, service: Scripted) -> None:
    service.errors["status"] = RuntimeError("secret detail")
    result = shell.run("status")
    assert result.exit_code == 1
    assert "secret" not in result.output


def test_wrong_token_is_not_authorised(shell: Shell, service: Scripted) -> None:
    (shell.folder / "token").write_text("wrong")
    assert shell.run("status").exit_code == 8


def test_no_answer_in_time_exits_7(shell: Shell, service: Scripted) -> None:
    service.hang = True
    assert shell.run("status", "--timeout", "0.2").exit_code == 7


@pytest.mark.parametrize("ref", ["", "../status", "a/b", "é?x=1#y"])
def test_odd_names_reach_the_service_whole_or_are_refused(ref: str, shell: Shell, service: Scripted) -> None:
    result = shell.run("bench", "show", ref)
    assert result.exit_code in (0, 2, 6)
    assert service.calls in ([], [("benchmark", ref)])
