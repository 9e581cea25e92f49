"""Worlds played on a Dask cluster, for who outgrows one machine (extra ``sim-cluster``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from p2peval.errors import ConfigError, NetworkError

if TYPE_CHECKING:
    from p2peval.sim.campaign import Job, Player
    from p2peval.sim.play import Outcome

CONNECT = 10.0
"""Seconds to wait for the scheduler; guess."""


def on_cluster(address: str) -> Player:
    """By the workers of the scheduler at ``address``, which have the same version of p2peval installed.

    Raises ConfigError where ``distributed`` is missing, NetworkError where nobody answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError("no cluster: distributed is missing", hint="pip install 'p2peval[sim-cluster]'") from error
    try:
        client = Client(address, timeout=CONNECT)
    except OSError as error:
        raise NetworkError(f"no Dask scheduler answers at {address}", hint="dask scheduler starts one") from error
    return partial(_played, client)


def _played(client: object, do: Callable[[Job], Outcome], work: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
    from distributed import as_completed

    waiting = {client.submit(do, job, pure=False): place for place, job in enumerate(work)}  # type: ignore[attr-defined]
    try:
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    finally:
        client.close()  # type: ignore[attr-defined]
