from __future__ import annotations

import os
from pathlib import Path

import pytest

from p2peval import defaults
from p2peval.config import KEYS, SECTIONS, Config, load, template
from p2peval.errors import ConfigError
from p2peval.paths import locate


def config(tmp_path: Path, text: str, **environ: str) -> Config:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load(file, environ=environ)


def refusal(tmp_path: Path, text: str = "", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text, **environ)
    return f"{caught.value.message} | {caught.value.hint}"


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[network]\nmax_peers = 2\n")
    environ = {"P2PEVAL_NETWORK__MAX_PEERS": "3"}
    assert load(tmp_path / "none.toml", environ={}).network.max_peers == defaults.MAX_PEERS
    assert load(file, environ={}).network.max_peers == 2
    assert load(file, environ=environ).network.max_peers == 3
    assert load(file, environ=environ, flags={"network.max_peers": 4}).network.max_peers == 4
    assert load(file, environ=environ, flags={"network.max_peers": None}).network.max_peers == 3


def test_environment_lists_are_json_and_empty_switches_off(tmp_path: Path) -> None:
    file = '[node]\nname = "ann"\n[network]\nlisten = ["/ip4/1.2.3.4/tcp/1"]\n[storage]\nretention_days = 3\n'
    given = config(tmp_path, file, P2PEVAL_NETWORK__LISTEN='["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"]')
    assert given.network.listen == ("/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0")
    off = config(tmp_path, file, P2PEVAL_NETWORK__LISTEN="", P2PEVAL_NODE__NAME="", P2PEVAL_STORAGE__RETENTION_DAYS="")
    assert (off.network.listen, off.node.name, off.storage.retention_days) == ((), "", 0.0)


def test_home_variable_is_no_config_key(tmp_path: Path) -> None:
    assert config(tmp_path, "", P2PEVAL_HOME="/x") == Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[network]\nmax_peer = 1", "network.max_peer | did you mean network.max_peers?"),
        ("[netwrk]\n", "[netwrk] | did you mean [network]?"),
        ("[node]\nzzzzzz = 1", "node.zzzzzz | known: node.name"),
        ("[network]\nmax_peers = 0", "at least 1"),
        ("[network]\nmax_peers = true", "a whole number"),
        ("[network]\nmax_peers = 1.5", "a whole number"),
        ('[network]\nlisten = "/ip4/1.2.3.4/tcp/1"', "a list"),
        ("[network]\nlisten = [1]", "a list"),
        ("[evaluation]\ndeadline_s = nan", "at least"),
        ('[log]\nlevel = "loud"', "debug, info"),
        ('[api]\nlisten = "0.0.0.0:4780"', "loopback"),
        ('[api]\nlisten = "localhost"', "loopback"),
        ("node = 3", "must be a table"),
        ("[node", "not valid TOML"),
        ("node = " + 9_999 * "[", "deeper than can be read"),
        ("[evaluation]\nbackground_audits = 1", "true or false"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    found = refusal(tmp_path, text)
    assert says in found
    assert str(tmp_path / "config.toml") in found or "api.listen" in found


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("P2PEVAL_NETWORK__MAX_PEER", "1", "did you mean P2PEVAL_NETWORK__MAX_PEERS?"),
        ("P2PEVAL_NETWORK__MAX_PEERS", "many", "a whole number"),
        ("P2PEVAL_NETWORK__LISTEN", "/ip4/1.2.3.4/tcp/1", "a JSON list"),
        ("P2PEVAL_NETWORK__LISTEN", '{"a": 1}', "a list"),
        ("P2PEVAL_EVALUATION__BACKGROUND_AUDITS", "yes", "true or false"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(tmp_path: Path, variable: str, value: str, says: str) -> None:
    found = refusal(tmp_path, "", **{variable: value})
    assert says in found
    assert variable.rpartition("__")[0] in found


@pytest.mark.parametrize(("value", "means"), [("true", True), ("false", False), ("", False)])
def test_a_switch_is_true_false_or_empty_in_the_environment(tmp_path: Path, value: str, means: bool) -> None:
    switched = config(tmp_path, "", P2PEVAL_EVALUATION__BACKGROUND_AUDITS=value)
    assert switched.evaluation.background_audits is means


def test_template_is_a_config_that_shows_every_key_and_its_default(tmp_path: Path) -> None:
    assert config(tmp_path, template()) == Config()
    given = config(tmp_path, template(name='a"b', listen=("/ip4/127.0.0.1/tcp/0",), bootstrap=("/dns4/x/tcp/1",)))
    assert (given.node.name, given.network.listen) == ('a"b', ("/ip4/127.0.0.1/tcp/0",))
    opened = "\n".join(
        line.removeprefix("# ") if "=" in line and line[2:].split(" ")[0] in {k.name for k in KEYS.values()} else line
        for line in template().splitlines()
    )
    assert config(tmp_path, opened) == Config()
    assert all(f"{name.split('.')[1]} = " in opened for name in KEYS)
    assert all(f"[{section}]" in opened for section in SECTIONS)


def test_home_puts_all_under_one_folder(tmp_path: Path) -> None:
    paths = locate(tmp_path, environ={})
    assert paths.config == tmp_path / "config.toml"
    assert paths.key == tmp_path / "identity.key"
    assert paths.database == tmp_path / "state.db"
    assert paths.socket == tmp_path / "api.sock"
    assert locate(environ={"P2PEVAL_HOME": str(tmp_path)}) == paths


def test_without_home_files_lie_where_xdg_says(tmp_path: Path) -> None:
    environ = {"HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/1", "XDG_DATA_HOME": "relative is ignored"}
    paths = locate(environ=environ)
    assert paths.config == Path("/home/ann/.config/p2peval/config.toml")
    assert paths.lock == Path("/home/ann/.local/state/p2peval/lock")
    assert paths.blobs == Path("/home/ann/.local/share/p2peval/blobs")
    assert paths.token == Path("/run/user/1/p2peval/token")


@pytest.mark.parametrize("environ", [{}, {"XDG_RUNTIME_DIR": "/run/user/1"}, {"XDG_RUNTIME_DIR": "/" + "r" * 200}])
def test_home_too_long_for_a_socket_moves_it_and_says_so(tmp_path: Path, environ: dict[str, str]) -> None:
    deep = tmp_path / ("d" * 120)
    paths = locate(deep, environ=environ)
    assert len(os.fsencode(paths.socket)) <= defaults.SOCKET_PATH_BYTES
    assert paths.key == deep / "identity.key"
    assert str(paths.runtime) in paths.note
    assert locate(deep, environ=environ) == paths
    assert locate(tmp_path / ("e" * 120), environ=environ).runtime != paths.runtime
