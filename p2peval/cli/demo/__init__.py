"""``p2peval demo``: a real network on this machine, start to finish, that checks what it shows.

    cast       who plays: names, homes and configs of a network that nobody else is in
    stage      starts the daemons as processes of their own, and leaves none behind
    models     scikit-learn's digits as a benchmark, and three real models for it
    liar       the one peer that is not honest
    teller     what happens, told while it happens
    play       what is done, in order: join, evaluate, read the boards; only through the daemons' API
    claims     whether what was shown is true

Source: issue "One real network evaluates one real model", item 9.
"""

from __future__ import annotations

from p2peval.cli.options import Options


def run(peers: int, liars: int, options: Options) -> int:
    """Play it; 0 only if everything that is claimed held. Raises P2pevalError otherwise."""
    from p2peval.cli.demo.models import require
    from p2peval.cli.demo.play import perform

    require()
    perform(peers, liars, options)
    return 0
