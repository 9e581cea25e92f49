"""Every event of one world, as a Parquet file: when, which host, what it was, and what it led to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from p2peval.core.effects import Effect, Notify
from p2peval.core.events import Event, MessageReceived
from p2peval.core.types import Seconds
from p2peval.sim.kinds import registry
from p2peval.sim.play import play
from p2peval.sim.scenario import Scenario
from p2peval.sim.tables.tables import whole
from p2peval.sim.trace import Trace
from p2peval.sim.world import START

COLUMNS = ("seconds", "host", "event", "about", "effects")


class EventLog:
    """A listener of ``trace``. ``rows``: one an event, by COLUMNS."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, int, str, str, str]] = []

    def heard(self, now: Seconds, host: int, event: Event, effects: Sequence[Effect]) -> None:
        led_to = ", ".join(_word(effect) for effect in effects)
        self.rows.append((round(now - START, 6), host, type(event).__name__, _about(event), led_to))


def record(scenario: Scenario, seed: int, folder: Path) -> Path:
    """Play that seed's world and write its events; the same seed writes the same file."""
    import pyarrow as pa
    from pyarrow import parquet

    log = EventLog()
    play(scenario, seed, registry(scenario), Trace(log.heard))
    path = folder / f"events-{seed}.parquet"
    columns = map(list, zip(*log.rows, strict=True))
    with whole(path) as unfinished:
        parquet.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), unfinished)
    return path


def _about(event: Event) -> str:
    """What it is about: the object's type and id, or the first word of the event."""
    if isinstance(event, MessageReceived):
        return f"{type(event.sealed.payload).__name__} {event.sealed.id}"
    for name in ("effect_id", "peer", "key", "benchmark", "task"):
        if hasattr(event, name):
            return str(getattr(event, name))
    return ""


def _word(effect: Effect) -> str:
    return effect.kind if isinstance(effect, Notify) else type(effect).__name__
