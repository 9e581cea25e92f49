"""The hostile corpus: every attack of the design's list, run against the real sandbox.

As a program it runs all of it in one process, the daemon's stand-in, and prints what came of each: the answer,
how long it took, and what it left behind. So it can be run as any user. The attacks stand in attack_*.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import attack_data
import attack_models
import attack_workers
import trio
from attack import Attack, Outcome, command_line, descendants, descriptors, reap, resident_mb

from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation import kernel
from p2peval.evaluation.jobs import AnyJob
from p2peval.evaluation.sandbox import ZYGOTE, Sandbox
from p2peval.evaluation.workers import Sight

ATTACKS: dict[str, Attack] = {
    each.name: each for each in (*attack_models.ATTACKS, *attack_data.ATTACKS, *attack_workers.ATTACKS)
}
PATIENCE = 2.0
"""Seconds beyond its limit that an attack may take in all."""


async def main(folder: Path, bubblewrap: bool, names: Sequence[str]) -> dict[str, Outcome]:
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)  # whatever flees its parent becomes our child
    (folder / "identity.key").write_text(attack_workers.SECRET)
    (folder / "identity.key").chmod(0o600)
    work = folder / "work"
    work.mkdir()
    outcomes = {}
    async with Sandbox(1, sight=Sight(writes=(str(work),)), bubblewrap=bubblewrap) as honest:
        await attempt(attack_data.GOOD[0], work / "first", honest)  # the zygote is up and all is imported
        for name in names or ATTACKS:
            outcomes[name] = await attempt(ATTACKS[name], work / name.replace(" ", "-"), honest)
    return outcomes


async def attempt(attack: Attack, folder: Path, honest: Sandbox) -> Outcome:
    job = prepared(attack, folder)
    sandbox = honest
    if attack.command != ZYGOTE:
        sandbox = Sandbox(1, sight=honest._sight, command=attack.command, bubblewrap=honest._bubblewrap)
    before, memory, open_ones = descendants(), resident_mb(), descriptors()
    began = time.perf_counter()
    reason, said, layers = "", "", ()
    try:
        answer = await sandbox.run(job, deadline=attack.deadline)
        said, layers = repr(answer), getattr(answer, "layers", ())
    except EvaluationError as error:
        reason, said = error.reason, f"{error.message} {error.hint}"
    except ConfigError as error:
        reason, said = "config", error.message
    seconds = time.perf_counter() - began
    left = await survivors(before)
    return Outcome(
        reason,
        said,
        round(seconds, 3),
        left,
        leftovers(job) if reason else [],
        descriptors() - open_ones,
        round(resident_mb() - memory, 1),
        list(layers),
    )


def prepared(attack: Attack, folder: Path) -> AnyJob:
    folder.mkdir()
    return attack.job(folder)


async def survivors(before: set[int]) -> list[str]:
    """Processes that are still there a moment after the answer: a SIGKILL needs one to arrive."""
    with trio.move_on_after(PATIENCE):
        for pid in descendants() - before:
            with suppress(ProcessLookupError):
                pidfd = os.pidfd_open(pid)
                try:
                    await trio.lowlevel.wait_readable(pidfd)
                finally:
                    os.close(pidfd)
    reap()
    return [command_line(pid) for pid in descendants() - before]


def leftovers(job: AnyJob) -> list[str]:
    """Files of a job that failed."""
    return [product for product in job.products if os.path.lexists(product)]


if __name__ == "__main__":
    found = trio.run(main, Path(sys.argv[1]), sys.argv[2] == "bubblewrap", sys.argv[3:])
    print(json.dumps({"uid": os.getuid(), "outcomes": {name: asdict(each) for name, each in found.items()}}))
