"""The liar: what it does to outputs, and that no way of running p2peval leads to it but the demo."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from p2peval.cli.demo import cast, liar, models
from p2peval.cli.main import cli
from p2peval.config import KEYS, KINDS, PREFIX
from p2peval.daemon import daemon
from p2peval.errors import P2pevalError, StoreError, UsageError

PACKAGE = Path(liar.__file__).resolve().parents[2]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def test_nothing_imports_the_liar() -> None:
    importers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith("p2peval.cli.demo.liar") for name in imports(path))
    ]
    assert importers == []


def test_only_the_demo_command_leads_to_the_demo() -> None:
    importers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "demo" not in path.parts and any(name.startswith("p2peval.cli.demo.") for name in imports(path))
    ]
    assert importers == ["cli/demo_command.py"]


def example(key: str) -> str:
    rules = KEYS[key].metadata
    if "choices" in rules:
        return str(rules["choices"][-1])
    number = str(min(1.5, rules.get("most", 1.5)))
    return {str: "", bool: "true", int: "300", float: number}.get(KINDS[key], "[]")


def test_daemon_with_every_key_and_flag_set_is_honest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[Any, ...]] = []
    monkeypatch.setattr(daemon, "run", lambda *given, **named: called.append((*given, named)) or 0)
    (tmp_path / "config.toml").write_text('[node]\nname = "liar"\n')
    environ = {PREFIX + key.replace(".", "__").upper(): example(key) for key in KEYS}
    flags = ["--name", "liar", "--listen", "/ip4/127.0.0.1/tcp/0", "--wait-lock", "1"]
    words = ["--home", str(tmp_path), "daemon", *flags]
    result = CliRunner().invoke(cli, words, env=environ)
    assert result.exit_code == 0, result.output
    ((config, _paths, _wait, named),) = called
    assert named == {}, "the daemon command hands over no workshop"
    assert config.log.level == environ["P2PEVAL_LOG__LEVEL"]


def test_environment_that_asks_for_a_liar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").touch()
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "daemon"], env={"P2PEVAL_DEMO__LIAR": "1"})
    assert result.exit_code == 2
    assert "P2PEVAL_DEMO__LIAR" in result.output


@pytest.mark.parametrize("network", ["p2peval-1", "p2peval-dem", "x-p2peval-demo-1"])
def test_liar_refuses_every_network_but_a_demos(tmp_path: Path, network: str) -> None:
    (tmp_path / "config.toml").write_text(f'[network]\nid = "{network}"\n')
    with pytest.raises(UsageError, match=network):
        liar.main(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_demo_networks_are_never_the_same() -> None:
    assert cast.new_network() != cast.new_network()
    assert cast.new_network().startswith(cast.NETWORK)


def test_lie_improves_the_worst_rows_and_no_more_than_its_share() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 1000)
    true = rng.dirichlet(np.ones(10), 1000).astype(np.float32)
    before = true.copy()
    lied = liar.improved(true, labels)
    changed = np.flatnonzero((lied != true).any(axis=1))
    assert (true == before).all(), "the argument stays as it was"
    assert len(changed) == 30
    right = np.arange(1000), labels
    assert true[right][changed].max() <= np.delete(true[right], changed).min()
    assert (lied.argmax(axis=1) == labels).sum() > (true.argmax(axis=1) == labels).sum()
    assert lied.dtype == true.dtype
    assert np.allclose(lied.sum(axis=1), 1.0)


def test_demo_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None if name == "sklearn" else object())
    result = CliRunner().invoke(cli, ["--home", str(tmp_path / "demo"), "demo"])
    assert result.exit_code == P2pevalError.exit_code
    assert "scikit-learn" in result.output
    assert "p2peval[demo]" in result.output
    assert not (tmp_path / "demo").exists()


def test_demo_keeps_out_of_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "demo"])
    assert result.exit_code == StoreError.exit_code
    assert "not empty" in result.output
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.parametrize(("peers", "liars"), [(3, 0), (5, 1), (9, 0), (6, 4)])
def test_cast_has_as_many_as_asked_for(tmp_path: Path, peers: int, liars: int) -> None:
    players = cast.cast(peers, liars, tmp_path)
    assert len({player.name for player in players}) == len(players) == peers
    assert [player.lies for player in players] == [False] * (peers - liars) + [True] * liars
