"""The lab's record: every scenario of a folder under every defence, as one table of attacks × defences.

A scenario's own measure is that of its first claim, and its comparison says which way is better. Ours is as good as
another where it is better, or the 95 % intervals of both means overlap.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from p2peval.sim.claims import Claim
from p2peval.sim.defences import DEFAULT
from p2peval.sim.estimate import Estimate
from p2peval.sim.page import told
from p2peval.sim.results import Summary
from p2peval.sim.tables.tables import whole


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario. ``found``: defence -> its own measure, where there was something to measure."""

    name: str
    title: str
    claim: Claim
    found: dict[str, Estimate]
    held: tuple[int, int]
    """Claims that hold under our defence, and all."""

    @property
    def lower_is_better(self) -> bool:
        return self.claim.operator in ("<", "<=", "==")

    def beats_us(self, defence: str) -> bool:
        """Whether another defence is better on the attack's own measure, beyond both intervals."""
        ours, theirs = self.found.get(DEFAULT), self.found.get(defence)
        if ours is None or theirs is None or defence == DEFAULT:
            return False
        return theirs.high < ours.low if self.lower_is_better else theirs.low > ours.high


def row(name: str, summaries: Sequence[Summary]) -> Row:
    """``summaries``: one a defence, ours among them; of a scenario that claims something."""
    ours = next(each for each in summaries if each.name == DEFAULT)
    claim = ours.verdicts[0].claim
    return Row(
        name,
        ours.point.scenario.title,
        claim,
        {each.name: each.found[claim.metric] for each in summaries if claim.metric in each.found},
        (sum(verdict.held for verdict in ours.verdicts), len(ours.verdicts)),
    )


def markdown(rows: Sequence[Row], defences: Sequence[str]) -> str:
    """A table for people: bold where another defence is better than ours beyond both intervals."""
    lines = [
        "| scenario | measure | " + " | ".join(defences) + " | claims |",
        "|---|---|" + "---|" * len(defences) + "---|",
    ]
    for each in rows:
        way = "lower" if each.lower_is_better else "higher"
        cells = [_cell(each, defence) for defence in defences]
        held = f"{each.held[0]} of {each.held[1]}"
        lines.append(f"| {each.name} | {each.claim.metric} ({way}) | " + " | ".join(cells) + f" | {held} |")
    return "\n".join(lines) + "\n"


def write_markdown(rows: Sequence[Row], defences: Sequence[str], path: Path) -> None:
    with whole(path) as unfinished:
        unfinished.write_text(markdown(rows, defences), encoding="utf-8")


def _cell(row: Row, defence: str) -> str:
    if defence not in row.found:
        return "–"
    text = told(row.found[defence])
    return f"**{text}**" if row.beats_us(defence) else text


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """One line a scenario and defence."""
    with whole(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["scenario", "measure", "better", "defence", "mean", "low", "high", "seeds", "beats_ours"])
        for each in rows:
            for defence, found in each.found.items():
                better = "lower" if each.lower_is_better else "higher"
                figures = [found.mean, found.low, found.high, found.seeds]
                out.writerow([each.name, each.claim.metric, better, defence, *figures, each.beats_us(defence)])
