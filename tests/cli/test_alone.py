"""What a command does when no daemon runs, in a process of its own: exit codes, files, signals."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from p2peval.cli.contract import FOLDER
from tests.cli.conftest import Shell
from tests.cli.scripted import Scripted, home, replica, serving, task


def p2peval(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "p2peval", "--home", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def fits(name: str, text: str) -> None:
    jsonschema.validate(json.loads(text), json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def test_alone_it_prints_help(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-m", "p2peval"], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "eval" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["status"], 3, "start one: p2peval --home /"),
        (["status", "--api", "127.0.0.1:1"], 3, "no daemon answers"),
        (["status", "--api", "8.8.8.8:80"], 2, "loopback"),
        (["evl", "ls"], 2, "did you mean eval?"),
        (["eval", "rn"], 2, "did you mean run?"),
        (["eval"], 2, "Usage"),
        (["rep", "show"], 2, "PEER"),
        (["status", "--timeout", "soon"], 2, "30s, 5m"),
        (["eval", "run", "b", "m.onnx", "--epsilon", "1"], 2, "epsilon"),
        (["bench", "validate", "nowhere"], 2, "does not exist"),
        (["daemon"], 2, " init writes one"),
        (["typo"], 2, "no such command: typo\n"),
    ],
)
def test_exit_code_and_words(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    result = p2peval(tmp_path, *words)
    assert result.returncode == code, result.stderr
    assert says in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_model_that_is_not_there_is_not_found(shell: Shell, service: Scripted) -> None:
    result = p2peval(shell.folder, "eval", "run", "digits", "nowhere.onnx")
    assert result.returncode == 6
    assert service.calls == []


def test_error_under_json_is_one_object_on_stdout(tmp_path: Path) -> None:
    result = p2peval(tmp_path, "id", "show", "--json")
    assert result.returncode == 3
    assert json.loads(result.stdout)["error"]["code"] == "daemon_not_running"
    assert result.stderr == ""


def test_init_makes_a_private_key_and_a_config_once(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    first = p2peval(folder, "init", "--name", "ann", "--json")
    assert first.returncode == 0, first.stderr
    fits("init", first.stdout)
    key = folder / "identity.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert 'name = "ann"' in (folder / "config.toml").read_text(encoding="utf-8")
    before = key.read_bytes(), (folder / "config.toml").read_bytes()
    again = p2peval(folder, "init", "--name", "bob")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert (key.read_bytes(), (folder / "config.toml").read_bytes()) == before


def test_daemon_refuses_a_config_with_a_misspelt_key(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[network]\nmax_peer = 3\n")
    result = p2peval(tmp_path, "daemon")
    assert result.returncode == 2
    assert "network.max_peers" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml"]


def test_paths_and_version_fit_their_schemas(tmp_path: Path) -> None:
    paths = p2peval(tmp_path, "paths", "--json")
    fits("paths", paths.stdout)
    assert json.loads(paths.stdout)["data"]["socket"] == str(tmp_path / "api.sock")
    fits("version", p2peval(tmp_path, "--json", "version").stdout)


def test_bench_draft_can_be_filled_in_and_validated(tmp_path: Path) -> None:
    folder = tmp_path / "Two Classes!"
    draft = p2peval(tmp_path, "bench", "init", str(folder), "--json")
    fits("bench.init", draft.stdout)
    assert p2peval(tmp_path, "bench", "init", str(folder)).returncode == 1
    (folder / "data.csv").write_text("x1,x2,label\n" + "".join(f"{i},{i},{i % 2}\n" for i in range(40)))
    checked = p2peval(tmp_path, "bench", "validate", str(folder), "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    fits("bench.validate", checked.stdout)
    data = json.loads(checked.stdout)["data"]
    assert (data["name"], data["samples"], data["per_class"]) == ("two-classes", 40, [20, 20])


def test_missing_label_is_named_by_its_row(tmp_path: Path) -> None:
    p2peval(tmp_path, "bench", "init", str(tmp_path / "b"))
    rows = [f"{i},{i},{'' if i == 15 else i % 2}" for i in range(40)]
    (tmp_path / "b" / "data.csv").write_text("\n".join(["x1,x2,label", *rows]))
    result = p2peval(tmp_path, "bench", "validate", str(tmp_path / "b"))
    assert result.returncode == 1
    assert "row 17" in result.stderr


def test_stop_waits_until_the_daemon_is_gone(tmp_path: Path) -> None:
    script = (
        "import os, sys, trio; from pathlib import Path\n"
        "from p2peval.daemon import server; from tests.cli.scripted import Scripted, event, home\n"
        "async def main():\n"
        "    s = Scripted(os.getpid()); s.stopping = trio.Event(); s.kept = [event(1, 'peer.up', 'x')]\n"
        "    async with trio.open_nursery() as n:\n"
        "        await n.start(server.serve, s, home(Path(sys.argv[1])), '', s.stopping); print('up', flush=True)\n"
        "trio.run(main)\n"
    )
    root = Path(__file__).resolve().parents[2]
    daemon = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=root)
    try:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"up\n"
        watching = subprocess.Popen(
            [sys.executable, "-m", "p2peval", "--home", str(tmp_path), "events", "--follow", "--after", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert watching.stdout is not None
        assert b"peer.up" in watching.stdout.readline()
        start = time.monotonic()
        result = p2peval(tmp_path, "stop", "--json")
        assert result.returncode == 0, result.stdout + result.stderr
        fits("stop", result.stdout)
        assert daemon.wait(5) == 0
        assert time.monotonic() - start < 5, "an open event stream held the daemon up"
        _, complaint = watching.communicate(timeout=10)
        assert watching.returncode == 3, complaint
        assert not (tmp_path / "api.sock").exists()
        assert not (tmp_path / "token").exists()
    finally:
        daemon.kill()
        daemon.communicate()


def test_ctrl_c_while_following_leaves_the_task_going(tmp_path: Path) -> None:
    service = Scripted()
    service.states = [task("assigned")]
    model = tmp_path / "m.onnx"
    model.write_bytes(b"onnx")
    with serving(service, home(tmp_path / "home")):
        command = [
            sys.executable,
            "-m",
            "p2peval",
            "--home",
            str(tmp_path / "home"),
            "eval",
            "run",
            "digits",
            str(model),
        ]
        following = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while ("task", task().id) not in service.calls:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        following.send_signal(signal.SIGINT)
        out, complaint = following.communicate(timeout=10)
    assert following.returncode == 130
    assert out == ""
    assert f"p2peval --home {tmp_path / 'home'} eval cancel {task().id}" in complaint
    assert not any(call[0] == "cancel" for call in service.calls)


def test_ctrl_c_before_the_announcement_has_the_task_dropped(tmp_path: Path) -> None:
    service = Scripted()
    service.hang = True
    model = tmp_path / "m.onnx"
    model.write_bytes(b"onnx")
    with serving(service, home(tmp_path / "home")):
        command = [
            sys.executable,
            "-m",
            "p2peval",
            "--home",
            str(tmp_path / "home"),
            "eval",
            "run",
            "digits",
            str(model),
        ]
        trying = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not service.calls:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        trying.send_signal(signal.SIGINT)
        out, complaint = trying.communicate(timeout=10)
        while not service.left:
            assert time.monotonic() < deadline, "the daemon goes on for nobody"
            time.sleep(0.02)
    assert (trying.returncode, out) == (130, "")
    assert "stopped before the task was announced" in complaint


def test_reader_that_hangs_up_gets_no_complaint(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "p2peval", "--home", str(tmp_path), "paths"]
    result = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert result.returncode == 1
    assert result.stderr == ""


def test_version_starts_without_anything_heavy(tmp_path: Path) -> None:
    script = "import sys; from p2peval.cli.main import cli\ntry: cli.main(['version'])\nexcept SystemExit: pass\n"
    script += "print([m for m in ('httpx', 'trio', 'numpy', 'libp2p', 'onnxruntime', 'msgspec') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stdout.splitlines()[-1] == "[]"


def test_progress_is_told_on_a_terminal_only_and_each_line_once(tmp_path: Path) -> None:
    service = Scripted()
    replicas = (replica("assigned"),)
    service.states = [task("assigned", replicas=replicas), task("assigned", replicas=replicas), task("accepted")]
    model = tmp_path / "m.onnx"
    model.write_bytes(b"onnx")
    terminal, stderr = os.openpty()
    with serving(service, home(tmp_path / "home")), open(terminal, "rb", buffering=0) as screen:
        command = [
            sys.executable,
            "-m",
            "p2peval",
            "--home",
            str(tmp_path / "home"),
            "eval",
            "run",
            "digits",
            str(model),
        ]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60, check=False)
        shown = screen.read(65536).decode()
    os.close(stderr)
    assert result.returncode == 0
    assert result.stdout.startswith("accepted  accuracy 0.9417")
    told = [line.rsplit("\x1b[K", 1)[-1].split()[0] for line in shown.split("\r\n") if line]
    assert told == ["trying", "task", "offers", "committed", "audited"]


def test_doctor_names_every_layer_and_finds_a_key_that_others_can_read(tmp_path: Path) -> None:
    p2peval(tmp_path, "init")
    well = p2peval(tmp_path, "doctor", "--json")
    assert well.returncode == 0, well.stdout + well.stderr
    fits("doctor", well.stdout)
    checks = {check["name"]: check for check in json.loads(well.stdout)["data"]["checks"]}
    assert {"rlimits", "landlock", "seccomp", "bubblewrap", "disk", "python", "onnxruntime"} <= checks.keys()
    assert checks["key"]["state"] == checks["config"]["state"] == checks["worker"]["state"] == "ok"
    on = [name for name in ("rlimits", "landlock", "seccomp", "bubblewrap") if checks[name]["state"] == "ok"]
    assert all(name in checks["worker"]["detail"] for name in on)
    (tmp_path / "identity.key").chmod(0o644)
    ill = p2peval(tmp_path, "doctor")
    assert ill.returncode == 1
    assert "open to other users" in ill.stdout
    assert "chmod 600" in ill.stderr


def test_a_missing_layer_is_wrong_only_where_all_are_required(tmp_path: Path) -> None:
    p2peval(tmp_path, "init")
    without = {**os.environ, "PATH": "/nowhere"}
    command = [sys.executable, "-m", "p2peval", "--home", str(tmp_path)]
    for required, code in (("false", 0), ("true", 1)):
        environ = {**without, "P2PEVAL_EVALUATION__REQUIRE_SANDBOX": required}
        done = subprocess.run([*command, "doctor"], capture_output=True, text=True, env=environ, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "it is not installed" in done.stdout
        assert "install bubblewrap" in done.stderr
    refused = subprocess.run([*command, "daemon"], capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert refused.returncode == 2
    assert "bubblewrap (it is not installed)" in refused.stderr
    assert "require_sandbox = false" in refused.stderr
