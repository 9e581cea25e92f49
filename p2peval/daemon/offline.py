"""What the command line does without a daemon: a new identity, a benchmark's draft and its check, the doctor.

The one door from the command line to the rooms below; everything here is slow to import or touches
files that a running daemon may own, so commands import it when they need it.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path

import trio
from nacl.signing import SigningKey

from p2peval.core.types import PeerId
from p2peval.daemon.doctor import examine
from p2peval.daemon.present import condition_views
from p2peval.daemon.views import ValidateView
from p2peval.defaults import EVALUATION_DEADLINE
from p2peval.errors import StoreError
from p2peval.evaluation import benchmark_file, benchmark_template
from p2peval.evaluation.jobs import Prepare
from p2peval.evaluation.sandbox import Sandbox
from p2peval.paths import Paths
from p2peval.store import identity
from p2peval.store.disk import make_private, refusals
from p2peval.wire.ids import peer_id_of

__all__ = ["create_home", "draft_benchmark", "examine", "validate_benchmark"]


def create_home(paths: Paths, config_text: str) -> PeerId:
    """A new key and a config.toml. Raises StoreError, with nothing written, where either exists."""
    for path in (paths.key, paths.config):
        if path.exists():
            raise StoreError(f"{path} exists already", hint="p2peval paths shows what is here; use another --home")
    seed = identity.create(paths.key).seed
    try:
        make_private(paths.config.parent)
        with refusals("writing", paths.config), open(paths.config, "x", encoding="utf-8") as file:
            file.write(config_text)
    except StoreError:
        paths.key.unlink()  # made a moment ago, used by nobody
        raise
    return peer_id_of(bytes(SigningKey(seed).verify_key))


def draft_benchmark(directory: Path) -> Path:
    """A commented benchmark.toml to fill in. Raises StoreError where one exists."""
    path = directory / benchmark_file.FILE_NAME
    if path.exists():
        hint = f"edit it, then: p2peval bench validate {shlex.quote(str(directory))}"
        raise StoreError(f"{path} exists already", hint=hint)
    slug = re.sub(r"[^a-z0-9]+", "-", directory.absolute().name.lower()).strip("-")[:40].rstrip("-")
    with refusals("writing", path):
        directory.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(benchmark_template.template(slug if len(slug) >= 2 else "my-benchmark"))
    return path


def validate_benchmark(directory: Path) -> ValidateView:
    """Read benchmark.toml and parse the data in a worker. Raises ConfigError and EvaluationError."""
    directory = directory.absolute()
    file = benchmark_file.load(directory)

    async def prepare() -> ValidateView:
        with tempfile.TemporaryDirectory(prefix="p2peval-") as out:
            job = Prepare(directory=str(directory), out=out)
            found = await Sandbox(1).run(job, deadline=EVALUATION_DEADLINE)
        return ValidateView(
            directory=str(directory),
            name=file.name,
            version=file.version,
            task=file.task,
            samples=found.samples,
            shape=found.shape,
            dtype=found.dtype,
            per_class=found.per_class,
            metrics=file.metrics,
            group_names=found.group_names,
            per_group=found.per_group,
            conditions=condition_views(file.conditions),
        )

    return trio.run(prepare)
