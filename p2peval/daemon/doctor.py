"""Whether this machine can do what a node asks of it, and what to do where it cannot: ``p2peval doctor``.

Decides what is fine, missing (the node runs, with less) and wrong (it does not, or not for long). Needs no
running daemon and changes nothing.
"""

from __future__ import annotations

import logging
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import trio
from nacl.signing import SigningKey

from p2peval.config import Config, load
from p2peval.daemon.doctor_views import CheckView, DoctorView
from p2peval.defaults import LOW_DISK_GB, TRIAL_SECONDS
from p2peval.errors import ConfigError, EvaluationError, NotFoundError, P2pevalError
from p2peval.evaluation import answers, jobs, landlock, layers
from p2peval.evaluation.recipe import equivalence_class
from p2peval.evaluation.sandbox import Sandbox
from p2peval.paths import Paths
from p2peval.store import identity
from p2peval.wire.ids import peer_id_of

log = logging.getLogger(__name__)

REQUIRED = "; or set evaluation.require_sandbox = false"
FINE, MISSING, WRONG = "ok", "missing", "wrong"


def check_layers(required: bool) -> None:
    """Say once which layers of the sandbox are missing. Raises ConfigError where they are ``required``."""
    lacking = layers.missing()
    if lacking and required:
        raise ConfigError(
            "evaluation.require_sandbox is set, and this machine lacks "
            + "; ".join(f"{each.layer} ({each.why})" for each in lacking),
            hint="; ".join(each.hint for each in lacking) + REQUIRED,
        )
    for each in lacking:
        log.warning("evaluations run without %s: %s; %s", each.layer, each.why, each.hint)


def examine(paths: Paths) -> DoctorView:
    """All checks, in the order in which things fail."""
    config, settings = _settings(paths.config)
    required = config.evaluation.require_sandbox
    checks = (
        CheckView(name="python", state=FINE, detail=f"{platform.python_version()}, {sys.executable}"),
        CheckView(name="onnxruntime", state=FINE, detail=f"{version('onnxruntime')}, class {equivalence_class()}"),
        settings,
        _checked("key", lambda: _key(paths.key)),
        _disk(paths.data, config.storage.quota_gb),
        *_layers(required),
        _checked("worker", _worker),
    )
    return DoctorView(checks=checks, healthy=all(check.state != WRONG for check in checks))


def _settings(file: Path) -> tuple[Config, CheckView]:
    """What is set, the defaults where that cannot be read."""
    try:
        config = load(file)
    except ConfigError as error:
        return Config(), CheckView(name="config", state=WRONG, detail=error.message, hint=error.hint)
    if not file.exists():
        detail, hint = f"no {file}: defaults hold", "p2peval init writes one"
        return config, CheckView(name="config", state=MISSING, detail=detail, hint=hint)
    return config, CheckView(name="config", state=FINE, detail=str(file))


def _checked(name: str, look: Callable[[], str]) -> CheckView:
    try:
        return CheckView(name=name, state=FINE, detail=look())
    except NotFoundError as error:
        return CheckView(name=name, state=MISSING, detail=error.message, hint=error.hint)
    except P2pevalError as error:
        return CheckView(name=name, state=WRONG, detail=error.message, hint=error.hint)


def _key(path: Path) -> str:
    seed = identity.load(path).seed
    return f"{peer_id_of(bytes(SigningKey(seed).verify_key))}, readable by its owner only"


def _disk(data: Path, quota_gb: float) -> CheckView:
    """Of the file system that ``data`` will be on."""
    place = next(folder for folder in (data, *data.parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1e9
    detail = f"{free:.1f} GB free for {data}, quota {quota_gb:g} GB"
    if free < LOW_DISK_GB:
        return CheckView(name="disk", state=WRONG, detail=detail, hint="free some space: the node stops writing soon")
    if free < quota_gb:
        hint = "free some space, or lower storage.quota_gb: blobs may fill the disk"
        return CheckView(name="disk", state=MISSING, detail=detail, hint=hint)
    return CheckView(name="disk", state=FINE, detail=detail)


def _layers(required: bool) -> list[CheckView]:
    lacking = {each.layer: each for each in layers.missing()}
    state, instead = (WRONG, REQUIRED) if required else (MISSING, "")
    return [
        CheckView(name=layer, state=state, detail=lacking[layer].why, hint=lacking[layer].hint + instead)
        if layer in lacking
        else CheckView(name=layer, state=FINE, detail=f"on, ABI {landlock.abi()}" if layer == "landlock" else "on")
        for layer in layers.ALL
    ]


def _worker() -> str:
    """A real one, locked in. Raises EvaluationError."""

    async def ask() -> answers.Tried:
        return await Sandbox(1).run(jobs.Trial(), deadline=TRIAL_SECONDS)

    said = trio.run(ask)
    expected = set(layers.ALL) - {each.layer for each in layers.missing()}
    if set(said.layers) != expected:
        raise EvaluationError("sandbox", f"a worker had {', '.join(said.layers)} on, not {', '.join(sorted(expected))}")
    return f"answers, locked in by {', '.join(said.layers)}"
