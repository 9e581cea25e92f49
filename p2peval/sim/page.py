"""A campaign as one HTML file that needs nothing else: verdicts, figures, tables, and what it was made from."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from p2peval.sim.claims import Verdict
from p2peval.sim.estimate import Estimate
from p2peval.sim.kinds import registry
from p2peval.sim.measures import MEASURES
from p2peval.sim.results import Summary, versions
from p2peval.sim.scenario import Scenario
from p2peval.sim.scenario_file import dumps

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;margin:.5rem 0}
td,th{padding:.2rem .6rem;border-bottom:1px solid #dde3ea;text-align:left;font-variant-numeric:tabular-nums}
img{max-width:100%}pre{background:#f4f6f9;padding:1rem;overflow:auto}.held{color:#0a7d33}.not{color:#b3261e;font-weight:600}
.scroll{overflow-x:auto}@media(prefers-color-scheme:dark){body{background:#14181f;color:#dfe5ee}td,th{border-color:#333b47}
pre{background:#1d232c}img{background:#fff}}
"""


def page(scenario: Scenario, summaries: Sequence[Summary], pictures: Sequence[tuple[str, bytes]], command: str) -> str:
    """``pictures``: caption and PNG; ``command``: what makes this page again."""
    parts = [
        f"<h1>{escape(scenario.title)}</h1>",
        f"<p>{escape(scenario.description)}</p>" if scenario.description else "",
        f"<p>{len(scenario.seeds)} seeds, {scenario.hosts} hosts, {scenario.hours:g} virtual hours. Means over seeds; "
        f"± is half of a 95 % interval (Student's t). <code>{escape(command)}</code></p>",
        _claims(summaries),
        _attacks(scenario),
        *(_picture(*each) for each in pictures),
        _measures(summaries),
        "<h2>Measures</h2><dl>"
        + "".join(f"<dt><b>{escape(name)}</b></dt><dd>{escape(says)}</dd>" for name, says in MEASURES.items())
        + "</dl>",
        f"<h2>Effective configuration</h2><pre>{escape(dumps(scenario))}</pre>",
        "<h2>Versions</h2><p>" + escape(", ".join(f"{name} {at}" for name, at in versions().items())) + "</p>",
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(scenario.title)}</title><style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def _claims(summaries: Sequence[Summary]) -> str:
    rows = [
        [each.name, str(verdict.claim), value(verdict), verdict.held] for each in summaries for verdict in each.verdicts
    ]
    if not rows:
        return ""
    body = "".join(
        f"<tr><td>{escape(str(name))}</td><td><code>{escape(str(claim))}</code></td><td>{escape(str(found))}</td>"
        f'<td class="{"held" if held else "not"}">{"holds" if held else "does not hold"}</td></tr>'
        for name, claim, found, held in rows
    )
    return f"<h2>Claims</h2><table><tr><th></th><th>claim</th><th>found</th><th></th></tr>{body}</table>"


def value(verdict: Verdict) -> str:
    """What was found, or that there was nothing to measure."""
    return "nothing to measure" if verdict.value is None else f"{verdict.value:.4g}"


def _attacks(scenario: Scenario) -> str:
    if not scenario.adversaries:
        return ""
    known = registry(scenario)
    rows = "".join(
        f"<tr><td>{group.count} × {escape(' + '.join(group.kinds))}</td>"
        f"<td>{escape('; '.join(known[kind].knows for kind in group.kinds))}</td>"
        f"<td>{escape('; '.join(known[kind].costs for kind in group.kinds))}</td></tr>"
        for group in scenario.adversaries
    )
    return f"<h2>Adversaries</h2><table><tr><th></th><th>know</th><th>pay</th></tr>{rows}</table>"


def _picture(caption: str, png: bytes) -> str:
    data = b64encode(png).decode()
    return f'<h2>{escape(caption)}</h2><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'


def _measures(summaries: Sequence[Summary]) -> str:
    names = [name for name in MEASURES if any(name in each.found for each in summaries)]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><td>{escape(each.name)}</td>"
        + "".join(f"<td>{told(each.found[name]) if name in each.found else '–'}</td>" for name in names)
        + "</tr>"
        for each in summaries
    )
    return f'<h2>All measures</h2><div class="scroll"><table><tr><th></th>{head}</tr>{body}</table></div>'


def told(found: Estimate) -> str:
    half = (found.high - found.low) / 2
    return f"{found.mean:.4g}" + (f" ±{half:.1g}" if half > 0 else "")
