"""Every default p2peval has: its value, its unit, and where it comes from.

Sources: "paper" with its name, "measured" (by us, see shared figures or ``make bench``), "spec", or
"guess". A number that appears twice anywhere else is a defect: name it here.
"""

from __future__ import annotations

from typing import Final

# ── network ───────────────────────────────────────────────────────────────────────────────────────
NETWORK_ID: Final = "p2peval-1"  # name; part of every signed object

# ── objects and admission ─────────────────────────────────────────────────────────────────────────
MAX_OBJECT_BYTES: Final = 64 * 1024  # bytes; nothing larger crosses the seam (architecture, rule 3)
CLOCK_SKEW: Final = 600.0  # seconds tolerated either way; spec

# ── verification ──────────────────────────────────────────────────────────────────────────────────
EPSILON: Final = 0.01  # probability that a lie escapes; spec
DELTA: Final = 0.01  # share of outputs a lie must alter to count; spec
ATOL: Final = 1e-5  # absolute; worst fp32 relative difference across classes measured 8e-7
RTOL: Final = 1e-5  # relative; same source
MAX_ATOL: Final = 1e-3  # cap that no benchmark may exceed; guess
MAX_RTOL: Final = 1e-3  # same

# ── blobs ─────────────────────────────────────────────────────────────────────────────────────────
BLOB_CHUNK: Final = 256 * 1024  # bytes; writes of >= 64 KiB reach 65-89 MB/s, 4 KiB only 9 (measured)

# ── evaluation ────────────────────────────────────────────────────────────────────────────────────
BATCH: Final = 32  # samples per session run; part of the recipe (measured: byte-equal, evaluation.md)
