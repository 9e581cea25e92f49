"""``sim replay``: what a daemon has recorded, played again here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

import p2peval
from p2peval.cli.contract import ReplayDifferenceView, ReplayGapView, SimReplayView
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output, show_error
from p2peval.errors import VerificationError
from p2peval.paths import locate

if TYPE_CHECKING:
    from p2peval.sim.replay import Replayed

WHAT = {"values": "effects of the same kinds, with other values", "state": "the same, but for the state it left"}
"""What a difference is where the kinds of effects do not show it."""


@click.command("replay", cls=Command, short_help="Play a daemon's record again, and compare.")
@click.argument("record", type=click.Path(path_type=Path), metavar="RECORD")
@click.option(
    "--key", type=click.Path(path_type=Path, file_okay=False), metavar="HOME", help="The home of who recorded it."
)
@pass_options
def replay_command(options: Options, record: Path, key: Path | None) -> int:
    """Play what `p2peval daemon --record FILE` wrote into a fresh node, and hold what it does against the record.

    The node is made of the same key, so it takes the key of the home that recorded (this one's, if not said). Nothing
    is sent or run. The first event about which the two did not do the same ends it, with exit code 5.
    """
    from p2peval.daemon.offline import read_seed
    from p2peval.sim.replay import replay

    out = Output(options)
    played = replay(record, read_seed(locate(key) if key else options.paths))
    view = _view(record, played)
    out.answer("sim.replay", view, lambda: _told(out, view))
    if view.version != p2peval.__version__:
        out.say(f"note: recorded by p2peval {view.version}, played by {p2peval.__version__}")
    if view.torn:
        out.say("note: the last line is a piece of one, and was left out")
    if not view.same:
        if not options.json:  # there the one answer says it
            show_error(_refusal(view), as_json=False)
        return VerificationError.exit_code
    out.say("the same decisions throughout")
    return 0


def _view(record: Path, played: Replayed) -> SimReplayView:
    found = played.difference
    return SimReplayView(
        file=str(record),
        peer=played.peer,
        version=played.version,
        starts=played.starts,
        events=dict(played.events.most_common()),
        effects=dict(played.effects.most_common()),
        torn=played.torn,
        gaps=tuple(ReplayGapView(line=gap.line, at=gap.at, tables=gap.tables) for gap in played.gaps),
        difference=None
        if found is None
        else ReplayDifferenceView(
            line=found.line,
            at=found.at,
            event=found.event,
            what=found.what,
            recorded=found.recorded.kinds,
            played=found.played.kinds,
            error=found.error,
        ),
        same=played.same,
    )


def _told(out: Output, view: SimReplayView) -> str:
    pairs = [("peer", view.peer), ("starts", str(view.starts))]
    for name, counts in (("events", view.events), ("effects", view.effects)):
        kinds = ", ".join(f"{kind} {count}" for kind, count in counts.items())
        pairs.append((name, f"{sum(counts.values())} the same: {kinds}" if kinds else "0"))
    pairs += [("gap", f"line {gap.line}, {_when(gap.at)}: {', '.join(gap.tables)}") for gap in view.gaps]
    if view.difference is not None:
        found = view.difference
        pairs += [
            ("difference", f"line {found.line}, {_when(found.at)}: {found.event}"),
            ("recorded", ", ".join(found.recorded) or "nothing"),
            ("played", found.error or WHAT.get(found.what) or ", ".join(found.played) or "nothing"),
        ]
    return out.fields(pairs)


def _refusal(view: SimReplayView) -> VerificationError:
    if view.difference is not None:
        message = f"{view.file}, line {view.difference.line}: the node here did not do what the daemon's did"
        return VerificationError(message, hint="the line was altered, or p2peval decides otherwise than it did")
    message = f"{view.file}: {len(view.gaps)} of {view.starts} starts found other rows than the events before them left"
    return VerificationError(message, hint="a machine that loses power may lose the end of a record")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
