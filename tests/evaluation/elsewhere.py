"""Runs models as a peer with an older processor would: ``elsewhere.py RUNS.json``.

``run_elsewhere`` starts this file under qemu's user emulation of a named processor.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

import p2peval
from p2peval.core.parts import Tensor
from p2peval.evaluation.recipe import Recipe, equivalence_class, open_model

QEMU = shutil.which("qemu-x86_64")


@dataclass(frozen=True)
class Elsewhere:
    """What a peer there says: its class, and canonical outputs, N × C."""

    equivalence_class: str
    rows: np.ndarray


def run_elsewhere(runs: Sequence[msgspec.Struct], processor: str, folder: Path) -> list[Elsewhere]:
    """``runs``: of evaluation.jobs. One emulated process for all of them: its start costs more than they do."""
    assert QEMU is not None
    orders = folder / f"{processor}.json"
    orders.write_bytes(msgspec.json.encode(runs))
    done = subprocess.run(
        [QEMU, "-cpu", processor, sys.executable, __file__, str(orders)],
        env={**os.environ, "PYTHONPATH": str(Path(p2peval.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    classes = done.stdout.split()
    assert len(classes) == len(runs)
    return [Elsewhere(said, np.load(f"{orders}.{number}.npy")) for number, said in enumerate(classes)]


def main(orders: str) -> None:
    for number, run in enumerate(json.loads(Path(orders).read_text())):
        input, output = (Tensor(t["name"], t["dtype"], tuple(t["shape"])) for t in (run["input"], run["output"]))
        recipe = Recipe(run["profile"])
        opened = open_model(Path(run["model"]).read_bytes(), input, output, recipe)
        np.save(f"{orders}.{number}.npy", opened.run_all(np.load(run["inputs"])))
        print(equivalence_class(recipe))


if __name__ == "__main__":
    main(sys.argv[1])
