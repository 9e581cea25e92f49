"""What a family of measurements says, as a table and as build/bench.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``against``: what it is a ratio to, or was measured beside, in the same run."""

    name: str
    value: float
    unit: str
    against: str


def table(rows: Sequence[Row]) -> str:
    lines = [("NAME", "VALUE", "UNIT", "AGAINST"), *((r.name, _short(r.value), r.unit, r.against) for r in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {unit:<{widths[2]}}  {against}".rstrip()
        for name, value, unit, against in lines
    )


def save(rows: Sequence[Row], path: Path) -> None:
    """Add to what other families have left in ``path``: one object, name → value, unit, against."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    new = {row.name: {key: value for key, value in asdict(row).items() if key != "name"} for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(sorted({**kept, **new}.items())), indent=2) + "\n", encoding="utf-8")


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
