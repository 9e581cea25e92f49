"""Which instruction sets onnxruntime's kernels find on this processor: a part of the equivalence class.

Decides the tier from what the processor itself says. Linux's /proc/cpuinfo is what the kernel runs on: under an
emulator that is another processor than the one that runs us, and its word then counts for nothing.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

_X86_TIERS = (
    ("amx", {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "amx_tile", "amx_int8"}),
    ("avx512vnni", {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}),
    ("avx512", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ("avx512f", {"avx512f"}),
    ("avx2vnni", {"avx2", "fma", "avx_vnni"}),
    ("avx2", {"avx2", "fma"}),
    ("avx", {"avx"}),
)
_ARM_TIERS = (("i8mm", {"i8mm"}), ("dotprod", {"asimddp"}))
"""What onnxruntime's kernels (MLAS) choose by, best first."""

_CPUID_NAMES = {
    "avx": "AVX",
    "avx2": "AVX2",
    "fma": "FMA3",
    "avx512f": "AVX512F",
    "avx512bw": "AVX512BW",
    "avx512dq": "AVX512DQ",
    "avx512vl": "AVX512VL",
    "avx512_vnni": "AVX512VNNI",
    "asimddp": "ASIMDDP",
}
"""Linux's name of a flag -> numpy's, which asks the processor (CPUID, or the kernel's auxiliary vector)."""


def tier() -> str:
    """The best instruction set that the kernels use here."""
    return isa_tier(platform.machine().lower(), truthful(_listed(), _asked()))


def isa_tier(machine: str, flags: frozenset[str]) -> str:
    """The best instruction set that the kernels use on such a machine."""
    if machine in ("x86_64", "amd64"):
        return next((tier for tier, needs in _X86_TIERS if needs <= flags), "sse2")
    return next((tier for tier, needs in _ARM_TIERS if needs <= flags), "base")


def truthful(listed: frozenset[str], asked: Mapping[str, bool]) -> frozenset[str]:
    """The flags to believe: what the processor says, and of the rest what is listed where the two never disagree."""
    own = {flag for flag, name in _CPUID_NAMES.items() if asked.get(name, False)}
    if listed and listed & _CPUID_NAMES.keys() != own:
        return frozenset(own)
    return listed | own


def _listed() -> frozenset[str]:
    """As Linux names them; empty where there is no /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return frozenset()
    found = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return frozenset(found.partition(":")[2].split())


def _asked() -> Mapping[str, bool]:
    """What numpy found when it was imported, as ``numpy.show_runtime`` prints it."""
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

    features: Mapping[str, bool] = _multiarray_umath.__cpu_features__
    return features
