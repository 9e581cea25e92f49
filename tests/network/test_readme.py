"""README's "By hand", word for word: what a stranger pastes must work."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent.parent / "README.md"
PORTS = ("4781", "4782", "4783")


def blocks() -> list[str]:
    """The indented blocks of the section, each as it is pasted; the activation of .venv aside."""
    section = README.read_text().split("## By hand", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", section, re.M)
    pasted = [re.sub(r"^    ", "", block, flags=re.M) for block in found]
    return [block for block in pasted if ".venv/bin/activate" not in block]


def free_ports(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [str(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def test_what_the_readme_says_to_paste_works_from_start_to_finish(tmp_path: Path) -> None:
    script = "set -euxo pipefail\ntrap 'kill $(jobs -p) || true' EXIT\n"
    for block in blocks():
        script += block
        if " daemon " in block:  # a person waits for the prompt of the next step; a script has to ask
            script += "for n in ada bob eve; do until p2peval --home /tmp/$n status; do :; done; done\n"
    script = script.replace("/tmp/", f"{tmp_path}/")
    for port, free in zip(PORTS, free_ports(len(PORTS)), strict=True):
        assert port in script
        script = script.replace(port, free)
    for name, module in (("p2peval", "-m p2peval"), ("python", "")):
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (tmp_path / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(README.parent)}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=120, env=environ, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if "404" in line or "claimed" in line or " me " in line]
    assert any("claimed" in line for line in lines), done.stdout[-2000:]
    assert any(re.search(r"\bme\b", line) for line in lines), done.stdout[-2000:]
