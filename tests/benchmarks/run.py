"""``make bench``: measures, prints a table, writes build/bench.json. Never judges a time: machines differ.

Figures that others are held to are ratios to something measured in the same run, A B A B, and medians.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import bench_blob
import bench_evaluation
import bench_gossip
import bench_ingest
import bench_large
import bench_mesh
import bench_population
import bench_proof
import bench_redundancy
import bench_sandbox
import bench_sim
import bench_trust
from report import Row, save, table

FAMILIES = {
    "evaluation": bench_evaluation.run,
    "sandbox": bench_sandbox.run,
    "ingest": bench_ingest.run,
    "blob": bench_blob.run,
    "gossip": bench_gossip.run,
    "large": bench_large.run,
    "mesh": bench_mesh.run,
    "population": bench_population.run,
    "proof": bench_proof.run,
    "redundancy": bench_redundancy.run,
    "sim": bench_sim.run,
    "trust": bench_trust.run,
}
BUILD = Path(__file__).resolve().parents[2] / "build"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="FAMILY", choices=FAMILIES, help=", ".join(FAMILIES))
    only = parser.parse_args().only
    BUILD.mkdir(exist_ok=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:  # on the disk, not in a tmpfs
        for family in [only] if only else FAMILIES:
            print(f"measuring {family} ...", file=sys.stderr)
            scratch = Path(folder) / family
            scratch.mkdir()
            rows += FAMILIES[family](scratch)
            save(rows, BUILD / "bench.json")
    print(table(rows))


if __name__ == "__main__":
    main()
