"""Every hostile file and every owned worker is contained, said by name, and leaves nothing: as root and as nobody."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import corpus
import nobody
import pytest
from attack_workers import SECRET
from corpus import ATTACKS, PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are confined by Linux's means")

needs_nobody = pytest.mark.skipif(bool(nobody.missing()), reason=nobody.missing() or "it can be done")
HERE = Path(corpus.__file__).parent
GROWTH_MB = 64
"""Resident MiB that the daemon may gain by an attack: an answer's frame, some garbage, and no more."""

RUNS = [
    pytest.param("me", "bubblewrap", id="me"),
    pytest.param("nobody", "bubblewrap", id="nobody", marks=needs_nobody),
    pytest.param("me", "bare", id="me-bare", marks=pytest.mark.slow),
    pytest.param("nobody", "bare", id="nobody-bare", marks=[needs_nobody, pytest.mark.slow]),
]


@functools.cache
def run(user: str, walls: str) -> dict[str, Any]:
    """What came of the whole corpus, run once."""
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        folders = [Path(folder, name) for name in ("files", "spare", "temporary")]
        for each in folders:
            each.mkdir()
            each.chmod(0o700)
        Path(folder).chmod(0o755)
        words = [sys.executable, str(HERE / "corpus.py"), str(folders[0]), walls]
        if user == "nobody":
            for each in folders:
                os.chown(each, nobody.NOBODY, nobody.NOBODY)
            words = nobody.command(*words, spare=folders[1])
        paths = os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parents[2])))
        environment = {**os.environ, "PYTHONPATH": paths, "HOME": str(folders[2]), "TMPDIR": str(folders[2]),
                       "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=280, env=environment)
        assert done.returncode == 0, done.stderr[-4000:]
        left = sorted(path.name for path in folders[2].glob("p2peval-*"))
    return {**json.loads(done.stdout), "temporary": left}


@pytest.mark.parametrize(("user", "walls"), RUNS)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_contained(name: str, user: str, walls: str) -> None:
    attack, outcome = ATTACKS[name], run(user, walls)["outcomes"][name]
    assert outcome["reason"] in attack.reasons, outcome["said"]
    assert attack.said in outcome["said"]
    assert outcome["seconds"] <= attack.deadline + PATIENCE
    assert not outcome["left"], "processes outlived it"
    assert not outcome["products"], "half a product was left"
    assert outcome["descriptors"] == 0
    assert outcome["grown_mb"] < GROWTH_MB
    assert SECRET not in outcome["said"]
    assert "root:" not in outcome["said"], "a system file was quoted"
    assert outcome["said"].replace("\n", "").isprintable()
    assert len(outcome["said"]) < 20_000


@pytest.mark.parametrize(("user", "walls"), RUNS)
@pytest.mark.parametrize("name", ["owned: network", "owned: files", "owned: processes", "owned: fork bomb"])
def test_an_owned_worker_gets_nothing_that_it_tries(name: str, user: str, walls: str) -> None:
    said = json.loads(run(user, walls)["outcomes"][name]["said"])
    allowed = {"system"} if walls == "bare" else set()
    assert {what for what, came in said.items() if came.startswith("got")} <= allowed
    assert len(said) >= 1


@pytest.mark.parametrize(("user", "walls"), RUNS)
def test_the_corpus_ran_as_it_should_and_left_no_folder(user: str, walls: str) -> None:
    told = run(user, walls)
    assert told["uid"] == (nobody.NOBODY if user == "nobody" else os.getuid())
    assert set(told["outcomes"]) == set(ATTACKS)
    assert told["temporary"] == []


@needs_nobody
def test_a_user_without_privileges_cannot_fork_in_a_worker_even_without_seccomp() -> None:
    bombed = run("nobody", "bubblewrap")["outcomes"]["owned: fork bomb without seccomp"]["said"]
    assert json.loads(bombed) == {"bomb": "BlockingIOError"}
