"""Where a node's files lie (interface: Files): all under one home, or spread as XDG says.

Pure arithmetic over the environment: nothing is created or opened here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from p2peval.defaults import SOCKET_PATH_BYTES

APP = "p2peval"


@dataclass(frozen=True, slots=True)
class Paths:
    """``note``: why the runtime folder is elsewhere than one would look for it, or ""."""

    config: Path
    state: Path
    data: Path
    runtime: Path
    note: str = ""

    @property
    def database(self) -> Path:
        return self.state / "state.db"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def backups(self) -> Path:
        return self.state / "backups"

    @property
    def key(self) -> Path:
        return self.data / "identity.key"

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def reports(self) -> Path:
        return self.data / "reports"

    @property
    def socket(self) -> Path:
        return self.runtime / "api.sock"

    @property
    def token(self) -> Path:
        return self.runtime / "token"


def locate(
    home: str | Path | None = None,
    config: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Paths:
    """``home`` (or P2PEVAL_HOME) puts all under one folder; ``config`` names the file alone."""
    home = home or environ.get("P2PEVAL_HOME") or None
    if home is not None:
        base = Path(home).expanduser().absolute()
        found = Paths(config=base / "config.toml", state=base, data=base, runtime=base)
    else:
        user = Path(environ.get("HOME") or Path.home())

        def xdg(variable: str, fallback: str) -> Path:
            value = environ.get(variable, "")
            return (Path(value) if os.path.isabs(value) else user / fallback) / APP

        state = xdg("XDG_STATE_HOME", ".local/state")
        runtime = environ.get("XDG_RUNTIME_DIR", "")
        found = Paths(
            config=xdg("XDG_CONFIG_HOME", ".config") / "config.toml",
            state=state,
            data=xdg("XDG_DATA_HOME", ".local/share"),
            runtime=Path(runtime) / APP if os.path.isabs(runtime) else state,
        )
    chosen = Path(config).expanduser().absolute() if config else found.config
    runtime_dir, note = _short(found, environ)
    return Paths(config=chosen, state=found.state, data=found.data, runtime=runtime_dir, note=note)


def _short(found: Paths, environ: Mapping[str, str]) -> tuple[Path, str]:
    """A unix socket's path has ~100 bytes: a longer one moves to a folder named by its hash."""
    if len(os.fsencode(found.socket)) <= SOCKET_PATH_BYTES:
        return found.runtime, ""
    digest = sha256(os.fsencode(found.runtime)).hexdigest()[:16]
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) / APP if os.path.isabs(runtime) else Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
    if len(os.fsencode(base)) + 40 > SOCKET_PATH_BYTES:
        base = Path("/tmp") / f"{APP}-{os.getuid()}"
    return base / digest, f"{found.socket} is too long for a unix socket; it lies in {base / digest} instead"
