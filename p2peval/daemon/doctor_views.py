"""What ``doctor`` found, as the command line and its JSON see it."""

from __future__ import annotations

from msgspec import Struct


class CheckView(Struct, frozen=True, kw_only=True):
    """``state``: "ok", "missing" (the node runs, with less) or "wrong"; ``hint``: what to do, or ""."""

    name: str
    state: str
    detail: str
    hint: str = ""


class DoctorView(Struct, frozen=True, kw_only=True):
    """``healthy``: nothing is wrong."""

    checks: tuple[CheckView, ...]
    healthy: bool
